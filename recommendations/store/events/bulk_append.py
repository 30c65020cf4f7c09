"""Event lines in bulk: from a table of ready lines into the monthly partitions, each line once."""

from dataclasses import dataclass
from datetime import datetime

from psycopg import sql

from recommendations.store.attribution.statements import NOTED
from recommendations.store.events.insert import EventLine
from recommendations.store.events.partitions import prepare_partitions
from recommendations.store.temp_tables import Report, like, rows, run
from recommendations.terms import Trust

READY = "ready_event"
COLUMNS = [name for name in EventLine.__struct_fields__ if name not in {"source", "trust"}]
DEFINITION = like("recommendations_event", COLUMNS)
MONTHS = """
SELECT date_trunc('month', occurred_at AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' AS month, count(*)
FROM ready_event GROUP BY month ORDER BY month
"""
# The order makes the index grow at its end and keeps BRIN's ranges narrow: 1.3 to 1.6 times as fast as without.
APPEND = sql.SQL("""
INSERT INTO recommendations_event ({names}, source, trust)
SELECT {names}, %(source)s, {trust} FROM ready_event WHERE occurred_at >= %(start)s AND occurred_at < %(end)s
ORDER BY occurred_at, event_id, line
ON CONFLICT DO NOTHING
""").format(names=sql.SQL(", ").join(map(sql.Identifier, COLUMNS)), trust=sql.Literal(int(Trust.IMPORT)))
# Of lines without a slate those matter that may follow a click on one.
NOTE = f"""
INSERT INTO recommendations_dueline (occurred_at, event_id, line)
SELECT occurred_at, event_id, line FROM ready_event
WHERE {NOTED} AND (
  recommendation_id IS NOT NULL OR occurred_at >= (SELECT min(at) FROM recommendations_slateoutcome))
"""  # noqa: S608 - a condition of our own
ANALYSED = 50_000  # so many new lines change what the planner should expect
SCANS = 8  # the table of ready lines is read at most about this often


@dataclass(frozen=True)
class Month:
    start: datetime
    lines: int


def prepare_months() -> list[Month]:
    """Make partitions for the months of the ready lines; in a transaction of its own, as it locks the event table."""
    months = [Month(start, lines) for start, lines in rows(MONTHS)]
    for month in months:
        prepare_partitions(month.start, month.start, tables=("recommendations_event",))
    return months


def append_ready(months: list[Month], *, source: str, report: Report, step: str) -> int:
    """Insert the ready lines, a few months at a time; how many were new (the others were there before)."""
    total = sum(month.lines for month in months)
    new = done = 0
    for start, end, lines in _spans(months, at_least=total // SCANS):
        report(step, done, total)
        new += run(APPEND, source=source, start=start, end=end)
        done += lines
    run(NOTE)
    report(step, done, total)
    return new


def refresh_statistics(*, new: int) -> None:
    """Tell the planner of many new lines: of a partitioned table autovacuum never does. Call it after the commit."""
    if new >= ANALYSED:
        run("ANALYZE recommendations_event")


def _spans(months: list[Month], *, at_least: int) -> list[tuple[datetime, datetime | str, int]]:
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
