"""The price tag of a rule stays in sight while one writes, moves nothing, and says what to do where it fails."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.journeys.conftest import Visitor

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
    page, held = ada.page, list[Route]()

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/rules/effect/", hold)
    ada.visit(BOOST)
    expect(page.locator("#effect .skeleton dt").first).to_have_text("Revenue")
    expect(page.locator(".effect-wait")).to_be_visible()
    before = page.evaluate(TOPS)
    held[0].continue_()
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
    page.route("**/rules/effect/", lambda route: route.abort())
    page.get_by_role("button", name="Measure again").click()
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
    assert in_sight(page, "#effect-body .price-tag")
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
