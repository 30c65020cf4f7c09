"""The editor of a campaign in a browser: it stays where one is, and a form is sent once, however often one clicks."""

import re
from collections.abc import Callable, Iterator

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from recommendations.models import Campaign
from recommendations.services.campaigns.lifecycle import save_draft
from tests.contrast import contrast
from tests.journeys.conftest import Visitor, committed

pytestmark = pytest.mark.django_db

DRAFT = "Left in the cart"
EDGE_AND_CARD = """() => {
  const radio = document.querySelector('#starts-at');
  return [getComputedStyle(radio).borderTopColor, getComputedStyle(radio.closest('.card, details')).backgroundColor];
}"""


@pytest.fixture
def editor(ada: Visitor) -> Iterator[str]:
    """Address of the editor of a draft; copies of it are gone afterwards."""
    key = committed(lambda: Campaign.objects.get(name=DRAFT).pk)
    yield f"/campaigns/{key}/edit/"
    committed(lambda: Campaign.objects.filter(name__startswith="Copy of").delete())


def middle(part: Locator) -> float:
    box = part.bounding_box()
    assert box
    return box["y"] + box["height"] / 2


def test_who_saves_stays_on_the_step_that_is_open(ada: Visitor, editor: str) -> None:
    page = ada.page
    ada.visit(editor)
    page.locator("#step-when > summary").click()
    page.get_by_role("button", name="Save", exact=True).last.click()
    page.wait_for_url("**/edit/?step=when")
    expect(page.locator("#step-when")).to_have_attribute("open", "")
    assert ada.complaints() == []


def test_a_double_click_copies_once(ada: Visitor, editor: str) -> None:
    page = ada.page
    ada.visit(editor)
    page.get_by_role("button", name="Copy", exact=True).first.dblclick()
    page.wait_for_url(lambda url: editor not in url)
    page.wait_for_load_state()
    assert committed(lambda: Campaign.objects.filter(name__startswith="Copy of").count()) == 1


def test_what_somebody_else_saved_meanwhile_stands_in_the_form_and_survives(ada: Visitor, editor: str) -> None:
    page = ada.page
    ada.visit(editor)
    page.get_by_role("button", name="Copy", exact=True).first.click()
    page.wait_for_url(lambda url: editor not in url)
    page.set_viewport_size({"width": 390, "height": 800})

    def save_theirs() -> None:
        copy = Campaign.objects.get(name__startswith="Copy of")
        safety = copy.draft["safety"] | {"holdout": 0.2}
        save_draft(
            campaign=copy, name="Copy of theirs", draft=copy.draft | {"safety": safety}, revision=copy.revision,
            by=None, now=timezone.now(),
        )  # fmt: skip

    committed(save_theirs)
    page.locator("#name").fill("Copy of mine")
    save = page.get_by_role("button", name="Save", exact=True).last
    save.click()
    table = page.locator(".stale tbody tr")
    expect(table).to_have_text([re.compile("Name.*Copy of theirs.*Copy of mine"), re.compile("Held out.*20%.*taken")])
    expect(page.locator("#holdout")).to_have_value("20")
    assert [text for text in ada.complaints() if "409" not in text] == []
    page.get_by_role("button", name="Save mine over it").click()
    page.wait_for_url("**/edit/?step=*")
    after = committed(lambda: Campaign.objects.get(name="Copy of mine").draft)
    assert after["safety"]["holdout"] == 0.2


def test_a_day_stands_beside_its_word_and_weeks_keep_their_distance(ada: Visitor, editor: str) -> None:
    page = ada.page
    ada.visit(f"{editor}?step=when")
    radio, word, other = (page.locator(f"#step-when {each}") for each in (
        "#starts-at", "label[for=starts-at]", "input[name=starts][value='']",
    ))  # fmt: skip
    assert abs(middle(radio) - middle(word)) <= 2
    assert radio.bounding_box()["x"] == other.bounding_box()["x"]  # type: ignore[index]
    words = page.locator("#step-when .form-check-label")
    assert abs(left_of(words.nth(0)) - left_of(words.nth(1))) <= 1
    page.set_viewport_size({"width": 390, "height": 800})
    ada.visit("/campaigns/calendar/")
    assert distance(page) >= 8


def test_what_is_not_chosen_is_seen_in_light_and_dark(ada: Visitor, editor: str) -> None:
    for scheme in ("light", "dark"):
        ada.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        ada.visit(f"{editor}?step=when")
        edge, card = ada.page.evaluate(EDGE_AND_CARD)
        assert contrast(edge, card) >= 3, scheme  # WCAG 1.4.11


def left_of(part: Locator) -> float:
    box = part.bounding_box()
    assert box
    return box["x"]


def distance(page: Page) -> float:
    """Between the buttons of the weeks and the first row below them."""
    buttons, row = (
        page.locator(".card-head nav").bounding_box(),
        page.locator(".campaign-calendar tbody").bounding_box(),
    )
    assert buttons
    assert row
    return row["y"] - buttons["y"] - buttons["height"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_notification_is_drawn_as_one_types(window: Callable[..., Visitor], editor: str, theme: str) -> None:
    visitor = window(width=390, theme=theme)
    visitor.log_in()
    visitor.visit(f"{editor}?step=what")
    page = visitor.page
    page.locator("#channel-0").select_option("web_push")
    for subject in page.locator("[id^=en-subject-]").all():  # which of them a customer gets, depends on their key
        subject.fill("Tea for two")
    expect(page.locator(".is-phone .notice-head")).to_have_text("Tea for two")
    picture = page.locator(".is-desktop .notice-body img")
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("(image) => image.naturalWidth") > 0
    assert visitor.complaints() == []
