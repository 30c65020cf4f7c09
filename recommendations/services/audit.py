"""The trail of who changed what; every use case that changes something leaves an entry in its own transaction."""

from typing import Any

from django.db.models import Model

from recommendations.models import AuditEntry, Staff


def record(
    *,
    by: Staff | None,
    verb: str,
    subject: Model,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    note: str = "",
) -> AuditEntry:
    """Values of ``before`` and ``after`` are JSON; ``by`` is None where a command or the schedule acted."""
    return AuditEntry.objects.create(
        staff=by,
        verb=verb,
        object_type=subject._meta.model_name or "",
        object_id=str(subject.pk),
        label=str(subject)[:300],
        before=before,
        after=after,
        note=note,
    )
