"""``POST /api/v1/events/``: every rule of the contract, with the verdict it gives."""

import json
import threading
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, connections
from django.http import HttpResponse
from django.utils import timezone

from recommendations.event_types import EventName
from recommendations.models import Customer, CustomerAlias, Event, Item
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.process_held import drop_all
from recommendations.terms import CustomerKind, Scope
from tests.api.conftest import ApiClient, problem

EVENTS = "/api/v1/events/"


@pytest.fixture
def shop(db: None) -> None:
    Item.objects.bulk_create(Item(shop_id=f"SKU{number}", title=f"Item {number}") for number in range(5))


@pytest.fixture
def api(shop: None, client_with: Callable[..., ApiClient]) -> ApiClient:
    return client_with(Scope.EVENTS_WRITE)


def when(**ago: float) -> str:
    return (timezone.now() - timedelta(**ago)).isoformat()


def event(**fields: Any) -> dict[str, Any]:
    """A view of SKU1 by u1 an hour ago, changed by ``fields``; those that are ``...`` are left out."""
    plain = {
        "event_id": str(uuid.uuid4()),
        "name": "view_item",
        "timestamp": when(hours=1),
        "user_id": "u1",
        "items": [{"item_id": "SKU1"}],
    }
    return {name: value for name, value in (plain | fields).items() if value is not ...}


def purchase(**fields: Any) -> dict[str, Any]:
    return event(**{"name": "purchase", "transaction_id": "t1"} | fields)


def results(answer: HttpResponse, status: int = 202) -> list[dict[str, Any]]:
    assert answer.status_code == status, answer.content
    return list(json.loads(answer.content)["results"])


def refusal(api: ApiClient, row: dict[str, Any]) -> tuple[str, str]:
    """Pointer and reason of a row that is refused between two good ones, which must be kept."""
    before = Event.objects.count()
    first, middle, last = results(api.post(EVENTS, {"events": [event(), row, event()]}))
    assert (first["verdict"], middle["verdict"], last["verdict"]) == ("accepted", "rejected", "accepted")
    assert Event.objects.count() == before + 2
    assert middle["pointer"].startswith("/events/1")
    return middle["pointer"].removeprefix("/events/1"), middle["reason"]


def accepted(api: ApiClient, row: dict[str, Any]) -> Event:
    [result] = results(api.post(EVENTS, row))
    assert result == {"verdict": "accepted", "event_id": row["event_id"]}
    return Event.objects.get(event_id=row["event_id"], line=0)


def key_of(shop_id: str, kind: CustomerKind = CustomerKind.SIGNED_IN) -> int:
    return Customer.objects.get(pseudonym=pseudonym(shop_id, kind=kind)).pk


# --- what is kept


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
        "quantity": 2,
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
        "source": "api",
        "attributes": {"channel": "web", "locale": "en-GB", "page": "/p/1", "value": "39.80"},
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
        ("home-page-view", "view_homepage"),
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


def test_the_replay_is_marked(api: ApiClient) -> None:
    assert accepted(api, event(context={"source": "replay"})).source == "replay"
    assert accepted(api, event(context={"source": "newsletter"})).source == "api"


# --- once


def test_a_retry_is_a_duplicate(api: ApiClient) -> None:
    rows = [event(), purchase(items=[{"item_id": "SKU1"}, {"item_id": "SKU2"}])]
    assert [row["verdict"] for row in results(api.post(EVENTS, {"events": rows}))] == ["accepted", "accepted"]
    answer = api.post(EVENTS, {"events": [*rows, event()]})
    assert [row["verdict"] for row in results(answer)] == ["duplicate", "duplicate", "accepted"]
    assert (answer.json()["accepted"], answer.json()["duplicates"]) == (1, 2)
    assert Event.objects.count() == 4


def test_an_event_twice_in_a_body_is_a_duplicate(api: ApiClient) -> None:
    row = event()
    same = row | {"timestamp": datetime.fromisoformat(row["timestamp"]).astimezone(None).isoformat(), "user_id": "u2"}
    verdicts = [result["verdict"] for result in results(api.post(EVENTS, {"events": [row, same, row]}))]
    assert verdicts == ["accepted", "duplicate", "duplicate"]
    assert Event.objects.get().customer_id == key_of("u1")


def test_another_time_is_another_event(api: ApiClient) -> None:
    row = event()
    accepted(api, row)
    assert results(api.post(EVENTS, row | {"timestamp": when(hours=2)}))[0]["verdict"] == "accepted"
    assert Event.objects.count() == 2


