"""Every page of the admin, wide and dark, narrow and light: nothing breaks or is blocked, axe is content."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from recommendations.models import Blend, Category, Customer, Item, Placement, Staff
from tests.journeys.conftest import Visitor, committed, until
from tests.journeys.furnishing import EMAIL

pytestmark = pytest.mark.django_db  # for the shop that the fixture committed; what a test changes it puts back

RECORD = "/admin/recommendations"
GROUND = {"light": "rgb(244, 246, 249)", "dark": "rgb(15, 22, 32)"}


def admin_addresses() -> dict[str, str]:
    """The front page names the lists; a page of each that has one to change."""
    item, staff = Item.objects.get(shop_id="tea-0").pk, Staff.objects.get(email=EMAIL).pk
    blend, placement = (model.objects.values_list("pk", flat=True)[0] for model in (Blend, Placement))
    customer = Customer.objects.values_list("pk", flat=True)[0]
    return {
        "admin": "/admin/",
        "admin: items": f"{RECORD}/item/",
        "admin: no item": f"{RECORD}/item/?q=zzzz",
        "admin: item": f"{RECORD}/item/{item}/change/",
        "admin: categories": f"{RECORD}/category/",
        "admin: promotions": f"{RECORD}/promotion/",
        "admin: promotion": f"{RECORD}/promotion/add/",
        "admin: imports": f"{RECORD}/import/",
        "admin: rejected rows": f"{RECORD}/rejectedrow/",
        "admin: events": f"{RECORD}/eventlisting/",
        "admin: customers": f"{RECORD}/customer/",
        "admin: customer": f"{RECORD}/customer/{customer}/change/",
        "admin: blends": f"{RECORD}/blend/",
        "admin: blend": f"{RECORD}/blend/{blend}/change/",
        "admin: weights": f"{RECORD}/blendweights/",
        "admin: rules": f"{RECORD}/rule/",
        "admin: books": f"{RECORD}/rulebook/",
        "admin: placements": f"{RECORD}/placement/",
        "admin: placement": f"{RECORD}/placement/{placement}/change/",
        "admin: keys": f"{RECORD}/apikey/",
        "admin: key": f"{RECORD}/apikey/add/",
        "admin: people": f"{RECORD}/staff/",
        "admin: person": f"{RECORD}/staff/{staff}/change/",
        "admin: trail": f"{RECORD}/auditentry/",
    }


@pytest.mark.parametrize(("width", "theme", "language"), [(1440, "dark", "en"), (390, "light", "zh-hans")])
def test_every_admin_page_is_in_order(window: Callable[..., Visitor], width: int, theme: str, language: str) -> None:
    visitor = window(width=width, theme=theme, language=language)
    committed(lambda: Staff.objects.filter(email=EMAIL).update(theme=theme, language=language))
    visitor.log_in()
    visitor.page.emulate_media(color_scheme=theme)
    addresses = admin_addresses()
    visitor.visit(addresses["admin"])
    assert visitor.page.locator("html").get_attribute("lang") == language
    named = visitor.page.eval_on_selector_all("#content-main th a", "(links) => links.map((a) => a.pathname)")
    assert f"{RECORD}/item/" in named
    assert set(named) <= set(addresses.values())
    assert visitor.page.evaluate("getComputedStyle(document.body).backgroundColor") == GROUND[theme]
    for name, address in addresses.items():
        visitor.visit(address)
        assert visitor.complaints() == [], name


def test_what_a_key_may_do_is_read_on_a_phone(window: Callable[..., Visitor]) -> None:
    committed(lambda: Staff.objects.filter(email=EMAIL).update(theme="light", language="en"))
    visitor = window(width=390)
    visitor.log_in()
    visitor.visit(f"{RECORD}/apikey/")
    cells = visitor.page.locator("#result_list tbody .field-may")
    assert cells.count() > 0
    places = "(cells) => cells.map((cell) => [cell.offsetWidth, cell.getBoundingClientRect().left])"
    for width, left in cells.evaluate_all(places):
        assert width >= 150
        assert left + 60 < 390  # its beginning is in sight; the rest of the row is reached by scrolling


def tab_to(page: Page, selector: str) -> None:
    for _ in range(150):
        page.keyboard.press("Tab")
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
    pytest.fail(f"Tab never comes to {selector}")


def test_the_keyboard_alone_changes_an_item(ada: Visitor) -> None:
    """An item is found in the list, opened, given one more category and saved."""
    page = ada.page
    ada.visit(f"{RECORD}/item/")
    tab_to(page, "#searchbar")
    page.keyboard.type("tea-3")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=tea-3")
    tab_to(page, "tbody .field-title a")
    page.keyboard.press("Enter")
    page.wait_for_url("**/change/**")
    tab_to(page, ".select2-search__field")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Categories"
    page.keyboard.type("soap")
    page.wait_for_selector(".select2-results__option--highlighted:has-text('SOAP')")
    page.keyboard.press("Enter")
    until(page, "document.querySelectorAll('.select2-selection__choice').length === 2")
    tab_to(page, "[name=_save]")
    page.keyboard.press("Enter")
    page.wait_for_selector(".messagelist .success")
    tea = committed(lambda: Item.objects.get(shop_id="tea-3"))
    paths = committed(lambda: list(tea.categories.order_by("path").values_list("path", flat=True)))
    committed(lambda: tea.categories.remove(Category.objects.get(path=paths[0])))
    assert [path.rpartition(" > ")[2] for path in paths] == ["SOAP", "TEA"]
    assert ada.complaints() == []
