"""Attribution believes only what is proven; forged revenue, doubled orders and refunds of others change nothing."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from recommendations.ingest.accept import accept
from recommendations.ingest.facts import Sender
from recommendations.models import AttributedLine, Customer, DueLine, Event, Item, Slate, SlateOutcome
from recommendations.serving.arms import unit_of
from recommendations.store.attribution.settle import settle
from recommendations.store.events.id_cache import person_keys
from recommendations.terms import CustomerKind, Side, Trust
from tests.store.test_attribution import HOUR, NOON, NOW, act, counted, items, slate, take, tied

__all__ = ["items"]
pytestmark = pytest.mark.django_db
PAGE, SERVER = Sender(side=Side.PAGE), Sender()
LATELY = NOW - timedelta(hours=2)


def of_page(name: str, *skus: str, at: Any = LATELY, **fields: Any) -> Any:
    return act(name, *skus, at=at, **{"user_id": None, "anonymous_id": "a1"} | fields)


@pytest.fixture
def pages_count(settings: Any) -> None:
    settings.PURCHASES_FROM = Trust.PAGE


def bought() -> list[tuple[str, Decimal, bool]]:
    lines = AttributedLine.objects.filter(name="purchase").order_by("event_id")
    return list(lines.values_list("recommendation_id", "amount", "kept"))


# --- purchases


def test_a_pages_purchase_earns_nothing_until_the_server_tells_of_the_order() -> None:
    slate("r-1", at=LATELY)
    take(of_page("select_item", "SKU1", of="r-1"), of_page("purchase", "SKU1", of="r-1"), sender=PAGE)
    assert (counted()["clicked"], counted()["revenue"]) == (1, 0)
    take(act("purchase", "SKU1", of="r-1", at=LATELY + HOUR))
    assert (counted()["purchases"], counted()["revenue"]) == (1, 10)


def test_a_thank_you_page_that_is_loaded_again_counts_once(pages_count: None) -> None:
    slate("r-1", at=LATELY)
    for minutes in range(3):
        take(of_page("purchase", "SKU1", of="r-1", at=LATELY + timedelta(minutes=minutes)), sender=PAGE)
    assert (counted()["purchases"], counted()["revenue"]) == (1, 10)


@pytest.mark.parametrize("first", ["page", "server"])
def test_an_order_of_page_and_server_counts_once_as_the_server_has_it(pages_count: None, first: str) -> None:
    slate("r-1", at=LATELY)
    page = of_page("purchase", "SKU1", of="r-1", line={"price": Decimal(4)})
    server = act("purchase", "SKU1", of="r-1", at=LATELY + HOUR, anonymous_id="a1")
    for sender, event in [(PAGE, page), (SERVER, server)][:: 1 if first == "page" else -1]:
        take(event, sender=sender)
    assert bought() == [("r-1", Decimal(10), True)]


def test_lines_of_one_order_of_other_items_all_count() -> None:
    slate("r-1")
    take(act("purchase", "SKU1", "SKU2", of="r-1"), act("purchase", "SKU3", of="r-1", at=NOON + HOUR))
    assert counted()["purchases"] == 3


@pytest.mark.parametrize(
    ("price", "quantity", "kept"), [(100, 1, True), (101, 1, False), (99, 3, True), (100, 10_001, False)]
)
def test_a_fantastic_amount_of_a_page_does_not_count(pages_count: None, price: int, quantity: int, kept: bool) -> None:
    Item.objects.update(price=5)
    slate("r-1", at=LATELY)
    line = {"price": Decimal(price), "quantity": quantity}
    take(of_page("purchase", "SKU1", of="r-1", line=line), sender=PAGE)
    assert bool(bought()) == kept


# --- whose slate


@pytest.mark.parametrize("name", ["select_item", "add_to_cart", "purchase"])
@pytest.mark.parametrize(("minutes", "counts"), [(-9, True), (-11, False)])
def test_what_happened_before_the_slate_does_not_count_for_it(name: str, minutes: int, counts: bool) -> None:
    slate("r-1")
    take(act(name, "SKU1", of="r-1", at=NOON + timedelta(minutes=minutes)))
    assert SlateOutcome.objects.exists() == counts


def test_the_clock_of_a_browser_that_is_slow_does_not_matter() -> None:
    slate("r-1", at=NOW - timedelta(minutes=1))
    take(of_page("select_item", "SKU1", of="r-1", at=NOW - timedelta(hours=3)), sender=PAGE)
    assert counted()["clicked"] == 1


@pytest.mark.parametrize(("who", "counts"), [("u1", True), ("u2", False)])
def test_a_slate_is_its_customers(who: str, counts: bool) -> None:
    slate("r-1")
    Slate.objects.update(customer=person_keys(["u1"], CustomerKind.SIGNED_IN)["u1"])
    take(act("purchase", "SKU1", of="r-1", user_id=who))
    assert bool(tied()) == counts


def test_a_visitor_of_whom_nobody_knows_is_believed_the_slates_number() -> None:
    slate("r-1", at=LATELY)
    Slate.objects.update(customer=person_keys(["u1"], CustomerKind.SIGNED_IN)["u1"])
    take(of_page("select_item", "SKU1", of="r-1"), sender=PAGE)
    assert counted()["clicked"] == 1


@pytest.mark.parametrize(("who", "counts"), [("a1", 1), ("a2", 0)])
@pytest.mark.parametrize("named", ["by its customer", "by its unit"])
def test_another_visitor_cannot_click_on_a_visitors_slate(who: str, counts: int, named: str) -> None:
    slate("r-1", at=LATELY)
    take(of_page("view_item", "SKU1"), sender=PAGE)
    own = Customer.objects.get(kind="anonymous")
    Slate.objects.update(**({"customer": own} if named == "by its customer" else {"unit": unit_of([own.pseudonym])}))
    take(of_page("select_item", "SKU1", of="r-1", anonymous_id=who), sender=PAGE)
    assert SlateOutcome.objects.exclude(clicked=[]).count() == counts


def test_a_newcomer_beyond_the_quota_cannot_click_on_a_visitors_slate() -> None:
    slate("r-1", at=LATELY)
    Slate.objects.update(customer=person_keys(["a1"], CustomerKind.ANONYMOUS)["a1"])
    accept([of_page("select_item", "SKU1", of="r-1", anonymous_id="a2")], PAGE, now=NOW)
    Event.objects.update(customer=None)
    settle()
    assert not SlateOutcome.objects.exclude(clicked=[]).exists()


# --- refunds


@pytest.mark.parametrize(
    ("refund", "kept"),
    [
        ({"user_id": "u1"}, False),
        ({"user_id": "u2"}, True),  # a stranger's
        ({"user_id": "u1", "at": NOON - HOUR}, True),  # before the purchase
    ],
)
def test_a_purchase_is_taken_back_by_its_buyer_after_it(refund: dict[str, Any], kept: bool) -> None:
    slate("r-1")
    take(act("purchase", "SKU1", of="r-1"), act("refund", "SKU1", **{"at": NOON + HOUR} | refund))
    assert bought() == [("r-1", Decimal(10), kept)]


def test_a_refund_under_a_key_of_the_same_person_takes_back() -> None:
    slate("r-1")
    take(act("purchase", "SKU1", of="r-1", user_id=None, anonymous_id="a1"))
    take(act("view_item", "SKU1", anonymous_id="a1"))
    take(act("refund", "SKU1", at=NOON + HOUR))
    assert bought() == [("r-1", Decimal(10), False)]


# --- one bad line stops nothing


def test_any_number_of_the_largest_amounts_is_counted() -> None:
    slate("r-1")
    largest = {"price": Decimal("9999999999.99"), "quantity": 1}
    take(*(act("purchase", "SKU1", of="r-1", line=largest, transaction_id=f"t{number}") for number in range(120)))
    assert not DueLine.objects.exists()
    assert counted()["revenue"] == 120 * Decimal("9999999999.99")


@pytest.fixture
def a_pill() -> Callable[[], None]:
    """Lines that cost 6.66 cannot be attributed; a call of it heals the table."""
    name = "no_devils"
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE recommendations_attributedline ADD CONSTRAINT {name} CHECK (amount <> 6.66)")

    def heal() -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE recommendations_attributedline DROP CONSTRAINT {name}")

    return heal


def test_a_line_that_is_refused_is_put_aside_and_stops_no_other(a_pill: Callable[[], None]) -> None:
    slate("r-1")
    pill = {"price": Decimal("6.66"), "quantity": 1}
    events = [
        act("purchase", "SKU1", of="r-1", transaction_id=f"t{number}", line=pill if number in {3, 7} else {})
        for number in range(10)
    ]
    take(*events)
    while settle():
        pass
    assert counted()["purchases"] == 8
    aside = list(DueLine.objects.values_list("event_id", "fault"))
    assert {event for event, _ in aside} == {events[3].event_id, events[7].event_id}
    assert all("no_devils" in fault for _, fault in aside)
    a_pill()
    DueLine.objects.update(fault="")
    while settle():
        pass
    assert counted()["purchases"] == 10
