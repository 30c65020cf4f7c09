"""The twelve tasks that a new merchandiser tried, walked again: none takes more clicks than it took there.

``CLICKS`` has what the trial counted; typing into a field that has the focus already takes none.
"""

import re
import uuid
from collections.abc import Iterator, Mapping
from typing import Protocol

import pytest
from django.conf import settings
from django.core.cache import cache
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from recommendations.models import AttributedLine, BlendWeights, Customer, Item, Rule, RuleBook, Run, Segment
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.terms import RunStatus, WeightsStatus
from tests.journeys.clicks import Clicks
from tests.journeys.conftest import Visitor, committed
from tests.journeys.furnishing import DRAFT_RULES, EMAIL, PASSWORD

pytestmark = pytest.mark.django_db

expect.set_options(timeout=20_000)
WHO = "u3"  # a tea drinker, as the shop writes it
CLICKS: Mapping[str, int] = {
    "why": 3, "why not": 4, "weights": 5, "rule": 13, "quality": 4, "earns": 0, "segment": 2, "pair": 1, "run": 3,
    "import": 6, "invite": 6, "session": 0,
}  # fmt: skip
"""Where the trial counted fields, a click to reach each is in the sum."""
TABS: Mapping[str, int] = {"slider": 28, "publish": 42, "roll back": 65}
"""Keys that the trial pressed from the top of the page."""


class Compare(Protocol):
    def __call__(self, task: str, unseen: int = 0) -> None: ...


@pytest.fixture(autouse=True)
def _nothing_goes_on(site: str) -> None:
    """No draft, no run, and no rule but those of the shop's making."""

    def tidy() -> None:
        BlendWeights.objects.filter(status=WeightsStatus.DRAFT).delete()
        Run.objects.unfinished().update(status=RunStatus.CANCELLED)
        Rule.objects.exclude(name__in=[rule["name"] for rule in DRAFT_RULES]).delete()

    committed(tidy)


@pytest.fixture
def taken(ada: Visitor) -> Iterator[Compare]:
    """Counts what the test clicks from the login on; called with the task's name it compares and begins anew.

    ``unseen`` are clicks of a person that the driver does without: on a list and its option, or into a field.
    """
    ada.visit("/")
    clicks = Clicks(ada)
    told: dict[str, int] = {}

    def compare(task: str, unseen: int = 0) -> None:
        number = clicks.number - sum(told.values()) + unseen
        told[task] = number - unseen
        assert number <= CLICKS[task], f"{task}: {number} clicks, the trial took {CLICKS[task]}"

    yield compare
    print(told)  # noqa: T201 -- the figures of the walk, with pytest -s


def test_1_and_2_why_an_item_is_first_and_why_another_is_not_there(ada: Visitor, taken: Compare) -> None:
    page, who = ada.page, Customer.objects.get(pseudonym=pseudonym(WHO))
    page.keyboard.press("/")
    page.keyboard.type(WHO)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=f"Customer {who.code}")).to_be_visible()
    ada.settle()
    page.get_by_role("link", name="Why here").first.click()
    drawer = page.get_by_role("dialog")
    expect(drawer.get_by_role("heading", name="How the score adds up")).to_be_visible()
    taken("why")

    page.keyboard.press("Escape")
    page.get_by_label("Why not …?").click()
    page.keyboard.type("1 soap")  # words in any order
    expect(page.locator(".option").first).to_contain_text("Soap 1")
    page.keyboard.press("Enter")
    expect(drawer.get_by_text("smallest change")).to_be_visible()
    ada.settle()
    drawer.get_by_role("link", name="Apply as draft …").first.click()
    drawer.get_by_role("button", name="Make a draft").click()
    expect(page).to_have_url(re.compile(r"/(rules/\d+/|weights/\?blend=home.*)$"))
    taken("why not")
    assert ada.problems == []


