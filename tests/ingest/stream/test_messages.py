"""``ingest.stream.messages``: what is an event is taken once, and what is none is named, with its place and reason."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from recommendations.ingest.event_repairs import event_key
from recommendations.ingest.facts import Sender
from recommendations.ingest.stream.messages import StreamVerdicts, take
from recommendations.models import Event, Item
from recommendations.store.live import counters

NOW = timezone.now().replace(microsecond=0)
AT = (NOW - timedelta(hours=1)).isoformat()

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("items")]


@pytest.fixture
def items(db: None) -> None:
    Item.objects.bulk_create(Item(shop_id=f"SKU{number}", title="x") for number in range(4))


def event(number: int, **fields: Any) -> dict[str, Any]:
    plain = {"event_id": f"e{number}", "name": "view_item", "timestamp": AT, "user_id": "u1"}
    return plain | {"items": [{"item_id": f"SKU{number % 4}"}]} | fields


def taken(*messages: Any) -> StreamVerdicts:
    return take(
        [each if isinstance(each, bytes) else json.dumps(each).encode() for each in messages], Sender(), now=NOW
    )


def test_single_events_and_bodies_of_several_are_taken_in_order() -> None:
    done = taken(event(0), {"events": [event(1), event(2)]}, event(3))
    assert done.counts == {"accepted": 4}
    assert not done.refused
    assert Event.objects.count() == 4


def test_what_comes_again_is_there_once() -> None:
    assert taken(event(0), event(1)).counts == {"accepted": 2}
    assert taken(event(1), event(0), event(0)).counts == {"duplicate": 3}
    assert Event.objects.count() == 2


def test_more_rows_than_a_request_may_have_are_taken_in_parts() -> None:
    done = taken(*[{"events": [event(100 * part + number) for number in range(100)]} for part in range(12)])
    assert done.counts == {"accepted": 1_200}


@pytest.mark.parametrize(
    ("message", "pointer", "words"),
    [
        (b"\xff\xfe", "", "no JSON"),
        (b"{", "", "no JSON"),
        (b"null", "", "Send an object"),
        (b"[" * 100_000, "", "Send an object"),
        (b'{"events":' + b"[" * 100_000, "", "no JSON"),
        ({"events": []}, "/events", "at least 1 element"),
        (event(0, timestamp="2026-09-01 10:00"), "/timestamp", "2026-09-01T10:02:11Z"),
        (event(0, timestamp="1999-01-01T00:00:00Z"), "/timestamp", "730 days"),
        ({key: value for key, value in event(0).items() if key != "event_id"}, "/event_id", "missing"),
        (event(0, user_id=None), "/user_id", "No customer is named"),
        (event(0, user_id="a\x00b"), "/user_id", "NUL"),
        ({"events": [event(1), event(0, items=[])]}, "/events/1/items", "at least one item"),
    ],
)
def test_what_breaks_a_rule_is_named_and_loses_no_neighbour(message: Any, pointer: str, words: str) -> None:
    done = taken(event(2), message, event(3))
    [refusal] = done.refused.pop(1)
    assert refusal.pointer == pointer
    assert words in refusal.reason
    assert not done.refused
    assert {event_key("e2"), event_key("e3")} <= {*Event.objects.values_list("event_id", flat=True)}


def test_a_line_without_its_item_is_named_and_the_others_are_kept() -> None:
    lines = [{"item_id": "SKU1"}, {"item_id": "nothing"}]
    done = taken(event(0, name="view_item_list", items=lines))
    assert done.counts == {"accepted": 1}
    [refusal] = done.refused[0]
    assert refusal.pointer == "/items/1/item_id"


def test_verdicts_are_counted() -> None:
    taken(event(0), event(0), event(1, items=[]))
    counters.counters().tell()
    totals = counters.totals() or {}
    assert {name[1]: count for name, count in totals.items() if name[0] == "events"} == {
        "accepted": 1, "duplicate": 1, "rejected": 1,
    }  # fmt: skip
