"""A flaw in an event, a line or a batch is refused with its place and the remedy; its neighbours are accepted."""

import json
import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from recommendations.models import Customer, Event, Item, RetentionRule
from recommendations.privacy_terms import RetentionKind
from tests.api.conftest import ApiClient, problem
from tests.api.events.conftest import EVENTS, accepted, event, results


def refusal(api: ApiClient, row: dict[str, Any]) -> tuple[str, str]:
    """Pointer and reason of a row that is refused between two good ones, which must be kept."""
    before = Event.objects.count()
    first, middle, last = results(api.post(EVENTS, {"events": [event(), row, event()]}))
    assert (first["verdict"], middle["verdict"], last["verdict"]) == ("accepted", "rejected", "accepted")
    assert Event.objects.count() == before + 2
    assert middle["pointer"].startswith("/events/1")
    return middle["pointer"].removeprefix("/events/1"), middle["reason"]


@pytest.mark.parametrize(
    ("fields", "pointer", "said"),
    [
        ({"event_id": ...}, "/event_id", "missing"),
        ({"event_id": ""}, "/event_id", "a text of 1 to 128 characters"),
        ({"event_id": "x" * 129}, "/event_id", "a text of 1 to 128 characters"),
        ({"event_id": None}, "/event_id", "a text of 1 to 128 characters"),
        ({"event_id": {}}, "/event_id", "a text of 1 to 128 characters"),
        ({"name": ...}, "/name", "missing"),
        ({"name": 7}, "/name", "Send a string, not a whole number"),
        ({"timestamp": ...}, "/timestamp", "seconds, milli- or microseconds since 1970"),
        ({"timestamp": "2026-09-01T10:02:11"}, "/timestamp", "no time zone"),
        ({"timestamp": "2026-02-30T00:00:00Z"}, "/timestamp", "such as 2026-09-01T10:02:11Z"),
        ({"timestamp": "yesterday"}, "/timestamp", "such as 2026-09-01T10:02:11Z"),
        ({"timestamp": 5}, "/timestamp", "730 days"),
        ({"timestamp": 1e300}, "/timestamp", "since 1970"),
        ({"timestamp": True}, "/timestamp", "since 1970"),
        ({"timestamp": 10**40}, "/timestamp", "since 1970"),
        ({"timestamp": "9999-12-31T23:59:59Z"}, "/timestamp", "more than 10 minutes ahead of the server's"),
        ({"timestamp": "9999-12-31T23:59:59-23:59"}, "/timestamp", "ahead"),
        ({"timestamp": "0001-01-01T00:00:00+23:59"}, "/timestamp", "730 days"),
        ({"timestamp": "1969-12-31T23:59:59Z"}, "/timestamp", "import_events"),
        ({"user_id": ...}, "/user_id", "anonymous_id"),
        ({"user_id": ""}, "/user_id", "at least 1 character."),
        ({"user_id": "x" * 129}, "/user_id", "at most 128 characters"),
        ({"user_id": 7.5}, "/user_id", "Send a string"),
        ({"user_id": True}, "/user_id", "Send a string"),
        ({"user_id": "a\x00b"}, "/user_id", "NUL"),
        ({"anonymous_id": "x" * 129}, "/anonymous_id", "at most 128 characters"),
        ({"session_id": "x" * 129}, "/session_id", "at most 128 characters"),
        ({"items": []}, "/items", "at least one item"),
        ({"items": ...}, "/items", "at least one item"),
        ({"items": {"item_id": "SKU1"}}, "/items", "Send an array, not an object"),
        ({"items": [{"item_id": "SKU1"}] * 201}, "/items", "at most 200 elements"),
        ({"items": [{}]}, "/items/0/item_id", "missing"),
        ({"items": [{"item_id": "SKU1"}, {"item_id": "x" * 129}]}, "/items/1/item_id", "at most 128 characters"),
        ({"items": [{"item_id": "SKU1\x00"}]}, "/items/0/item_id", "NUL"),
        ({"items": [{"item_id": "SKU1", "quantity": 0}]}, "/items/0/quantity", "at least 1."),
        ({"items": [{"item_id": "SKU1", "quantity": -1}]}, "/items/0/quantity", "at least 1."),
        ({"items": [{"item_id": "SKU1", "quantity": 2**31}]}, "/items/0/quantity", "at most 1000000."),
        ({"items": [{"item_id": "SKU1", "quantity": 2**64}]}, "/items/0/quantity", "at most 1000000."),
        ({"items": [{"item_id": "SKU1", "quantity": 10**400}]}, "/items/0/quantity", ""),
        ({"items": [{"item_id": "SKU1", "quantity": "some"}]}, "/items/0/quantity", "such as 2 or 0.75"),
        ({"items": [{"item_id": "SKU1", "quantity": 0.0001}]}, "/items/0/quantity", "at least 0.001."),
        ({"items": [{"item_id": "SKU1", "quantity": "2e3"}]}, "/items/0/quantity", "such as 2 or 0.75"),
        ({"items": [{"item_id": "SKU1", "index": 1.5}]}, "/items/0/index", "Send a whole number"),
        ({"items": [{"item_id": "SKU1", "index": 2**15}]}, "/items/0/index", "at most 32767."),
        ({"items": [{"item_id": "SKU1", "price": -0.01}]}, "/items/0/price", "between 0 and 9999999999.99"),
        ({"items": [{"item_id": "SKU1", "price": "NaN"}]}, "/items/0/price", "between 0"),
        ({"items": [{"item_id": "SKU1", "price": "sNaN"}]}, "/items/0/price", "between 0"),
        ({"items": [{"item_id": "SKU1", "price": "Infinity"}]}, "/items/0/price", "between 0"),
        ({"items": [{"item_id": "SKU1", "price": 1e308}]}, "/items/0/price", "between 0"),
        ({"items": [{"item_id": "SKU1", "price": "1e999999999"}]}, "/items/0/price", "between 0"),
        ({"items": [{"item_id": "SKU1", "price": "9999999999.995"}]}, "/items/0/price", "between 0"),
        ({"items": [{"item_id": "SKU1", "price": "cheap"}]}, "/items/0/price", "such as 19.90"),
        ({"items": [{"item_id": "SKU1", "price": 9e9, "quantity": 2}]}, "/items/0/quantity", "between 0"),
        ({"value": "-1"}, "/value", "between 0"),
        ({"value": "1e10"}, "/value", "between 0"),
        ({"currency": "XTS"}, "/currency", f"currency is {settings.SHOP_CURRENCY}; convert"),
        ({"name": "purchase"}, "/transaction_id", "missing"),
        ({"name": "refund"}, "/transaction_id", "missing"),
        ({"name": "purchase", "transaction_id": "x" * 129}, "/transaction_id", "at most 128 characters"),
        ({"name": "search"}, "/search_term", "missing"),
        ({"name": "search", "search_term": "x" * 513}, "/search_term", "at most 512 characters"),
        ({"name": "rate_item"}, "/rating", "missing"),
        ({"name": "rate_item", "rating": 4}, "/rating_scale", "missing"),
        ({"name": "rate_item", "rating": 6, "rating_scale": 5}, "/rating", "not between"),
        ({"name": "rate_item", "rating": -1, "rating_scale": 5}, "/rating", "not between"),
        ({"name": "rate_item", "rating": 0, "rating_scale": 0}, "/rating_scale", "above 0."),
        ({"name": "play", "progress": 1.2}, "/progress", "at most 1."),
        ({"name": "play", "progress": -0.1}, "/progress", "at least 0."),
        ({"name": "follow", "target_id": "b"}, "/target_type", "missing"),
        ({"target_type": "x" * 21}, "/target_type", "customer, brand, category"),
        ({"name": "follow", "target_type": "planet", "target_id": "b"}, "/target_type", "customer, brand, category"),
        ({"name": "follow", "target_type": "brand"}, "/target_id", "missing"),
        ({"recommendation_id": "r" * 65}, "/recommendation_id", "at most 64 characters"),
        ({"context": {"page": "x" * 2049}}, "/context/page", "at most 2048 characters"),
        ({"context": "web"}, "/context", "Send an object or null, not a string"),
        ({"consent": {"personalisation": "no"}}, "/consent/personalisation", "Send a boolean or null, not a string"),
        ({"consent": {"personalization": False}}, "/consent/personalization", ""),
        ({"consent": {"personalization": False, "marketing": True}}, "/consent/personalization", ""),
        ({"consent": {"recommendations": False}}, "/consent/recommendations", ""),
        ({"name": "view_item_list", "items": [{"item_id": "SKU9"}]}, "/items/0/item_id", "send the item first"),
    ],
)  # fmt: skip
def test_each_flaw_of_an_event_is_refused(fields: dict[str, Any], pointer: str, said: str, api: ApiClient) -> None:
    place, reason = refusal(api, event(**fields))
    assert place == pointer
    assert said in reason


