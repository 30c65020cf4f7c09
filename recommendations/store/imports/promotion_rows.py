"""Rows of a promotion file: the form, the rules in SQL, and the way from text to ready promotions."""

from datetime import datetime

from psycopg import sql

from recommendations.fields import Id
from recommendations.models.promotions import WEEK
from recommendations.store.imports.promotion_merge import SHARES, first_weekday
from recommendations.store.imports.row_checks import RowCheck, all_broken, checks_of, needed, share
from recommendations.store.imports.table_files import Header
from recommendations.store.imports.validate import Form
from recommendations.store.temp_tables import rows

FORM = Form(known=["item_id", "week", *SHARES], needed=["item_id", "week"], one_of=SHARES)
MONDAY = 0
MOST_WEEKS_AHEAD = 104
NOT_THE_WEEKDAY = (
    "not_a_monday", "not_a_tuesday", "not_a_wednesday", "not_a_thursday", "not_a_friday", "not_a_saturday",
    "not_a_sunday",
)  # fmt: skip
DAY = r"'^\d\d\d\d-\d\d-\d\d([T ]00:00(:00(\.0+)?)?)?$'"  # Parquet and spreadsheets write midnight after a date

BEFORE_THE_WEEKDAY = [
    *needed("item_id"),
    *checks_of(Id, "item_id"),
    *needed("week"),
    RowCheck("week", "not_a_date", f"staged.week !~ {DAY} OR NOT pg_input_is_valid(staged.week, 'timestamp')"),
    RowCheck("week", "too_old", "staged.week < '1990'"),
    RowCheck("week", "too_far_ahead", "left(staged.week, 10)::date > %(latest)s"),
]
AFTER_THE_WEEKDAY = [
    *share("display"),
    *share("mailer"),
    RowCheck("item_id", "unknown_item", "item.id IS NULL"),
]
WEEKDAY = sql.SQL("""
SELECT extract(isodow FROM day)::integer - 1 FROM (
  SELECT file_line, CASE WHEN week ~ {day} AND pg_input_is_valid(week, 'timestamp') THEN left(week, 10)::date END AS day
  FROM staged WHERE fault IS NULL
) dates WHERE day IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC, min(file_line) LIMIT 1
""").format(day=sql.SQL(DAY))
KEY = sql.SQL("item_id, left(week, 10)")
READY = """
INSERT INTO ready_promotion (item_id, week, display, mailer)
SELECT item.id, left(week, 10)::date, round(display::numeric, 6)::float, round(mailer::numeric, 6)::float
FROM staged JOIN recommendations_item item ON item.shop_id = staged.item_id
"""


def verdict() -> sql.Composable:
    """The rules, with the weekday on which the shop's weeks start: that of the plan so far, else of most rows."""
    planned = first_weekday()
    filed = planned if planned is not None else next((day for (day,) in rows(WEEKDAY)), MONDAY)
    other = sql.SQL("extract(isodow FROM left(staged.week, 10)::date) <> {}").format(sql.Literal(filed + 1))
    return all_broken([*BEFORE_THE_WEEKDAY, RowCheck("week", NOT_THE_WEEKDAY[filed], other), *AFTER_THE_WEEKDAY])


def rule_values(*, now: datetime) -> dict[str, object]:
    return {"latest": (now + MOST_WEEKS_AHEAD * WEEK).date()}


def given(header: Header) -> list[str]:
    """The shares that the file has."""
    return [name for name in SHARES if name in header.places]
