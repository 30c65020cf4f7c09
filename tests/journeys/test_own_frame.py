"""Work that Django's admin was needed for, done in the dashboard's frame with few clicks; and the tour over it."""

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from recommendations.models import AuditEntry, CatalogueFile, Import, Item, Staff
from recommendations.tasks import work_on_file
from recommendations.terms import RunStatus
from tests.journeys.clicks import Clicks
from tests.journeys.conftest import Visitor, committed
from tests.journeys.furnishing import EMAIL

pytestmark = pytest.mark.django_db  # for the shop that the fixture committed; what a test changes it puts back

expect.set_options(timeout=15_000)
FILE = """item_id,title,price
spring-1,Spring tea,4.90
spring-2,,minus two
spring-3,Cheap tea,cheap
,Nameless,3
"""


@pytest.fixture
def clicks(ada: Visitor) -> Clicks:
    ada.visit("/")
    return Clicks(ada)


@pytest.fixture
def priceless() -> Iterator[Item]:
    """An item that lost its price."""
    item = committed(lambda: Item.objects.get(shop_id="tea-2"))
    committed(lambda: _set_price(item, None))
    yield item
    committed(lambda: _set_price(item, item.price))


def _set_price(item: Item, price: Decimal | None) -> None:
    Item.objects.filter(pk=item.pk).update(price=price, updated_at=timezone.now())


def test_a_fault_is_found_and_mended_in_three_clicks(ada: Visitor, clicks: Clicks, priceless: Item) -> None:
    clicks("link", "Catalogue")
    clicks("link", re.compile("^Fix the first one.*No price$"))
    field = ada.page.get_by_label("Price", exact=True)
    expect(field).to_be_focused()
    assert ada.complaints() == []
    ada.page.keyboard.type("-5")
    field.press("Enter")  # refused, and not counted
    expect(ada.page.get_by_text("A price cannot be negative.")).to_be_visible()
    ada.problems.clear()  # the browser's own line for a 422
    field.fill("4.20")
    clicks("button", re.compile("^Save$"))
    expect(ada.page.get_by_text("saved. It counts from the next request on")).to_be_visible()
    assert clicks.number <= 3
    assert str(committed(lambda: Item.objects.get(pk=priceless.pk).price)) == "4.20"
    ada.page.goto(f"{ada.site}/activity/?type=item&id={priceless.pk}")
    expect(ada.page.get_by_role("table")).to_contain_text("set “price” to “4.20”")
    ada.page.get_by_role("button", name="Revert").first.click()
    expect(ada.page.get_by_text("The change was reverted.")).to_be_visible()
    assert committed(lambda: Item.objects.get(pk=priceless.pk).price) is None
    assert ada.problems == []


def worked_on() -> None:
    """Do what the worker would."""
    waiting = CatalogueFile.objects.filter(status=RunStatus.QUEUED).values_list("pk", flat=True)
    for key in list(waiting):
        work_on_file(str(key))


def test_a_file_with_three_broken_rows_is_taken_and_undone(ada: Visitor, clicks: Clicks, tmp_path: Path) -> None:
    file = tmp_path / "spring.csv"
    file.write_text(FILE, encoding="utf-8")
    page = ada.page
    clicks("link", "Catalogue")
    clicks("link", "Imports")
    clicks("link", "Import items")
    page.set_input_files("#id_file", {"name": "a.csv", "mimeType": "text/csv", "buffer": b"\x89PNG"})
    button = page.get_by_role("button", name="See what it would change")
    button.press("Enter")  # refused, and not counted
    expect(page.get_by_role("progressbar")).to_be_visible()
    committed(worked_on)
    expect(page.locator("#file-error")).to_contain_text("This is a PNG picture")
    page.set_input_files("#id_file", file)
    clicks("button", "See what it would change")
    committed(worked_on)
    expect(page.get_by_role("heading", name="Refused rows")).to_be_visible()
    rows = page.get_by_role("table").first.get_by_role("row")
    expect(rows).to_have_count(4)
    expect(rows.nth(1)).to_contain_text("title: The field is required but empty.")
    expect(rows.nth(1)).to_contain_text("“minus two”: Not a number")
    assert ada.complaints() == []
    clicks("button", "Import 1 item")
    committed(worked_on)
    expect(page.get_by_role("button", name="Undo this import")).to_be_visible()
    assert clicks.number <= 5
    assert committed(lambda: Item.objects.get(shop_id="spring-1").retired_at) is None
    clicks("button", "Undo this import")
    expect(page.get_by_text("1 new item was retired.")).to_be_visible()
    assert clicks.number <= 6
    page.goto(f"{ada.site}/catalogue/imports/")
    expect(page.get_by_role("row").nth(1)).to_contain_text("Undone")
    assert ada.complaints() == []
    committed(_forget_spring)


