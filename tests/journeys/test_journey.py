"""One merchandiser's way through the dashboard."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from recommendations.models import Customer, Run, RunLogLine, RunStage, Staff
from recommendations.services.operations.runs import start_run
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.terms import RunStatus
from tests.journeys.conftest import Visitor, committed
from tests.journeys.furnishing import EMAIL
from tests.trained import NOW

pytestmark = pytest.mark.django_db

expect.set_options(timeout=10_000)


@pytest.fixture(autouse=True)
def _no_run_goes_on(site: str) -> None:
    committed(lambda: Run.objects.unfinished().update(status=RunStatus.CANCELLED))


def test_from_login_to_a_cancelled_run(window: Callable[..., Visitor]) -> None:
    ada = window()
    ada.log_in_by_form()
    page, tea_drinker = ada.page, Customer.objects.get(pseudonym=pseudonym("u3"))
    expect(page.get_by_role("heading", name="What they earn")).to_be_visible()

    page.get_by_role("navigation", name="Sections").get_by_role("link", name="Customers").click()
    expect(page.get_by_role("row")).to_have_count(51)  # a head and fifty customers
    page.wait_for_load_state()  # what is chosen is sent once the scripts have run
    page.get_by_label("State").select_option("Heavy")
    expect(page).to_have_url(re.compile("state=heavy"))
    page.get_by_role("link", name="Heavy remove this filter").click()
    expect(page.get_by_text("60 customers")).to_be_visible()
    page.wait_for_load_state()  # keys mean something once the scripts have run

    page.keyboard.press("/")
    page.keyboard.type("u3")  # the shop's own id
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{ada.site}/customers/{tea_drinker.code}/")
    expect(page.get_by_role("heading", name=f"Customer {tea_drinker.code}")).to_be_visible()
    expect(page.locator(".product")).to_have_count(20)

    page.get_by_role("link", name="Discover", exact=True).click()
    expect(page.get_by_role("link", name="Discover", exact=True)).to_have_attribute("aria-current", "true")
    page.get_by_role("link", name="Test view").click()
    expect(page.locator(".score-line")).to_contain_text(re.compile(r"\d+ of \d+ bought later"))
    expect(page.get_by_role("link", name="Discover", exact=True)).to_have_attribute("aria-current", "true")

    page.get_by_role("navigation", name="Sections").get_by_role("link", name="Runs").click()
    page.get_by_role("button", name="Start a run").click()
    expect(page.get_by_role("status").filter(has_text="Waiting for a worker.")).to_be_visible()
    page.wait_for_load_state()  # the button opens its dialog once the scripts have run
    page.get_by_role("button", name="Cancel…").click()
    dialog = page.get_by_role("dialog", name="Cancel this run?")
    expect(dialog).to_be_visible()
    assert ada.complaints() == []
    dialog.get_by_role("button", name="Keep it running").click()
    expect(dialog).to_be_hidden()
    page.get_by_role("button", name="Cancel…").click()
    dialog.get_by_role("button", name="Cancel the run").click()
    expect(page.get_by_role("heading", name=re.compile("^Run of .* Cancelled$"))).to_be_visible()
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    assert ada.problems == []


def test_progress_moves_by_itself_until_the_run_is_over(ada: Visitor) -> None:
    run = committed(lambda: start_run(by=None, now=NOW, in_worker=False))
    committed(lambda: change(run, status=RunStatus.RUNNING, started_at=NOW))
    ada.visit(f"/runs/{run.pk}/")
    committed(lambda: one_stage_further(run))
    expect(ada.page.locator("progress")).to_have_attribute("value", "42")
    expect(ada.page.get_by_text("1,200 events")).to_be_visible()
    expect(ada.page.get_by_role("status").filter(has_text="Running: Preprocess")).to_be_visible()
    assert ada.complaints() == []
    committed(lambda: change(run, status=RunStatus.SUCCEEDED, finished_at=NOW))
    expect(ada.page.get_by_role("heading", name=re.compile("Finished$"))).to_be_visible()
    expect(ada.page.locator("main [hx-get]")).to_have_count(0)
    assert ada.problems == []


def change(run: Run, **fields: object) -> None:
    Run.objects.filter(pk=run.pk).update(**fields)


def one_stage_further(run: Run) -> None:
    change(run, progress=0.42)
    RunStage.objects.filter(run=run, position=1).update(status=RunStatus.SUCCEEDED, started_at=NOW, finished_at=NOW)
    RunLogLine.objects.create(run=run, text="1,200 events")


def test_an_item_is_put_into_the_basket(ada: Visitor) -> None:
    tea_drinker = Customer.objects.get(pseudonym=pseudonym("u3"))
    ada.visit(f"/customers/{tea_drinker.code}/?placement=item")
    ada.page.get_by_label("View another item").fill("wine 11")
    ada.page.get_by_role("option", name="Wine 11").click()
    expect(ada.page.locator(".chip-item")).to_have_text("Wine 11")
    expect(ada.page).to_have_url(re.compile(r"around=\d+"))
    assert ada.complaints() == []


def test_help_and_shortcuts_can_be_turned_off(ada: Visitor) -> None:
    page = ada.page
    ada.visit("/")
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_be_visible()
    assert ada.complaints() == []
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.keyboard.press("g")
    page.keyboard.press("r")
    expect(page).to_have_url(f"{ada.site}/runs/")
    page.wait_for_load_state()  # the button opens its dialog once the scripts have run
    page.get_by_role("button", name="Keyboard shortcuts").click()
    dialog.get_by_label("Single keys act as shortcuts").uncheck()
    dialog.get_by_role("button", name="Close").click()
    page.keyboard.press("?")
    expect(dialog).to_be_hidden()
    page.reload()
    page.keyboard.press("g")
    page.keyboard.press("o")
    expect(page).to_have_url(f"{ada.site}/runs/")


@pytest.mark.parametrize("width", [1440, 390])
def test_a_question_mark_opens_its_text_beside_itself(window: Callable[..., Visitor], width: int) -> None:
    visitor = window(width=width)
    visitor.log_in()
    visitor.visit("/quality/")
    page, mark = (
        visitor.page,
        visitor.page.get_by_role("button", name="What does “NDCG@20” mean?").or_(
            visitor.page.get_by_role("button", name="What does “Recall@10” mean?")
        ),
    )
    mark.first.focus()
    page.keyboard.press("Enter")
    text = page.locator(".help-text:popover-open")
    expect(text).to_contain_text("Example:")
    box, button = text.bounding_box(), mark.first.bounding_box()
    assert box
    assert button
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    assert min(abs(box["y"] - button["y"] - button["height"]), abs(button["y"] - box["y"] - box["height"])) < 12
    page.keyboard.press("Escape")
    expect(text).to_have_count(0)
    mark.first.click()
    expect(text).to_have_count(1)
    page.mouse.click(5, 5)
    expect(text).to_have_count(0)
    assert visitor.complaints() == []


def test_theme_and_language_are_chosen_in_the_frame(ada: Visitor) -> None:
    page = ada.page
    ada.visit("/events/")
    bar = "document.querySelector('#arrivals-chart .bars path').style.fill"
    light = page.evaluate(bar)
    page.locator(".preferences summary").click()
    assert ada.complaints() == []
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    ada.settle()
    assert page.evaluate(bar) != light
    page.locator(".preferences summary").click()
    page.get_by_role("button", name="简体中文").click()
    expect(page.get_by_role("heading", name="收到的数据")).to_be_visible()
    staff = Staff.objects.get(email=EMAIL)
    assert (staff.theme, staff.language) == ("dark", "zh-hans")


def test_the_system_theme_is_followed_while_the_page_is_open(ada: Visitor) -> None:
    ada.visit("/")
    ada.page.emulate_media(color_scheme="dark")
    expect(ada.page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    ada.page.emulate_media(color_scheme="light")
    expect(ada.page.locator("html")).to_have_attribute("data-bs-theme", "light")


def test_the_rail_on_a_phone(window: Callable[..., Visitor]) -> None:
    visitor = window(width=390)
    visitor.log_in()
    visitor.visit("/")
    page, menu = visitor.page, visitor.page.get_by_role("button", name="Menu")
    expect(page.locator("#rail")).to_be_hidden()
    menu.click()
    expect(menu).to_have_attribute("aria-expanded", "true")
    assert visitor.complaints() == []
    page.get_by_role("link", name="Runs", exact=True).click()
    expect(page).to_have_url(f"{visitor.site}/runs/")
    expect(page.locator("#rail")).to_be_hidden()


def test_the_keyboard_reaches_the_content_first(ada: Visitor) -> None:
    ada.visit("/")
    ada.page.keyboard.press("Tab")
    skip = ada.page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    ada.page.keyboard.press("Enter")
    expect(ada.page.locator("main")).to_be_focused()
