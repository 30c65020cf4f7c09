"""A merchandiser pins by dragging and by keys: what it would do comes first, and who cancels leaves nothing behind."""

import pytest
from playwright.sync_api import Locator, Page, expect

from recommendations.models import Rule
from tests.journeys.conftest import Visitor, committed

pytestmark = pytest.mark.django_db

SLOW = 30_000


def cards(page: Page, placement: str = "home") -> Locator:
    return page.locator(f"[data-placement={placement}] > .shop-card")


def titles(page: Page, placement: str = "home") -> list[str]:
    return cards(page, placement).locator(".shop-title").all_inner_texts()


def drafts() -> int:
    return committed(Rule.objects.filter(name__startswith="Pin ").count)


def test_a_card_is_dragged_to_a_place_and_put_back(ada: Visitor) -> None:
    ada.visit("/pages/home/?customer=u3")
    page, before, rules = ada.page, titles(ada.page), drafts()
    cards(page).nth(5).drag_to(cards(page).nth(1), target_position={"x": 5, "y": 30})
    price = page.get_by_role("complementary", name="What a pin would do")
    expect(price).to_contain_text(f"{before[5]} to position 2 of “For you”", timeout=SLOW)
    expect(price).to_contain_text("of the slots")
    assert titles(page)[1] == before[5]
    assert ada.complaints() == []
    price.get_by_role("link", name="Cancel").click()
    assert titles(page) == before
    assert drafts() == rules


def test_a_card_is_moved_by_keys_and_becomes_a_draft(ada: Visitor) -> None:
    ada.visit("/pages/home/?customer=u3")
    page, before, rules = ada.page, titles(ada.page), drafts()
    card = cards(page).nth(2)
    card.locator("[data-moves]").focus()
    page.keyboard.press("ArrowLeft")
    price = page.locator("#pin")
    expect(price).to_have_text("Position 2 of For you")
    page.keyboard.press("Escape")
    assert titles(page) == before
    page.keyboard.press("ArrowDown")  # to the next list
    expect(price).to_have_text("Position 1 of Buy again")
    page.keyboard.press("Enter")
    expect(price).to_contain_text("of the slots", timeout=SLOW)
    assert drafts() == rules
    price.get_by_role("button", name="Make a draft").click()
    expect(page.get_by_text("Draft rule made")).to_be_visible()
    ada.settle()  # the lists stand below it
    assert titles(page, "buy_again")[0] == before[2]
    assert before[2] not in titles(page)
    assert drafts() == rules + 1
    committed(lambda: Rule.objects.filter(name__startswith="Pin ").delete())