def test_3_a_weight_is_moved_published_and_rolled_back(ada: Visitor, taken: Compare) -> None:
    page, before = ada.page, committed(_default)
    page.keyboard.press("g")
    page.keyboard.press("w")
    page.wait_for_url("**/weights/")
    ada.settle()
    slider = _strongest(page, before)
    slider.click(position={"x": 1, "y": 5})  # to nothing
    expect(page.locator("#effect-sentence")).not_to_contain_text("No change yet")
    page.get_by_role("button", name="Publish…").click()
    dialog = page.get_by_role("dialog", name=re.compile("^Publish"))
    _give_reason(page, dialog, "Publish")
    expect(page.get_by_text("is live: the shop's next request uses it.")).to_be_visible()
    page.get_by_role("button", name=f"Roll back to v{before.number}…").click()
    _give_reason(page, page.get_by_role("dialog", name=re.compile("^Roll back")), "Roll back")
    expect(page.get_by_text(f"with the weights of v{before.number}.")).to_be_visible()
    assert committed(_default).weights == before.weights
    taken("weights")


def _default() -> BlendWeights:
    return BlendWeights.objects.defaults().get(blend__name="home", segment=None)


def _strongest(page: Page, version: BlendWeights) -> Locator:
    name = max(version.weights, key=lambda one: version.weights[one])
    return page.locator(f'[data-setting="w.{name}"] [type=range]')


def _give_reason(page: Page, dialog: Locator, button: str) -> None:
    """Type the reason, which has the focus, allow what the final check advises against, and press the button."""
    _type_reason(page, dialog, button)
    override = dialog.get_by_role("checkbox")
    if override.count():
        override.focus()
        page.keyboard.press("Space")
    dialog.get_by_role("button", name=button, exact=True).click()


def test_4_a_category_is_boosted_this_week(ada: Visitor, taken: Compare) -> None:
    page = ada.page
    page.keyboard.press("g")
    page.keyboard.press("u")
    page.get_by_role("link", name="New rule").click()
    page.wait_for_url("**/rules/new/")
    page.get_by_label("Name", exact=True).click()
    page.keyboard.type("Wine week")
    page.get_by_label("Placement").select_option("home")
    page.get_by_role("radio", name="This week").click()
    page.locator("#items-0-attribute").select_option("category")
    page.locator("#items-0-typed").click()
    page.keyboard.type("wine")
    expect(page.locator(".option").first).to_contain_text("Wine")
    page.keyboard.press("Enter")
    page.locator("#strength").fill("60")
    expect(page.locator("#effect-body")).to_contain_text("of the slots")
    page.get_by_role("button", name="Publish…").click()
    expect(page.locator(".dialog-effect")).to_contain_text("of the slots")
    _give_reason(page, page.get_by_role("dialog", name=re.compile("^Publish")), "Publish")
    row = page.get_by_role("row").filter(has_text="Wine week")
    expect(row.get_by_text("Live", exact=True)).to_be_visible()
    expect(row).to_contain_text("23:59")  # the end of the week, to the minute
    taken("rule", 6)  # two lists opened and chosen from, the name's and the strength's field reached
    committed(_no_rules)


def _no_rules() -> None:
    for book in RuleBook.objects.order_by("-number"):
        book.delete()


def test_6_what_they_earn_is_read_without_a_click(ada: Visitor, taken: Compare) -> None:
    line = committed(_sold_from_a_list)
    ada.visit("/")
    earns = ada.page.get_by_role("region", name="What they earn")
    expect(earns.locator(".headline")).to_contain_text("$12")
    expect(earns.locator(".headline")).to_contain_text("bought from lists")
    for words in ("Share of turnover", "Orders", "Lift"):
        expect(earns.locator("dt").filter(has_text=words)).to_be_visible()
    taken("earns")
    committed(line.delete)


def _sold_from_a_list() -> AttributedLine:
    """A tea for 12 dollars, today."""
    cache.clear()
    tea = Item.objects.get(shop_id="tea-0")
    return AttributedLine.objects.create(
        occurred_at=timezone.now(), event_id=uuid.uuid4(), line=0, name="purchase", item=tea, amount="12", quantity=1,
        position=1, recommendation_id="r-1", placement="home", touch="click", replay=False, transaction_id="t1",
    )  # fmt: skip


def test_7_a_segment_is_named_and_a_pair_becomes_a_rule(ada: Visitor, taken: Compare) -> None:
    page = ada.page
    ada.visit("/segments/")
    segment = page.locator(".rename").first
    segment.locator("summary").click()
    expect(segment.get_by_role("textbox")).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type("Tea people")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The segment is now called “Tea people”.")).to_be_visible()
    taken("segment")
    committed(lambda: Segment.objects.filter(name="Tea people").update(name=""))

    ada.visit("/segments/together/")
    page.get_by_role("link", name="Use in a rule").first.click()
    expect(page.get_by_label("Placement")).to_have_value("also_bought")
    expect(page.locator("#slot")).to_have_value("1")
    taken("pair")


