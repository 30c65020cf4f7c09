"""The record keeps of an accepted event what the contract of ``POST /api/v1/events/`` says, and no id of the shop."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from recommendations.event_types import EventName
from recommendations.models import ApiKey, Event, Item
from recommendations.terms import Scope, Trust
from tests.api.conftest import ApiClient
from tests.api.events.conftest import EVENTS, accepted, event, key_of, purchase, results, when


def test_the_example_of_the_contract(api: ApiClient) -> None:
    row = {
        "event_id": "0192f0c1-2b3c-7d4e-8f90-a1b2c3d4e5f6",
        "name": "add_to_cart",
        "timestamp": when(minutes=2),
        "user_id": "u1",
        "anonymous_id": "a9",
        "session_id": "s7",
        "items": [{"item_id": "SKU1", "quantity": 2, "price": "19.90", "index": 3}],
        "value": "39.80",
        "currency": settings.SHOP_CURRENCY,
        "search_term": None,
        "recommendation_id": "r-01J",
        "context": {"channel": "web", "page": "/p/1?email=a@b.c#top", "locale": "en-GB"},
        "consent": {"personalisation": True, "marketing": False},
    }
    answer = api.post(EVENTS, {"events": [row]})
    assert answer.status_code == 202
    assert answer.json() == {
        "accepted": 1,
        "duplicates": 0,
        "rejected": 0,
        "results": [{"verdict": "accepted", "event_id": row["event_id"]}],
    }
    stored = Event.objects.values().get()
    received = stored.pop("received_at")
    assert timedelta(0) <= timezone.now() - received < timedelta(seconds=30)
    assert stored == {
        "occurred_at": datetime.fromisoformat(row["timestamp"]),
        "event_id": uuid.UUID(row["event_id"]),
        "line": 0,
        "name": "add_to_cart",
        "customer_id": key_of("u1"),
        "item_id": Item.objects.get(shop_id="SKU1").pk,
        "quantity": Decimal(2),
        "price": Decimal("19.90"),
        "amount": Decimal("39.80"),
        "rating": None,
        "rating_scale": None,
        "search_term": None,
        "transaction_id": None,
        "session_id": "s7",
        "recommendation_id": "r-01J",
        "position": 3,
        "target_type": None,
        "target_id": None,
        "progress": None,
        "source": "api",
        "attributes": {"channel": "web", "locale": "en-GB", "page": "/p/1", "value": "39.80"},
        "trust": Trust.SERVER,
        "key_id": ApiKey.objects.get().pk,
    }


def test_no_id_of_the_shop_is_stored(api: ApiClient) -> None:
    accepted(api, event(user_id="anna@example.com", anonymous_id="device-4711"))
    accepted(api, event(name="follow", target_type="customer", target_id="bert@example.com"))
    with connection.cursor() as cursor:
        for table in ("recommendations_event", "recommendations_customer", "recommendations_customeralias"):
            cursor.execute(f"SELECT string_agg(t::text, ' ') FROM {table} t")
            text = cursor.fetchone()[0]
            for secret in ("anna@example.com", "device-4711", "bert@example.com", b"anna@example.com".hex()):
                assert secret not in text


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        *((name, name) for name in EventName),
        ("Product List Viewed", "view_item_list"), ("category-page-view", "view_item_list"),
        ("Product Clicked", "select_item"), ("Product Viewed", "view_item"), ("detail-page-view", "view_item"),
        ("AddDetailView", "view_item"), ("Products Searched", "search"), ("Product Added", "add_to_cart"),
        ("add-to-cart", "add_to_cart"), ("AddCartAddition", "add_to_cart"), ("Product Removed", "remove_from_cart"),
        ("remove-from-cart", "remove_from_cart"), ("DeleteCartAddition", "remove_from_cart"),
        ("Checkout Started", "begin_checkout"), ("Order Completed", "purchase"), ("purchase-complete", "purchase"),
        ("AddPurchase", "purchase"), ("Order Refunded", "refund"), ("DeletePurchase", "refund"),
        ("Product Added to Wishlist", "add_to_wishlist"), ("AddBookmark", "add_to_wishlist"),
        ("Product Shared", "share"), ("Product Reviewed", "rate_item"), ("AddRating", "rate_item"),
        ("home-page-view", "view_homepage"), ("Cart Viewed", "view_cart"), ("shopping-cart-page-view", "view_cart"),
        ("view_search_results", "search"), ("Order Cancelled", "refund"),
    ],
)  # fmt: skip
def test_names_and_aliases(name: str, stored: str, api: ApiClient) -> None:
    row = event(
        name=name, transaction_id="t", search_term="tea", rating=4, rating_scale=5, target_type="brand", target_id="b"
    )
    assert accepted(api, row).name == stored


def test_every_item_is_a_line(api: ApiClient) -> None:
    lines = [{"item_id": f"SKU{n}", "quantity": n + 1, "price": 2.5} for n in range(3)]
    row = purchase(items=lines)
    assert results(api.post(EVENTS, row)) == [{"verdict": "accepted", "event_id": row["event_id"]}]
    stored = Event.objects.order_by("line").values_list("line", "item__shop_id", "quantity", "amount", "transaction_id")
    assert list(stored) == [
        (0, "SKU0", 1, Decimal("2.50"), "t1"),
        (1, "SKU1", 2, Decimal("5.00"), "t1"),
        (2, "SKU2", 3, Decimal("7.50"), "t1"),
    ]


def test_an_event_without_an_item_is_line_0(api: ApiClient) -> None:
    row = accepted(api, event(name="search", search_term="crème brûlée 🍮", items=...))
    assert (row.line, row.item_id, row.search_term) == (0, None, "crème brûlée 🍮")


def test_the_value_of_a_single_line_is_its_amount(api: ApiClient) -> None:
    assert accepted(api, purchase(value="12.345")).amount == Decimal("12.35")
    assert accepted(api, purchase(items=[{"item_id": "SKU1"}, {"item_id": "SKU2"}], value=7)).amount is None


def test_a_follow_of_a_brand_keeps_its_name(api: ApiClient) -> None:
    row = accepted(api, event(name="follow", items=..., target_type="brand", target_id="Acme"))
    assert (row.target_type, row.target_id, row.item_id) == ("brand", "Acme", None)


def test_the_clock_of_the_client_is_kept(api: ApiClient) -> None:
    row = accepted(api, event(timestamp="2026-01-02T03:04:05.678901+05:30"))
    assert row.occurred_at == datetime(2026, 1, 1, 21, 34, 5, 678901, tzinfo=UTC)


@pytest.mark.parametrize("offset", ["+16:00", "-16:00", "+23:59", "-23:59"])
def test_a_far_time_zone_loses_neither_the_event_nor_its_neighbours(api: ApiClient, offset: str) -> None:
    sign, hours, minutes = offset[0], int(offset[1:3]), int(offset[4:])
    there = timezone.now() + (1 if sign == "+" else -1) * timedelta(hours=hours, minutes=minutes)
    far, near = event(timestamp=there.replace(tzinfo=None, microsecond=0).isoformat() + offset), event()
    assert [row["verdict"] for row in results(api.post(EVENTS, {"events": [far, near]}))] == ["accepted"] * 2
    assert abs(Event.objects.get(event_id=far["event_id"]).occurred_at - timezone.now()) < timedelta(minutes=1)


def test_the_replay_is_marked_where_it_is_the_demos(client_with: Callable[..., ApiClient], shop: None) -> None:
    demo = client_with(Scope.EVENTS_WRITE, Scope.EVENTS_REPLAY)
    assert accepted(demo, event(context={"source": "replay"})).source == "replay"
    assert accepted(demo, event(context={"source": "newsletter"})).source == "api"


def test_a_month_without_partition_is_made(transactional_db: None, client_with: Callable[..., ApiClient]) -> None:
    Item.objects.create(shop_id="SKU1", title="x")
    api = client_with(Scope.EVENTS_WRITE)
    moment = timezone.now() - timedelta(days=400)
    name = f"recommendations_event_y{moment:%Y}m{moment:%m}"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {name}")
    accepted(api, event(timestamp=moment.isoformat()))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {name}")
        assert cursor.fetchone() == (1,)
