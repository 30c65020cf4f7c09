"""Promotions in bulk: from a table of ready ones into the plan."""

from collections.abc import Sequence
from datetime import date

from psycopg import sql

from recommendations.models import Promotion
from recommendations.store.temp_tables import like, rows, run, upsert

READY = "ready_promotion"
SHARES = ("display", "mailer")
DEFINITION = like("recommendations_promotion", ("item_id", "week", *SHARES))

MERGE = sql.SQL("""
INSERT INTO recommendations_promotion AS stored (item_id, week, display, mailer)
SELECT item_id, week, coalesce(display, 0), coalesce(mailer, 0) FROM ready_promotion ORDER BY week, item_id
ON CONFLICT (item_id, week) {action}
""")
# One look into the index per week, where DISTINCT would read every row.
WEEKS = """
WITH RECURSIVE weeks AS (
  (SELECT week FROM recommendations_promotion ORDER BY week DESC LIMIT 1)
  UNION ALL
  SELECT (SELECT week FROM recommendations_promotion WHERE week < weeks.week ORDER BY week DESC LIMIT 1)
  FROM weeks WHERE weeks.week IS NOT NULL
)
SELECT week FROM weeks WHERE week IS NOT NULL
"""


def merge_ready(*, given: Sequence[str]) -> int:
    """Bring the ready promotions into the plan; how many were new or had a share of ``given`` that differs.

    A share that is not given keeps what it has, and is 0 in a row that is new. Without any given share only new rows
    are added.
    """
    return run(MERGE.format(action=upsert([name for name in SHARES if name in given], stored="stored")))


def refresh_statistics(*, changed: int) -> None:
    """Tell the planner of changes at once, where autovacuum would come a minute late."""
    if changed:
        run("ANALYZE recommendations_promotion")


def weeks() -> list[date]:
    """First days of all weeks that have a promotion, newest first."""
    return [week for (week,) in rows(WEEKS)]


def first_weekday() -> int | None:
    """The weekday on which the shop's weeks start: 0 Monday … 6 Sunday; None before the first promotion."""
    week = Promotion.objects.order_by("-week").values_list("week", flat=True).first()
    return None if week is None else week.weekday()
