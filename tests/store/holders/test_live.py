"""What Valkey and processes have of a person: all of it is told, found and erased, others' is not, and none returns."""

import time
import uuid
from collections.abc import Mapping
from datetime import timedelta
from threading import Event as Flag
from threading import Thread
from typing import Any

import numpy as np
import pytest
import redis
from django.core.cache import cache
from django.db import connection
from django.utils import timezone, translation

from recommendations.event_types import EventName
from recommendations.ingest.accept import accept
from recommendations.ingest.event_schema import EventForm, EventItemForm
from recommendations.ingest.facts import Sender
from recommendations.models import Customer, Event, Item
from recommendations.privacy_terms import EraseMode
from recommendations.store.erasure.burial import bury
from recommendations.store.erasure.subjects import subject_of
from recommendations.store.events.id_cache import person_keys
from recommendations.store.events.known_customers import customer_keys
from recommendations.store.events.partitions import prepare_partitions
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.holders.live import LIVE
from recommendations.store.holders.processes import PROCESSES
from recommendations.store.holders.protocol import Erased, Subject
from recommendations.store.live import writes
from recommendations.store.live.array_cache import cached
from recommendations.store.live.arrivals import Arrival, arrival_log
from recommendations.store.live.change_watch import LOOK
from recommendations.store.live.erased_keys import erased_keys
from recommendations.store.live.state import Liking, LikingKind, LiveEvent
from recommendations.store.live.valkey import ValkeyAwayError
from recommendations.store.live.writes import Liked, Objection
from recommendations.store.serving.snapshot_holder import current_snapshot
from recommendations.store.valkey_keys import BEGUN, newcomer
from recommendations.terms import CustomerKind
from tests.dead_servers import dead_valkey

SIGNED_IN = CustomerKind.SIGNED_IN
PLACES = 14
"""Keys, fields and lines that ``fill`` leaves of somebody."""


def item(name: str = "SKU1") -> int:
    return Item.objects.get_or_create(shop_id=name, defaults={"title": "Tea"})[0].pk


def person(shop_id: str) -> int:
    return person_keys([shop_id], SIGNED_IN)[shop_id]


def fill(key: int, valkey: redis.Redis) -> None:
    """Leave something of a customer in every place that LIVE answers for."""
    now, own = timezone.now(), item()
    names = (EventName.PURCHASE, EventName.REFUND, EventName.DISLIKE_ITEM, EventName.VIEW_ITEM)
    facts = [LiveEvent(key, name, own, now) for name in names]
    shown = LiveEvent(key, EventName.VIEW_ITEM_LIST, own, now, slot=3, answer="r-0000000000000001")
    likes = writes.likings.text_of([Liking(LikingKind.BRAND, "Oolong & Co", followed=True, at=now.timestamp())])
    writes.remember([*facts, shown, Objection(key, objected=False, unmeasured=True), Liked(key, likes)])
    valkey.zadd(BEGUN.of(key), {f"{own}:4": now.timestamp()})  # which a shop of goods never has
    valkey.set(newcomer(bytes(Customer.objects.get(pk=key).pseudonym)), key)
    whose = [Arrival(now.timestamp(), verdict, "view_item", customer=key) for verdict in ("accepted", "rejected")]
    arrival_log().note("7", lambda: whose)
    arrival_log().tell()
    cached(f"suits:{key}", lambda: {"customers": np.array([key, 10**9])}, of_people=True)
    cache.set(f"campaign-look:{key}", {f"{key}.x": "<p>Dear…</p>"}, 600)


def everything(valkey: redis.Redis) -> dict[bytes, Any]:
    """All that Valkey has, by its name, but for the marks of change."""
    return {key: valkey.dump(key) for key in valkey.scan_iter() if key != b"live:changed"}


def bury_(user_id: str) -> Subject:
    return bury(subject_of(user_id, []), mode=EraseMode.FORGET, now=timezone.now())


