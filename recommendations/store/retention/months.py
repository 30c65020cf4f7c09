"""Months of events, of slates and of files of past events that go as a whole, so that nobody who writes or reads
others waits for it.

A month is detached ``CONCURRENTLY``, what hangs on it is deleted, and then it is dropped. What was interrupted, at
whatever step, is found by the names of the tables and gone on with: they say which month it is, and the catalogue of
PostgreSQL says how far it got.
"""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import OperationalError, transaction
from psycopg import sql

from recommendations.models import EventFile, RetentionDrop
from recommendations.privacy_terms import RetentionKind
from recommendations.store.advisory_lock import advisory_lock
from recommendations.store.attribution.settle import LOCK as SETTLING
from recommendations.store.events.partitions import KINDS, month_after, month_in, partition_of
from recommendations.store.holders.protocol import ROWS
from recommendations.store.retention_rules import archived_files
from recommendations.store.snapshots import archived
from recommendations.store.snapshots.update import archive, forget_months
from recommendations.store.temp_tables import rows, run

PATIENCE = "60s"
"""So long whoever still reads a month is waited for; who reads longer, as a backup may, is let finish until the next
try."""
TRIES, LOOK = 50, 0.2
"""How often, and after how many seconds, it is looked whether anything is being settled."""

EVENT, SLATE = KINDS
FILE = EventFile._meta.db_table
FEW = 10_000
"""Rows that are counted each time, as an estimate may be of a day on which there were none."""
_MONTHS = """
SELECT part.relname, inherits.inhdetachpending, nullif(part.reltuples, -1)::bigint, pg_total_relation_size(part.oid)
FROM pg_class part LEFT JOIN pg_inherits inherits ON inherits.inhrelid = part.oid
WHERE part.relkind = 'r' AND part.relnamespace = current_schema()::regnamespace AND part.relname ~ %(named)s
ORDER BY part.relname
"""
_COUNT = sql.SQL("SELECT count(*) FROM {}")
_COUNT_BEFORE = sql.SQL("SELECT tableoid::regclass::text, count(*) FROM {} WHERE {} < %(end)s GROUP BY 1")
_WITH_LISTS = """
DELETE FROM {hanging} WHERE ctid IN (
  SELECT hangs.ctid FROM {hanging} hangs JOIN {month} month ON month.recommendation_id = hangs.recommendation_id
  LIMIT %(most)s)
"""
_WITH_EVENTS = """
DELETE FROM {hanging} WHERE ctid IN (
  SELECT ctid FROM {hanging} WHERE occurred_at >= %(first)s AND occurred_at < %(end)s LIMIT %(most)s)
"""
# Nameless lines of an order of theirs go with them; an item is named as the shop names it, which stays.
_HOLD = """
INSERT INTO recommendations_heldevent (held_for, occurred_at, event_id, line, event)
SELECT whose.key, event.occurred_at, event.event_id, event.line, jsonb_strip_nulls(
    to_jsonb(event) - ARRAY['customer_id', 'item_id', 'key_id', 'occurred_at', 'event_id', 'line']
    || jsonb_build_object('item_id', item.shop_id))
FROM {month} event LEFT JOIN recommendations_item item ON item.id = event.item_id
JOIN LATERAL (
  SELECT event.customer_id AS key WHERE event.customer_id = ANY(%(keys)s)
  UNION ALL
  (SELECT other.customer_id FROM {month} other
   WHERE event.customer_id IS NULL AND other.transaction_id = event.transaction_id AND other.customer_id = ANY(%(keys)s)
   LIMIT 1)
) whose ON true
ON CONFLICT DO NOTHING
"""
log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class StoredMonth:
    """A month's table, with rows as PostgreSQL estimates them and its bytes; ``first`` is the month's first moment.

    ``detaching``: whether it is being detached; None where it is no part of the whole table any more, and of a file.
    ``rows`` are none where nobody has analysed it yet.
    """

    table: str
    name: str
    first: datetime
    detaching: bool | None
    rows: int | None
    size: int

    @property
    def end(self) -> datetime:
        return month_after(self.first)

    @property
    def part(self) -> sql.Identifier:
        return sql.Identifier(self.name)


def stored_months(*tables: str) -> list[StoredMonth]:
    """All months of these tables, the oldest of each first, those that are only half gone among them; of the table of
    files those that the database has no more.
    """
    named = rf"^({'|'.join(tables)})_y\d{{4}}m\d{{2}}$"
    stored = [
        StoredMonth(
            table=name.rpartition("_")[0], name=name, first=month_in(name), detaching=detaching, rows=count, size=size
        )
        for name, detaching, count, size in rows(_MONTHS, named=named)
    ]  # fmt: skip
    return stored + [_month_of(file) for file in archived_files() if FILE in tables]


def months_over(table: str, *, before: datetime) -> list[StoredMonth]:
    """Months of which the last day is before a moment."""
    return [month for month in stored_months(table) if month.end <= before]


