"""The price tag of a rule stays in sight while one writes, moves nothing, and says what to do where it fails."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from recommendations.models import Rule, RuleBook
from recommendations.services.rules.editing import save_rule
from tests.journeys.conftest import Visitor, committed, until
from tests.journeys.holding import holding
from tests.trained import NOW

pytestmark = pytest.mark.django_db

expect.set_options(timeout=20_000)
BOOST = "/rules/new/?action=boost&strength=60&category=FOOD%20%3E%20WINE&placement=home&period=week"
IN_SIGHT = """(selector) => { const box = document.querySelector(selector).getBoundingClientRect();
  return box.top >= 0 && box.top < innerHeight && box.bottom > 0; }"""
TOPS = """() => [...document.querySelectorAll(".rule-column, .rule-bar, .effect-customers")]
  .map((part) => Math.round(part.getBoundingClientRect().top + scrollY))"""


def in_sight(page: Page, selector: str) -> bool:
    return bool(page.evaluate(IN_SIGHT, selector))


def test_beside_the_form_at_a_desk(ada: Visitor) -> None:
    page, held = ada.page, holding(ada.page, "**/rules/effect/")
    ada.visit(BOOST)
    expect(page.locator("#effect .skeleton dt").first).to_have_text("Revenue")
    expect(page.locator(".effect-wait")).to_be_visible()
    before = page.evaluate(TOPS)
    held(1).continue_()
    expect(page.locator("#effect-body")).to_contain_text("of the slots")
    assert page.evaluate(TOPS) == before
    expect(page.locator("#effect-expected")).to_contain_text(re.compile(r"about \d+ s"))
    expect(page.locator("#effect-told")).to_contain_text("Measured: Revenue")
    assert not page.locator(".price-bar").is_visible()
    page.locator("#strength").scroll_into_view_if_needed()
    assert in_sight(page, "#effect-body .price-tag")
    assert ada.complaints() == []


def test_a_server_that_does_not_answer_is_told(ada: Visitor) -> None:
    page = ada.page
    ada.visit(BOOST)
    expect(page.locator("#effect-body")).to_contain_text("of the slots")
    held = holding(page, "**/rules/effect/")
    page.get_by_role("button", name="Measure again").click()
    held(1).abort()
    expect(page.locator("#effect-failed")).to_contain_text("press “Measure again”")
    expect(page.locator("#effect-told")).to_contain_text("nothing was measured")
    page.unroute("**/rules/effect/")
    page.get_by_role("button", name="Measure again").click()
    expect(page.locator("#effect-failed")).to_be_hidden()
    expect(page.locator("#effect-told")).to_contain_text("Measured:")


def test_a_line_at_the_foot_of_a_phone(window: Callable[..., Visitor]) -> None:
    visitor = window(width=390)
    visitor.log_in()
    page = visitor.page
    visitor.visit(BOOST)
    line = page.locator(".price-bar")
    expect(line).to_contain_text("slots")
    assert in_sight(page, ".price-bar")
    page.locator("#items-builder").scroll_into_view_if_needed()
    assert in_sight(page, ".price-bar")
    line.get_by_role("link", name="Details").click()
    until(page, IN_SIGHT, "#effect-body .price-tag")  # the browser goes there with its next frame
    assert visitor.complaints() == []


def test_a_ready_period_fills_the_fields(ada: Visitor) -> None:
    page = ada.page
    ada.visit("/rules/new/")
    page.get_by_role("radio", name="Today").check(force=True)
    assert page.input_value("#ends_at").endswith("T23:59")
    assert page.input_value("#starts_at")[:10] == page.input_value("#ends_at")[:10]
    page.fill("#ends_at", "2030-01-01T08:00")
    expect(page.get_by_role("radio", name="Custom", exact=True)).to_be_checked()
    page.get_by_role("radio", name="Until revoked").check(force=True)
    assert page.input_value("#starts_at") == page.input_value("#ends_at") == ""


EXPIRED = {
    "name": "Wine is out", "placement": "home", "action": "boost", "strength": 80,
    "ends_at": "2026-01-01T00:00:00+00:00",
    "items": [{"attribute": "category", "operator": "is", "values": ["FOOD > WINE"]}],
}  # fmt: skip


@pytest.fixture
def expired(site: str) -> Iterator[Rule]:
    """A draft that is over; afterwards there is neither it nor a book."""
    yield (rule := committed(lambda: save_rule(rule=None, values=EXPIRED, revision=None, by=None, now=NOW)))

    def tidy() -> None:
        for book in RuleBook.objects.order_by("-number"):
            book.delete()
        Rule.objects.filter(pk=rule.pk).delete()

    committed(tidy)


def test_what_was_measured_of_another_form_goes_at_once(ada: Visitor, expired: Rule) -> None:
    page = ada.page
    ada.visit(f"/rules/{expired.pk}/")
    old = page.locator("#effect-body .price-sentence")
    expect(old).to_contain_text("it changes nothing")
    held = holding(page, "**/rules/effect/")
    page.get_by_role("radio", name="Until revoked").check(force=True)
    assert not old.is_visible()
    assert page.locator(".effect-wait").is_visible()
    assert page.locator("#effect-line").text_content() == "Measuring…"
    first = held(1)
    before = first.fetch()
    page.fill("#strength", "90")
    page.locator("#strength").blur()
    first.fulfill(response=before)  # the answer to the form of before
    until(page, "() => !document.querySelector('#effect.htmx-request')", seconds=10)
    assert not old.is_visible()
    assert page.locator(".effect-wait").is_visible()
    expect(page.locator("#effect-line")).to_have_text("Measuring…")
    held(2).continue_()
    expect(old).to_contain_text("of the slots")
    expect(old).to_be_visible()
    expect(page.locator(".effect-wait")).to_be_hidden()
    expect(page.locator("#effect-customers .list-pair").first).to_be_visible()
    page.unroute("**/rules/effect/")
    page.route("**/rules/effect/", lambda route: route.abort())
    page.fill("#strength", "70")
    page.locator("#strength").blur()
    expect(page.locator("#effect-failed")).to_be_visible()
    assert not old.is_visible()
    assert not page.locator(".effect-wait").is_visible()


def test_a_rule_is_published_unmeasured_by_nobody_who_was_not_told(ada: Visitor, expired: Rule) -> None:
    page = ada.page
    ada.visit(f"/rules/{expired.pk}/")
    page.get_by_role("radio", name="Until revoked").check(force=True)
    held = holding(page, "**/rules/proposal/**")
    page.get_by_role("button", name="Publish…").click()
    dialog = page.get_by_role("dialog")
    publish = dialog.get_by_role("button", name="Publish", exact=True)
    dialog.get_by_label("Why (required)").fill("Wine again")
    held(1)  # it has been asked for, and does not come
    publish.click()
    expect(dialog.get_by_role("alert")).to_contain_text("The effect has not been measured yet")
    expect(dialog.get_by_role("button", name="Publish without figures")).to_be_visible()
    expect(dialog.get_by_label("Why (required)")).to_have_value("Wine again")
    assert [each for each in ada.complaints() if "422" not in each] == []
    held(2).continue_()
    expect(dialog.locator(".dialog-effect")).to_contain_text("of the slots")
    expect(dialog.get_by_role("alert")).to_have_count(0)
    publish.click()
    row = page.get_by_role("row").filter(has_text="Wine is out")
    expect(row.locator(".measured-cell")).to_contain_text("of the first")
