"""``ingest.accept``: rows of any source in, verdicts and live state out."""

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
import redis
from django.utils import timezone

from recommendations.event_types import EventName
from recommendations.ingest.accept import accept
from recommendations.ingest.event_schema import EventForm, EventItemForm, parse_body
from recommendations.ingest.facts import Sender
from recommendations.ingest.refusal import Refusal
from recommendations.models import Customer, Event, Item
from recommendations.store.events.id_cache import KeyCache
from recommendations.store.live import fetch, writes
from recommendations.store.live.state import LiveState
from recommendations.store.live.valkey import Link, valkey

NOW = timezone.now().replace(microsecond=0)


@pytest.fixture
def items(db: None) -> dict[str, int]:
    Item.objects.bulk_create(Item(shop_id=f"SKU{number}", title="x") for number in range(4))
    return dict(Item.objects.values_list("shop_id", "pk"))


@pytest.fixture
def no_valkey(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(writes, "valkey", lambda: Link("redis://127.0.0.1:1/0"))
    yield
    writes._waiting.clear()


def act(name: str = "purchase", *items: str, **fields: Any) -> EventForm:
    plain: dict[str, Any] = {"event_id": uuid.uuid4(), "timestamp": NOW - timedelta(hours=1), "user_id": "u1"}
    plain |= {"transaction_id": "t1"} if name in {"purchase", "refund"} else {}
    return EventForm(name=name, items=[EventItemForm(item) for item in items], **plain | fields)


def taken(*forms: EventForm | Refusal, now: datetime = NOW) -> list[str]:
    return [verdict.verdict for verdict in accept(forms, Sender(), now=now)]


def state() -> LiveState:
    return fetch.state_of(Customer.objects.get().pk, since=None).state


def test_an_accepted_event_is_in_the_live_state_at_once(items: dict[str, int]) -> None:
    form = act("purchase", "SKU1", "SKU2")
    assert taken(form, act("view_item", "SKU3")) == ["accepted", "accepted"]
    assert state().bought == dict.fromkeys([items["SKU1"], items["SKU2"]], form.timestamp.timestamp())
    assert [(seen.item, seen.name) for seen in state().recent] == [(items["SKU3"], EventName.VIEW_ITEM)]
    assert set(Event.objects.values_list("source", flat=True)) == {"api"}


def test_duplicates_and_refused_rows_leave_no_trace(items: dict[str, int], valkey: redis.Redis) -> None:
    form = act("purchase", "SKU1")
    assert taken(form) == ["accepted"]
    valkey.flushdb()
    assert taken(form, act("view_item_list", "SKU9"), Refusal("/x", "broken")) == ["duplicate", "rejected", "rejected"]
    assert valkey.keys("live:bought:*") == []


def test_an_objection_is_live_at_once_and_later_events_are_not(items: dict[str, int]) -> None:
    agreement = act("view_item", "SKU1")
    objection = parse_body(
        b'{"event_id": "%s", "name": "view_homepage", "timestamp": "%s", "user_id": "u1",'
        b' "consent": {"personalisation": false}}'
        % (str(uuid.uuid4()).encode(), (NOW - timedelta(minutes=5)).isoformat().encode())
    )
    assert taken(agreement) == ["accepted"]
    assert state().objected is None
    assert taken(*objection.rows) == ["accepted"]
    assert state().objected is True
    assert taken(act("purchase", "SKU2")) == ["accepted"]
    assert state().bought == {}


def test_without_valkey_events_are_accepted_and_remembered_later(
    items: dict[str, int], no_valkey: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert taken(act("purchase", "SKU1")) == ["accepted"]
    assert Event.objects.count() == 1
    monkeypatch.undo()
    valkey().breaker = type(valkey().breaker)("valkey", pause=0.0)
    assert taken(act("purchase", "SKU2")) == ["accepted"]
    assert state().bought.keys() == {items["SKU1"], items["SKU2"]}


def test_refused_rows_alone_ask_no_database() -> None:
    assert taken(Refusal("", "broken"), act("view_item", timestamp=NOW + timedelta(days=1))) == ["rejected", "rejected"]


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Statements that PostgreSQL gets, by Django or past it."""
    sent: list[Any] = []
    execute = psycopg.Cursor.execute

    def noted(cursor: psycopg.Cursor[Any], query: Any, *values: Any, **options: Any) -> psycopg.Cursor[Any]:
        sent.append(query)
        return execute(cursor, query, *values, **options)

    monkeypatch.setattr(psycopg.Cursor, "execute", noted)
    return sent


def test_a_batch_costs_the_same_statements_whatever_its_size(items: dict[str, int], statements: list[Any]) -> None:
    """Items and customers are looked up together; the events are one statement."""
    taken(*(act("view_item", f"SKU{number % 4}") for number in range(50)))
    assert len(statements) == 6  # items; customers asked for, the generation held and read, customers added; events
    statements.clear()
    taken(*(act("view_item", f"SKU{number % 4}") for number in range(200)))
    assert len(statements) == 1


def test_the_cache_of_keys_is_bounded_and_keeps_what_is_used() -> None:
    lookups: list[list[int]] = []

    def look_up(names: Any) -> dict[int, int]:
        lookups.append(sorted(names))
        return {name: -name for name in names if name != 13}

    cache = KeyCache(look_up, half=10)
    assert cache.keys_of([1, 2, 13]) == {1: -1, 2: -2}
    assert cache.keys_of([1, 2]) == {1: -1, 2: -2}
    assert cache.keys_of([13]) == {}
    assert lookups == [[1, 2, 13], [13]]
    for start in range(100, 150, 5):
        cache.keys_of(range(start, start + 5))
        cache.keys_of([1])  # used all the time
    assert [1] not in lookups
    assert len(cache._young) + len(cache._old) <= 20
    cache.keys_of([2])
    assert lookups[-1] == [2]  # not used for long
