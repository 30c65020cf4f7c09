"""Who changed an object last."""

from collections.abc import Collection
from datetime import datetime

from django.utils.translation import gettext as _

from recommendations.models import AuditEntry


def last_change(kind: str, key: int, *, verbs: Collection[str] = ()) -> tuple[str, datetime | None]:
    """Who did something to an object last, and when; with ``verbs``, one of these acts. Empty and None of nothing."""
    entries = AuditEntry.objects.filter(object_type=kind, object_id=str(key)).select_related("staff")
    entries = entries.filter(verb__in=verbs) if verbs else entries
    row = entries.order_by("-at", "-pk").first()
    return (str(row.staff or _("Scheduled or by command")), row.at) if row else ("", None)