def test_two_identical_posts_at_once_are_stored_once(
    transactional_db: None, client_with: Callable[..., ApiClient]
) -> None:
    Item.objects.bulk_create(Item(shop_id=f"SKU{number}", title="x") for number in range(5))
    client = client_with(Scope.EVENTS_WRITE)
    rows = [
        event(user_id=f"u{n % 7}", anonymous_id=f"a{n % 7}", items=[{"item_id": f"SKU{n % 5}"}]) for n in range(100)
    ]
    bodies = [{"events": rows}, {"events": rows[::-1]}] * 3
    answers: list[HttpResponse] = []
    barrier = threading.Barrier(len(bodies))

    def post(body: dict[str, Any]) -> None:
        barrier.wait()
        answers.append(ApiClient(client.headers["Authorization"]).post(EVENTS, body))
        connections.close_all()

    threads = [threading.Thread(target=post, args=(body,)) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [202] * 6
    assert sum(answer.json()["accepted"] for answer in answers) == 100
    assert sum(answer.json()["duplicates"] for answer in answers) == 500
    assert Event.objects.count() == 100
    assert Customer.objects.count() == 14
    assert CustomerAlias.objects.count() == 7


# --- refused, with pointer and remedy


@pytest.mark.parametrize(
    ("fields", "pointer", "said"),
    [
        ({"event_id": ...}, "/event_id", "missing"),
        ({"event_id": "0192f0c1"}, "/event_id", "UUID"),
        ({"event_id": None}, "/event_id", "got `null`"),
        ({"name": ...}, "/name", "missing"),
        ({"name": "buy"}, "/name", "view_item_list, select_item"),
        ({"name": "Purchase"}, "/name", "no event of this name"),
        ({"timestamp": ...}, "/timestamp", "missing"),
        ({"timestamp": "2026-09-01T10:02:11"}, "/timestamp", "no time zone"),
        ({"timestamp": "2026-02-30T00:00:00Z"}, "/timestamp", "Invalid"),
        ({"timestamp": "yesterday"}, "/timestamp", "Invalid"),
        ({"timestamp": 1788888888}, "/timestamp", "got `int`"),
        ({"timestamp": "9999-12-31T23:59:59Z"}, "/timestamp", "more than 10 minutes ahead of the server's"),
        ({"timestamp": "9999-12-31T23:59:59-23:59"}, "/timestamp", "ahead"),
        ({"timestamp": "0001-01-01T00:00:00+23:59"}, "/timestamp", "730 days"),
        ({"timestamp": "1969-12-31T23:59:59Z"}, "/timestamp", "import_events"),
        ({"user_id": ...}, "/user_id", "anonymous_id"),
        ({"user_id": ""}, "/user_id", "length >= 1"),
        ({"user_id": "x" * 129}, "/user_id", "length <= 128"),
        ({"user_id": 7}, "/user_id", "Expected `str"),
        ({"user_id": "a\x00b"}, "/user_id", "NUL"),
        ({"anonymous_id": "x" * 129}, "/anonymous_id", "length <= 128"),
        ({"session_id": "x" * 129}, "/session_id", "length <= 128"),
        ({"items": []}, "/items", "at least one item"),
        ({"items": ...}, "/items", "at least one item"),
        ({"items": {"item_id": "SKU1"}}, "/items", "Expected `array`"),
        ({"items": [{"item_id": "SKU1"}] * 201}, "/items", "length <= 200"),
        ({"items": [{}]}, "/items/0/item_id", "missing"),
        ({"items": [{"item_id": "SKU1"}, {"item_id": "x" * 129}]}, "/items/1/item_id", "length <= 128"),
        ({"items": [{"item_id": "SKU1\x00"}]}, "/items/0/item_id", "NUL"),
        ({"items": [{"item_id": "SKU1", "quantity": 0}]}, "/items/0/quantity", ">= 1"),
        ({"items": [{"item_id": "SKU1", "quantity": -1}]}, "/items/0/quantity", ">= 1"),
        ({"items": [{"item_id": "SKU1", "quantity": 2**31}]}, "/items/0/quantity", "<= 1000000"),
        ({"items": [{"item_id": "SKU1", "quantity": 2**64}]}, "/items/0/quantity", "<= 1000000"),
        ({"items": [{"item_id": "SKU1", "quantity": 10**400}]}, "/items/0/quantity", ""),
        ({"items": [{"item_id": "SKU1", "quantity": 1.5}]}, "/items/0/quantity", "Expected `int"),
        ({"items": [{"item_id": "SKU1", "index": 2**15}]}, "/items/0/index", "<= 32767"),
        ({"items": [{"item_id": "SKU1", "price": -0.01}]}, "/items/0/price", "between 0 and 9999999999.99"),
        ({"items": [{"item_id": "SKU1", "price": "NaN"}]}, "/items/0/price", "between 0"),
        ({"items": [{"item_id": "SKU1", "price": "sNaN"}]}, "/items/0/price", "between 0"),
        ({"items": [{"item_id": "SKU1", "price": "Infinity"}]}, "/items/0/price", "between 0"),
        ({"items": [{"item_id": "SKU1", "price": 1e308}]}, "/items/0/price", "between 0"),
        ({"items": [{"item_id": "SKU1", "price": "1e999999999"}]}, "/items/0/price", "between 0"),
        ({"items": [{"item_id": "SKU1", "price": "9999999999.995"}]}, "/items/0/price", "between 0"),
        ({"items": [{"item_id": "SKU1", "price": "cheap"}]}, "/items/0/price", "decimal"),
        ({"items": [{"item_id": "SKU1", "price": 9e9, "quantity": 2}]}, "/items/0/quantity", "between 0"),
        ({"value": "-1"}, "/value", "between 0"),
        ({"value": "1e10"}, "/value", "between 0"),
        ({"currency": "XTS"}, "/currency", f"counts in {settings.SHOP_CURRENCY}; convert"),
        ({"name": "purchase"}, "/transaction_id", "missing"),
        ({"name": "refund"}, "/transaction_id", "missing"),
        ({"name": "purchase", "transaction_id": "x" * 129}, "/transaction_id", "length <= 128"),
        ({"name": "search"}, "/search_term", "missing"),
        ({"name": "search", "search_term": "x" * 513}, "/search_term", "length <= 512"),
        ({"name": "rate_item"}, "/rating", "missing"),
        ({"name": "rate_item", "rating": 4}, "/rating_scale", "missing"),
        ({"name": "rate_item", "rating": 6, "rating_scale": 5}, "/rating", "not between"),
        ({"name": "rate_item", "rating": -1, "rating_scale": 5}, "/rating", "not between"),
        ({"name": "rate_item", "rating": 0, "rating_scale": 0}, "/rating_scale", "> 0"),
        ({"name": "follow", "target_id": "b"}, "/target_type", "missing"),
        ({"target_type": "x" * 21}, "/target_type", "customer, brand, category"),
        ({"name": "follow", "target_type": "planet", "target_id": "b"}, "/target_type", "customer, brand, category"),
        ({"name": "follow", "target_type": "brand"}, "/target_id", "missing"),
        ({"recommendation_id": "r" * 65}, "/recommendation_id", "length <= 64"),
        ({"context": {"page": "x" * 2049}}, "/context/page", "length <= 2048"),
        ({"context": "web"}, "/context", "Expected `object"),
        ({"consent": {"personalisation": "no"}}, "/consent/personalisation", "Expected `bool"),
        ({"items": [{"item_id": "SKU9"}]}, "/items/0/item_id", "send the item first"),
    ],
)  # fmt: skip
def test_each_flaw_of_an_event_is_refused(fields: dict[str, Any], pointer: str, said: str, api: ApiClient) -> None:
    place, reason = refusal(api, event(**fields))
    assert place == pointer
    assert said in reason


@pytest.mark.parametrize("row", [None, 1, "event", [], [[]], True])
def test_a_row_that_is_no_event(row: Any, api: ApiClient) -> None:
    assert refusal(api, row) == (
        "",
        f"Expected `object`, got `{ {list: 'array', type(None): 'null'}.get(type(row), type(row).__name__) }`",
    )


@pytest.mark.parametrize("half", ["\\ud800", "\\uDFFF", "ok \\\\\\uD83D!", "\\ude00\\ud83d"])
def test_half_a_surrogate_pair(half: str, api: ApiClient) -> None:
    body = json.dumps({"events": [event(user_id="😀"), event(user_id="?")]}).replace('"?"', f'"{half}"').encode()
    first, second = results(api.post(EVENTS, body))
    assert first["verdict"] == "accepted"
    assert (second["verdict"], second["pointer"]) == ("rejected", "/events/1/user_id")
    assert "surrogate" in second["reason"]


def test_the_clock_may_be_ten_minutes_ahead(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now().replace(microsecond=0)
    monkeypatch.setattr("recommendations.api.events.timezone.now", lambda: now)
    edge, ago = now + timedelta(minutes=10), now - timedelta(days=730)
    accepted(api, event(timestamp=edge.isoformat()))
    pointer, reason = refusal_at(api, edge + timedelta(seconds=1))
    assert (pointer, now.isoformat() in reason) == ("/timestamp", True)
    accepted(api, event(timestamp=ago.isoformat()))
    assert refusal_at(api, ago - timedelta(seconds=1))[0] == "/timestamp"


def refusal_at(api: ApiClient, moment: datetime) -> tuple[str, str]:
    [result] = results(api.post(EVENTS, event(timestamp=moment.isoformat())), 400)
    return result["pointer"], result["reason"]


def test_400_where_every_row_is_refused(api: ApiClient) -> None:
    answer = api.post(EVENTS, {"events": [event(name="buy"), event(items=[{"item_id": "SKU9"}])]})
    body = problem(answer, 400)
    assert [error["pointer"] for error in body["errors"]] == ["/events/0/name", "/events/1/items/0/item_id"]
    assert [result["verdict"] for result in body["results"]] == ["rejected", "rejected"]
    assert Event.objects.count() == 0
    assert Customer.objects.count() == 0


def test_a_single_event_is_pointed_at_from_the_top(api: ApiClient) -> None:
    assert results(api.post(EVENTS, event(name="buy")), 400)[0]["pointer"] == "/name"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/events"),
        ([], ""),
        ([{"event_id": "x"}], ""),
        ("events", ""),
        (None, ""),
        (7, ""),
        ({"events": []}, "/events"),
        ({"events": None}, "/events"),
        ({"events": {"0": {}}}, "/events"),
        ({"event": {}}, "/events"),
    ],
)
def test_a_body_without_events(body: Any, pointer: str, api: ApiClient) -> None:
    [error] = problem(api.post(EVENTS, body), 400)["errors"]
    assert error["pointer"] == pointer
    assert "1 to 1000 events" in error["message"]