@pytest.mark.django_db(transaction=True)
def test_all_of_one_person_is_erased_and_nothing_of_another(valkey: redis.Redis) -> None:
    bob = person("bob")
    fill(bob, valkey)
    others = everything(valkey)
    ada = person("ada")
    fill(ada, valkey)
    subject = subject_of("ada", [])
    assert LIVE.find(subject) == LIVE.find(subject_of("bob", [])) == PLACES

    buried = bury_("ada")
    assert LIVE.find(buried) == PLACES - 1  # who buries takes the newcomer away
    assert LIVE.erase(buried, now=timezone.now()) == Erased(deleted=PLACES - 1)
    assert LIVE.find(buried) == 0
    assert LIVE.erase(buried, now=timezone.now()) == Erased()
    shared = {b"live:objected", b"live:liked", b"arrivals:7", b"arrivals:7:refused", b"people:2", b"arrivals"}
    left = everything(valkey)
    assert {key: left[key] for key in left if key not in shared} == {
        key: others[key] for key in others if key not in shared
    }
    assert LIVE.find(subject_of("bob", [])) == PLACES
    assert not [key for key in left if f":{ada}".encode() in key]


@pytest.mark.django_db
def test_an_export_says_in_words_what_valkey_knows(valkey: redis.Redis) -> None:
    key = person("ada")
    fill(key, valkey)
    acts, likes = LIVE.export(subject_of("ada", []))
    assert [(row[0], row[1], row[3]) for row in acts.rows] == [
        ("Bought", "SKU1", ""), ("Returned", "SKU1", ""), ("Disliked", "SKU1", ""), ("Viewed", "SKU1", ""),
        ("List shown", "SKU1", 3), ("Played", "SKU1", "40 %"),
    ]  # fmt: skip
    assert [row[:2] + row[3:] for row in likes.rows] == [("brand", "Oolong & Co", "yes")]
    with translation.override("zh-hans"):
        assert [(sheet.name, sheet.columns[0]) for sheet in LIVE.export(subject_of("ada", []))] == [
            ("近期行为", "事件"), ("顾客的喜好", "类型"),
        ]  # fmt: skip
    assert [list(sheet.rows) for sheet in LIVE.export(subject_of("nobody", []))] == [[], []]


@pytest.mark.django_db(transaction=True)
def test_who_came_back_stays_a_newcomer(valkey: redis.Redis) -> None:
    person("ada")
    buried = bury_("ada")
    time.sleep(LOOK)
    new = person_keys(["ada"], CustomerKind.SIGNED_IN)["ada"]
    valkey.set(newcomer(pseudonym("ada")), new)
    LIVE.erase(buried, now=timezone.now())
    assert valkey.get(newcomer(pseudonym("ada"))) == str(new).encode()
    assert LIVE.find(buried) == 0


@pytest.mark.django_db
def test_without_valkey_nobody_says_that_it_is_done() -> None:
    person("ada")
    subject = subject_of("ada", [])
    with dead_valkey():
        for ask in (LIVE.find, lambda whose: list(LIVE.export(whose))):
            with pytest.raises(ValkeyAwayError, match="start it"):
                ask(subject)
        for holder in (LIVE, PROCESSES):
            with pytest.raises(ValkeyAwayError):
                holder.erase(subject, now=timezone.now())


@pytest.mark.django_db
def test_a_process_forgets_and_says_how_much(valkey: redis.Redis) -> None:
    key = person("ada")
    assert customer_keys(current_snapshot().customers, [pseudonym("ada")]) == [key]
    assert PROCESSES.find(subject_of("ada", [])) == 0
    buried, mark = bury_("ada"), valkey.hget("live:changed", "people")
    with dead_valkey():
        writes.remember([LiveEvent(key, EventName.VIEW_ITEM, item(), timezone.now()), Objection(10**9, objected=True)])
    assert PROCESSES.find(buried) == 2
    assert PROCESSES.erase(buried, now=timezone.now()).deleted == 2
    assert PROCESSES.find(buried) == 0
    assert writes.facts_waiting_of({10**9}) == 1
    assert valkey.hget("live:changed", "people") != mark
    assert list(PROCESSES.export(buried)) == []


