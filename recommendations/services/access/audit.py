"""Audit trail of who changed what; every use case that changes something leaves an entry in its own transaction."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.db.models import Model, QuerySet

from recommendations.models import ApiKey, AuditEntry, Staff
from recommendations.services.access.policy import TRAIL, may

FOR_TEST = "publish for a test"
"""The verb of what only an experiment serves."""
ERASED = "erase"
"""The verb of what staff or the shop's server erased of a customer."""
ERASED_BY_OWNER = "erase own"
"""The verb of what a customer erased on the page of their own data."""
ASKED_BY_OWNER, DOWNLOADED_BY_OWNER = "ask own", "download own"
"""The verbs of what a customer asked for there, and took."""
BY_OWNERS = frozenset({ERASED_BY_OWNER, ASKED_BY_OWNER, DOWNLOADED_BY_OWNER})

type Values = dict[str, Any] | None
type Author = Staff | ApiKey | None
"""Whoever acted; None for a command or the schedule."""


class NoteNeededError(Exception):
    """The change goes against a check, so the trail has to say why."""


def needed_note(note: str) -> str:
    """The note without spaces around it. Raises NoteNeededError where nothing is left."""
    if not note.strip():
        raise NoteNeededError
    return note.strip()


def apply(subject: Model, changes: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Set the fields that differ, without saving; returns their values before and after."""
    after = {name: value for name, value in changes.items() if getattr(subject, name) != value}
    before = {name: getattr(subject, name) for name in after}
    for name, value in after.items():
        setattr(subject, name, value)
    return before, after


def record(
    *,
    by: Author,
    verb: str,
    subject: Model,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    note: str = "",
    batch: UUID | None = None,
) -> AuditEntry:
    """Write an entry of the trail; the values of ``before`` and ``after`` are JSON."""
    entry = _entry(by, verb, subject, before=before, after=after, note=note)
    entry.batch = batch
    entry.save()
    return entry


def record_all(
    *, by: Author, verb: str, changes: Iterable[tuple[Model, Values, Values]], batch: UUID | None = None
) -> None:
    """Write entries for many subjects at once (subject, before, after); those of a batch can be undone together."""
    entries = [_entry(by, verb, subject, before=before, after=after) for subject, before, after in changes]
    for entry in entries:
        entry.batch = batch
    AuditEntry.objects.bulk_create(entries, batch_size=1_000)


def hidden_kinds(staff: Staff) -> set[str]:
    """Kinds of objects whose entries the staff member may not see."""
    return {kind for kind, action in TRAIL.items() if not may(staff, action)}


def entries_for(staff: Staff) -> QuerySet[AuditEntry]:
    """Entries of the trail that the staff member may see."""
    return AuditEntry.objects.exclude(object_type__in=hidden_kinds(staff))


def changed_fields(entry: AuditEntry) -> list[tuple[str, Any, Any]]:
    """Fields that differ, with the values before and after; None where the object was not there, or had nothing."""
    before, after = entry.before or {}, entry.after or {}
    names = dict.fromkeys([*before, *after])
    return [(name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)]


def _entry(by: Author, verb: str, subject: Model, *, before: Values, after: Values, note: str = "") -> AuditEntry:
    return AuditEntry(
        staff=by if isinstance(by, Staff) else None,
        api_key=by if isinstance(by, ApiKey) else None,
        verb=verb,
        object_type=subject._meta.model_name or "",
        object_id=str(subject.pk or ""),
        label=(subject.email if isinstance(subject, Staff) else str(subject))[:300],
        before=before,
        after=after,
        note=note,
    )
