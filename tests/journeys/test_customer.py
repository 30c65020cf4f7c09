"""A merchandiser reviews a customer with the keyboard alone."""

import re

import pytest
from playwright.sync_api import Page, expect

from recommendations.models import Customer, Item, Judgement, Rule
from recommendations.store.events.pseudonyms import pseudonym
from tests.journeys.conftest import Visitor, committed

pytestmark = pytest.mark.django_db

expect.set_options(timeout=10_000)
MANY = 400  # tabs that are more than any way across the page


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until the first of these has the focus: what cannot be reached so does not exist for the keyboard."""
    wanted = "(selector) => document.activeElement === document.querySelector(selector)"
    for _ in range(MANY):
        page.keyboard.press("Tab")
        if page.evaluate(wanted, selector):
            return
    raise AssertionError(f"Tab never comes to {selector}")


def test_why_verdict_rule_undo_and_why_not_with_the_keyboard_alone(ada: Visitor) -> None:
    page, tea_drinker = ada.page, Customer.objects.get(pseudonym=pseudonym("u3"))
    ada.visit(f"/customers/{tea_drinker.code}/")
    drawer = page.locator("#drawer")

    tab_to(page, ".product:first-child .why-here")  # why here
    page.keyboard.press("Enter")
    expect(drawer.get_by_role("heading", name="How the score adds up")).to_be_visible()
    expect(page).to_have_url(re.compile(r"why=\d+"))
    expect(drawer.get_by_role("button", name="Close")).to_be_focused()
    ada.settle()
    assert ada.complaints() == []
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    expect(page).not_to_have_url(re.compile("why="))
    expect(page.locator(".product:first-child .why-here")).to_be_focused()

    tab_to(page, ".product:first-child .judgement.is-odd")  # a verdict with a note
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Odd").first).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("button", name="Odd").first).to_be_focused()
    tab_to(page, ".product:first-child .verdict-note input")
    page.keyboard.type("Every week?")
    page.keyboard.press("Enter")
    expect(page.locator(".product:first-child [role=status]")).to_have_text("Saved with the note: Odd")
    assert committed(lambda: [(each.kind, each.note) for each in Judgement.objects.all()]) == [("odd", "Every week?")]

    tab_to(page, ".product:nth-child(2) .card-menu > summary")  # never for this customer, and back
    page.keyboard.press("Enter")
    for _ in range(4):
        page.keyboard.press("ArrowDown")
    expect(page.locator(".product:nth-child(2) button[value=never]")).to_be_focused()
    assert ada.complaints() == []
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Undo")).to_be_focused()
    assert ada.complaints() == []
    never = committed(lambda: Rule.objects.unarchived().get(customer=tea_drinker))
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("Undone")
    assert committed(lambda: Rule.objects.get(pk=never.pk).archived_at) is not None

    tab_to(page, "#find-why_not")  # why not, and the change as a draft
    page.keyboard.type("soap 1")
    expect(page.locator(".option").first).to_contain_text("Soap 1")
    page.keyboard.press("Enter")  # the first suggestion
    expect(drawer.get_by_role("heading", name="What would bring it in")).to_be_visible()
    soap = Item.objects.get(shop_id="soap-1")
    expect(page).to_have_url(f"{ada.site}/customers/{tea_drinker.code}/?why_not={soap.pk}#recommendations")
    tab_to(page, ".change-price a")
    page.keyboard.press("Enter")
    expect(drawer.get_by_text("This affects only this customer").first).to_be_visible()
    expect(drawer.get_by_role("button", name="Make a draft")).to_be_focused()
    assert ada.complaints() == []
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/(rules/\d+/|weights/\?blend=home.*)$"))
    assert ada.problems == []


def test_an_act_is_simulated_and_taken_back(ada: Visitor) -> None:
    page, tea_drinker = ada.page, Customer.objects.get(pseudonym=pseudonym("u3"))
    ada.visit(f"/customers/{tea_drinker.code}/")
    page.get_by_label("What the customer does").select_option("Buys")
    page.get_by_label("Simulate: the customer …").fill("wine 11")
    page.get_by_role("option", name="Wine 11").click()
    expect(page.locator(".moves")).to_contain_text("What these actions change:")
    expect(page).to_have_url(re.compile(r"did=purchase%3A\d+#recommendations$"))
    expect(page.locator(".moved")).to_have_count(20)
    assert ada.complaints() == []
    page.get_by_role("link", name="Buys: Wine 11 undo this action").click()
    expect(page.locator(".moved")).to_have_count(0)
    assert ada.problems == []


def test_an_admin_lets_an_address_speak_again_and_lands_on_the_panel(ada: Visitor) -> None:
    """On a phone the panel is shown although the page asks whether it should go on: the address leads there."""
    page, tea_drinker = ada.page, Customer.objects.get(pseudonym=pseudonym("u3"))
    page.set_viewport_size({"width": 390, "height": 844})
    ada.visit(f"/customers/{tea_drinker.code}/#reach")
    panel = page.locator("#reach")
    expect(panel.get_by_text("u•••@example.com")).to_be_visible()
    panel.get_by_text("Everything that was said").first.click()
    expect(panel.get_by_text("text_version: 3").first).to_be_visible()
    panel.get_by_role("button", name="Unblock…").click()
    dialog = page.get_by_role("dialog", name="Unblock this address?")
    expect(dialog.get_by_label("Why")).to_be_focused()
    assert ada.complaints() == []
    dialog.get_by_label("Why").fill("They rang us up.")
    dialog.get_by_role("button", name="Unblock").click()
    expect(page.get_by_text("The address may be written to again")).to_be_visible()
    expect(panel.get_by_role("button", name="Block this address…")).to_be_visible()
    ada.settle()
    assert ada.complaints() == []
