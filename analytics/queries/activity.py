"""The audit trail, over all and per object: who changed what, from what to what."""

from datetime import date, timedelta

from django.core.paginator import Page, Paginator
from django.db.models import Q, QuerySet
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from analytics import filters as fields
from analytics.queries.days import midnight
from analytics.templatetags.activity import BY_STRANGERS, KINDS, VERBS
from recommendations.models import AuditEntry, Staff
from recommendations.services.access.audit import BY_OWNERS, entries_for

PER_PAGE = 50
MOST_IN_A_FILE = 10_000
TOGETHER = {"agent": ("agent", "agentrules", "agentpractice")}
"""Kinds that are asked for by one of them: of the agent its rules and practices as well."""
OURS = Q(staff=None, api_key=None) & ~Q(verb__in={*BY_STRANGERS, *BY_OWNERS})
"""Entries of commands and of the schedule."""


class Filters(fields.ListFilters):
    """Filters of the trail; ``key`` is of one object of the kind, ``staff`` 0 for commands and the schedule."""

    kind: str = fields.choice(KINDS, "type", usual="")
    key: str = fields.text("id", words=None)
    verb: str = fields.choice(VERBS, usual="")
    staff: int | None = fields.number()
    text: str = fields.text("q")
    first: date | None = fields.day("from", words=lambda first: _("from %(day)s") % {"day": date_format(first)})
    last: date | None = fields.day("until", words=lambda last: _("until %(day)s") % {"day": date_format(last)})
    page: int = fields.page()

    def clean(self) -> None:
        if not self.cleaned_data["kind"]:
            self.cleaned_data["key"] = ""


def activity(filters: Filters, *, by: Staff) -> Page[AuditEntry]:
    """Page of the entries that the staff member ``by`` may see."""
    return Paginator(_chosen(filters, by), PER_PAGE).get_page(filters.page)


def all_entries(filters: Filters, *, by: Staff) -> QuerySet[AuditEntry]:
    """Entries for a file: the newest ten thousand."""
    return _chosen(filters, by)[:MOST_IN_A_FILE]


def _chosen(filters: Filters, by: Staff) -> QuerySet[AuditEntry]:
    entries = entries_for(by).select_related("staff", "api_key").order_by("-at", "-pk")
    if filters.kind:
        alone = (filters.kind,)  # one object has one kind
        entries = entries.filter(object_type__in=alone if filters.key else TOGETHER.get(filters.kind, alone))
    exact = {"object_id": filters.key, "verb": filters.verb}
    entries = entries.filter(**{name: value for name, value in exact.items() if value})
    if filters.staff is not None:
        entries = entries.filter(staff=filters.staff) if filters.staff else entries.filter(OURS)
    if filters.text:
        entries = entries.filter(Q(label__icontains=filters.text) | Q(note__icontains=filters.text))
    if filters.first:
        entries = entries.filter(at__gte=midnight(filters.first))
    if filters.last:
        entries = entries.filter(at__lt=midnight(filters.last + timedelta(days=1)))
    return entries
