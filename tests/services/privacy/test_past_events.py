"""Months of events that leave the database and stay in files: runs read on, people are told and leave, and they go."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from django.db import connection
from django.utils import timezone

from analytics.queries.privacy.retention import change
from recommendations.models import Customer, CustomerAlias, Event, EventFile, HeldEvent, Item, LegalHold, RetentionDrop
from recommendations.privacy_terms import RetentionKind
from recommendations.services.privacy import retention
from recommendations.store.erasure.subjects import subject_of_keys
from recommendations.store.events.partitions import month_after, month_of, prepare_partitions
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.events.tombstones import digest_of
from recommendations.store.holders.snapshots import COLUMNS, SNAPSHOTS
from recommendations.store.retention import months
from recommendations.store.retention_rules import all_days, days_for, days_taken
from recommendations.store.snapshots import files, update
from recommendations.store.snapshots.update import ArchiveDamagedError
from tests.event_frames import event_frame
from tests.services.privacy.old_acts import DAY, NOW, OLD, customer, event, rule
from tests.store.snapshots.record import customers_in_files
from tests.trained import artefact_folder

pytestmark = pytest.mark.django_db(transaction=True)
END = month_after(month_of(OLD))
FILES = RetentionKind.EVENT_FILES


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> Iterator[Path]:
    with artefact_folder(tmp_path):
        yield tmp_path


@pytest.fixture(autouse=True)
def old_months(valkey: redis.Redis) -> Iterator[None]:
    """Months of a time that no other test has anything to do with; those that are left go again."""
    del valkey
    prepare_partitions(OLD, NOW)
    yield
    for month in months.stored_months(months.EVENT, months.SLATE):
        if month.first <= NOW:
            with connection.cursor() as cursor:
                cursor.execute(f'DROP TABLE IF EXISTS "{month.name}"')


@pytest.fixture
def people(old_months: None) -> dict[str, Customer]:
    """Three customers of 1991, one of whom comes on another device as well; bert is back yesterday."""
    tea = Item.objects.create(shop_id="tea", title="Tea")
    named = {name: customer(name) for name in ("anna", "bert", "cleo", "device")}
    CustomerAlias.objects.create(anonymous=named["device"], customer=named["anna"], source="test")
    event(named["anna"], OLD, name="purchase", item=tea, transaction_id="o1", amount=9.95)
    event(None, OLD + DAY, name="refund", item=tea, transaction_id="o1", amount=5)
    event(named["device"], OLD, item=tea)
    event(named["bert"], OLD, item=tea)
    event(named["bert"], NOW - DAY, item=tea)
    event(named["cleo"], OLD, name="add_to_cart", item=tea, quantity=2, price=3)
    return named


def to_files(days: int = 3_650) -> None:
    """Have events of 1991 leave the database, and stay in files for so many days."""
    rule(FILES, days, at=NOW - 2 * DAY)
    assert retention.expire(now=NOW)
    assert not Event.objects.filter(occurred_at__lt=END).exists()


def test_a_month_that_went_teaches_as_before(people: dict[str, Customer], folder: Path) -> None:
    """What a run reads is the same to the last bit; nobody leaves of whom a file has anything, and none is lost."""
    before = event_frame(until=NOW)
    assert len(before) == 6
    to_files()
    [file] = EventFile.objects.filter(archived=True)
    assert (file.month, file.end, file.rows) == (month_of(OLD), END, 5)
    assert event_frame(until=NOW).equals(before)
    lost = folder / files.folder_of(file.month) / "v9.parquet"
    lost.write_bytes(b"nobody was told")
    for _again in range(2):
        assert retention.expire(now=NOW) == []
        update.update(until=NOW)
    assert EventFile.objects.get(archived=True).sha256 == file.sha256
    assert event_frame(until=NOW).equals(before)
    assert Customer.objects.filter(erased_at=None).count() == 4
    CustomerAlias.objects.update(undone_at=NOW)  # what the record says now counts
    assert len(event_frame(until=NOW)) == 6
    assert event_frame(until=NOW)["user"].nunique() == before["user"].nunique() + 1


def test_without_the_rule_a_month_goes_with_its_file(people: dict[str, Customer]) -> None:
    """By hand: with 730 days of both nothing of 1991 is left, and who did nothing since is gone."""
    assert days_for(FILES, all_days()) == 730
    event_frame(until=NOW)
    retention.expire(now=NOW)
    assert not EventFile.objects.filter(month__lt=END).exists()
    assert set(Customer.objects.filter(erased_at=None)) == {people["bert"]}


def test_nothing_is_added_to_a_month_of_files(people: dict[str, Customer]) -> None:
    to_files()
    rule(RetentionKind.EVENTS, 3_650)
    assert prepare_partitions(OLD, OLD, tables=(months.EVENT,)) == 0
    EventFile.objects.filter(archived=True).update(month=month_of(timezone.now() - 100 * DAY))
    assert 60 < days_taken() <= 100
    EventFile.objects.all().delete()
    assert days_taken() == 3_650


def test_who_is_erased_is_told_before_and_leaves(people: dict[str, Customer]) -> None:
    """With the refund of their order that came without a name; another's rows stay."""
    to_files()
    keys = [people["anna"].pk, people["device"].pk]
    subject = subject_of_keys(keys)
    [sheet] = SNAPSHOTS.export(subject)
    lines = [dict(zip(COLUMNS, row, strict=True)) for row in sheet.rows]
    assert len(sheet.columns) == len(COLUMNS)
    told = {(line["occurred_at"], line["name"], line["item"], line["amount"]) for line in lines}
    assert told == {
        (OLD, "Viewed", "tea", None), (OLD, "Bought", "tea", 9.95), (OLD + DAY, "Returned", "tea", 5.0),
    }  # fmt: skip
    assert SNAPSHOTS.find(subject) == 3
    assert SNAPSHOTS.erase(subject, now=NOW).deleted == 3
    assert SNAPSHOTS.find(subject) == 0
    assert sorted(customers_in_files()) == [people["bert"].pk, people["cleo"].pk]
    assert EventFile.objects.get(archived=True).rows == 2
    assert list(next(SNAPSHOTS.export(subject)).rows) == []


