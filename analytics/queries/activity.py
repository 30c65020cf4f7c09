"""The audit trail, over all and per object: who changed what, from what to what."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from django.apps import apps
from django.core.paginator import Page, Paginator
from django.db.models import Q, QuerySet
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy, pgettext_lazy

from analytics.queries.days import midnight
from recommendations.models import AuditEntry, Staff
from recommendations.services.access.audit import changed_fields

PER_PAGE = 50
MOST_IN_A_FILE = 10_000
LONGEST = 120  # characters of a value on the page
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")

VERBS: Mapping[str, Promise] = {
    "change": pgettext_lazy("activity", "changed"),
    "create": pgettext_lazy("activity", "created"),
    "archive": pgettext_lazy("activity", "archived"),
    "restore": pgettext_lazy("activity", "restored"),
    "reorder": pgettext_lazy("activity", "reordered"),
    "publish": pgettext_lazy("activity", "published"),
    "withdraw": pgettext_lazy("activity", "withdrew"),
    "roll back": pgettext_lazy("activity", "rolled back"),
    "discard": pgettext_lazy("activity", "discarded"),
    "draft": pgettext_lazy("activity", "drafted"),
    "tune": pgettext_lazy("activity", "tuned"),
    "suggest": pgettext_lazy("activity", "asked for a suggestion of"),
    "make live": pgettext_lazy("activity", "made live"),
    "start": pgettext_lazy("activity", "started"),
    "cancel": pgettext_lazy("activity", "cancelled"),
    "resume": pgettext_lazy("activity", "resumed"),
    "rename": pgettext_lazy("activity", "renamed"),
    "retire": pgettext_lazy("activity", "retired"),
    "bring back": pgettext_lazy("activity", "brought back"),
    "import": pgettext_lazy("activity", "imported"),
    "revert": pgettext_lazy("activity", "reverted"),
    "undo": pgettext_lazy("activity", "undid"),
    "plan": pgettext_lazy("activity", "planned"),
    "revoke": pgettext_lazy("activity", "revoked"),
    "rotate": pgettext_lazy("activity", "replaced"),
    "invite": pgettext_lazy("activity", "invited"),
    "judge": pgettext_lazy("activity", "judged"),
    "set password": pgettext_lazy("activity", "set the password of"),
}
KINDS: Mapping[str, Promise] = {
    "rule": gettext_lazy("Rule"),
    "rulebook": gettext_lazy("Book of rules"),
    "blendweights": gettext_lazy("Weights"),
    "blend": gettext_lazy("Blend"),
    "placement": gettext_lazy("Placement"),
    "segment": gettext_lazy("Segment"),
    "item": gettext_lazy("Item"),
    "category": gettext_lazy("Category"),
    "promotion": gettext_lazy("Promotion"),
    "import": gettext_lazy("Import"),
    "run": gettext_lazy("Run"),
    "modelversion": gettext_lazy("Model"),
    "apikey": gettext_lazy("API key"),
    "staff": gettext_lazy("Staff member"),
    "judgement": gettext_lazy("Verdict"),
}
PAGES: Mapping[str, str] = {"run": "run", "rule": "rule", "item": "item"}
"""Kinds of objects that have a page of their own: the name of its address, which takes the primary key."""


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


@dataclass(frozen=True, kw_only=True)
class FieldDifference:
    """A field that changed; None where the object was not there before, or is no more."""

    field: str
    before: str | None
    after: str | None


@dataclass(frozen=True, kw_only=True)
class ActivityRow:
    entry: AuditEntry
    verb: str
    kind: str
    address: str | None
    differences: Sequence[FieldDifference]


@dataclass(frozen=True, kw_only=True)
class Activity:
    page: Page[AuditEntry]
    lines: Sequence[ActivityRow]
    people: Sequence[Staff]


def activity(filters: Filters) -> Activity:
    page = Paginator(_chosen(filters), PER_PAGE).get_page(filters.page)
    return Activity(page=page, lines=[line_of(entry) for entry in page], people=list(Staff.objects.order_by("email")))


def all_lines(filters: Filters) -> list[ActivityRow]:
    """Rows for a file: the newest ten thousand."""
    return [line_of(entry, longest=None) for entry in _chosen(filters)[:MOST_IN_A_FILE]]


def line_of(entry: AuditEntry, *, longest: int | None = LONGEST) -> ActivityRow:
    return ActivityRow(
        entry=entry,
        verb=str(VERBS.get(entry.verb, entry.verb)),
        kind=str(KINDS.get(entry.object_type, entry.object_type)),
        address=_address(entry),
        differences=_differences(entry, longest=longest),
    )


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


def _differences(entry: AuditEntry, *, longest: int | None) -> list[FieldDifference]:
    return [
        FieldDifference(
            field=_field_words(entry.object_type, name),
            before=_as_text(before, longest),
            after=_as_text(after, longest),
        )
        for name, before, after in changed_fields(entry)
    ]


@lru_cache(maxsize=1_000)
def _fields(kind: str) -> Mapping[str, Any]:
    """Verbose names of a model's fields; none where there is no such model."""
    try:
        model = apps.get_model("recommendations", kind)
    except LookupError:
        return {}
    return {field.name: field.verbose_name for field in model._meta.fields + model._meta.many_to_many}


def _field_words(kind: str, name: str) -> str:
    return str(_fields(kind).get(name, name.replace("_", " ")))


def _as_text(given: Any, longest: int | None) -> str | None:
    if given is None:
        return None
    value = _moment(given)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if longest is None or len(text) <= longest else f"{text[:longest]}…"


def _moment(value: Any) -> Any:
    """A time in words, in the shop's time zone; anything else as it is."""
    if not isinstance(value, str) or not MOMENT.match(value):
        return value
    at = parse_datetime(value)
    return value if at is None or timezone.is_naive(at) else date_format(timezone.localtime(at), "DATETIME_FORMAT")


def _address(entry: AuditEntry) -> str | None:
    name = PAGES.get(entry.object_type)
    try:
        return reverse(name, args=[entry.object_id]) if name else None
    except NoReverseMatch:
        return None
