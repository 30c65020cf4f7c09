"""Rows that go one by one, as their kinds have no months; and how old the oldest row of each kind is."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from recommendations.models import AuditEntry, RejectedRow, Tombstone
from recommendations.privacy_terms import RetentionKind
from recommendations.store.holders.tables import delete_rows
from recommendations.store.temp_tables import rows

_OLD: Mapping[RetentionKind, tuple[Callable[[], QuerySet[Any]], str]] = {
    RetentionKind.REFUSED_ROWS: (RejectedRow.objects.all, "source__started_at"),
    RetentionKind.TRAIL: (AuditEntry.objects.all, "at"),
    RetentionKind.TOMBSTONES: (Tombstone.objects.all, "at"),
}
"""Kinds of rows, with the column that says how old each is."""

OF_ROWS = tuple(_OLD)
# In the order of ``RetentionKind``. Of the trail the keys grow with time.
_OLDEST = """
SELECT (SELECT min(occurred_at) FROM recommendations_event), (SELECT min(served_at) FROM recommendations_slate),
  (SELECT min(started_at) FROM recommendations_import source
   WHERE EXISTS (SELECT FROM recommendations_rejectedrow WHERE source_id = source.id)),
  (SELECT at FROM recommendations_auditentry ORDER BY id LIMIT 1), (SELECT min(at) FROM recommendations_tombstone)
"""


def oldest_rows() -> dict[RetentionKind, datetime | None]:
    """The moment of the oldest row of every kind, in one query."""
    return dict(zip(RetentionKind, rows(_OLDEST)[0], strict=True))


def count_before(kind: RetentionKind, before: datetime) -> int:
    return _before(kind, before).count()


def delete_before(kind: RetentionKind, before: datetime) -> int:
    """Delete the rows of a kind that are older than a moment, few at once; how many they were."""
    return delete_rows(_before(kind, before))


def _before(kind: RetentionKind, before: datetime) -> QuerySet[Any]:
    stored, column = _OLD[kind]
    return stored().filter(**{f"{column}__lt": before})
