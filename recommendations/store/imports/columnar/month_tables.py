"""Event lines on their way into the record: those of a month that holds none into a table of its own, which gets its
keys when it is full and becomes the month's partition; all others into one table, from which they are appended.

Nothing of it is seen before ``attach``, and then all at once, in the import's transaction.
"""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime

import adbc_driver_postgresql.dbapi as adbc
import numpy as np
import psycopg
import pyarrow as pa
from django.db import OperationalError, transaction
from psycopg import errors, sql

from recommendations.store.events.bulk_append import Month
from recommendations.store.events.partitions import month_after, month_of, partition_of
from recommendations.store.imports.columnar.own_tables import drop, table_name
from recommendations.store.own_connections import address, own_connection
from recommendations.store.temp_tables import Report, rows, run
from recommendations.terms import Trust

EVENTS = "recommendations_event"
BUILDERS = 2  # connections that build keys at the same time
SENT_FROM, HELD = 50_000, 400_000  # lines of a table that are sent at once, and of all tables that wait for it
WAITING = 4  # parts that are sent while the next rows are read
TRIES, PATIENCE, PAUSE = 20, "500ms", 0.5  # to have the event table alone for a moment; seconds between
MEMORY = """
SET work_mem = '256MB'; SET maintenance_work_mem = '256MB'; SET jit = off; SET max_parallel_maintenance_workers = 0
"""
_MAKE = """
CREATE TABLE {table} (LIKE recommendations_event INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
ALTER TABLE {table} ALTER source SET DEFAULT 'import', ALTER trust SET DEFAULT {trust}
"""
_MAKE_OTHER = _MAKE.replace("CREATE TABLE", "CREATE UNLOGGED TABLE")
_MONTH = "ALTER TABLE {table} ADD CONSTRAINT in_month CHECK (occurred_at >= {start} AND occurred_at < {end})"
_KEYS = """
SELECT index.relname, split_part(pg_get_indexdef(index.oid), ' USING ', 2),
  (SELECT pg_get_constraintdef(own.oid) FROM pg_constraint own WHERE own.conindid = index.oid AND own.contype = 'p')
FROM pg_index JOIN pg_class index ON index.oid = indexrelid
WHERE indrelid = 'recommendations_event'::regclass ORDER BY index.relname
"""
_PRIMARY = "ALTER TABLE {table} ADD CONSTRAINT {name} {rest}"
_INDEX = "CREATE INDEX {name} ON {table} USING {rest}"
_IS_THERE = """
SELECT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = to_regclass(%(name)s)), to_regclass(%(name)s) IS NOT NULL
"""
_HAS_LINES = sql.SQL("SELECT EXISTS (SELECT FROM {})")
_PARTS = """
SELECT part.relname FROM pg_inherits JOIN pg_class part ON part.oid = inhrelid
WHERE inhparent = 'recommendations_event'::regclass
"""
_ATTACH = """
ALTER TABLE recommendations_event ATTACH PARTITION {table} FOR VALUES FROM ({start}) TO ({end});
ALTER TABLE {table} DROP CONSTRAINT in_month, ALTER source DROP DEFAULT, ALTER trust SET DEFAULT {trust};
ALTER TABLE {table} RENAME TO {partition}
"""


@dataclass
class OwnTable:
    """A table that is filled: of a ``month``, or of the others where it is None."""

    name: str
    month: datetime | None
    lines: int = 0
    waiting: list[pa.Table] = field(default_factory=list)

    @property
    def start(self) -> datetime:
        """The first moment of its month."""
        if self.month is None:
            raise AssertionError(f"{self.name} is of no month")
        return self.month

    @property
    def identifier(self) -> sql.Identifier:
        return sql.Identifier(self.name)

    @property
    def held(self) -> int:
        return sum(map(len, self.waiting))


