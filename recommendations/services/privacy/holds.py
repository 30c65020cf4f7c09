"""Legal holds: a duty to keep what is held of somebody. Their erasure is taken in, and waits until the hold ends."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from recommendations.models import LegalHold, Staff
from recommendations.services.access import audit
from recommendations.services.access.audit import needed_note
from recommendations.services.privacy.requests import NoIdsError
from recommendations.services.privacy.sealed import PersonIds
from recommendations.store.erasure.subjects import subject_digest


class HoldIsOverError(Exception):
    """The hold has ended, or was lifted before."""


class HoldEndsBeforeError(Exception):
    """The hold would end before it begins."""


@transaction.atomic
def hold(ids: PersonIds, *, reason: str, until: datetime | None, by: Staff | None, now: datetime) -> LegalHold:
    """Keep what is held of somebody, who may be unknown yet; without ``until`` it lasts until somebody lifts it.

    Raises NoIdsError, NoteNeededError where the reason is empty, and HoldEndsBeforeError.
    """
    if ids.user_id is None and not ids.anonymous_ids:
        raise NoIdsError
    if until is not None and until <= now:
        raise HoldEndsBeforeError
    digest = subject_digest(ids.user_id, ids.anonymous_ids)
    stored = LegalHold.objects.create(digest=digest, reason=needed_note(reason), by=by, since=now, until=until)
    audit.record(by=by, verb="hold", subject=stored, after={"until": until.isoformat() if until else None})
    return stored


@transaction.atomic
def lift_hold(stored: LegalHold, *, by: Staff | None, now: datetime) -> LegalHold:
    """End a hold now; erasures that waited for it go on within a minute. Raises HoldIsOverError."""
    stored = LegalHold.objects.select_for_update().get(pk=stored.pk)
    if stored.until is not None and stored.until <= now:
        raise HoldIsOverError
    before, stored.until = stored.until, now
    stored.save(update_fields=["until"])
    audit.record(
        by=by, verb="lift", subject=stored,
        before={"until": before.isoformat() if before else None}, after={"until": now.isoformat()},
    )  # fmt: skip
    return stored


def lasting(*, now: datetime) -> QuerySet[LegalHold]:
    return LegalHold.objects.filter(Q(until=None) | Q(until__gt=now), since__lte=now)