def _forget_spring() -> None:
    imported = Import.objects.order_by("-pk")[0]
    AuditEntry.objects.filter(object_type="import", object_id=str(imported.pk)).delete()
    CatalogueFile.objects.all().delete()
    imported.delete()
    Item.objects.filter(shop_id="spring-1").delete()


def test_a_viewer_is_invited_with_three_clicks_and_two_fields(ada: Visitor, clicks: Clicks) -> None:
    page = ada.page
    clicks("link", "Setup")
    clicks("link", "Staff")
    page.get_by_label("E-mail address").fill("vi@example.com")
    page.get_by_label("Name").fill("Vi")
    clicks("button", "Invite")
    expect(page.get_by_role("heading", name="Vi", level=1)).to_be_visible()
    assert clicks.number <= 3
    assert ada.complaints() == []
    vi = committed(lambda: Staff.objects.get(email="vi@example.com"))
    assert vi.role == "viewer"
    committed(lambda: Staff.objects.filter(pk=vi.pk).delete())


@pytest.mark.parametrize(("width", "language"), [(1440, "en"), (390, "zh-hans")])
def test_the_tour_is_walked_and_left_by_the_keyboard(window: Callable[..., Visitor], width: int, language: str) -> None:
    committed(lambda: Staff.objects.filter(email=EMAIL).update(theme="light", language=language, tour_ended_at=None))
    visitor = window(width=width, language=language)
    visitor.log_in()
    visitor.visit("/?tour=1")
    page = visitor.page
    for number in range(1, 9):
        stop = page.locator("#tour")
        expect(stop).to_be_focused()
        assert str(number) in stop.locator("p").first.inner_text()
        box = stop.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert 0 <= box["y"] <= 900 - box["height"]
        visitor.settle()
        assert visitor.complaints() == [], number
        if number < 8:
            page.locator("#tour .btn-primary").focus()
            page.keyboard.press("Enter")
            page.wait_for_url(f"**tour={number + 1}")
    with page.expect_response("**/tour/leave/"):
        page.keyboard.press("Escape")
    expect(page.locator("#tour")).not_to_be_visible()
    assert page.evaluate("document.activeElement.matches('main .card')")
    assert "tour" not in page.url
    assert committed(lambda: Staff.objects.get(email=EMAIL).tour_ended_at)
    assert visitor.complaints() == []


def test_a_stop_whose_element_is_missing_stands_at_the_top(ada: Visitor) -> None:
    ada.visit("/approvals/?tour=4")
    box = ada.page.locator("#tour").bounding_box()
    assert box
    assert box["y"] < 120
    assert abs(box["x"] + box["width"] / 2 - 720) < 20
    ada.page.get_by_role("button", name="Leave the tour").click()
    expect(ada.page.locator("#tour")).not_to_be_visible()
    assert ada.page.evaluate("document.activeElement.id") == "main"


def test_a_picture_that_may_not_be_loaded_gives_way_to_the_drawn_one(ada: Visitor) -> None:
    tea = Item.objects.filter(shop_id="tea-2")
    committed(lambda: tea.update(image_url="https://shop.example/i.jpg"))
    ada.page.goto(f"{ada.site}/catalogue/{committed(lambda: tea.get().pk)}/")
    expect(ada.page.locator("main .thumb").first).to_have_attribute("src", "/api/v1/items/tea-2/tile.svg")
    committed(lambda: tea.update(image_url=""))