def test_an_erasure_that_broke_off_between_two_months_is_done_to_its_end(
    people: dict[str, Customer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second time it finds the refund of their order, which came without a name a month later."""
    event(None, OLD + 31 * DAY, name="refund", transaction_id="o1", amount=4)
    to_files()
    subject, write, written = subject_of_keys([people["anna"].pk, people["device"].pk]), files.write, []

    def once(*month: Any, **kind: Any) -> files.StoredFile:
        if written:
            raise OSError(28, "No space left on device")
        written.append(write(*month, **kind))
        return written[0]

    assert SNAPSHOTS.find(subject) == 4
    with monkeypatch.context() as full:
        full.setattr(files, "write", once)
        with pytest.raises(OSError, match="No space left"):
            SNAPSHOTS.erase(subject, now=NOW)
    SNAPSHOTS.erase(subject, now=NOW)
    assert sorted(customers_in_files()) == [people["bert"].pk, people["cleo"].pk]


def test_who_is_being_erased_comes_into_no_file(people: dict[str, Customer]) -> None:
    Customer.objects.filter(pk__in=[people["anna"].pk, people["device"].pk]).update(erased_at=NOW)
    to_files()
    assert EventFile.objects.get(archived=True).rows == 2
    assert -1 not in customers_in_files()


def test_files_go_by_their_own_rule(people: dict[str, Customer]) -> None:
    """What is held stays as it would have gone from the table; who has nothing left leaves."""
    LegalHold.objects.create(digest=digest_of(pseudonym("cleo")), reason="a case", since=OLD)
    to_files()
    assert HeldEvent.objects.get().held_for == people["cleo"].pk
    HeldEvent.objects.all().delete()  # as where the hold came after the month had gone
    rule(FILES, 84, at=NOW - 2 * DAY)
    [told] = retention.due(now=NOW)
    assert (told.kind, told.rows, list(told.months)) == (FILES, 5, [f"{OLD:%Y-%m}"])
    shown = next(each for each in retention.kept_kinds(now=NOW) if each.kind is FILES)
    assert (shown.days, shown.holds, shown.oldest, shown.rows, shown.late) == (84, 730, month_of(OLD), 5, True)
    [drop] = retention.expire(now=NOW)
    assert (drop.kind, drop.month, drop.rows, drop.held) == (FILES, f"{OLD:%Y-%m}", 5, 1)
    assert HeldEvent.objects.get().event == {
        "name": "add_to_cart", "item_id": "tea", "quantity": 2.0, "price": 3.0, "trust": Event().trust,
    }  # fmt: skip
    assert not EventFile.objects.filter(archived=True).exists()
    assert set(Customer.objects.filter(erased_at=None)) == {people["bert"], people["cleo"]}
    assert RetentionDrop.objects.get(kind=FILES).customers == 2


def test_what_a_change_takes_of_files_is_told_before(people: dict[str, Customer]) -> None:
    """By hand: of the four of 1991, whose files would go, bert alone did anything since; and shorter events stay in
    files.
    """
    to_files()
    [told] = change(FILES, 84, now=NOW).goes
    assert told == "Files of past events: about 5 rows, the month 1991-03"
    assert change(FILES, 84, now=NOW).missed == ["3 customers would be unknown."]
    assert change(FILES, 3_000, now=NOW).goes == []
    event(people["anna"], NOW - 200 * DAY)
    [told] = [text for text in change(RetentionKind.EVENTS, 100, now=NOW).goes if text.startswith("Events")]
    assert told == f"Events: about 1 row, the month {NOW - 200 * DAY:%Y-%m} (files keep them for models)"
    assert "unknown" not in " ".join(change(RetentionKind.EVENTS, 100, now=NOW).missed)


def test_a_damaged_file_is_never_deleted(people: dict[str, Customer], folder: Path) -> None:
    to_files()
    before = event_frame(until=NOW)
    place = folder / EventFile.objects.get(archived=True).path
    content = place.read_bytes()
    place.write_bytes(content[:-9])
    for read in (lambda: event_frame(until=NOW), lambda: SNAPSHOTS.find(subject_of_keys([people["bert"].pk]))):
        with pytest.raises(ArchiveDamagedError, match=r"v\d+\.parquet .* of 1991-03 are nowhere else; put a copy"):
            read()
    assert place.exists()
    place.write_bytes(content)
    assert event_frame(until=NOW).equals(before)


def test_a_restored_dump_finds_what_an_erasure_wrote_since(people: dict[str, Customer], folder: Path) -> None:
    """The dump names the file of before the erasure; the copy of the artefacts, made later, has the one of after it."""
    to_files()
    dumped = EventFile.objects.get(archived=True)
    SNAPSHOTS.erase(subject_of_keys([people["anna"].pk, people["device"].pk]), now=NOW)
    after, frame = EventFile.objects.get(archived=True), event_frame(until=NOW)
    dumped.save()
    assert event_frame(until=NOW).equals(frame)
    assert EventFile.objects.get(archived=True).sha256 == after.sha256
    dumped.rows = 1
    dumped.save()
    with pytest.raises(ArchiveDamagedError):  # what follows cannot have more
        event_frame(until=NOW)
    assert (folder / after.path).exists()


def test_a_month_whose_file_cannot_be_written_stays(
    people: dict[str, Customer], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = event_frame(until=NOW)
    rule(FILES, 3_650, at=NOW - 2 * DAY)

    def no_room(*_rows: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(files, "_groups", no_room)
        assert [drop for drop in retention.expire(now=NOW) if drop.kind == RetentionKind.EVENTS] == []
    assert months.stored_months(months.EVENT)[0].detaching is None
    assert event_frame(until=NOW).equals(before)  # from the file of before
    retention.expire(now=NOW)
    assert EventFile.objects.get(archived=True).rows == 5
    assert event_frame(until=NOW).equals(before)
