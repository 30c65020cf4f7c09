"""Legal holds: a duty to keep what is held of somebody. Their erasure is taken in, and waits until the hold ends."""

from datetime import datetime

from django.db import transaction

from recommendations.models import LegalHold, Staff
from recommendations.services.access import audit
from recommendations.services.access.audit import needed_note
from recommendations.services.privacy.requests import NoIdsError
from recommendations.services.privacy.sealed import PersonIds
from recommendations.store.erasure.legal_holds import lasting_holds, lock_holds
from recommendations.store.erasure.subjects import hold_digest
from recommendations.store.events.generations import settled
from recommendations.store.events.id_cache import person_keys
from recommendations.terms import CustomerKind

__all__ = ["HoldEndsBeforeError", "HoldIsOverError", "NoIdsError", "hold", "lasting_holds", "lift_hold"]


class HoldIsOverError(Exception):
    """The hold has ended, or was lifted before."""


class HoldEndsBeforeError(Exception):
    """The hold would end before it begins."""


@transaction.atomic
def hold(ids: PersonIds, *, reason: str, until: datetime | None, by: Staff | None, now: datetime) -> LegalHold:
    """Keep what is held of somebody; without ``until`` it lasts until somebody lifts it.

    Each id has a hold of its own, as nobody knows yet whether they are joined; that of the first is returned. Who is
    unknown is added, so that the hold follows their row where pseudonyms get a layer before they come. Raises
    NoIdsError, NoteNeededError where the reason is empty, HoldEndsBeforeError, and RotatingError.
    """
    if ids.user_id is None and not ids.anonymous_ids:
        raise NoIdsError
    if until is not None and until <= now:
        raise HoldEndsBeforeError
    reason = needed_note(reason)
    with settled():
        person_keys([] if ids.user_id is None else [ids.user_id], CustomerKind.SIGNED_IN)
        person_keys(ids.anonymous_ids, CustomerKind.ANONYMOUS)
        digests = _digests_of(ids)
    lock_holds()
    stored = [LegalHold(digest=each, reason=reason, by=by, since=now, until=until) for each in digests]
    LegalHold.objects.bulk_create(stored)
    for each in stored:
        audit.record(by=by, verb="hold", subject=each, after={"until": until.isoformat() if until else None})
    return stored[0]


def _digests_of(ids: PersonIds) -> list[bytes]:
    """Digests of all these ids, each once, that of the signed-in one first."""
    named = [] if ids.user_id is None else [hold_digest(ids.user_id, [])]
    return list(dict.fromkeys([*named, *(hold_digest(None, [each]) for each in ids.anonymous_ids)]))


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
