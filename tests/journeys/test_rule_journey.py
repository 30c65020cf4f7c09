"""A merchandiser's rule, from the first key to the way back; and what becomes of it when the session ends."""

from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from playwright.sync_api import Locator, Page, expect

from recommendations.models import AuditEntry, Rule, RuleBook
from recommendations.services.rules.books import publish_rules
from tests.journeys.conftest import Visitor, committed
from tests.journeys.furnishing import EMAIL, PASSWORD
from tests.journeys.holding import holding
from tests.trained import NOW

pytestmark = pytest.mark.django_db

expect.set_options(timeout=20_000)
MOST_STOPS = 150  # of the tab key on one page


@pytest.fixture
def ada(ada: Visitor) -> Iterator[Visitor]:
    """A visitor with "More tea" in the served book; afterwards there is none, and no rule but the drafts of before."""
    before = committed(lambda: set(Rule.objects.values_list("pk", flat=True)))
    committed(publish_first)
    yield ada
    committed(lambda: tidy(before))


def publish_first() -> None:
    key = Rule.objects.get(name="More tea").pk
    publish_rules(rules=[key], based_on=None, note="Tea season", by=None, now=NOW)


def tidy(rules: set[int]) -> None:
    for book in RuleBook.objects.order_by("-number"):
        book.delete()
    Rule.objects.exclude(pk__in=rules).delete()


def tab_to(page: Page, place: Locator) -> None:
    """Press Tab until a control has the focus: what the keyboard cannot reach is not there."""
    expect(place).to_be_visible()
    page.wait_for_load_state()  # before that no script hears what is typed
    for _ in range(MOST_STOPS):
        if place.evaluate("(element) => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{place} cannot be reached with the tab key")


def test_a_rule_with_the_keyboard_alone(ada: Visitor) -> None:
    page = ada.page
    ada.visit("/")
    open_rules(page)
    expect(page.get_by_role("heading", name="Rules", exact=True)).to_be_visible()
    expect(page.get_by_text("1 thing to check")).to_be_visible()  # soap at Easter is over
    assert ada.complaints() == []
    tab_to(page, page.get_by_role("link", name="New rule"))
    page.keyboard.press("Enter")
    write_wine_rule(page)
    assert ada.complaints() == []

    publish_wine_rule(ada)
    row = page.get_by_role("row").filter(has_text="Wine for everybody")
    expect(row.get_by_text("Live", exact=True)).to_be_visible()
    expect(row).to_contain_text("slots")
    expect(page.locator(".book-line").get_by_text("serves 2 rules")).to_be_visible()

    roll_back(ada)
    open_rules(page)
    expect(row.get_by_text("Draft", exact=True)).to_be_visible()
    assert ada.problems == []
    books = AuditEntry.objects.filter(object_type="rulebook").order_by("at").values_list("verb", "note")
    assert list(books)[-2:] == [("publish", "Wine fair"), ("roll back", "The fair is over")]


def open_rules(page: Page) -> None:
    page.wait_for_load_state()  # before that no script hears the keys
    page.keyboard.press("g")
    page.keyboard.press("u")


def write_wine_rule(page: Page) -> None:
    """Fill in the form of a new rule: wine gets a strong boost on "For you"."""
    tab_to(page, page.get_by_label("Name", exact=True))
    page.keyboard.type("Wine for everybody")
    tab_to(page, page.get_by_label("Placement"))
    page.keyboard.type("For you")
    tab_to(page, page.locator("#items-0-attribute"))
    page.keyboard.type("Category")
    tab_to(page, page.get_by_label("Add to Category"))
    page.keyboard.type("win")
    expect(page.locator(".option")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator("#items-matches")).to_contain_text("12 items match")
    expect(page.locator("#items-0-typed")).to_be_focused()
    tab_to(page, page.get_by_label("Strength, −100 to 100"))
    page.keyboard.type("100")
    expect(page.locator("[data-strength-words]")).to_have_text("strong boost")
    page.keyboard.press("Tab")
    expect(page.locator("#effect")).to_contain_text("of the slots")
    expect(page.locator("#rule-words")).to_have_text("On “For you”: boost items with category Wine by +100")
    expect(page.locator(".list-pair")).to_have_count(3)


def publish_wine_rule(ada: Visitor) -> None:
    page = ada.page
    tab_to(page, page.get_by_role("button", name="Publish…"))
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Publish “Wine for everybody”?")
    expect(dialog.get_by_text("added")).to_be_visible()
    expect(dialog.locator(".dialog-effect")).to_contain_text("of the slots")
    expect(dialog.get_by_label("Why (required)")).to_be_focused()
    assert ada.complaints() == []
    page.keyboard.type("Wine fair")
    tab_to(page, dialog.get_by_role("button", name="Publish"))
    page.keyboard.press("Enter")