def count_rows(over: Sequence[StoredMonth]) -> list[int]:
    """Rows of each of the oldest months of one table: the estimates, or counted where these are few, or one lacks."""
    estimates = [month.rows for month in over if month.rows is not None]
    if not over or over[0].table == FILE or (sum(estimates) > FEW and len(estimates) == len(over)):
        return estimates
    table, column = over[0].table, "occurred_at" if over[0].table == EVENT else "served_at"
    statement = _COUNT_BEFORE.format(sql.Identifier(table), sql.Identifier(column))
    counted = dict(rows(statement, end=over[-1].end))
    return [counted.get(month.name, 0) for month in over]


def drop_month(
    month: StoredMonth, *, held: Collection[int], now: datetime, in_file: bool = False
) -> RetentionDrop | None:
    """Drop a month; of its events those of customers who are ``held`` are kept apart, and all of them ``in_file``,
    where they are wanted there. It must not be called in a transaction. None where somebody holds on to the month, or
    its file cannot be written: the next call goes on.
    """
    try:
        if month.table == FILE:
            return _drop_file(month, held=held, now=now)
        if month.table == SLATE:
            return _drop_lists(month, now=now)
        return _drop_events(month, held=held, now=now, in_file=in_file)
    except (OperationalError, OSError) as error:
        log.warning("a month is not dropped yet", month=month.name, why=str(error).strip())
        return None


def hold_events(month: StoredMonth, *, held: Collection[int]) -> int:
    """Keep the events of these customers apart; how many were not there before."""
    return run(sql.SQL(_HOLD).format(month=month.part), keys=sorted(held)) if held else 0


def _drop_events(month: StoredMonth, *, held: Collection[int], now: datetime, in_file: bool) -> RetentionDrop:
    apart = hold_events(month, held=held)
    _detach(month)
    if in_file:
        archive(month.first, month.name)
    else:
        forget_months([month.first], archived=True)
    for hanging in ("recommendations_dueline", "recommendations_attributedline"):
        _delete(_WITH_EVENTS, hanging, month, first=month.first, end=month.end)
    return _drop(month, held=apart, now=now, last=lambda: hold_events(month, held=held))


def _drop_lists(month: StoredMonth, *, now: datetime) -> RetentionDrop | None:
    """Drop lists with what came of them, while nothing is settled: the sums of their days are not counted anew."""
    for _try in range(TRIES):
        with advisory_lock(SETTLING) as alone:
            if alone:
                _detach(month)
                for hanging in ("recommendations_slateoutcome", "recommendations_attributedline"):
                    _delete(_WITH_LISTS, hanging, month)
                return _drop(month, held=0, now=now)
        time.sleep(LOOK)
    log.warning("a month is not dropped yet", month=month.name, why="something is being settled")
    return None


def _month_of(file: EventFile) -> StoredMonth:
    name = partition_of(FILE, file.month)
    return StoredMonth(table=FILE, name=name, first=file.month, detaching=None, rows=file.rows, size=file.size)


def _drop_file(month: StoredMonth, *, held: Collection[int], now: datetime) -> RetentionDrop | None:
    """Delete a file of past events; of its lines those of customers who are held stay."""
    file = next((each for each in archived_files() if each.month == month.first), None)
    if file is None:
        return None
    apart, kind = archived.forget(file, held=held), RetentionKind.EVENT_FILES
    return RetentionDrop.objects.create(
        kind=kind, partition=month.name, rows=file.rows, size=file.size, held=apart, at=now
    )  # fmt: skip


def _detach(month: StoredMonth) -> None:
    """Take a month out of its table; whoever reads it yet is waited for, and makes nobody else wait."""
    if month.detaching is None:
        return
    how = sql.SQL("FINALIZE" if month.detaching else "CONCURRENTLY")
    run(sql.SQL("SET lock_timeout = {}").format(sql.Literal(PATIENCE)))
    try:
        run(sql.SQL("ALTER TABLE {} DETACH PARTITION {} {}").format(sql.Identifier(month.table), month.part, how))
    finally:
        run("RESET lock_timeout")


def _delete(statement: str, hanging: str, month: StoredMonth, **values: datetime) -> None:
    text = sql.SQL(statement).format(hanging=sql.Identifier(hanging), month=month.part)
    while run(text, most=ROWS, **values) == ROWS:
        pass


@transaction.atomic
def _drop(month: StoredMonth, *, held: int, now: datetime, last: Callable[[], int] = lambda: 0) -> RetentionDrop:
    """Drop a month that is detached, and write it down; ``last`` keeps what came in the meantime."""
    run(sql.SQL("SET LOCAL lock_timeout = {}").format(sql.Literal(PATIENCE)))
    run(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(month.part))
    apart, count = held + last(), rows(_COUNT.format(month.part))[0][0]
    run(sql.SQL("DROP TABLE {}").format(month.part))
    kind = KINDS[month.table]
    customers = None if month.table == EVENT else 0
    return RetentionDrop.objects.create(
        kind=kind, partition=month.name, rows=count, size=month.size, held=apart, customers=customers, at=now
    )  # fmt: skip