def test_8_a_run_is_started_and_cancelled(ada: Visitor, taken: Compare) -> None:
    page = ada.page
    ada.visit("/runs/")
    page.get_by_role("button", name="Start a run").click()
    expect(page.get_by_role("status").filter(has_text="Waiting for a worker.")).to_be_visible()
    page.wait_for_load_state()  # before that no script opens the dialog
    page.get_by_role("button", name="Cancel…").click()
    page.get_by_role("dialog", name="Cancel this run?").get_by_role("button", name="Cancel the run").click()
    expect(page.get_by_role("heading", name=re.compile("^Run of .* Cancelled$"))).to_be_visible()
    taken("run")


def test_11_weights_by_keyboard_alone(ada: Visitor) -> None:
    page, before = ada.page, committed(_default)
    ada.visit("/")
    page.keyboard.press("g")
    page.keyboard.press("w")
    page.wait_for_url("**/weights/")
    ada.settle()
    _skip_to_content(page)
    assert 2 + _tabs_to(page, page.locator("[data-setting] [type=range]").first) <= TABS["slider"]
    slider = _tabs_to(page, _strongest(page, before))
    page.keyboard.press("Home")
    expect(page.locator("#effect-sentence")).not_to_contain_text("No change yet")
    page.keyboard.press("s")
    expect(page.get_by_role("button", name="Publish…")).to_be_focused()
    assert slider + 1 <= TABS["publish"]
    page.keyboard.press("Enter")
    _by_keys(page, page.get_by_role("dialog", name=re.compile("^Publish")), "Publish")
    back = page.get_by_role("button", name=f"Roll back to v{before.number}…")
    expect(back).to_be_visible()
    _skip_to_content(page)
    assert 2 + _tabs_to(page, back) <= TABS["roll back"]
    page.keyboard.press("Enter")
    _by_keys(page, page.get_by_role("dialog", name=re.compile("^Roll back")), "Roll back")
    expect(page.get_by_text(f"with the weights of v{before.number}.")).to_be_visible()
    assert committed(_default).weights == before.weights


def _skip_to_content(page: Page) -> None:
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")


def _tabs_to(page: Page, place: Locator) -> int:
    """Presses of Tab until a control has the focus."""
    expect(place).to_be_visible()
    for number in range(100):
        if place.evaluate("(element) => element === document.activeElement"):
            return number
        page.keyboard.press("Tab")
    raise AssertionError(f"{place} cannot be reached with the tab key")


def _type_reason(page: Page, dialog: Locator, button: str) -> None:
    if button == "Publish":  # what it would do has come
        expect(dialog.get_by_role("heading", name="What changes")).to_be_visible()
    expect(dialog.get_by_role("textbox")).to_be_focused()
    page.keyboard.type("A trial")


def _by_keys(page: Page, dialog: Locator, button: str) -> None:
    _type_reason(page, dialog, button)
    override = dialog.get_by_role("checkbox")
    if override.count():
        _tabs_to(page, override)
        page.keyboard.press("Space")
    _tabs_to(page, dialog.get_by_role("button", name=button, exact=True))
    page.keyboard.press("Enter")


def test_12_a_half_filled_form_outlives_the_session(ada: Visitor, taken: Compare) -> None:
    """The trial's count is of what is lost: nothing."""
    page = ada.page
    typed = {
        "#name": "Half a rule",
        "#starts_at": "2026-12-01T00:00",
        "#ends_at": "2026-12-08T00:00",
        "#strength": "30",
    }
    ada.visit("/rules/new/?action=boost")
    for field, text in typed.items():
        page.fill(field, text)
    page.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    page.locator("#name").press("Enter")
    page.wait_for_load_state()  # the script of the login keeps what was typed
    page.fill("#id_username", EMAIL)
    page.fill("#id_password", PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="What you had typed before the session ended")).to_be_visible()
    assert {field: page.locator(field).input_value() for field in typed} == typed
    taken("session")
