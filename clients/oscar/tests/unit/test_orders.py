"""Orders: told once, after they are true, and the same however often they are told."""

from collections.abc import Callable
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.db import transaction
from django.test import RequestFactory
from fakes import Browser, FakeRecsite
from oscar.core.loading import get_class
from oscar.test.factories import create_basket, create_order

from oscar_recsite import people
from oscar_recsite.orders import purchase_of

Get = Callable[[str], Any]
ADDRESS = {
    "first_name": "Ann", "last_name": "Lee", "line1": "1 High Street", "line4": "London", "postcode": "N1 9RT",
    "country": "GB",
}  # fmt: skip


def buy(browser: Browser, *, email: str = "") -> None:
    """Go through Oscar's checkout with what is in the basket."""
    if email:
        browser.post("/checkout/", {"username": email, "options": "anonymous"})
    browser.post("/checkout/shipping-address/", ADDRESS)
    browser.get("/checkout/shipping-method/")
    browser.get("/checkout/payment-method/")
    assert browser.post("/checkout/preview/", {"action": "place_order"}).status_code == 302


def test_a_guests_order_is_a_purchase_of_the_visitor(browser: Browser, product: Get, recsite: FakeRecsite) -> None:
    book, other = product("Crime 2"), product("Travel 3")
    browser.post(f"/basket/add/{book.pk}/", {"quantity": 2})
    browser.post(f"/basket/add/{other.pk}/", {"quantity": 1})
    buy(browser, email="guest@example.com")
    event = recsite.event("purchase")
    assert event["items"] == [
        {"item_id": str(book.pk), "quantity": 2, "price": "2.99"},
        {"item_id": str(other.pk), "quantity": 1, "price": "3.99"},
    ]
    assert event["event_id"] == f"oscar-order-{event['transaction_id']}"
    assert (event["value"], event["currency"]) == ("9.97", "GBP")
    assert event["anonymous_id"] == browser.cookie
    assert "guest@example.com" not in str(recsite.got)
    assert len([each for each in recsite.events() if each["name"] == "begin_checkout"]) >= 1


def test_a_customers_order_has_both_ids(browser: Browser, product: Get, customer: Get, recsite: FakeRecsite) -> None:
    ann = customer("ann")
    browser.sign_in(ann)
    browser.post(f"/basket/add/{product('Crime 2').pk}/", {"quantity": 1})
    buy(browser)
    event = recsite.event("purchase")
    assert event["user_id"] == str(ann.pk)
    assert event["anonymous_id"] == browser.cookie.partition(".")[0]


def test_an_order_that_is_rolled_back_is_not_told(
    product: Get, recsite: FakeRecsite, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        place(product("Crime 2"))
        transaction.set_rollback(True)
    assert recsite.events() == []
    with django_capture_on_commit_callbacks(execute=True):
        place(product("Crime 2"))
    assert recsite.event("purchase")["consent"] == {"personalisation": False}  # nobody's request


def place(thing: Any, *, user: Any = None) -> Any:
    basket = create_basket(empty=True)
    basket.strategy = get_class("partner.strategy", "Selector")().strategy()
    basket.add_product(thing, 1)
    return create_order(basket=basket, user=user)


def test_what_staff_order_for_a_customer_is_the_customers_alone(
    product: Get, customer: Get, recsite: FakeRecsite, django_capture_on_commit_callbacks: Any
) -> None:
    """Else the visitor's id of the staff's browser would be merged into the customer."""
    ann, clerk, request = customer("ann"), customer("clerk"), RequestFactory().get("/dashboard/")
    request.user = clerk
    token = people._request.set(request)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            place(product("Crime 2"), user=ann)
    finally:
        people._request.reset(token)
    event = recsite.event("purchase")
    assert event["user_id"] == str(ann.pk)
    assert "anonymous_id" not in event


def test_a_product_on_two_lines_is_told_once(product: Get, customer: Get, recsite: FakeRecsite) -> None:
    """As with options: the same mug with two names on it."""
    order = place(product("Crime 2"), user=customer("ann"))
    line = order.lines.get()
    line.pk, line.line_reference = None, "other"
    line.quantity, line.line_price_incl_tax = 2, Decimal("2.01")
    line.save()
    event = purchase_of(order, {})
    assert event is not None
    assert event["items"] == [{"item_id": str(product("Crime 2").pk), "quantity": 3, "price": Decimal("1.67")}]


def test_the_command_tells_the_same_again(
    product: Get, customer: Get, recsite: FakeRecsite, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        place(product("Crime 2"), user=customer("ann"))
    out = StringIO()
    call_command("recsite_orders", stdout=out)
    first, second = (event for event in recsite.events() if event["name"] == "purchase")
    assert first == second
    assert "1 orders sent" in out.getvalue()


def test_a_cancelled_order_is_a_refund(
    product: Get, customer: Get, recsite: FakeRecsite, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        order = place(product("Crime 2"), user=customer("ann"))
        order.set_status("Cancelled")
    refund = recsite.event("refund")
    assert refund["transaction_id"] == str(order.number)
    assert refund["items"] == [{"item_id": str(product("Crime 2").pk), "quantity": 1, "price": "2.99"}]


def test_orders_of_years_ago_go_into_a_file(product: Get, customer: Get, tmp_path: Path) -> None:
    ann = customer("ann")
    known, guest = place(product("Crime 2"), user=ann), place(product("Crime 3"))
    call_command("recsite_orders", file=tmp_path / "orders.csv", stdout=StringIO())
    head, *rows = (tmp_path / "orders.csv").read_text().splitlines()
    assert head.startswith("name,event_id,timestamp,user_id,anonymous_id,transaction_id")
    assert [row.split(",")[3:6] for row in rows] == [
        [str(ann.pk), "", str(known.number)],
        ["", f"order-{guest.number}", str(guest.number)],
    ]
