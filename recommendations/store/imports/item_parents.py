"""Variants in a file of items: each names its parent, or a group of which one item is the parent of the others."""

from collections.abc import Mapping
from datetime import datetime

from recommendations.store.imports import item_rows, validate
from recommendations.store.imports.row_checks import ITEM_JOIN
from recommendations.store.imports.table_files import Header
from recommendations.store.temp_tables import heavy, rows, run

GIVEN = {"parent_id", "item_group_id"}

# The planner may take a catalogue that grows in this transaction for a single row: then each row is looked up here.
INDEX = "CREATE INDEX ON staged (item_id)"
# The parent of a group is the item that has the group's name, else the one that most of its items have already (so that
# it stays where the order of the rows changes), else the first of them in the file.
FOLLOW = """
WITH grouped AS (
  SELECT staged.item_id, staged.item_group_id AS name, staged.file_line, parent.shop_id AS had
  FROM staged LEFT JOIN recommendations_item item ON item.shop_id = staged.item_id
  LEFT JOIN recommendations_item parent ON parent.id = item.parent_id
  WHERE staged.item_group_id IS NOT NULL AND staged.parent_id IS NULL
), heads AS (
  SELECT DISTINCT ON (name) name, head FROM (
    SELECT name, item.shop_id AS head, 0 AS rank, 0::bigint AS place
    FROM (SELECT DISTINCT name FROM grouped) names JOIN recommendations_item item ON item.shop_id = name
    UNION ALL SELECT names.name, names.name, 0, 0
    FROM (SELECT DISTINCT name FROM grouped) names JOIN staged ON staged.item_id = names.name
    UNION ALL SELECT name, had, 1, -count(*) FROM grouped LEFT JOIN staged other ON other.item_id = had
    WHERE had IS NOT NULL AND (other.item_id IS NULL OR other.item_group_id = name) GROUP BY name, had
    UNION ALL SELECT name, item_id, 2, file_line FROM grouped
  ) candidates ORDER BY name, rank, place, head
)
UPDATE staged SET parent_id = nullif(heads.head, staged.item_id)
FROM heads WHERE heads.name = staged.item_group_id AND staged.parent_id IS NULL
"""
LINK = """
UPDATE recommendations_item item SET parent_id = parent.id, updated_at = %(now)s
FROM staged LEFT JOIN recommendations_item parent ON parent.shop_id = staged.parent_id
WHERE item.shop_id = staged.item_id AND item.parent_id IS DISTINCT FROM parent.id
RETURNING item.id
"""


def in_(header: Header) -> bool:
    """Whether a file says anything about variants."""
    return bool(GIVEN & header.places.keys())


def follow_groups() -> None:
    """Give the rows of each group their parent; rows that were refused are no longer there to be one."""
    with heavy():
        run(INDEX)
        run("ANALYZE staged (item_id, item_group_id, parent_id)")
        run(FOLLOW)


def refuse_orphans(refused: Mapping[str, int]) -> dict[str, int]:
    """Refuse rows whose parent was in a row that was refused itself, and those whose parent they are in turn."""
    counts = dict(refused)
    while True:
        again = validate.judge(item_rows.FORM, item_rows.ORPHANED, joins=ITEM_JOIN, values={})
        if again == counts:
            return counts
        counts = again


def link(*, now: datetime) -> set[int]:
    """Make the items of the file variants of their parents; keys of those that were others', or nobody's."""
    return {key for (key,) in rows(LINK, now=now)}