def test_a_batch_has_at_most_a_thousand_rows(api: ApiClient) -> None:
    rows = [event(event_id=str(uuid.uuid4())) for _ in range(1_001)]
    assert problem(api.post(EVENTS, {"events": rows}), 400)["errors"][0]["pointer"] == "/events"
    assert api.post(EVENTS, {"events": rows[:1_000]}).json()["accepted"] == 1_000
    assert Event.objects.count() == 1_000


# --- lines and fields that are left out


def test_an_unknown_item_loses_only_its_line(api: ApiClient) -> None:
    row = purchase(items=[{"item_id": "SKU1"}, {"item_id": "SKU9"}, {"item_id": "SKU2"}])
    [_, result] = results(api.post(EVENTS, {"events": [event(), row]}))
    assert result == {
        "verdict": "accepted",
        "event_id": row["event_id"],
        "rejected_items": [
            {"pointer": "/events/1/items/1/item_id", "reason": "There is no item of this id; send the item first."}
        ],
    }
    assert list(lines_of(row)) == [(0, "SKU1"), (2, "SKU2")]
    Item.objects.create(shop_id="SKU9", title="late")
    assert results(api.post(EVENTS, row)) == [{"verdict": "accepted", "event_id": row["event_id"]}]
    assert list(lines_of(row)) == [(0, "SKU1"), (1, "SKU9"), (2, "SKU2")]
    assert results(api.post(EVENTS, row))[0]["verdict"] == "duplicate"


