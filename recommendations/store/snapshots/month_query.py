"""Events of a month as files have them, and how many of them files have not seen.

Which rows are new is told by ``xmin``, the transaction that wrote a row, and the snapshot that a file was written from.
A row that was changed is a new one of which the old is gone; so where a month has as many rows as its file and those
that are new, it has the file's rows and those, and otherwise the file is of no use. That holds for whatever writes
events, in whatever order it commits. Of a number that PostgreSQL gave twice, as after four billion transactions, and of
one within a savepoint the same sum is wrong, and the month is written anew.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

import pyarrow as pa
from django.conf import settings
from psycopg import sql

from recommendations.store.events.partitions import half_gone, month_after, month_in
from recommendations.store.snapshots.columns import read_text
from recommendations.store.temp_tables import copying, rows
from recommendations.terms import Trust

FORMAT = 1
"""The number of what stands in files, and how; with another one all are written anew."""
TABLE = "recommendations_event"
EVENTS = sql.Identifier(TABLE)
BLOCK = 8 << 20  # bytes of text that become a table at once

# Who is being erased is not written again. Of the replay purchases count, which somebody made.
_EVENTS = """
FROM {table} event
WHERE event.occurred_at >= {first} AND event.occurred_at < {end}
  AND (event.source <> 'replay' OR event.name = 'purchase')
  AND NOT EXISTS (
    SELECT FROM recommendations_customer gone WHERE gone.id = event.customer_id AND gone.erased_at IS NOT NULL)
"""
# Of a month that is no part of the record any more, what came of an order of theirs without a name is left out as well.
_LAST = """
(event.customer_id IS NOT NULL OR event.transaction_id IS NULL OR event.transaction_id NOT IN (
  SELECT theirs.transaction_id FROM {table} theirs JOIN recommendations_customer gone ON gone.id = theirs.customer_id
  WHERE gone.erased_at IS NOT NULL AND theirs.transaction_id IS NOT NULL))
"""
_ROWS = f"""
COPY (
  SELECT coalesce(event.customer_id, -1) AS customer, coalesce(event.item_id, -1), event.name,
         extract(epoch FROM event.occurred_at) / 86400.0, event.event_id, event.line,
         coalesce(hashtextextended(coalesce('t' || event.transaction_id, 's' || event.session_id), 0)
                  & x'7fffffffffffffff'::bigint, -1),
         event.quantity, event.price, event.amount,
         coalesce(event.rating / nullif(event.rating_scale, 0), event.progress), event.trust,
         (CASE WHEN event.trust >= {{server}} THEN event.occurred_at ELSE event.received_at END
          AT TIME ZONE {{zone}})::date - date '1970-01-01',
         (extract(epoch FROM event.received_at) * 1000000)::bigint, event.key_id
  {_EVENTS} AND {{new}}
  ORDER BY customer, event.occurred_at, event.event_id, event.line
) TO STDOUT (FORMAT csv)
"""  # noqa: S608 - expressions of our own
# The whole number of the transaction that wrote a row, of which the row has the last 32 bits.
_WRITER = "({own}::bigint - (({own}::bigint - event.xmin::text::bigint) & 4294967295))"
_NEW = f"""
(CASE WHEN {_WRITER} < pg_snapshot_xmin({{seen}}::pg_snapshot)::text::bigint THEN false
      ELSE NOT pg_visible_in_snapshot({_WRITER}::text::xid8, {{seen}}::pg_snapshot) END)
"""
_COUNTS = f"SELECT count(*), count(*) FILTER (WHERE {{since_main}}), count(*) FILTER (WHERE {{since_late}}) {_EVENTS}"
_MONTHS = """
SELECT inhrelid::regclass::text, inhrelid::bigint FROM pg_inherits
WHERE inhparent = 'recommendations_event'::regclass AND NOT inhdetachpending ORDER BY 1
"""
_VIEW = """
SELECT pg_current_xact_id()::text::bigint + 1048576, pg_current_snapshot()::text, system_identifier::text,
  current_setting('server_version_num')::integer / 10000
FROM pg_control_system()
"""


class View(NamedTuple):
    """What the transaction that is open sees: PostgreSQL's snapshot, the cluster, its major version."""

    number: int  # beyond those of all that it sees, its own savepoints among them
    seen: str
    cluster: str
    version: int

    def basis(self, table: int) -> str:
        """All that files of a month depend on beside its rows; ``table``: what PostgreSQL calls the month's."""
        facts = (FORMAT, self.cluster, self.version, table, settings.SHOP_TIME_ZONE)
        return " ".join(map(str, facts))


class MonthCounts(NamedTuple):
    """Rows of a month; those that the month's file has not seen, and that none of its two files has."""

    rows: int
    since_main: int
    since_late: int


def months() -> dict[datetime, int]:
    """What PostgreSQL calls the tables of the months that there are, by the months' first moments, in order."""
    return {month_in(name): table for name, table in rows(_MONTHS) if name.startswith(f"{TABLE}_y")}


def months_half_gone() -> set[datetime]:
    """Months that are on their way out of the record, by their first moments."""
    return set(map(month_in, half_gone(TABLE)))


def view() -> View:
    return View(*rows(_VIEW)[0])


def count(month: datetime, of: View, *, main: str, late: str) -> MonthCounts:
    """Count the rows of a month; ``main``, ``late``: the snapshots that its files were written from."""
    since = {"since_main": _new(of, main), "since_late": _new(of, late)}
    return MonthCounts(*rows(sql.SQL(_COUNTS).format(table=EVENTS, **since, **_span(month)))[0])


def read_month(month: datetime, of: View, *, since: str | None = None) -> Iterator[pa.Table]:
    """Rows of a month in the order of files, part by part; ``since``: those that this snapshot has not seen."""
    return _tables(month, EVENTS, sql.SQL("true") if since is None else _new(of, since))


def read_detached(month: datetime, table: str) -> Iterator[pa.Table]:
    """Rows of a month whose table is no part of the record any more, as ``read_month`` gives them."""
    detached = sql.Identifier(table)
    return _tables(month, detached, sql.SQL(_LAST).format(table=detached))


def _tables(month: datetime, table: sql.Identifier, new: sql.Composable) -> Iterator[pa.Table]:
    values = {"server": sql.Literal(int(Trust.SERVER)), "zone": sql.Literal(settings.SHOP_TIME_ZONE)}
    text = bytearray()
    with copying(sql.SQL(_ROWS).format(new=new, table=table, **values, **_span(month))) as copied:
        for block in copied:  # of whole rows
            text += block
            if len(text) >= BLOCK:
                yield read_text(bytes(text))
                text.clear()
    if text:
        yield read_text(bytes(text))


def _new(of: View, seen: str) -> sql.Composable:
    return sql.SQL(_NEW).format(own=sql.Literal(of.number), seen=sql.Literal(seen))


def _span(month: datetime) -> dict[str, sql.Literal]:
    return {"first": sql.Literal(month), "end": sql.Literal(month_after(month))}
