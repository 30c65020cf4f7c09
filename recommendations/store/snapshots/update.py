"""Files of events brought up to what the record has: months that nobody touched are left, others are written.

A month is written anew where anything in it was changed or deleted, where it is the current one, or where a tenth of it
is new; otherwise what is new goes into the month's second file. One process at a time changes a month's files, and the
rows of ``EventFile`` change in its transaction, so that a reader and an erasure see the old ones or the new.

The file of a month that went out of the database is all that there is of it: it changes where somebody is erased, and
goes when it was kept long enough.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial

import structlog
from django.db import connection, transaction
from django.db.models import QuerySet

from recommendations.models import EventFile
from recommendations.store.events.partitions import month_after
from recommendations.store.snapshots import files, month_query
from recommendations.store.snapshots.month_query import View
from recommendations.store.temp_tables import MEMORY, run

LOCK = 7_264_141
log = structlog.get_logger(__name__)
MOST_LATE = 10  # a month of which more than one in so many is new is written anew


class ArchiveDamagedError(Exception):
    """The file of a month that the database has no more is missing, or is not what was written."""

    def __init__(self, file: EventFile) -> None:
        super().__init__(
            f"{file.path} under ARTEFACTS is missing or damaged, and the events of {file.month:%Y-%m} are nowhere "
            "else; put a copy from the backup in its place, or let past events go (Privacy → Retention)"
        )


@contextmanager
def alone() -> Iterator[None]:
    """The only process that changes files of events; whoever does is waited for, which takes as long as a month is.

    It lasts until the end of the block, or of the transaction that is open.
    """
    if connection.in_atomic_block:
        run("SELECT pg_advisory_xact_lock(%(lock)s)", lock=LOCK)
        yield
        return
    run("SELECT pg_advisory_lock(%(lock)s)", lock=LOCK)
    try:
        yield
    finally:
        run("SELECT pg_advisory_unlock(%(lock)s)", lock=LOCK)


@contextmanager
def one_view() -> Iterator[None]:
    """A transaction in which every statement sees the same; within one that is open they see what that sees."""
    first = not connection.in_atomic_block
    with transaction.atomic():
        if first:
            run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        run(MEMORY)
        yield


def update(*, until: datetime) -> set[datetime]:
    """Bring the files of all months up to the record; the months that have any. ``until`` is in the current one."""
    present = month_query.months()
    stored = files.months_with_folder().union(EventFile.objects.values_list("month", flat=True))
    forget_months(stored - present.keys() - month_query.months_half_gone(), archived=False)
    for month in present:
        with alone(), one_view():
            _update_month(month, until=until)
    return set(EventFile.objects.filter(month__in=present).values_list("month", flat=True))


def archive(month: datetime, table: str) -> None:
    """Write all of a month, whose ``table`` was detached, into the file that is kept of it, unless there is one."""
    with alone(), one_view():
        stored = EventFile.objects.filter(month=month)
        if stored.filter(archived=True).exists():
            return
        seen = month_query.view()
        written = files.write(month, month_query.read_detached(month, table), late=False)
        if not written.rows:
            _replace(stored)
            files.delete([written.path])
            return
        facts = {"late": False, "basis": seen.basis(0), "seen": seen.seen, **written._asdict()}
        _replace(stored, EventFile(month=month, archived=True, **facts))


def forget_months(months: Collection[datetime], *, archived: bool) -> None:
    """Delete the files of months; ``archived``: also where they are all that there is."""
    for month in sorted(months):
        with alone(), transaction.atomic():
            stored = EventFile.objects.filter(month=month)
            kept = [] if archived else list(stored.filter(archived=True))
            if not kept:
                _replace(stored)
            if all(map(files.is_there, kept)):  # or one that follows may have to take its place
                transaction.on_commit(partial(files.delete_lost, month, kept))


def forget_file(file: EventFile) -> None:
    """Delete the files of a damaged one's month, unless others took their place.

    Where it is all that there is of the month, one that follows takes its place, which an erasure wrote after the dump
    that the row is restored from. Raises ArchiveDamagedError where there is none.
    """
    current = EventFile.objects.filter(pk=file.pk, sha256=file.sha256).first()
    if current is None:
        return
    if not current.archived:
        forget_months([file.month], archived=False)
    elif files.is_there(current) or (follower := files.follower_of(current)) is None:
        raise ArchiveDamagedError(current)
    else:
        EventFile.objects.filter(pk=current.pk, sha256=current.sha256).update(**follower._asdict())
        log.warning("a file of past events follows the one of the dump", file=follower.path, rows=follower.rows)


def _update_month(month: datetime, *, until: datetime) -> None:
    stored = {each.late: each for each in EventFile.objects.filter(month=month)}
    files.delete_lost(month, stored.values())
    tables, seen = month_query.months(), month_query.view()
    if month not in tables:
        return  # it went since
    basis = seen.basis(tables[month])
    main, late = stored.get(False), stored.get(True)
    is_of_use = main and all(each.basis == basis and files.is_there(each) for each in stored.values())
    if main is None or not is_of_use:
        _write(month, seen, basis)
        return
    counts = month_query.count(month, seen, main=main.seen, late=(late or main).seen)
    if counts.rows != main.rows + counts.since_main:
        _write(month, seen, basis)  # something was changed or deleted
    elif counts.since_late == 0 and counts.since_main == (late.rows if late else 0):
        if late is None:
            EventFile.objects.filter(pk=main.pk).update(seen=seen.seen)
    elif month_after(month) > until or counts.since_main * MOST_LATE > counts.rows:
        _write(month, seen, basis)
    else:
        _write(month, seen, basis, since=main.seen)


def _write(month: datetime, seen: View, basis: str, *, since: str | None = None) -> None:
    """Write a month, or what a snapshot has not ``seen`` of it, in place of the files that there are."""
    late = since is not None
    old = EventFile.objects.filter(month=month, **({"late": True} if late else {}))
    written = files.write(month, month_query.read_month(month, seen, since=since), late=late)
    if not written.rows:
        _replace(old)
        files.delete([written.path])
        return
    _replace(old, EventFile(month=month, late=late, basis=basis, seen=seen.seen, **written._asdict()))


def _replace(old: QuerySet[EventFile], *new: EventFile) -> None:
    """Let others take the place of files, which are deleted when nobody is told of them any more."""
    paths = list(old.values_list("path", flat=True))
    old.delete()
    EventFile.objects.bulk_create(new)
    transaction.on_commit(partial(files.delete, paths))
