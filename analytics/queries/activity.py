"""The audit trail, over all and per object: who changed what, from what to what."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.core.paginator import Page, Paginator
from django.db.models import Q, QuerySet

from analytics.queries.days import midnight
from recommendations.models import AuditEntry

PER_PAGE = 50
MOST_IN_A_FILE = 10_000


@dataclass(frozen=True, kw_only=True)
class Filters:
    """Filters that the address asks for; what is not understood is left out."""

    kind: str = ""
    key: str = ""  # of one object of the kind
    verb: str = ""
    staff: int | None = None  # 0: commands and the schedule
    text: str = ""
    first: date | None = None
    last: date | None = None
    page: int = 1


def activity(filters: Filters) -> Page[AuditEntry]:
    return Paginator(_chosen(filters), PER_PAGE).get_page(filters.page)


def all_entries(filters: Filters) -> QuerySet[AuditEntry]:
    """Entries for a file: the newest ten thousand."""
    return _chosen(filters)[:MOST_IN_A_FILE]


def _chosen(filters: Filters) -> QuerySet[AuditEntry]:
    entries = AuditEntry.objects.select_related("staff", "api_key").order_by("-at", "-pk")
    exact = {"object_type": filters.kind, "object_id": filters.key, "verb": filters.verb}
    entries = entries.filter(**{name: value for name, value in exact.items() if value})
    if filters.staff is not None:
        entries = entries.filter(staff=filters.staff) if filters.staff else entries.filter(staff=None, api_key=None)
    if filters.text:
        entries = entries.filter(Q(label__icontains=filters.text) | Q(note__icontains=filters.text))
    if filters.first:
        entries = entries.filter(at__gte=midnight(filters.first))
    if filters.last:
        entries = entries.filter(at__lt=midnight(filters.last + timedelta(days=1)))
    return entries
