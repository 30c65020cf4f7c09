"""Legal holds: a duty to keep what is held of somebody. Their erasure is taken in, and waits until the hold ends."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from recommendations.models import LegalHold, PrivacyRequest, Staff
from recommendations.models.jobs import UNFINISHED
from recommendations.services.access import audit
from recommendations.services.access.audit import needed_note
from recommendations.services.privacy.requests import NoIdsError
from recommendations.services.privacy.sealed import PersonIds
from recommendations.store.erasure.legal_holds import lasting_holds, lock_holds
from recommendations.store.events.generations import settled
from recommendations.store.events.pseudonyms import pseudonym, pseudonyms
from recommendations.store.events.tombstones import digest_of
from recommendations.terms import CustomerKind

__all__ = [
    "HELD", "HoldEndsBeforeError", "HoldIsOverError", "NoIdsError", "beginning_after", "hold", "lasting_holds",
    "lift_hold", "waiting_for",
]  # fmt: skip

HELD = Q(status__in=UNFINISHED, options__has_key="holds")
"""Whether a request is held, as ``PrivacyRequest.state`` says it."""


class HoldIsOverError(Exception):
    """The hold has ended, or was lifted before."""


class HoldEndsBeforeError(Exception):
    """The hold would end before it begins."""


@transaction.atomic
def hold(ids: PersonIds, *, reason: str, until: datetime | None, by: Staff | None, now: datetime) -> LegalHold:
    """Keep what is held of somebody; without ``until`` it lasts until somebody lifts it.

    Each id has a hold of its own, as nobody knows yet whether they are joined, or who is unknown comes; that of the
    first is returned. Raises NoIdsError, NoteNeededError where the reason is empty, HoldEndsBeforeError, and
    RotatingError.
    """
    if ids.user_id is None and not ids.anonymous_ids:
        raise NoIdsError
    if until is not None and until <= now:
        raise HoldEndsBeforeError
    reason = needed_note(reason)
    with settled() as layers:
        named = _pseudonyms_of(ids, layers=layers)
    lock_holds()
    stored = [
        LegalHold(digest=digest_of(each), pseudonym=each, reason=reason, by=by, since=now, until=until)
        for each in named
    ]
    LegalHold.objects.bulk_create(stored)
    for each in stored:
        audit.record(by=by, verb="hold", subject=each, after={"until": until.isoformat() if until else None})
    return stored[0]


def waiting_for(holds: Iterable[LegalHold]) -> Mapping[int, Sequence[PrivacyRequest]]:
    """Erasures that wait for each of these holds, by its key; ``options["holds"]`` are all that a request waits for."""
    waiting = defaultdict[int, list[PrivacyRequest]](list)
    keys = {each.pk for each in holds}
    for request in PrivacyRequest.objects.filter(HELD).order_by("created_at"):
        for key in keys.intersection(request.options["holds"]):
            waiting[key].append(request)
    return waiting


def beginning_after(hold: LegalHold, waiting: Sequence[PrivacyRequest], *, now: datetime) -> Sequence[PrivacyRequest]:
    """Erasures that wait for a hold and begin within a minute once it ends, as no other that lasts keeps the person."""
    others = {key for each in waiting for key in each.options["holds"]} - {hold.pk}
    lasting = set(lasting_holds(now=now).filter(pk__in=others).values_list("pk", flat=True))
    return [each for each in waiting if lasting.isdisjoint(each.options["holds"])]


def _pseudonyms_of(ids: PersonIds, *, layers: int) -> list[bytes]:
    """Pseudonyms of all these ids, each once, that of the signed-in one first."""
    named = [] if ids.user_id is None else [pseudonym(ids.user_id, layers=layers)]
    return named + list(pseudonyms(ids.anonymous_ids, kind=CustomerKind.ANONYMOUS, layers=layers).values())


@transaction.atomic
def lift_hold(stored: LegalHold, *, reason: str, by: Staff | None, now: datetime) -> LegalHold:
    """End a hold now; what waited for it alone begins (``beginning_after``). The ``reason`` stays in the trail.

    Raises NoteNeededError where it is empty, and HoldIsOverError.
    """
    reason = needed_note(reason)
    stored = LegalHold.objects.select_for_update().get(pk=stored.pk)
    if stored.until is not None and stored.until <= now:
        raise HoldIsOverError
    before, stored.until, stored.pseudonym = stored.until, now, None
    stored.save(update_fields=["until", "pseudonym"])
    audit.record(
        by=by, verb="lift", subject=stored,
        before={"until": before.isoformat() if before else None}, after={"until": now.isoformat()}, note=reason,
    )  # fmt: skip
    return stored
