"""Months that go when they were kept long enough, with all that hangs on them, and who goes with their last event."""

import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
import redis
from django.conf import LazySettings
from django.db import connection
from django.utils import timezone

from recommendations.models import (
    AttributedLine,
    AuditEntry,
    Customer,
    CustomerAlias,
    DueLine,
    Event,
    HeldEvent,
    Import,
    Item,
    LegalHold,
    PlacementDay,
    RejectedRow,
    RetentionDrop,
    Slate,
    SlateOutcome,
    StatedTaste,
    Tombstone,
)
from recommendations.privacy_terms import EraseMode, RetentionKind
from recommendations.services.privacy import retention
from recommendations.store.erasure.log import lost_erasures, read_log, write_down
from recommendations.store.erasure.subjects import subject_of_keys
from recommendations.store.events import insert
from recommendations.store.events.insert import EventLine
from recommendations.store.events.partitions import prepare_partitions
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.events.tombstones import ErasedId, digest_of, lay
from recommendations.store.holders.events import EVENTS
from recommendations.store.holders.protocol import Erased
from recommendations.store.holders.slates import SLATES
from recommendations.store.live import expiry, writes
from recommendations.store.live.state import LiveEvent
from recommendations.store.retention import months
from recommendations.store.retention.people import keepers
from recommendations.store.retention_rules import all_days
from tests.services.privacy.old_acts import DAY, NOW, OLD, customer, event

pytestmark = pytest.mark.django_db


def slate(at: datetime, name: str, **fields: Any) -> None:
    Slate.objects.create(
        served_at=at, recommendation_id=name, placement="home", source="model", personalised=True, items=[1],
        scores=[1.0], propensities=[1.0], **fields,
    )  # fmt: skip
    SlateOutcome.objects.create(
        recommendation_id=name, placement="home", at=at, replay=False, listed=True, seen=[1], clicked=[], carted=[],
        bought=[], revenues=[], purchases=0,
    )  # fmt: skip


def attributed(line: Event, slate: str) -> None:
    key = {"occurred_at": line.occurred_at, "event_id": line.event_id, "line": line.line}
    DueLine.objects.create(**key)
    AttributedLine.objects.create(
        **key, name=line.name, item_id=1, amount=5, recommendation_id=slate, placement="home", position=1,
        touch="event", replay=False,
    )  # fmt: skip


def partition_names() -> set[str]:
    return {month.name for month in months.stored_months(months.EVENT, months.SLATE)}


@pytest.fixture
def old_months() -> Iterator[None]:
    """Months of a time that no other test has anything to do with; those that are left go again."""
    prepare_partitions(OLD, NOW)
    yield
    for month in months.stored_months(months.EVENT, months.SLATE):
        if month.first <= NOW:
            with connection.cursor() as cursor:
                cursor.execute(f'DROP TABLE IF EXISTS "{month.name}"')


def record_of_years(tea: Item) -> tuple[Mapping[str, Customer], Event]:
    """Customers by their names, with acts and lists of 1991, and the one event of yesterday."""
    acted = {name: customer(name) for name in ("gone", "stays", "held", "spoke", "likes", "visitor")}
    Customer.objects.filter(pk=acted["spoke"].pk).update(consent_at=OLD)
    StatedTaste.objects.create(customer=acted["likes"], tags=["green"])
    CustomerAlias.objects.create(anonymous=acted["visitor"], customer=acted["stays"], source="test")
    LegalHold.objects.create(digest=digest_of(pseudonym("held")), reason="a case", since=OLD)
    silent = {
        "refuses": customer("refuses", measure=False, measure_at=OLD),  # the merger was undone; no word is theirs
        "comes": customer("comes", created_at=NOW),  # whose first event is not written yet
    }
    for whose in acted.values():
        event(whose, OLD, item=tea)
    order = event(acted["held"], OLD, name="purchase", item=tea, transaction_id="o1", amount=5)
    event(None, OLD, name="refund", item=tea, transaction_id="o1", amount=5)
    event(None, OLD, name="refund", item=tea, transaction_id="another's", amount=5)
    kept = event(acted["stays"], NOW - DAY, item=tea)
    slate(OLD, "old")
    slate(NOW - DAY, "new")
    attributed(order, "old")
    attributed(kept, "new")
    PlacementDay.objects.create(
        day=OLD, placement="home", replay=False, position=0, listed=1, seen=1, clicked=0, carted=0, bought=0,
        purchases=0, revenue=0, squares=0,
    )  # fmt: skip
    return acted | silent, kept


