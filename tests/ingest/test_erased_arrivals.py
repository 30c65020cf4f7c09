"""What came lately, for whoever looks on: nothing in it leads to who was erased, not even what is sent again."""

import uuid
from datetime import timedelta
from uuid import UUID

import pytest
import redis
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from recommendations.ingest.accept import accept
from recommendations.ingest.arrivals import last_arrivals
from recommendations.ingest.event_schema import EventForm, EventItemForm
from recommendations.ingest.facts import Sender
from recommendations.models import Item
from recommendations.privacy_terms import EraseMode
from recommendations.store.erasure.burial import bury
from recommendations.store.erasure.subjects import subject_of
from recommendations.store.events.partitions import prepare_partitions
from recommendations.store.holders.live import LIVE
from recommendations.store.holders.protocol import Subject
from recommendations.store.live.arrivals import Arrival, arrival_log
from recommendations.store.process_held import drop_all
from recommendations.terms import Side

NOW = timezone.now()
MINUTE = timedelta(minutes=1)
HOOK = "shopify"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _item(db: None) -> None:
    prepare_partitions(NOW, NOW)
    Item.objects.create(shop_id="SKU1", title="x")


def act(*, ago: int) -> EventForm:
    at = NOW - ago * MINUTE
    return EventForm(
        event_id=uuid.uuid4(), name="view_item", timestamp=at, anonymous_id="ada", items=[EventItemForm("SKU1")]
    )


def send(*forms: EventForm, side: Side = Side.SERVER) -> None:
    accept(forms, Sender(side=side, hook=HOOK), now=NOW, ids={0: "their own number 7"})


def erase(*, ago: int) -> Subject:
    return bury(subject_of(None, ["ada"]), mode=EraseMode.FORGET, now=NOW - ago * MINUTE)


def came() -> list[Arrival]:
    arrival_log().tell()
    lists = last_arrivals([HOOK])
    assert lists is not None
    return lists[HOOK]


def in_valkey(valkey: redis.Redis, *texts: UUID | str) -> bool:
    rows = b"".join(row for name in valkey.scan_iter("arrivals:*") for row in valkey.lrange(name, 0, -1))
    return any(str(text).encode() in rows for text in texts)


@pytest.mark.parametrize("side", [Side.SERVER, Side.PAGE])
@pytest.mark.parametrize("heard", [True, False])
def test_the_past_that_is_sent_again_leads_to_nobody(valkey: redis.Redis, side: Side, *, heard: bool) -> None:
    early = act(ago=9)
    send(early, side=side)
    assert [each.event_id for each in came()] == ["their own number 7"]
    LIVE.erase(erase(ago=5), now=NOW)
    if heard:
        drop_all()
    assert came() == []

    send(early, late := act(ago=3), side=side)

    new, again = came()
    assert (again.event_id, again.items, again.customer) == ("", [], None)
    assert (new.event_id, new.items) == (str(late.event_id), ["SKU1"])
    assert not in_valkey(valkey, early.event_id, "their own number 7")


def test_a_process_that_was_idle_tells_nothing_of_who_was_erased_meanwhile(
    valkey: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    monkeypatch.setattr("recommendations.store.live.change_watch.LOOK", 0.0)
    send(act(ago=1))
    with django_capture_on_commit_callbacks(execute=True):
        buried = erase(ago=0)
    LIVE.erase(buried, now=NOW)
    assert came() == []
    assert LIVE.find(buried) == 0
