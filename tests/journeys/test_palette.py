"""The search over every page, with the keyboard alone."""

import json

import pytest
from playwright.sync_api import expect

from recommendations.models import Customer
from recommendations.store.events.pseudonyms import pseudonym
from tests.journeys.conftest import Visitor

pytestmark = pytest.mark.django_db

expect.set_options(timeout=10_000)


def test_found_opened_and_remembered_by_kind_and_id_alone(ada: Visitor) -> None:
    page, who = ada.page, Customer.objects.get(pseudonym=pseudonym("u3"))
    dialog, field = page.locator("#palette"), page.locator("#palette-q")
    options = dialog.get_by_role("option")

    ada.visit("/")
    page.keyboard.press("/")
    expect(field).to_be_focused()
    expect(options.first).to_contain_text("Overview")
    page.keyboard.type("u3")  # an exact id, and Enter at once
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=f"Customer {who.code}")).to_be_visible()
    ada.settle()

    page.keyboard.press("Control+k")
    expect(dialog.get_by_role("group", name="Recently opened").get_by_role("option")).to_contain_text([who.code])
    kept = page.evaluate(
        "Object.entries(localStorage).filter(([key]) => key.startsWith('recent:')).map(([, value]) => value)"
    )
    assert [json.loads(value) for value in kept] == [[f"customer:{who.code}"]]
    page.keyboard.type("tea")
    expect(dialog.get_by_role("group", name="Items").get_by_role("option")).to_have_count(6)
    expect(field).to_have_attribute("aria-activedescendant", "palette-q-options-0")
    assert ada.complaints() == []
    page.keyboard.press("ArrowDown")
    second = options.nth(1)
    expect(second).to_have_attribute("aria-selected", "true")
    address = second.get_attribute("href")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{ada.site}{address}")
    ada.settle()

    page.keyboard.press("Control+k")
    page.keyboard.type("zzzz")
    expect(dialog.get_by_text("Nothing matches").first).to_be_visible()
    assert ada.complaints() == []
    page.keyboard.press("Enter")  # the page of the search says what can be typed
    expect(page).to_have_url(f"{ada.site}/search/?q=zzzz")
    ada.settle()
    page.keyboard.press("Control+k")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert ada.problems == []