class MonthTables:
    """Tables of the lines of one import, by their months; ``free`` are those of months without lines.

    ``own`` is a connection that commits each statement: while a file is read, Django's has a long transaction.
    """

    def __init__(self, number: int, own: psycopg.Connection) -> None:
        self._number, self._own = number, own
        self._tables: dict[datetime, OwnTable] = {}
        self.other: OwnTable | None = None
        self._counts: dict[datetime, int] = {}
        self._sender = ThreadPoolExecutor(1)
        self._sent: list[Future[None]] = []
        self._driver: adbc.Connection | None = None

    @property
    def free(self) -> list[OwnTable]:
        """Tables of months that held no lines, in order."""
        return [each for _, each in sorted(self._tables.items()) if each.month]

    @property
    def all(self) -> list[OwnTable]:
        return [*self.free, *([self.other] if self.other else [])]

    @property
    def months(self) -> list[Month]:
        """The months of the lines that were taken, in order, with how many those were."""
        return [Month(month, count) for month, count in sorted(self._counts.items())]

    def add(self, lines: pa.Table) -> None:
        """Take lines: they are sent while the next ones are read."""
        for month, part in _by_month(lines):
            table = self._table(month)
            self._counts[month] = self._counts.get(month, 0) + len(part)
            table.waiting.append(part)
            table.lines += len(part)
        full = sum(each.held for each in self.all) >= HELD
        for each in self.all:
            if each.held and (full or each.held >= SENT_FROM):
                self._send(each)

    def finish(self) -> None:
        """Wait until all lines are there."""
        for each in self.all:
            if each.waiting:
                self._send(each)
        while self._sent:
            self._sent.pop(0).result()
        self._close()

    def build_keys(self, report: Report) -> None:
        """Build the keys of the months' tables, as those of the record are."""
        if not self.free:
            return
        keys = rows(_KEYS)
        total = sum(each.lines for each in self.free)
        done = 0
        report("keys", 0, total)
        with ThreadPoolExecutor(BUILDERS) as builders:
            largest = sorted(self.free, key=lambda each: -each.lines)
            for lines in builders.map(lambda each: _build(each, keys), largest):
                done += lines
                report("keys", done, total)

    def make_way(self) -> None:
        """Drop the months' empty partitions, in a moment in which nobody uses the event table; they are made again by
        whoever needs one. Where no such moment comes, or a partition holds lines by now, it stays.
        """
        for _ in range(TRIES):
            names = {partition_of(EVENTS, each.start) for each in self.free}
            if not names & {name for (name,) in rows(_PARTS)}:
                return
            try:
                _drop_empty(names)
            except OperationalError as error:
                if not isinstance(error.__cause__, errors.LockNotAvailable):
                    raise
                time.sleep(PAUSE)
            else:
                return

    def blocked(self) -> list[OwnTable]:
        """The months' tables that cannot become partitions, as there is one by now; in the import's transaction, until
        whose end no other is made.
        """
        run("LOCK TABLE recommendations_event IN SHARE UPDATE EXCLUSIVE MODE")
        return [each for each in self.free if _exists(partition_of(EVENTS, each.start))]

    def attach(self, own: OwnTable) -> None:
        """Make a month's table the record's partition, in the import's transaction."""
        span = {"start": sql.Literal(own.start), "end": sql.Literal(month_after(own.start))}
        partition, trust = sql.Identifier(partition_of(EVENTS, own.start)), sql.Literal(int(Trust.SERVER))
        run(sql.SQL(_ATTACH).format(table=own.identifier, partition=partition, trust=trust, **span))

    def drop(self) -> None:
        """Drop what did not become a part of the record."""
        self._close()
        for each in self.all:
            drop(each.name)

    def _close(self) -> None:
        self._sender.shutdown(cancel_futures=True)
        if self._driver:
            self._driver.close()
            self._driver = None

    def _table(self, month: datetime) -> OwnTable:
        """The table for lines of a month."""
        if month not in self._tables:
            if self._is_free(month):
                own = OwnTable(table_name(self._number, f"{month:%Y%m}"), month)
                parts = {"table": own.identifier, "start": sql.Literal(month), "end": sql.Literal(month_after(month))}
                self._own.execute(sql.SQL(f"{_MAKE}; {_MONTH}").format(trust=sql.Literal(int(Trust.IMPORT)), **parts))
            else:
                own = self.other or OwnTable(table_name(self._number, "others"), None)
                if self.other is None:
                    trust = sql.Literal(int(Trust.IMPORT))
                    self._own.execute(sql.SQL(_MAKE_OTHER).format(table=own.identifier, trust=trust))
                    self.other = own
            self._tables[month] = own
        return self._tables[month]

    def _is_free(self, month: datetime) -> bool:
        """Whether a month has no lines: no partition, or an empty one."""
        name = partition_of(EVENTS, month)
        is_part, there = self._own.execute(_IS_THERE, {"name": name}).fetchall()[0]
        return not there or (
            is_part and not self._own.execute(_HAS_LINES.format(sql.Identifier(name))).fetchall()[0][0]
        )

    def _send(self, table: OwnTable) -> None:
        part = pa.concat_tables(table.waiting)
        table.waiting = []
        while len(self._sent) >= WAITING or (self._sent and self._sent[0].done()):
            self._sent.pop(0).result()
        self._sent.append(self._sender.submit(self._ingest, table.name, part))

    def _ingest(self, name: str, part: pa.Table) -> None:
        kept = [column for column in part.column_names if part[column].null_count < len(part)]
        try:
            self._driver = self._driver or adbc.connect(address(), autocommit=True)
            with self._driver.cursor() as cursor:
                cursor.adbc_ingest(name, part.select(kept), mode="append")
        except adbc.Error as error:
            raise OperationalError(str(error)) from error


def _by_month(lines: pa.Table) -> Iterator[tuple[datetime, pa.Table]]:
    """Lines by the first moment of their month, in order of time."""
    if not len(lines):
        return
    at = lines["occurred_at"].cast(pa.int64()).to_numpy()
    if (at[1:] < at[:-1]).any():
        order = np.argsort(at, kind="stable")
        lines, at = lines.take(pa.array(order)), at[order]
    start = 0
    while start < len(at):
        month = month_of(datetime.fromtimestamp(int(at[start]) // 1_000_000, UTC))
        end = int(np.searchsorted(at, int(month_after(month).timestamp()) * 1_000_000))
        yield month, lines.slice(start, end - start)
        start = end


def _build(own: OwnTable, keys: list[tuple[str, str, str | None]]) -> int:
    """Build the keys of a table; how many lines it has."""
    with own_connection() as connection:
        connection.execute(MEMORY)
        for index, definition, primary in keys:
            name = sql.Identifier(f"{own.name}_{index}"[:63])
            text, rest = (_PRIMARY, primary) if primary else (_INDEX, definition)
            connection.execute(sql.SQL(text).format(table=own.identifier, name=name, rest=sql.SQL(rest)))
        connection.execute(sql.SQL("ANALYZE {table}").format(table=own.identifier))
    return own.lines


def _drop_empty(names: set[str]) -> None:
    with transaction.atomic():
        run(f"SET LOCAL lock_timeout = '{PATIENCE}'")
        run("LOCK TABLE recommendations_event IN ACCESS EXCLUSIVE MODE")
        for name in sorted(names & {name for (name,) in rows(_PARTS)}):
            table = sql.Identifier(name)
            if not rows(_HAS_LINES.format(table))[0][0]:
                run(sql.SQL("DROP TABLE {}").format(table))


def _exists(table: str) -> bool:
    return rows("SELECT to_regclass(%(name)s)", name=table)[0][0] is not None
