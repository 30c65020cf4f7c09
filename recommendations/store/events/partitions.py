"""Monthly partitions of events and slates. There is no default partition: a row without a month is an error.

A month that was dropped because it was kept long enough is not made again, unless longer is kept by now; one that is
kept in a file never is.
"""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone
from psycopg import sql

from recommendations.models import RetentionDrop
from recommendations.privacy_terms import RetentionKind
from recommendations.store.retention_rules import all_days, archived_files, days_for
from recommendations.store.temp_tables import rows, run

KINDS: Mapping[str, RetentionKind] = {
    "recommendations_event": RetentionKind.EVENTS,
    "recommendations_slate": RetentionKind.SLATES,
}
PARTITIONED = tuple(KINDS)
_KEPT_BY = {**KINDS, "recommendations_event": RetentionKind.EVENT_FILES}
"""Kinds by whose rules what is in these tables is kept, there or in files."""
_HALF_GONE = """
SELECT part.relname FROM pg_class part LEFT JOIN pg_inherits inherits ON inherits.inhrelid = part.oid
WHERE part.relkind = 'r' AND part.relnamespace = current_schema()::regnamespace AND part.relname ~ %(named)s
  AND inherits.inhdetachpending IS NOT FALSE
"""


def prepare_partitions(first: datetime, last: datetime, *, tables: tuple[str, ...] = PARTITIONED) -> int:
    """Make the partitions that are missing for the months from ``first`` to ``last``; how many were made."""
    months = _months(first, last)
    named = {partition_of(table, month): (table, month) for month in months for table in tables}
    missing = named.keys() - _present()
    if missing:
        missing -= _over({name: named[name] for name in missing})
    with connection.cursor() as cursor:
        for name in sorted(missing):
            table, month = named[name]
            cursor.execute(
                sql.SQL("CREATE TABLE IF NOT EXISTS {} PARTITION OF {} FOR VALUES FROM ({}) TO ({})").format(
                    sql.Identifier(name), sql.Identifier(table), sql.Literal(month), sql.Literal(month_after(month))
                )
            )
    return len(missing)


def months_gone(moments: Collection[datetime], *, table: str = "recommendations_event") -> set[datetime]:
    """Moments among these whose month has no partition: nothing of it is kept any more."""
    present = _present()
    return {moment for moment in moments if partition_of(table, month_of(moment)) not in present}


def run_in_half_gone(table: str, statement: str, **values: Any) -> int:
    """Run a statement over each ``{month}`` that is no part of a table any more and still there, as whoever reads it is
    waited for; how many rows it touched. No statement over the whole table reaches these.
    """
    months = map(sql.Identifier, half_gone(table))
    return sum(run(sql.SQL(statement).format(month=month), **values) for month in months)


def half_gone(table: str) -> list[str]:
    """Names of the months that are no part of a table any more, or soon will be, and still there."""
    return [name for (name,) in rows(_HALF_GONE, named=rf"^{table}_y\d{{4}}m\d{{2}}$")]


def partition_of(table: str, month: datetime) -> str:
    """Name of the partition of a month, by the month's first moment."""
    return f"{table}_y{month:%Y}m{month:%m}"


def month_in(partition: str) -> datetime:
    """First moment of the month of which a partition has the name."""
    year, month = partition.rpartition("_y")[2].split("m")
    return datetime(int(year), int(month), 1, tzinfo=UTC)


def gone_until() -> datetime | None:
    """The end of the newest month that went with anything in it; None where none did. What is made anew from before
    would be made from less than there was.
    """
    names = RetentionDrop.objects.filter(rows__gt=0).exclude(partition="").values_list("partition", flat=True)
    return max((month_after(month_in(name)) for name in names), default=None)


def month_of(moment: datetime) -> datetime:
    """First moment of the month in UTC."""
    at = moment.astimezone(UTC)
    return datetime(at.year, at.month, 1, tzinfo=UTC)


def month_after(month: datetime) -> datetime:
    return datetime(month.year + month.month // 12, month.month % 12 + 1, 1, tzinfo=UTC)


def _present() -> set[str]:
    """Names of the partitions that rows go into: one that is being detached is none any more."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE NOT inhdetachpending")
        return {name for (name,) in cursor.fetchall()}


def _over(named: Mapping[str, tuple[str, datetime]]) -> set[str]:
    """Names of those partitions that were dropped, and would be gone again, or have a file in their place."""
    dropped = RetentionDrop.objects.filter(partition__in=named).values_list("partition", flat=True)
    names = set(dropped)
    if not names:
        return set()
    days, now = all_days(), timezone.now()
    ends = {name: (_KEPT_BY[named[name][0]], month_after(named[name][1])) for name in names}
    over = {name for name, (kind, end) in ends.items() if end <= now - timedelta(days=days_for(kind, days))}
    return over | (_archived() & named.keys())


def _archived() -> set[str]:
    """Names of the months of events that are kept in files alone."""
    [table] = [table for table, kind in KINDS.items() if kind is RetentionKind.EVENTS]
    return {partition_of(table, file.month) for file in archived_files()}


def _months(first: datetime, last: datetime) -> list[datetime]:
    month = datetime(first.year, first.month, 1, tzinfo=UTC)
    months = []
    while month <= last:
        months.append(month)
        month = month_after(month)
    return months
