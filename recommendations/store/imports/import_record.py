"""The record of an import: what came in, what was kept, and every row that was refused with its remedy."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from recommendations.models import Import
from recommendations.store.imports.csv_rows import storable
from recommendations.store.temp_tables import rows as ask

LOCKS = 0x1397  # advisory locks of imports; the second number is the import's
_UNDER_WAY = """
SELECT EXISTS (
  SELECT FROM pg_locks JOIN pg_database base ON base.oid = database
  WHERE locktype = 'advisory' AND granted AND classid = %(locks)s AND objsubid = 2 AND datname = current_database())
"""


def begin(*, kind: str, file: str) -> Import:
    """Begin an import. Those whose process was killed are said to have failed."""
    for left in Import.objects.filter(status=Import.Status.RUNNING):
        if ask("SELECT pg_try_advisory_lock(%(locks)s, %(key)s)", locks=LOCKS, key=left.pk)[0][0]:
            fail(left, _interrupted(left))
    with transaction.atomic():  # nobody sees it without its lock
        imported = Import.objects.create(kind=kind, file=storable(file)[:300])
        ask("SELECT pg_advisory_lock(%(locks)s, %(key)s)", locks=LOCKS, key=imported.pk)
    return imported


def under_way() -> bool:
    """Whether any file is being imported, by whatever process."""
    return bool(ask(_UNDER_WAY, locks=LOCKS)[0][0])


def finish(
    imported: Import,
    *,
    rows: int,
    kept: int,
    duplicates: int,
    reasons: Mapping[str, int],
    held: int = 0,
    message: str = "",
) -> None:
    """End an import: ``rows`` = kept + duplicates + held for the replay + refused; anything else is a fault of ours."""
    rejected = sum(reasons.values())
    if rows != kept + duplicates + held + rejected:
        raise AssertionError(f"{rows} rows came in, but {kept} + {duplicates} + {held} + {rejected} are accounted for")
    imported.held = held
    imported.rows, imported.kept, imported.duplicates, imported.rejected = rows, kept, duplicates, rejected
    imported.reasons, imported.message = dict(reasons), message
    _end(imported, Import.Status.FINISHED, timezone.now())


def fail(imported: Import, message: str, *, status: Import.Status = Import.Status.FAILED) -> None:
    imported.message = storable(message)
    _end(imported, status, timezone.now())


def _interrupted(imported: Import) -> str:
    if imported.kind == Import.Kind.CONTACTS:
        return _("It was interrupted; import the file again, which changes nothing of what was taken.")
    return _("It was interrupted, and nothing was kept; import the file again.")


def _end(imported: Import, status: Import.Status, at: datetime) -> None:
    imported.status, imported.finished_at = status, at
    imported.save()
    ask("SELECT pg_advisory_unlock(%(locks)s, %(key)s)", locks=LOCKS, key=imported.pk)