def lines_of(row: dict[str, Any]) -> Any:
    return Event.objects.filter(event_id=row["event_id"]).order_by("line").values_list("line", "item__shop_id")


def test_unknown_fields_are_left_out_and_named(api: ApiClient) -> None:
    row = event(
        items=[{"item_id": "SKU1", "item_name": "Tea", "a/b": 1}],
        email="anna@example.com",
        context={"channel": "web", "ip": "10.0.0.1"},
        consent={"personalisation": True, "cookies": True},
    )
    answer = api.post(EVENTS, {"events": [event(), row], "api_version": 3})
    first, second = results(answer)
    assert "ignored" not in first
    assert second["verdict"] == "accepted"
    assert sorted(second["ignored"]) == [
        "/events/1/consent/cookies",
        "/events/1/context/ip",
        "/events/1/email",
        "/events/1/items/0/a~1b",
        "/events/1/items/0/item_name",
    ]
    assert answer.json()["ignored"] == ["/api_version"]
    assert Event.objects.get(event_id=row["event_id"]).attributes == {"channel": "web"}


def test_a_refused_row_names_its_unknown_fields_too(api: ApiClient) -> None:
    [result] = results(api.post(EVENTS, event(name="buy", foo=1)), 400)
    assert (result["pointer"], result["ignored"]) == ("/name", ["/foo"])


# --- who


def test_an_anonymous_visitor(api: ApiClient) -> None:
    row = accepted(api, event(user_id=..., anonymous_id="a1"))
    customer = Customer.objects.get()
    assert (row.customer_id, customer.kind) == (customer.pk, "anonymous")


