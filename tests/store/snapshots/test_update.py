"""Files of events follow the record by what changed in it, are whole or not there, and are written again when lost."""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.test import override_settings

from recommendations.models import Event, EventFile
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.retention import months as retention
from recommendations.store.snapshots import files, update
from recommendations.store.snapshots.frames import EventFilesLostError
from tests.event_frames import event_frame
from tests.store.snapshots.asked_frame import asked_frame
from tests.store.snapshots.record import DAY, JULY, JUNE, NOW, SEPTEMBER, customer, customers_in, events, stored
from tests.trained import artefact_folder

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> Iterator[Path]:
    with artefact_folder(tmp_path):
        yield tmp_path


def bring_up() -> dict[tuple[int, bool], EventFile]:
    update.update(until=NOW)
    there = {path.relative_to(files_below()).as_posix() for path in files_below().rglob("*") if path.is_file()}
    assert there == set(EventFile.objects.values_list("path", flat=True))
    return stored()


def files_below() -> Path:
    from django.core.files.storage import storages  # noqa: PLC0415 - of this test's folder

    return Path(storages["artefacts"].path(""))


def test_months_that_nobody_touched_are_left_and_few_late_lines_go_into_a_file_of_their_own() -> None:
    anna = customer("anna")
    events(anna, JUNE, number=100)
    events(anna, JULY, number=100)
    events(anna, SEPTEMBER, number=5)
    first = bring_up()
    assert {key: each.rows for key, each in first.items()} == {(6, False): 100, (7, False): 100, (9, False): 5}
    assert bring_up() == first
    assert {each.sha256 for each in stored().values()} == {each.sha256 for each in first.values()}

    events(anna, JUNE + DAY, number=4)
    events(anna, SEPTEMBER + DAY)
    second = bring_up()
    assert {key: each.rows for key, each in second.items()} == {
        (6, False): 100, (6, True): 4, (7, False): 100, (9, False): 6,
    }  # fmt: skip
    assert second[6, False].path == first[6, False].path
    assert second[9, False].path != first[9, False].path  # the current month is written anew

    events(anna, JUNE + 2 * DAY, number=3)
    third = bring_up()
    assert third[6, True].rows == 7
    assert third[6, False].path == first[6, False].path

    events(anna, JUNE + 3 * DAY, number=6)  # with them it is more than a tenth
    fourth = bring_up()
    assert (fourth[6, False].rows, (6, True) in fourth) == (113, False)
    assert len(event_frame(until=NOW)) == len(asked_frame(until=NOW)) == 219


def test_a_line_that_was_changed_or_deleted_has_its_month_written_anew() -> None:
    anna = customer("anna")
    lines = events(anna, JUNE, number=100)
    events(anna, JULY, number=100)
    first = bring_up()
    Event.objects.filter(event_id=lines[0].event_id).update(customer=None)
    second = bring_up()
    assert second[6, False].path != first[6, False].path
    assert second[7, False].path == first[7, False].path
    Event.objects.filter(event_id=lines[1].event_id).delete()
    events(anna, JUNE + DAY)  # as many as before
    third = bring_up()
    assert third[6, False].path != second[6, False].path
    events(anna, JUNE + 2 * DAY)
    late = events(anna, JUNE + 2 * DAY)[0]
    assert bring_up()[6, True].rows == 2
    Event.objects.filter(event_id=late.event_id).delete()
    events(anna, JUNE + 3 * DAY)  # among those that came late as many as before, too
    assert bring_up()[6, True].path != ""
    assert len(event_frame(until=NOW)) == len(asked_frame(until=NOW))
    Event.objects.filter(occurred_at__lt=JULY).delete()
    assert bring_up().keys() == {(7, False)}


def test_lines_of_a_transaction_that_ends_later_are_not_missed() -> None:
    """Their ``received_at`` is before the time that the files were written at."""
    anna = customer("anna")
    events(anna, JUNE, number=50)

    def bring_up_meanwhile() -> None:
        update.update(until=NOW)
        connection.close()

    with ThreadPoolExecutor(1) as other, transaction.atomic():
        events(anna, JUNE + DAY, number=2)
        other.submit(bring_up_meanwhile).result()
        assert stored()[6, False].rows == 50
    assert bring_up()[6, True].rows == 2


def test_files_that_were_deleted_or_damaged_are_written_again(folder: Path) -> None:
    anna = customer("anna")
    events(anna, JUNE, number=20)
    events(anna, JULY, number=20)
    whole = event_frame(until=NOW)
    shutil.rmtree(folder / files.FOLDER)
    assert event_frame(until=NOW).equals(whole)
    path = folder / stored()[6, False].path
    path.write_bytes(path.read_bytes()[:-9])
    assert event_frame(until=NOW).equals(whole)
    assert stored()[6, False].path != str(path.relative_to(folder))


