"""Event lines in bulk: from a table of ready lines into the monthly partitions, each line once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from psycopg import sql

from recommendations.store.attribution.statements import NOTED
from recommendations.store.events.insert import EventLine
from recommendations.store.events.partitions import partition_of, prepare_partitions
from recommendations.store.temp_tables import Report, like, rows, run
from recommendations.terms import Trust

READY = "ready_event"
COLUMNS = [name for name in EventLine.__struct_fields__ if name not in {"source", "trust"}]
DEFINITION = like("recommendations_event", COLUMNS)
MONTHS = sql.SQL("""
SELECT date_trunc('month', occurred_at AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' AS month, count(*)
FROM {table} GROUP BY month ORDER BY month
""")
# The order makes the index grow at its end and keeps BRIN's ranges narrow: 1.3 to 1.6 times as fast as without.
APPEND = sql.SQL("""
INSERT INTO {into} ({names}, source, trust)
SELECT {names}, %(source)s, {trust} FROM {table} WHERE occurred_at >= %(start)s AND occurred_at < %(end)s
ORDER BY occurred_at, event_id, line
ON CONFLICT DO NOTHING
""")
_NAMES = sql.SQL(", ").join(map(sql.Identifier, COLUMNS))
# Of lines without a slate those matter that may follow a click on one.
NOTE = sql.SQL(f"""
INSERT INTO recommendations_dueline (occurred_at, event_id, line)
SELECT occurred_at, event_id, line FROM {{table}}
WHERE {NOTED} AND (
  recommendation_id IS NOT NULL OR occurred_at >= (SELECT min(at) FROM recommendations_slateoutcome))
""")  # noqa: S608 - a condition of our own
_NOT_ANALYSED = """
SELECT relname FROM pg_stat_user_tables
WHERE schemaname = current_schema() AND relname = ANY(%(names)s) AND n_mod_since_analyze > 0
"""
ALONE_FROM = 180_000  # the version of PostgreSQL that knows ANALYZE ONLY
ANALYSED = 50_000  # so many new lines change what the planner should expect
SCANS = 8  # the table of ready lines is read at most about this often


@dataclass(frozen=True)
class Month:
    start: datetime
    lines: int


def months_of(table: str = READY) -> list[Month]:
    """The months of the lines in a table, in order."""
    return [Month(start, lines) for start, lines in rows(MONTHS.format(table=sql.Identifier(table)))]


def prepare_months(months: Iterable[Month]) -> None:
    """Make partitions for months; in a transaction of its own, as it locks the event table."""
    for month in months:
        prepare_partitions(month.start, month.start, tables=("recommendations_event",))


def append(months: Sequence[Month], *, source: str, report: Report, step: str, table: str = READY) -> int:
    """Insert the lines of a table, a few months at a time; how many were new (the others were there before)."""
    total = sum(month.lines for month in months)
    new = done = 0
    for start, end, lines in _spans(months, at_least=total // SCANS):
        report(step, done, total)
        new += insert(table, "recommendations_event", source=source, start=start, end=end)
        done += lines
    note_due(table)
    report(step, done, total)
    return new


def insert(table: str, into: str, *, source: str, start: datetime, end: datetime | str) -> int:
    """Insert the lines of a span of time into a table with the keys of the record; how many were new."""
    parts = {"table": sql.Identifier(table), "into": sql.Identifier(into), "trust": sql.Literal(int(Trust.IMPORT))}
    return run(APPEND.format(**parts, names=_NAMES), source=source, start=start, end=end)


def note_due(table: str) -> None:
    """Note the lines of a table that may change what is attributed."""
    run(NOTE.format(table=sql.Identifier(table)))


def refresh_statistics(months: Iterable[Month], *, new: int) -> None:
    """Tell the planner of many new lines in these months: of a partitioned table autovacuum never does.

    Call it after the commit.
    """
    if new < ANALYSED:
        return
    if connection.connection.info.server_version < ALONE_FROM:
        run("ANALYZE recommendations_event")
        return
    run("ANALYZE ONLY recommendations_event")
    names = {partition_of("recommendations_event", month.start) for month in months}
    for (name,) in rows(_NOT_ANALYSED, names=list(names)):
        run(sql.SQL("ANALYZE {}").format(sql.Identifier(name)))


def _spans(months: Sequence[Month], *, at_least: int) -> list[tuple[datetime, datetime | str, int]]:
    """Neighbouring months together until they hold enough lines to be worth a scan."""
    spans: list[tuple[datetime, datetime | str, int]] = []
    first, lines = 0, 0
    for place, month in enumerate(months):
        lines += month.lines
        last = place + 1 == len(months)
        if lines >= at_least or last:
            spans.append((months[first].start, "infinity" if last else months[place + 1].start, lines))
            first, lines = place + 1, 0
    return spans