def test_both_ids_are_the_user_and_make_a_merger(api: ApiClient) -> None:
    early, late = when(hours=3), when(hours=2)
    accepted(api, event(user_id=..., anonymous_id="a1"))
    results(api.post(EVENTS, {"events": [event(anonymous_id="a1", timestamp=stamp) for stamp in (late, early)]}))
    alias = CustomerAlias.objects.get()
    assert (alias.anonymous_id, alias.customer_id) == (key_of("a1", CustomerKind.ANONYMOUS), key_of("u1"))
    assert (alias.source, alias.since) == ("event", datetime.fromisoformat(early))
    assert Event.objects.filter(customer=alias.customer_id).count() == 2
    results(api.post(EVENTS, event(user_id="u2", anonymous_id="a1")))  # a shared device: the first stays
    assert CustomerAlias.objects.get() == alias


def test_a_merger_that_was_undone_stays_undone(api: ApiClient) -> None:
    results(api.post(EVENTS, event(anonymous_id="a1")))
    CustomerAlias.objects.update(undone_at=timezone.now())
    results(api.post(EVENTS, event(anonymous_id="a1")))
    assert CustomerAlias.objects.get().undone_at is not None
    results(api.post(EVENTS, event(user_id="u2", anonymous_id="a1")))
    assert CustomerAlias.objects.get(undone_at=None).customer_id == key_of("u2")


def said(yes: bool | None, **fields: Any) -> dict[str, Any]:
    return event(consent={"personalisation": yes}, **fields)


def may(shop_id: str, kind: CustomerKind = CustomerKind.SIGNED_IN) -> bool:
    return Customer.objects.get(pk=key_of(shop_id, kind)).personalise


def test_an_objection_stores_the_event_without_the_customer(api: ApiClient) -> None:
    row = accepted(api, said(False, session_id="s1"))
    assert (row.customer_id, row.session_id, row.item_id is None) == (None, None, False)
    assert not may("u1")


def test_an_objection_holds_until_it_is_taken_back(api: ApiClient) -> None:
    accepted(api, said(False, timestamp=when(hours=5)))
    row = accepted(api, event(timestamp=when(hours=4), session_id="s1"))  # says nothing: unchanged
    assert (row.customer_id, row.session_id) == (None, None)
    row = accepted(api, said(True, timestamp=when(hours=3), session_id="s1"))
    assert (row.customer_id, row.session_id) == (key_of("u1"), "s1")
    assert may("u1")


def test_an_older_agreement_that_comes_late_changes_nothing(api: ApiClient) -> None:
    accepted(api, said(True, timestamp=when(hours=9)))
    accepted(api, said(False, timestamp=when(hours=5)))
    accepted(api, said(False, timestamp=when(hours=3)))
    row = accepted(api, said(True, timestamp=when(hours=4)))
    assert row.customer_id is None
    assert not may("u1")
    drop_all()  # nor in a process that knows nothing
    assert results(api.post(EVENTS, said(True, timestamp=when(hours=4))))[0]["verdict"] == "accepted"
    assert not may("u1")


def test_the_newest_consent_of_a_batch_counts(api: ApiClient) -> None:
    rows = [said(False, timestamp=when(hours=1)), said(True, timestamp=when(hours=2))]
    results(api.post(EVENTS, {"events": rows}))
    assert not may("u1")
    assert list(Event.objects.values_list("customer_id", flat=True)) == [None, None]


def test_an_objection_holds_for_all_merged_ids(api: ApiClient) -> None:
    accepted(api, event(anonymous_id="a1", timestamp=when(hours=9)))  # joins a1 to u1
    accepted(api, said(False, timestamp=when(hours=8), user_id=..., anonymous_id="a1"))
    assert not may("u1")
    assert not may("a1", CustomerKind.ANONYMOUS)
    accepted(api, said(True, timestamp=when(hours=7)))
    assert may("a1", CustomerKind.ANONYMOUS)


def test_an_objection_with_both_ids_makes_no_merger(api: ApiClient) -> None:
    accepted(api, said(False, anonymous_id="a1"))
    assert not CustomerAlias.objects.exists()
    accepted(api, event(anonymous_id="a1"))
    assert not CustomerAlias.objects.exists()


def test_an_objection_needs_no_id(api: ApiClient) -> None:
    assert accepted(api, said(False, user_id=...)).customer_id is None
    assert not Customer.objects.exists()


def test_a_row_that_is_refused_changes_no_consent(api: ApiClient) -> None:
    accepted(api, event())
    results(api.post(EVENTS, said(False, items=[{"item_id": "SKU9"}])), 400)
    assert may("u1")


# --- months


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
