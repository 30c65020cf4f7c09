"""Rows that go one by one, as their kinds have no months; and how old the oldest row of each kind is."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from recommendations.models import AuditEntry, PrivacyRequest, Receipt, RejectedRow, Tombstone
from recommendations.privacy_terms import RetentionKind
from recommendations.store.holders.tables import delete_rows
from recommendations.store.temp_tables import rows


def receipts_with_a_next() -> QuerySet[Receipt]:
    """All receipts but the newest, from which the next one goes on."""
    return Receipt.objects.filter(serial__lt=Receipt.objects.order_by("-serial").values("serial")[:1])


_OLD: Mapping[RetentionKind, Sequence[tuple[Callable[[], QuerySet[Any]], str]]] = {
    RetentionKind.REFUSED_ROWS: [(RejectedRow.objects.all, "source__started_at")],
    RetentionKind.TRAIL: [(AuditEntry.objects.all, "at")],
    RetentionKind.TOMBSTONES: [(Tombstone.objects.all, "at")],
    RetentionKind.RECEIPTS: [(lambda: PrivacyRequest.objects.filter(receipts=None), "closed_at")],
}
"""Kinds of rows in the order in which they go, with the columns that say how old each is. Receipts, which are a chain,
go by themselves, before the requests that they are of."""

OF_ROWS = tuple(_OLD)
# In the order of ``RetentionKind``. Of the trail the keys grow with time.
_OLDEST = """
SELECT (SELECT min(occurred_at) FROM recommendations_event),
  (SELECT min(month) FROM recommendations_eventfile WHERE archived), (SELECT min(served_at) FROM recommendations_slate),
  (SELECT min(started_at) FROM recommendations_import source
   WHERE EXISTS (SELECT FROM recommendations_rejectedrow WHERE source_id = source.id)),
  (SELECT at FROM recommendations_auditentry ORDER BY id LIMIT 1), (SELECT min(at) FROM recommendations_tombstone),
  least(
    (SELECT at FROM recommendations_receipt WHERE serial < (SELECT max(serial) FROM recommendations_receipt)
     ORDER BY serial LIMIT 1),
    (SELECT min(closed_at) FROM recommendations_privacyrequest request
     WHERE NOT EXISTS (SELECT FROM recommendations_receipt WHERE request_id = request.id)))
"""


def oldest_rows() -> dict[RetentionKind, datetime | None]:
    """The moment of the oldest row of every kind, in one query."""
    return dict(zip(RetentionKind, rows(_OLDEST)[0], strict=True))


def count_before(kind: RetentionKind, before: datetime) -> int:
    receipts = receipts_with_a_next().filter(at__lt=before).count() if kind is RetentionKind.RECEIPTS else 0
    return receipts + sum(each.count() for each in _before(kind, before))


def delete_before(kind: RetentionKind, before: datetime) -> int:
    """Delete the rows of a kind that are older than a moment, few at once; how many they were."""
    return sum(map(delete_rows, _before(kind, before)))


def _before(kind: RetentionKind, before: datetime) -> Iterator[QuerySet[Any]]:
    for stored, column in _OLD[kind]:
        yield stored().filter(**{f"{column}__lt": before})