def roll_back(ada: Visitor) -> None:
    """Roll back to the book from before the wine."""
    page = ada.page
    tab_to(page, page.get_by_role("link", name="Versions"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Versions of the rules")).to_be_visible()
    assert ada.complaints() == []
    tab_to(page, page.get_by_role("link", name="Roll back… r1"))
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Roll back to r1?")
    expect(dialog.get_by_text("withdrawn")).to_be_visible()
    expect(dialog.get_by_label("Why (required)")).to_be_focused()
    page.keyboard.type("The fair is over")
    tab_to(page, dialog.get_by_role("button", name="Roll back to r1"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("Rolled back: r3 serves what r1 had, from the next request on.")).to_be_visible()


def test_the_order_by_keyboard_keeps_its_place(ada: Visitor) -> None:
    page = ada.page
    ada.visit("/rules/")
    down = page.get_by_role("button", name="Move More tea down")
    tab_to(page, down)
    page.keyboard.press("Enter")
    expect(page.locator("tbody tr").nth(1)).to_contain_text("More tea")
    expect(page.get_by_role("button", name="Move More tea up")).to_be_visible()
    page.get_by_role("button", name="Move More tea up").click()
    expect(page.locator("tbody tr").first).to_contain_text("More tea")
    assert ada.problems == []


def test_what_was_done_is_undone_from_a_toast(ada: Visitor) -> None:
    """By the key, by the tab key from the top of the page, and not at all once it has gone."""
    page = ada.page
    ada.visit("/rules/")
    toast = page.locator("#toasts .toast-line")
    page.get_by_role("button", name="Move More tea down").click()
    expect(toast).to_contain_text("The order is changed.")
    assert ada.complaints() == []
    page.keyboard.press("z")
    expect(toast).to_have_count(0)
    expect(page.get_by_text("Undone: it is as it was before.")).to_be_visible()
    expect(page.locator("tbody tr").first).to_contain_text("More tea")

    row = page.get_by_role("row").filter(has_text="No soap at Easter")
    row.locator("summary").click()
    row.get_by_role("button", name="Archive").click()
    expect(toast).to_contain_text("“No soap at Easter” is archived.")
    tab_to(page, toast.get_by_role("button", name="Undo"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("row").filter(has_text="No soap at Easter")).to_be_visible()
    assert ada.problems == []


def test_a_toast_goes_after_ten_seconds_unless_somebody_is_at_it(window: Callable[..., Visitor]) -> None:
    visitor = window(alone=True)
    visitor.log_in()
    page = visitor.page
    page.clock.install()
    visitor.visit("/rules/")
    page.get_by_role("button", name="Move More tea down").click()
    toast = page.locator("#toasts .toast-line")
    page.wait_for_load_state()  # the script has taken the toast, to bring it in a moment
    page.clock.pause_at(page.evaluate("Date.now() / 1_000 + 5"))  # from now on only the test moves it
    expect(toast).to_be_visible()
    toast.get_by_role("button", name="Undo").focus()
    page.clock.run_for(20_000)
    expect(toast).to_be_visible()
    page.get_by_role("link", name="New rule").focus()
    page.clock.run_for(9_000)
    expect(toast).to_be_visible()
    page.clock.run_for(2_000)
    expect(toast).to_have_count(0)
    page.get_by_role("button", name="Move More tea up").click()


def test_a_typed_rule_outlives_the_session(ada: Visitor) -> None:
    page = ada.page
    ada.visit("/rules/new/")
    page.fill("#name", "Half a rule")
    page.select_option("#items-0-attribute", "category")
    page.fill("#items-0-typed", "win")
    page.locator(".option").filter(has_text="Wine").click()
    expect(page.locator("#items-matches")).to_contain_text("12 items match")
    page.check("input[value=cap]")
    page.fill("#most", "7")
    holding(page, "**/rules/effect/")  # the price tag would lead to the login by itself
    page.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    page.get_by_role("button", name="Save draft").last.click()
    expect(page.get_by_text("Your session had ended. What you typed is kept")).to_be_visible()  # by the script
    page.unroute_all(behavior="ignoreErrors")
    page.fill("#id_username", EMAIL)
    page.fill("#id_password", PASSWORD)
    page.click("form.stack button")
    notice = page.get_by_role("status").filter(has_text="What you had typed before the session ended is back.")
    expect(notice).to_be_visible()
    expect(page.locator("#name")).to_have_value("Half a rule")
    expect(page.locator("#most")).to_have_value("7")
    expect(page.locator("input[name=items-0-values]")).to_have_value("FOOD > WINE")
    assert not Rule.objects.filter(name="Half a rule").exists()