@pytest.mark.django_db
@pytest.mark.parametrize("afresh", [True, False])
def test_a_rebuild_while_events_are_still_there_brings_nobody_back(valkey: redis.Redis, *, afresh: bool) -> None:
    ada, bob = person("ada"), person("bob")
    prepare_partitions(timezone.now(), timezone.now())
    for key in (ada, bob):
        for name in (EventName.PURCHASE, EventName.VIEW_ITEM):
            Event.objects.create(
                occurred_at=timezone.now(),
                event_id=uuid.uuid4(),
                name=name,
                customer_id=key,
                item_id=item(),
                transaction_id="t",
            )
    Customer.objects.filter(pk__in=[ada, bob]).update(measure=False)
    buried = bury_("ada")
    writes.rebuild(afresh=afresh)
    assert LIVE.find(buried) == 0
    assert set(valkey.scan_iter(match="live:bought:*")) == {f"live:bought:{bob}".encode()}
    assert valkey.hkeys("live:objected") == [str(bob).encode()]


@pytest.mark.django_db
def test_facts_that_waited_for_valkey_are_dropped_with_whose_they_are(
    valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bob, now = person("ada"), person("bob"), timezone.now()
    monkeypatch.setattr("recommendations.store.live.change_watch.LOOK", 0.0)
    erased_keys()  # a process that was there before
    with dead_valkey():
        writes.remember([LiveEvent(key, EventName.VIEW_ITEM, item(), now) for key in (ada, bob)])
        buried = bury_("ada")
    valkey.hset("live:changed", "people", "said again")  # by the holder of processes, when Valkey is back
    assert writes.remember([writes.Joined(ada, bob), Objection(ada, objected=True)])
    assert LIVE.find(buried) == 0
    assert LIVE.find(Subject(keys=frozenset({bob}))) == 1


class Shopper(Thread):
    """Acts of one id, so many a second, in a thread as a web process has it."""

    def __init__(self, user_id: str, *, each: float) -> None:
        super().__init__(daemon=True)
        self.ended, self.sent, self._user, self._each = Flag(), 0, user_id, each

    def run(self) -> None:
        try:
            while not self.ended.wait(self._each):
                fields: Mapping[str, Any] = {"timestamp": timezone.now(), "user_id": self._user}
                names = ("purchase", "view_item", "dislike_item")
                forms = [
                    EventForm(event_id=uuid.uuid4(), name=name, transaction_id=None if name != "purchase" else "t",
                              items=[EventItemForm("SKU1")], **fields)
                    for name in names
                ]  # fmt: skip
                accept(forms, Sender(), now=timezone.now())
                self.sent += len(forms)
        finally:
            connection.close()


@pytest.mark.django_db(transaction=True)
def test_nothing_is_left_of_somebody_who_shops_while_being_erased(valkey: redis.Redis) -> None:
    item()
    prepare_partitions(timezone.now(), timezone.now())
    first = person("ada")
    began, shoppers = time.monotonic(), [Shopper("ada", each=0.02) for _ in range(2)]
    for each in shoppers:
        each.start()
    time.sleep(0.5)
    buried = bury_("ada")
    LIVE.erase(buried, now=timezone.now())
    PROCESSES.erase(buried, now=timezone.now())
    time.sleep(0.5)
    left = LIVE.find(buried)
    for each in shoppers:
        each.ended.set()
        each.join()
    rate = sum(each.sent for each in shoppers) / (time.monotonic() - began)
    LIVE.erase(buried, now=timezone.now() + timedelta(minutes=1))  # as it is closed
    assert (LIVE.find(buried), PROCESSES.find(buried)) == (0, 0)
    assert (left, rate > 50) == (0, True), rate
    new = Customer.objects.get(pseudonym=pseudonym("ada")).pk
    assert new != first
    assert valkey.exists(f"live:recent:{new}")