@pytest.mark.parametrize(
    ("row", "sent"),
    [
        (None, "null"), (1, "a whole number"), ("event", "a string"), ([], "an array"), ([[]], "an array"),
        (True, "a boolean"),
    ],
)  # fmt: skip
def test_a_row_that_is_no_event(row: Any, sent: str, api: ApiClient) -> None:
    assert refusal(api, row) == ("", f"Send an object, not {sent}.")


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


def test_events_older_than_they_are_kept_are_refused(api: ApiClient) -> None:
    now = timezone.now()
    RetentionRule.objects.create(kind=RetentionKind.EVENTS, days=100, note="our policy")
    accepted(api, event(timestamp=(now - timedelta(days=99)).isoformat()))
    pointer, reason = refusal_at(api, now - timedelta(days=101))
    assert (pointer, "100 days" in reason, "keeps no older" in reason) == ("/timestamp", True, True)


def refusal_at(api: ApiClient, moment: datetime) -> tuple[str, str]:
    [result] = results(api.post(EVENTS, event(timestamp=moment.isoformat())), 400)
    return result["pointer"], result["reason"]


def test_400_where_every_row_is_refused(api: ApiClient) -> None:
    answer = api.post(
        EVENTS, {"events": [event(user_id=...), event(name="view_item_list", items=[{"item_id": "SKU9"}])]}
    )
    body = problem(answer, 400)
    assert [error["pointer"] for error in body["errors"]] == ["/events/0/user_id", "/events/1/items/0/item_id"]
    assert [result["verdict"] for result in body["results"]] == ["rejected", "rejected"]
    assert Event.objects.count() == 0
    assert Customer.objects.count() == 0


def test_a_single_event_is_pointed_at_from_the_top(api: ApiClient) -> None:
    assert results(api.post(EVENTS, event(user_id=...)), 400)[0]["pointer"] == "/user_id"


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


def test_an_unknown_item_loses_only_its_line(api: ApiClient) -> None:
    row = event(name="view_item_list", items=[{"item_id": "SKU1"}, {"item_id": "SKU9"}, {"item_id": "SKU2"}])
    [_, result] = results(api.post(EVENTS, {"events": [event(), row]}))
    assert result == {
        "verdict": "accepted",
        "event_id": row["event_id"],
        "rejected_items": [
            {"pointer": "/events/1/items/1/item_id", "reason": "There is no item with this id; send the item first."}
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
    [result] = results(api.post(EVENTS, event(name="search", foo=1)), 400)
    assert (result["pointer"], result["ignored"]) == ("/search_term", ["/foo"])