@pytest.mark.django_db(transaction=True)
def test_a_month_goes_with_all_that_hangs_on_it(old_months: None, valkey: redis.Redis) -> None:
    """By hand: with 730 days, months up to May 1991 go, of lists up to April 1992; whoever is left without anything
    goes; of who is held the events stay, by the shop's ids.
    """
    tea = Item.objects.create(shop_id="tea", title="Tea")
    people, kept = record_of_years(tea)
    valkey.set("live:built", 1)
    bought = [LiveEvent(people["stays"].pk, "purchase", item, at) for item, at in ((1, OLD), (2, NOW - DAY))]
    assert writes.remember(bought)

    told = retention.due(now=NOW)
    drops = retention.expire(now=NOW)

    events = [f"recommendations_event_y1991m0{month}" for month in (3, 4, 5)]
    lists = [f"recommendations_slate_y1991m{month:02}" for month in range(3, 13)]
    lists += [f"recommendations_slate_y1992m0{month}" for month in range(1, 5)]
    assert [drop.partition for drop in drops] == lists + events
    assert partition_names().isdisjoint(lists + events)
    assert [(each.kind, each.rows, len(each.months)) for each in told] == [("events", 9, 3), ("slates", 1, 14)]
    assert [drop.rows for drop in drops if drop.rows] == [1, 9]
    assert [each.pk for each in Event.objects.all()] == [kept.pk]
    assert list(SlateOutcome.objects.values_list("pk", flat=True)) == ["new"]
    assert list(AttributedLine.objects.values_list("recommendation_id", flat=True)) == ["new"]
    assert DueLine.objects.get().event_id == kept.event_id
    assert PlacementDay.objects.count() == 1

    assert {(each.held_for, each.event["name"], each.event["item_id"]) for each in HeldEvent.objects.all()} == {
        (people["held"].pk, name, "tea") for name in ("view_item", "purchase", "refund")
    }
    assert EVENTS.find(subject_of_keys([people["held"].pk])) == 3
    living = set(Customer.objects.filter(erased_at=None).values_list("pk", flat=True))
    assert living == {whose.pk for name, whose in people.items() if name != "gone"}
    assert [drop.customers for drop in RetentionDrop.objects.filter(kind="events")] == [1, 0, 0]
    assert [key for key, _at in valkey.zrange(f"live:bought:{people['stays'].pk}", 0, -1, withscores=True)] == [b"2"]

    assert retention.expire(now=NOW) == []
    assert prepare_partitions(OLD, OLD) == 0
    late = EventLine(occurred_at=OLD, event_id=uuid.uuid4(), line=0, name="view_item", item_id=tea.pk, source="api")
    soon = EventLine(occurred_at=NOW, event_id=uuid.uuid4(), line=0, name="view_item", item_id=tea.pk, source="api")
    assert set(insert.insert([late, soon], key=None).new) == {1}

    LegalHold.objects.update(until=NOW)
    assert retention.expire(now=NOW + DAY) == []
    assert not HeldEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_who_is_erased_is_erased_in_a_month_that_is_half_gone(
    old_months: None, valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else's backup reads the months: lists are detached by half, events wholly."""
    del valkey
    monkeypatch.setattr(months, "PATIENCE", "100ms")
    ada, bob = customer("ada"), customer("bob")
    tea = Item.objects.create(shop_id="tea", title="Tea")
    event(ada, OLD, name="purchase", item=tea, transaction_id="o1", amount=5)
    event(None, OLD, name="refund", item=tea, transaction_id="o1", amount=5)
    event(bob, OLD, name="follow", target_type="customer", target_id=pseudonym("ada").hex())
    for whose in (ada, bob):
        slate(OLD, f"of {whose.pk}", customer=whose)
    subject = subject_of_keys([ada.pk])
    assert (EVENTS.find(subject), SLATES.find(subject)) == (3, 2)
    month = f"y{OLD:%Y}m{OLD:%m}"
    own = connection.copy()
    with own.cursor() as reader, connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE recommendations_event DETACH PARTITION recommendations_event_{month}")
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM recommendations_slate")
        assert retention.expire(now=NOW) == []
        assert [each.detaching for each in months.stored_months(months.EVENT, months.SLATE)].count(False) > 2
        assert not Event.objects.exists()

        assert (EVENTS.find(subject), SLATES.find(subject)) == (3, 1)
        assert EVENTS.erase(subject, now=NOW) == Erased(deleted=2, changed=1)
        assert SLATES.erase(subject, now=NOW).deleted == 2
        assert (EVENTS.find(subject), SLATES.find(subject)) == (0, 0)

        cursor.execute(f"SELECT customer_id, target_id FROM recommendations_event_{month}")
        assert cursor.fetchall() == [(bob.pk, None)]
        cursor.execute(f"SELECT customer_id FROM recommendations_slate_{month}")
        assert cursor.fetchall() == [(bob.pk,)]
        reader.execute("ROLLBACK")
    own.close()
    retention.expire(now=NOW)


@pytest.mark.django_db(transaction=True)
def test_what_was_interrupted_goes_on(old_months: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A month that somebody reads is half detached, and dropped once they are done, in the same night; one that was
    detached, too. Where no month is left the rest of the night lets all be.
    """
    entry = AuditEntry.objects.create(verb="change", object_type="item", object_id="of old")
    monkeypatch.setattr(months, "PATIENCE", "100ms")
    event(None, OLD)
    event(None, NOW - DAY)
    own = connection.copy()
    with own.cursor() as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM recommendations_event")
        held_up = {drop.partition for drop in retention.expire(now=NOW)}
        assert not any("event" in name for name in held_up)
        assert [month.detaching for month in months.stored_months(months.EVENT)][:3] == [True, False, False]
        assert Event.objects.count() == 1  # nobody sees it any more
        late = EventLine(occurred_at=OLD, event_id=uuid.uuid4(), line=0, name="view_item")
        assert insert.insert([late], key=None).new == {}
        reader.execute("ROLLBACK")
    own.close()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE recommendations_event DETACH PARTITION recommendations_event_y1991m04")
    drops = retention.go_on(now=NOW)
    assert [drop.partition[-7:] for drop in drops] == ["1991m03", "1991m04", "1991m05"]
    assert [drop.rows for drop in drops] == [1, 0, 0]
    AuditEntry.objects.filter(pk=entry.pk).update(at=OLD - 5_000 * DAY)
    assert retention.go_on(now=NOW) == []
    assert AuditEntry.objects.filter(pk=entry.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_two_at_once_drop_a_month_once(old_months: None) -> None:
    with months.advisory_lock(retention.LOCK) as alone:
        assert alone
        assert retention.expire(now=NOW) == []


def test_rows_that_have_no_months_go_by_their_age() -> None:
    now = timezone.now()
    imported = [Import.objects.create(kind="events", file=name) for name in ("old", "new")]
    Import.objects.filter(file="old").update(started_at=now - 31 * DAY)
    for each in imported:
        RejectedRow.objects.create(source=each, line=1, reason="no number")
    entries = [AuditEntry.objects.create(verb="change", object_type="item", object_id=name) for name in ("old", "new")]
    AuditEntry.objects.filter(pk=entries[0].pk).update(at=now - 1_096 * DAY)
    marks = [ErasedId(digest_of(name), 1, at, EraseMode.FORGET) for name, at in
             ((b"old", now - 1_096 * DAY), (b"new", now - DAY))]  # fmt: skip
    lay(marks)
    write_down(marks)

    oldest = {each.kind: each for each in retention.kept_kinds(now=now)}
    assert not any(each.late for each in oldest.values())
    going = {each.kind: each.rows for each in retention.due(now=now) if not each.months}
    assert going == {"refused_rows": 1, "trail": 1, "tombstones": 1}
    retention._forget_lines(now - 1_095 * DAY)
    for kind in (RetentionKind.REFUSED_ROWS, RetentionKind.TRAIL, RetentionKind.TOMBSTONES):
        retention._delete(kind, now - all_days()[kind] * DAY, now=now)

    assert [row.source.file for row in RejectedRow.objects.all()] == ["new"]
    assert [entry.object_id for entry in AuditEntry.objects.all()] == ["new"]
    assert [bytes(stone.digest) for stone in Tombstone.objects.all()] == [digest_of(b"new")]
    assert list(read_log()) == [digest_of(b"new")]
    assert lost_erasures() == []


def test_the_month_that_goes_next_is_that_of_the_oldest_row() -> None:
    """Months are made before anything is in them; an empty one says nothing of when something goes."""
    january, february, march, april = (datetime(2026, month, 1, tzinfo=UTC) for month in (1, 2, 3, 4))
    stored = [
        months.StoredMonth(table=months.EVENT, name="", first=first, detaching=False, rows=rows, size=8)
        for first, rows in ((january, 0), (february, 5), (march, 7))
    ]
    following = retention._next_to_go(stored, since=february + DAY, days=100, now=march)
    assert following == {"goes_at": march + 100 * DAY, "rows": 5, "size": 8}
    assert retention._next_to_go(stored, since=april, days=100, now=march) == {}


def test_what_is_over_already_goes_with_the_next_night(settings: LazySettings) -> None:
    """A rule that was shortened takes several months at once, and none of them in a night that is over."""
    settings.SHOP_TIME_ZONE = "Europe/Berlin"
    stored = [
        months.StoredMonth(
            table=months.EVENT, name="", first=datetime(2026, month, 1, tzinfo=UTC), detaching=False, rows=5, size=8
        )
        for month in (1, 2, 3)
    ]
    now = datetime(2026, 4, 20, 12, tzinfo=UTC)
    following = retention._next_to_go(stored, since=stored[0].first, days=30, now=now)
    assert (following["rows"], following["size"]) == (10, 16)
    assert following["goes_at"].isoformat(timespec="minutes") == "2026-04-21T00:00+02:00"


def test_whatever_names_a_customer_keeps_them_but_what_is_inferred() -> None:
    """By hand; whoever adds a table with a customer decides here whether its rows keep them."""
    assert {model.__name__ for model, _field in keepers()} == {
        "AgentDecision", "AnswerState", "Aside", "Considered", "Contact", "Event", "ImportedReceipt", "Judgement",
        "Message", "PurposeWord", "Rule", "ShopOccasion", "Slate", "StatedTaste",
    }  # fmt: skip


def test_acts_are_forgotten_where_quick_memory_has_them(valkey: redis.Redis) -> None:
    facts = [LiveEvent(7, "purchase", 1, OLD), LiveEvent(7, "refund", 1, OLD), LiveEvent(7, "purchase", 2, NOW)]
    assert writes.remember(facts)
    assert expiry.forget_acts(OLD + DAY) == 2
    assert valkey.zrange("live:bought:7", 0, -1) == [b"2"]
    assert not valkey.exists("live:refunded:7")


def test_the_row_of_a_late_kind_is_an_alarm() -> None:
    now = timezone.now()
    entry = AuditEntry.objects.create(verb="change", object_type="item", object_id="1")
    for age, late in ((1_126, []), (1_128, [RetentionKind.TRAIL])):
        AuditEntry.objects.filter(pk=entry.pk).update(at=now - age * DAY)
        assert retention.late_kinds(now=now) == late
