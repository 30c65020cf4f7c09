"""Events as other systems write them are taken as they are meant, and what nothing is learned from is left out."""

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from recommendations.event_types import NAMES, UNUSED
from recommendations.models import ApiKey, Customer, Event, Item, SourceHour
from recommendations.store.events.made_ids import made_id
from recommendations.store.events.source_hours import write_source_hours
from recommendations.store.live import counters
from recommendations.store.live.counters import Counted
from recommendations.store.live.source_counts import source_counters
from tests.api.conftest import ApiClient, problem
from tests.api.events.conftest import EVENTS, accepted, event, key_of, purchase, results, when

AT = (timezone.now() - timedelta(hours=2)).replace(microsecond=123456)
MICROS = (AT - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


@pytest.mark.parametrize(
    "sent", ["ajs-next-1717-abc", "7", "ord er/ü", "x" * 128, "{0192f0c1-2b3c-7d4e-8f90-a1b2c3d4e5f6}"]
)
def test_any_text_is_an_event_id(sent: str, api: ApiClient) -> None:
    row = event(event_id=sent)
    assert results(api.post(EVENTS, row)) == [{"verdict": "accepted", "event_id": sent}]
    assert Event.objects.get().event_id == made_id(sent)
    assert results(api.post(EVENTS, {"events": [row]})) == [{"verdict": "duplicate", "event_id": sent}]


def test_a_number_is_an_event_id_and_a_uuid_stays_one(api: ApiClient) -> None:
    own = uuid.uuid4()
    first, second = results(api.post(EVENTS, {"events": [event(event_id=7), event(event_id=str(own), foo=1)]}))
    assert (first["event_id"], second["event_id"]) == ("7", str(own))
    assert {row.event_id for row in Event.objects.all()} == {made_id("7"), own}


@pytest.mark.parametrize(
    ("written", "lost"),
    [
        (MICROS, 0), (str(MICROS), 0), (MICROS * 1_000, 0), (MICROS // 1_000, 456), (f" {MICROS // 1_000} ", 456),
        (MICROS // 1_000_000, 123_456), (str(MICROS // 1_000_000), 123_456), (f"{MICROS / 1e6:.6f}", 0),
    ],
    ids=["µs", "µs as text", "ns", "ms", "ms as text", "s", "s as text", "s with decimals"],
)  # fmt: skip
def test_an_epoch_is_a_time(written: Any, lost: int, api: ApiClient) -> None:
    assert accepted(api, event(timestamp=written)).occurred_at == AT - timedelta(microseconds=lost)


def test_numbers_are_ids(api: ApiClient) -> None:
    Item.objects.create(shop_id="1133018", title="Oats")
    row = purchase(user_id=4711, transaction_id=99, session_id=3, items=[{"item_id": 1133018}])
    stored = accepted(api, row)
    assert (stored.customer_id, stored.item.shop_id) == (key_of("4711"), "1133018")
    assert (stored.transaction_id, stored.session_id) == ("99", "3")


@pytest.mark.parametrize(
    ("sent", "kept", "amount"),
    [
        (2, "2", "5.00"),
        ("2", "2", "5.00"),
        (0.75, "0.750", "1.88"),
        ("0.75", "0.750", "1.88"),
        (1.0005, "1.001", "2.50"),
    ],
)
def test_a_quantity_may_have_decimals_or_be_a_text(sent: Any, kept: str, amount: str, api: ApiClient) -> None:
    line = {"item_id": "SKU1", "quantity": sent, "price": "2.50", "index": "3"}
    stored = accepted(api, purchase(items=[line]))
    assert (stored.quantity, stored.amount, stored.position) == (Decimal(kept), Decimal(amount), 3)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("page_view", "GA4's “page_view” is left out on purpose"),
        ("Coupon Applied", "Segment's “Coupon Applied” is left out on purpose"),
        ("Purchase", "“purchase” is one"),
        ("addToCart", "“add_to_cart” is one"),
        ("order completed", "“Order Completed” is one"),
        ("glance", "There are: view_item_list, select_item,"),
    ],
)
def test_a_name_of_no_use_is_ignored_and_nothing_else_of_it_need_fit(name: str, said: str, api: ApiClient) -> None:
    rows = [event(), event(name=name), {"event_id": "x-1", "name": name, "timestamp": "now", "items": 3}]
    answer = api.post(EVENTS, {"events": rows})
    first, second, third = results(answer)
    assert (answer.json()["accepted"], answer.json()["ignored_events"], first["verdict"]) == (1, 2, "accepted")
    assert (second["verdict"], second["pointer"], second["event_id"]) == (
        "ignored", "/events/1/name", rows[1]["event_id"],
    )  # fmt: skip
    assert (third["verdict"], third["event_id"]) == ("ignored", "x-1")
    assert said in second["reason"]
    assert Event.objects.count() == 1


def test_a_no_on_an_event_of_no_use_is_heard(api: ApiClient) -> None:
    accepted(api, event())
    objection = {"name": "page_view", "items": ..., "consent": {"personalisation": False}}
    assert results(api.post(EVENTS, event(**objection)))[0]["verdict"] == "ignored"
    assert not Customer.objects.get(pk=key_of("u1")).personalise
    [result] = results(api.post(EVENTS, event(**objection | {"timestamp": "2020-01-01T00:00:00Z"})), 400)
    assert (result["verdict"], result["pointer"]) == ("rejected", "/timestamp")
    [result] = results(api.post(EVENTS, event(**objection | {"consent": {"personalisation": "no"}})), 400)
    assert result["pointer"] == "/consent/personalisation"
    assert Event.objects.count() == 1


def test_a_single_event_of_no_use_is_a_202_and_is_counted(api: ApiClient) -> None:
    [result] = results(api.post(EVENTS, event(name="page_view")))
    assert (result["verdict"], result["pointer"]) == ("ignored", "/name")
    source_counters().tell()
    counters.counters().tell()
    assert (counters.totals() or {})[Counted.EVENTS, "ignored"] == 1
    write_source_hours(now=timezone.now())
    assert SourceHour.objects.get(key=ApiKey.objects.get()).ignored == 1


def test_no_name_is_both_used_and_left_out() -> None:
    left_out = [name for names in UNUSED.values() for name in names]
    assert len(left_out) == len({*left_out})
    assert NAMES.keys() & {*left_out} == set()


def test_a_look_at_the_cart_needs_no_item(api: ApiClient) -> None:
    assert accepted(api, event(name="view_cart", items=...)).item_id is None
    assert accepted(api, event(name="Cart Viewed")).name == "view_cart"


def test_an_order_that_is_sent_again_with_another_time_is_the_same(api: ApiClient) -> None:
    """Within a month; an act that is no order is told twice."""
    row = purchase(items=[{"item_id": "SKU1"}, {"item_id": "SKU2"}])
    later = row | {"timestamp": when(minutes=1)}
    assert results(api.post(EVENTS, row))[0]["verdict"] == "accepted"
    assert results(api.post(EVENTS, {"events": [later, event()]}))[0]["verdict"] == "duplicate"
    assert results(api.post(EVENTS, later | {"transaction_id": "t2"}))[0]["verdict"] == "accepted"
    assert results(api.post(EVENTS, row | {"timestamp": when(days=32)}))[0]["verdict"] == "accepted"
    assert Event.objects.filter(name="purchase").count() == 6


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"type": "track", "event": "Product Viewed", "userId": "u"}, "a Segment call; send it to /api/v1/events/"),
        ({"batch": []}, "/api/v1/events/segment/"),
        ({"client_id": "1.2", "events": [{"name": "purchase", "params": {}}]}, "/api/v1/events/ga4/"),
        ({"eventType": "detail-page-view", "visitorId": "v"}, "/api/v1/events/vertex/"),
        ({"userId": "u", "itemId": "i"}, "/api/v1/events/recombee/"),
        ({"requests": []}, "/api/v1/events/recombee/"),
        ({"events": [{"eventType": "click", "eventName": "x", "index": "i"}]}, "/api/v1/events/algolia/"),
        ({"id": 1, "line_items": [], "admin_graphql_api_id": "g"}, "/api/v1/hooks/shopify/"),
        ({"id": 1, "line_items": [], "order_key": "k"}, "/api/v1/hooks/woocommerce/"),
        ({"event": "purchase", "ecommerce": {}}, "recsite.fromDataLayer()"),
    ],
)  # fmt: skip
def test_a_body_of_another_system_is_told_where_to_go(body: dict[str, Any], said: str, api: ApiClient) -> None:
    assert said in problem(api.post(EVENTS, body), 400)["errors"][0]["message"]
