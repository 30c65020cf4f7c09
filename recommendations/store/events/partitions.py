"""Monthly partitions of events and slates. There is no default partition: a row without a month is an error."""

from datetime import UTC, datetime

from django.db import connection
from psycopg import sql

PARTITIONED = ("recommendations_event", "recommendations_slate")


def prepare_partitions(first: datetime, last: datetime, *, tables: tuple[str, ...] = PARTITIONED) -> int:
    """Make the partitions that are missing for the months from ``first`` to ``last``; how many were made."""
    count = 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits")
        present = {name for (name,) in cursor.fetchall()}
        for month in _months(first, last):
            for table in tables:
                name = f"{table}_y{month:%Y}m{month:%m}"
                if name in present:
                    continue
                cursor.execute(
                    sql.SQL("CREATE TABLE IF NOT EXISTS {} PARTITION OF {} FOR VALUES FROM ({}) TO ({})").format(
                        sql.Identifier(name), sql.Identifier(table), sql.Literal(month), sql.Literal(_next(month))
                    )
                )
                count += 1
    return count


def _months(first: datetime, last: datetime) -> list[datetime]:
    month = datetime(first.year, first.month, 1, tzinfo=UTC)
    months = []
    while month <= last:
        months.append(month)
        month = _next(month)
    return months


def _next(month: datetime) -> datetime:
    return datetime(month.year + month.month // 12, month.month % 12 + 1, 1, tzinfo=UTC)
