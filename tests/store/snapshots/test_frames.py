"""The frame from files is, bit for bit, the one that a query of the record gives, whatever happened to the record."""

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from django.db import transaction
from django.test import override_settings
from django.utils import timezone

from recommendations.event_types import EventName
from recommendations.models import (
    ApiKey,
    Aside,
    Customer,
    CustomerAlias,
    Event,
    EventFile,
    Item,
    Quarantine,
)
from recommendations.store.events.partitions import prepare_partitions
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.snapshots.frames import event_shards, in_order
from recommendations.terms import CustomerKind, QuarantineState, SuspicionRule, Trust
from tests.event_frames import event_frame
from tests.store.snapshots.asked_frame import asked_frame
from tests.trained import artefact_folder

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 9, 15, 6, tzinfo=UTC)
DAY = timedelta(days=1)
LAST = 70  # days before now
ROUNDS, LINES = 3, 60


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> Iterator[Path]:
    with artefact_folder(tmp_path):
        prepare_partitions(NOW - LAST * DAY, NOW + DAY)
        yield tmp_path


class History:
    """A record that is changed by chance, in every way in which anything changes it."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.items = [Item.objects.create(shop_id=f"item {n}", title="Item") for n in range(5)]
        self.people = [Customer.objects.create(pseudonym=pseudonym(f"{seed} {n}")) for n in range(6)]
        self.visitors = [
            Customer.objects.create(
                pseudonym=pseudonym(f"{seed} {n}", kind=CustomerKind.ANONYMOUS), kind=CustomerKind.ANONYMOUS
            )
            for n in range(4)
        ]
        self.keys = [
            ApiKey.objects.create(name=f"{seed} {n}", prefix=f"{seed}{n}", digest=f"{seed} {n}", scopes=[])
            for n in range(2)
        ]
        self.changes: list[Callable[[], object]] = [
            self.merge, self.undo, self.object, self.resume, self.set_aside, self.restore, self.delete, self.change,
            self.delete_and_add, self.lose, self.come_late, self.come_late, self.forget,
        ]  # fmt: skip

    def one[T](self, of: list[T]) -> T:
        return of[int(self.rng.integers(len(of)))]

    def event(self, *, newest: int = 0, oldest: int = LAST) -> Event:
        rng, name = self.rng, self.one([*EventName])
        days, late = int(rng.integers(newest, oldest)), int(rng.integers(0, 4))
        occurred = NOW - days * DAY - timedelta(seconds=int(rng.integers(3)), microseconds=int(rng.integers(2)))
        told = name in {EventName.PURCHASE, EventName.REFUND} or rng.random() < 0.2
        number = lambda *, most, part=0.5: round(float(rng.random() * most), 2) if rng.random() < part else None  # noqa: E731
        return Event(
            occurred_at=occurred, event_id=uuid.UUID(int=int(rng.integers(1 << 62)) << int(rng.integers(60))),
            line=int(rng.integers(3)), received_at=occurred + timedelta(hours=late * 7, microseconds=late), name=name,
            customer=self.one([*self.people, *self.visitors, None]), item=self.one([*self.items, None]),
            quantity=number(most=9), price=number(most=99), amount=number(most=999), rating=number(most=5),
            rating_scale=self.one([None, 5, 7]), progress=number(most=1, part=0.2),
            transaction_id=f"t{rng.integers(9)}" if told else None,
            session_id=f"t{rng.integers(9)}" if rng.random() < 0.6 else None,
            source=self.one(["api", "import", "replay"]), trust=self.one([*Trust]),
            key_id=self.one([None, *(key.pk for key in self.keys)]),
        )  # fmt: skip

    def happen(self) -> None:
        Event.objects.bulk_create([self.event() for _line in range(LINES)], ignore_conflicts=True)

    def come_late(self) -> None:
        """A few lines, of which some happened long ago, within a savepoint."""
        with transaction.atomic(), transaction.atomic():
            lines = [self.event(oldest=int(self.rng.integers(10, LAST))) for _line in range(3)]
            Event.objects.bulk_create(lines, ignore_conflicts=True)

    def merge(self) -> None:
        visitor, known = self.one(self.visitors), self.one(self.people)
        CustomerAlias.objects.filter(anonymous=visitor, undone_at=None).update(undone_at=NOW)
        CustomerAlias.objects.create(anonymous=visitor, customer=known, source="api")

    def undo(self) -> None:
        CustomerAlias.objects.filter(anonymous=self.one(self.visitors)).update(undone_at=NOW)

    def object(self) -> None:
        Customer.objects.filter(pk=self.one(self.people + self.visitors).pk).update(personalise=False)

    def resume(self) -> None:
        """Somebody agrees again: what was before, up to the microsecond, is not learned from."""
        at = Event.objects.order_by("?").values_list("occurred_at", flat=True).first()
        Customer.objects.filter(personalise=False, erased_at=None).update(personalise=True, resumed_at=at)

    def set_aside(self) -> None:
        case = Quarantine.objects.create(rule=SuspicionRule.PACE)
        Aside.objects.create(quarantine=case, customer=self.one(self.people + self.visitors))
        since = Event.objects.order_by("?").values_list("received_at", flat=True).first()
        until = self.one([None, since and since + 5 * DAY])
        Aside.objects.create(quarantine=case, key=self.one(self.keys), since=since, until=until)
        Aside.objects.create(quarantine=case, item=self.one(self.items), since=since)

    def restore(self) -> None:
        Quarantine.objects.filter(pk__gt=0).update(state=self.one([QuarantineState.RESTORED, QuarantineState.DELETED]))

    def delete(self) -> None:
        Event.objects.filter(customer=self.one(self.people), item=self.one(self.items)).delete()

    def change(self) -> None:
        Event.objects.filter(customer=self.one(self.visitors)).update(customer=None)
        Event.objects.filter(item=self.one(self.items)).update(received_at=NOW)

    def delete_and_add(self) -> None:
        """As many lines as before, and not the same."""
        for line in Event.objects.order_by("?")[:2]:
            line.delete()
        Event.objects.bulk_create([self.event(), self.event()], ignore_conflicts=True)

    def lose(self) -> None:
        """Somebody is being erased, of whom lines are there yet."""
        Customer.objects.filter(pk=self.one(self.people).pk).update(personalise=False, erased_at=NOW)

    def forget(self) -> None:
        EventFile.objects.filter(pk__in=list(EventFile.objects.order_by("?").values_list("pk", flat=True)[:1])).delete()


def the_same(one: pd.DataFrame, other: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(one, other, check_exact=True)
    for name in one.columns:
        left, right = (frame[name] for frame in (one, other))
        if name == "name":
            assert left.cat.categories.tolist() == right.cat.categories.tolist()
            left, right = left.cat.codes, right.cat.codes
        assert left.dtype == right.dtype
        assert left.to_numpy().tobytes() == right.to_numpy().tobytes(), name


@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_the_files_give_what_the_record_has(seed: int) -> None:
    history, untils = History(seed), [NOW + DAY, NOW - 40 * DAY]
    for _round in range(ROUNDS):
        if _round % 3 == 0:
            history.happen()
        for _change in range(int(history.rng.integers(1, 3))):
            history.one(history.changes)()
        with override_settings(PURCHASES_FROM=history.one([*Trust])):
            for until in untils:
                the_same(event_frame(until=until), asked_frame(until=until))
            the_same_in_parts(event_frame(until=NOW + DAY), rows=history.one([1, 20, 60, 1_000]))


def the_same_in_parts(whole: pd.DataFrame, *, rows: int) -> int:
    """Each part has the rows of its customers, as the whole has them, and together they have all; how many there are.

    They are gone through twice.
    """
    with event_shards(until=NOW + DAY, rows=rows) as shards:
        parts, again = [*shards], [*shards]
        assert len(parts) == len(shards)
    assert sum(map(len, parts)) == len(whole)
    users = [sorted(set(part["user"])) for part in parts if len(part)]
    assert all(one[-1] < other[0] for one, other in pairwise(users))
    for part, same in zip(parts, again, strict=True):
        own = whole[whole["user"].isin(part["user"])].reset_index(drop=True)
        the_same_but_categories(own, part[whole.columns])
        the_same(part, same)
    the_same_but_categories(whole, in_order(parts)[whole.columns])
    return len(parts)


def the_same_but_categories(one: pd.DataFrame, other: pd.DataFrame) -> None:
    named = [frame.assign(name=frame["name"].astype(str)) for frame in (one, other)]
    pd.testing.assert_frame_equal(*named, check_exact=True)


def test_parts_have_about_as_many_rows_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recommendations.store.snapshots.files.FEWEST", 10)
    history = History(1)
    for _times in range(4):
        history.happen()
    for _change in range(3):
        history.merge()
    whole = event_frame(until=NOW + DAY)
    the_same(whole, asked_frame(until=NOW + DAY))
    assert the_same_in_parts(whole, rows=len(whole)) == 1
    assert the_same_in_parts(whole, rows=50) > 2


@override_settings(SHOP_TIME_ZONE="Pacific/Kiritimati")
def test_another_time_zone_of_the_shop_is_another_day() -> None:
    history = History(2)
    history.happen()
    the_same(event_frame(until=NOW), asked_frame(until=NOW))
    with override_settings(SHOP_TIME_ZONE="Pacific/Pago_Pago"):
        the_same(event_frame(until=NOW), asked_frame(until=NOW))


def test_no_events_are_no_rows_of_the_same_columns() -> None:
    the_same(event_frame(until=timezone.now()), asked_frame(until=timezone.now()))