def test_what_somebody_left_who_was_killed_goes(folder: Path) -> None:
    events(customer("anna"), JUNE, number=20)
    [file] = bring_up().values()
    half, lost = (folder / files.folder_of(JUNE) / name for name in ("v7.part", "v9.parquet"))
    half.write_bytes(b"half")
    lost.write_bytes(b"whole, and nobody was told")
    elsewhere = folder / files.folder_of(JULY + 900 * DAY) / "v1.parquet"  # of a month that there is not
    elsewhere.parent.mkdir()
    elsewhere.write_bytes(b"of a month that went")
    assert bring_up()[6, False].path == file.path
    assert not half.exists()
    assert not lost.exists()


def test_a_file_that_cannot_be_written_leaves_the_one_before(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    anna = customer("anna")
    events(anna, JUNE, number=20)
    before = bring_up()
    events(anna, JUNE + DAY, number=20)
    with monkeypatch.context() as patched:
        patched.setattr("recommendations.store.snapshots.files._groups", full_disk)
        with pytest.raises(OSError, match="full"):
            update.update(until=NOW)
    assert stored() == before
    assert bring_up()[6, False].rows == 40


def full_disk(_tables: object) -> Iterator[object]:
    raise OSError("the disk is full")
    yield


def test_a_month_that_is_dropped_takes_its_files_along(folder: Path) -> None:
    events(customer("anna"), JUNE, number=20)
    events(None, JULY, number=3)
    bring_up()
    [june] = [each for each in retention.months_over("recommendations_event", before=JULY) if each.first == JUNE]
    assert retention.drop_month(june, held=(), now=NOW) is not None
    assert stored().keys() == {(7, False)}
    assert not list((folder / files.folder_of(JUNE)).glob("*"))
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE recommendations_event_y2026m07")
    assert bring_up() == {}


def test_another_time_zone_of_the_shop_has_all_written_anew() -> None:
    events(customer("anna"), JUNE, number=20)
    first = bring_up()
    with override_settings(SHOP_TIME_ZONE="Asia/Tokyo"):
        assert bring_up()[6, False].path != first[6, False].path


def test_row_groups_end_with_a_customer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "FEWEST", 20)
    monkeypatch.setattr(files, "MOST", 50)
    for number in range(40):
        events(customer(f"customer {number}"), JUNE + number * timedelta(hours=1), number=3)
    events(None, JUNE + 5 * DAY, number=120)
    [file] = bring_up().values()
    with files.open_file(file) as opened:
        groups = customers_in(opened)
    everything = [key for group in groups for key in group]
    assert everything == sorted(everything)
    assert [len(group) for group in groups[:2]] == [50, 50]  # those of nobody are very many
    borders = [(one[-1], other[0]) for one, other in pairwise(groups[2:])]
    assert len(borders) > 1
    assert all(last != first for last, first in borders)
    assert min(map(len, groups[:-1])) >= 20


def test_a_month_that_goes_between_the_update_and_the_reading_is_written_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """As an erasure deletes one where the pseudonym of who is erased is left at a row of somebody else."""
    events(customer("anna"), JUNE, number=20)
    events(customer("bert"), JULY, number=20)
    whole = asked_frame(until=NOW)
    own, deleted = update.update, iter([JUNE, None])

    def meanwhile(*, until: datetime) -> set[datetime]:
        months = own(until=until)
        update.forget_months({gone} if (gone := next(deleted)) else (), archived=False)
        return months

    monkeypatch.setattr("recommendations.store.snapshots.frames.update", meanwhile)
    assert event_frame(until=NOW).equals(whole)
    assert next(deleted, "none") == "none"


def test_a_disk_that_keeps_nothing_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    events(customer("anna"), JUNE, number=20)

    def damaged(file: EventFile) -> None:
        raise files.EventFileDamagedError(file)

    monkeypatch.setattr(files, "open_file", damaged)
    with pytest.raises(EventFilesLostError):
        event_frame(until=NOW)


def test_files_know_keys_and_no_pseudonyms() -> None:
    anna = customer("anna")
    events(anna, JUNE, number=3)
    [file] = bring_up().values()
    with files.open_file(file) as opened:
        told = {value for column in opened.read().columns for value in column.to_pylist()}
    prefix = pseudonym("anna")[:8]
    assert anna.pk in told
    assert not told & {prefix, prefix.hex(), *(int.from_bytes(prefix, "big", signed=sign) for sign in (False, True))}
