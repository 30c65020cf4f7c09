"""Many who are erased at once: what costs by the file, and not by the person, is done for all of them together."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

from recommendations.models import PrivacyRequest
from recommendations.privacy_terms import RequestKind
from recommendations.services.privacy.erasing import (
    begin,
    entry_after,
    erase_at,
    make_unknown,
    store_entry,
    subject_in,
)
from recommendations.store import jobs
from recommendations.store.advisory_lock import advisory_locks
from recommendations.store.contacts.sealing import SealBrokenError
from recommendations.store.erasure.legal_holds import hold_on
from recommendations.store.holders.protocol import Erased, Holder, Subject
from recommendations.terms import RunStatus

MOST = 200
"""People whom a request takes along."""


@runtime_checkable
class HolderOfFiles(Holder, Protocol):
    """A holder that writes its files once for many people."""

    def erase_all(self, subjects: Sequence[Subject], *, now: datetime) -> list[Erased]:
        """Erase several people; what became of each, in their order."""
        ...


def erase_together(holder: HolderOfFiles, request: PrivacyRequest, subject: Subject, *, now: datetime) -> None:
    """Let the holder erase this person and those whose requests wait; the others find it done when they come to it.

    Who waits is made unknown on the way, as they would be by their own request, unless they want an export first or a
    hold lasts.
    """
    waiting = _waiting(holder, request)
    if not waiting:
        erase_at(holder, request, subject, now=now)
        return
    with advisory_locks([each.lock for each in waiting]) as taken:
        along = {request: subject}
        for each in waiting:
            if each.lock in taken and (other := _unknown(each, holder, now=now)) is not None:
                along[each] = other
        begun = {one: begin(holder, one, whom) for one, whom in along.items()}
        done = holder.erase_all(list(along.values()), now=now)
        for (one, entry), erased in zip(begun.items(), done, strict=True):
            store_entry(one, holder, entry_after(entry, erased))
    for each in along:
        if each != request:
            jobs.enqueue(each)  # a worker that came while we were at it went away


def _waiting(holder: Holder, request: PrivacyRequest) -> list[PrivacyRequest]:
    queued = PrivacyRequest.objects.filter(kind=RequestKind.ERASE, status=RunStatus.QUEUED).exclude(pk=request.pk)
    others = queued.exclude(options__export_first=True).exclude(counts__has_key=holder.code)
    return list(others.order_by("created_at")[:MOST])


def _unknown(request: PrivacyRequest, holder: Holder, *, now: datetime) -> Subject | None:
    """The person of a request that nobody else is at, who is unknown now; None where it is not to be done yet.

    One that cannot be done says so itself, when it comes to it.
    """
    request.refresh_from_db()
    if request.status != RunStatus.QUEUED or holder.code in request.counts:
        return None
    try:
        subject = subject_in(request)
    except SealBrokenError:
        return None
    if request.unknown_at is not None:
        return subject
    return None if hold_on(subject, now=now) else make_unknown(request, now=now)
