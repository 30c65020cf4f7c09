"""Fields that offer what to choose, with the keyboard alone: arrows walk, Enter takes, Escape closes."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from recommendations.models import Customer, Item
from recommendations.store.events.pseudonyms import pseudonym
from tests.journeys.conftest import Visitor
from tests.journeys.holding import holding

pytestmark = pytest.mark.django_db

expect.set_options(timeout=10_000)


def options(page: Page) -> Locator:
    return page.locator(".combobox-popup").get_by_role("option")


def active(page: Page, field: str) -> str:
    """Words of the option that a screen reader hears: that which the field names."""
    return str(
        page.evaluate(
            """(selector) => {
              const named = document.querySelector(selector).getAttribute("aria-activedescendant");
              const option = named && document.getElementById(named);
              return option?.getAttribute("aria-selected") === "true" ? option.innerText.split("\\n")[0] : "";
            }""",
            field,
        )
    )


def type_in(page: Page, field: str, text: str) -> None:
    page.locator(field).focus()
    page.keyboard.type(text)
    expect(options(page).first).to_be_visible()


def test_an_item_is_chosen_with_the_arrows(ada: Visitor) -> None:
    page, who = ada.page, Customer.objects.get(pseudonym=pseudonym("u3"))
    ada.visit(f"/customers/{who.code}/")
    field = page.locator("#find-why_not")
    expect(field).to_have_attribute("aria-expanded", "false")
    type_in(page, "#find-why_not", "soap")
    expect(field).to_have_attribute("aria-expanded", "true")
    expect(field).to_have_attribute("aria-controls", "find-why_not-options")
    expect(page.locator("#find-why_not-options")).to_have_role("listbox")
    titles = [text.split("\n")[0] for text in options(page).all_inner_texts()]
    assert len(titles) > 3
    assert active(page, "#find-why_not") == titles[0]
    for key, title in (
        ("ArrowDown", titles[1]), ("ArrowDown", titles[2]), ("ArrowUp", titles[1]), ("End", titles[-1]),
        ("ArrowDown", titles[0]), ("ArrowUp", titles[-1]), ("Home", titles[0]), ("ArrowDown", titles[1]),
    ):  # fmt: skip
        page.keyboard.press(key)
        assert active(page, "#find-why_not") == title
    expect(field).to_be_focused()
    assert ada.complaints() == []
    page.keyboard.press("Enter")
    chosen = Item.objects.get(title=titles[1])
    expect(page).to_have_url(re.compile(rf"why_not={chosen.pk}#"))
    assert ada.problems == []


def test_escape_nothing_and_an_enter_that_waits(ada: Visitor) -> None:
    page, who = ada.page, Customer.objects.get(pseudonym=pseudonym("u3"))
    ada.visit(f"/customers/{who.code}/")
    field = page.locator("#find-why_not")
    type_in(page, "#find-why_not", "soap")
    page.keyboard.press("Escape")
    expect(options(page)).to_have_count(0)
    expect(field).to_have_attribute("aria-expanded", "false")
    expect(field).to_have_value("soap")
    page.keyboard.press("ArrowDown")  # opens it again
    assert active(page, "#find-why_not").startswith("Soap")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(field).to_have_value("")
    expect(field).to_be_focused()

    address = page.url  # what is nothing is said at the field, and not sent
    page.keyboard.type("zzzz")
    page.keyboard.press("Enter")
    expect(field).to_have_accessible_description("No item has this title or id: choose one from the list.")
    expect(field).to_have_attribute("aria-invalid", "true")
    assert page.url == address
    assert ada.complaints() == []
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page.locator("#find-why_not-nothing")).to_have_count(0)

    page.keyboard.type("soap-2")  # Enter waits for what is looked up still
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(rf"why_not={Item.objects.get(shop_id='soap-2').pk}#"))


def choose_attribute(page: Page, attribute: str) -> None:
    page.select_option("#items-0-attribute", attribute)
    expect(page.locator("#items-0-typed")).to_be_attached()


def test_a_value_of_a_rule_is_chosen_and_the_list_stays_closed(ada: Visitor) -> None:
    page = ada.page
    ada.visit("/rules/new/")
    choose_attribute(page, "category")
    type_in(page, "#items-0-typed", "win")
    page.keyboard.press("Enter")
    expect(page.locator("input[name=items-0-values]")).to_have_value("FOOD > WINE")
    expect(page.locator("#items-0-typed")).to_be_focused()
    expect(page.locator("#items-0-typed")).to_have_value("")
    page.wait_for_timeout(500)
    expect(options(page)).to_have_count(0)
    page.keyboard.press("ArrowDown")  # without a text the largest, to choose from
    expect(options(page).first).to_be_visible()
    expect(page.locator("#effect")).to_contain_text("of the slots")  # dimmed until it is measured
    assert ada.complaints() == []
    assert ada.problems == []


def test_an_enter_that_waits_counts_although_one_goes_on_to_the_next_field(ada: Visitor) -> None:
    page = ada.page
    ada.visit("/rules/new/")
    choose_attribute(page, "category")
    held = holding(page, "**/rules/values/**")
    page.locator("#items-0-typed").focus()
    page.keyboard.type("win")
    page.keyboard.press("Enter")
    page.locator("#strength").focus()
    held(1)
    held.let_go()  # who pauses asks again, in place of the Enter
    expect(page.locator("input[name=items-0-values]")).to_have_value("FOOD > WINE")
    expect(page.locator("#strength")).to_be_focused()
    expect(page.locator("#items-0-typed")).to_have_value("")
    assert ada.problems == []


def test_whoever_goes_on_before_the_new_part_comes_stays_where_they_are(ada: Visitor) -> None:
    """Their digits went into the category."""
    page = ada.page
    ada.visit("/rules/new/")
    choose_attribute(page, "category")
    type_in(page, "#items-0-typed", "win")
    held = holding(page, "**/rules/conditions/**")
    page.keyboard.press("Enter")
    page.locator("#strength").focus()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("6")
    held(1).continue_()
    expect(page.locator("input[name=items-0-values]")).to_have_value("FOOD > WINE")
    page.keyboard.type("0")
    expect(page.locator("#strength")).to_have_value("60")
    expect(page.locator("#items-0-typed")).to_have_value("")
    page.unroute_all(behavior="ignoreErrors")


def test_an_enter_that_waits_is_taken_back_by_what_is_typed_after_it(ada: Visitor) -> None:
    page = ada.page
    ada.visit("/rules/new/")
    choose_attribute(page, "category")
    held = holding(page, "**/rules/values/**")
    page.locator("#items-0-typed").focus()
    page.keyboard.type("win")
    page.keyboard.press("Enter")
    held(1)
    page.locator("#strength").focus()
    page.locator("#items-0-typed").focus()
    page.keyboard.press("End")
    page.keyboard.press("Backspace")
    page.unroute_all(behavior="ignoreErrors")
    page.keyboard.press("Backspace")
    expect(options(page).first).to_be_visible()
    page.wait_for_timeout(500)
    expect(page.locator("input[name=items-0-values]")).to_have_count(0)
    expect(page.locator("#items-0-typed")).to_have_value("w")


def test_a_customer_chosen_by_an_enter_that_waited_moves_nobody(ada: Visitor) -> None:
    """It comes without a part of the page; what is measured after it puts the focus nowhere else."""
    page, who = ada.page, Customer.objects.get(pseudonym=pseudonym("u3"))
    ada.visit("/rules/new/")
    choose_attribute(page, "category")
    type_in(page, "#items-0-typed", "win")
    page.keyboard.press("Enter")
    expect(page.locator("input[name=items-0-values]")).to_have_value("FOOD > WINE")
    measured, held = holding(page, "**/rules/effect/"), holding(page, "**/rules/customers/**")
    page.locator("#customer").focus()
    page.keyboard.type("u3")
    page.keyboard.press("Enter")
    page.locator("#strength").focus()
    held(1)
    held.let_go()
    expect(page.locator("#customer")).to_have_value(who.code)
    page.locator("#name").focus()
    measured(1).continue_()
    page.wait_for_timeout(1_500)
    expect(page.locator("#name")).to_be_focused()
    page.unroute_all(behavior="ignoreErrors")


def test_a_rule_with_a_typed_value_that_is_nothing_is_not_sent(ada: Visitor) -> None:
    page = ada.page
    ada.visit("/rules/new/")
    page.fill("#name", "Half a rule")
    choose_attribute(page, "category")
    page.locator("#items-0-typed").focus()
    page.keyboard.type("zzzz")
    expect(page.get_by_text("Nothing has this name.").first).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.locator("#items-0-typed")).to_have_accessible_description(
        "No category is called this: choose one from the list."
    )
    page.get_by_role("button", name="Save draft").last.click()
    expect(page.locator("#items-0-typed")).to_be_focused()
    assert page.url.endswith("/rules/new/")


def test_a_customer_of_a_rule_is_chosen_by_the_shops_id_or_the_code(ada: Visitor) -> None:
    page, who = ada.page, Customer.objects.get(pseudonym=pseudonym("u3"))
    ada.visit("/rules/new/")
    for text in ("u3", who.code.lower()):
        page.fill("#customer", "")
        type_in(page, "#customer", text)
        expect(options(page)).to_have_count(1)
        expect(options(page)).to_contain_text(who.code)
        page.keyboard.press("Enter")
        expect(page.locator("#customer")).to_have_value(who.code)
    page.fill("#customer", "")
    page.locator("#customer").focus()
    page.keyboard.type("nobody-9")
    page.keyboard.press("Enter")
    expect(page.locator("#customer")).to_have_accessible_description(re.compile("^No customer has this code or id"))
