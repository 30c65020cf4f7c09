"""Many who are erased at once: what costs by the file, and not by the person, is done for all of them together."""

from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import batched
from typing import Protocol, runtime_checkable
from uuid import UUID

import structlog

from recommendations.models import PrivacyRequest
from recommendations.privacy_terms import EraseMode, RequestKind
from recommendations.services.privacy.at_once import begin_erasures
from recommendations.services.privacy.erasing import (
    HINDRANCES,
    begin,
    entry_after,
    erase_at,
    make_unknown_all,
    store_entry,
    subject_in,
)
from recommendations.store import jobs
from recommendations.store.advisory_lock import advisory_locks
from recommendations.store.contacts.sealing import SealBrokenError
from recommendations.store.erasure.legal_holds import holds_on
from recommendations.store.events.generations import settled
from recommendations.store.holders.protocol import Erased, Holder, Subject
from recommendations.terms import RunStatus

MOST = 200
"""People who are made unknown by one transaction, or whom a request takes along."""

log = structlog.get_logger(__name__)


def make_unknown_at_once(requests: Sequence[PrivacyRequest], *, now: datetime) -> None:
    """Make everybody unknown whose erasure was asked for just now, so that no answer knows them any more.

    Who wants an export first stays known until a worker has written it, also where another request asks for the same
    person meanwhile. Who is held, or is being erased by another request, is left to the worker; so are all where it
    does not work now.
    """
    asked = [each for each in requests if each.kind == RequestKind.ERASE]
    try:
        for part in batched(asked, MOST):
            with settled(), advisory_locks([each.lock for each in part]) as taken:
                _make_unknown([each.pk for each in part if each.lock in taken], now=now)
    except HINDRANCES:
        log.exception("erasures wait for a worker to begin")


def _make_unknown(requests: Collection[UUID], *, now: datetime) -> None:
    """Make those of them unknown whom no other process did meanwhile, the people of each mode at one moment."""
    asked = PrivacyRequest.objects.filter(pk__in=requests, unknown_at=None).order_by("created_at")
    for mode in EraseMode:
        subjects = {each: subject_in(each) for each in asked.filter(mode=mode)}
        free = {each: subject for each, subject in subjects.items() if not holds_on(subject, now=now)}
        begun = begin_erasures(free)
        if at_once := {each: subject for each, subject in begun.items() if not each.options["export_first"]}:
            make_unknown_all(at_once, mode=mode, now=now)


@runtime_checkable
class HolderOfFiles(Holder, Protocol):
    """A holder that writes its files once for many people."""

    def erase_all(self, subjects: Sequence[Subject], *, now: datetime) -> list[Erased]:
        """Erase several people; what became of each, in their order."""
        ...


def erase_together(holder: HolderOfFiles, request: PrivacyRequest, subject: Subject, *, now: datetime) -> None:
    """Let the holder erase this person and those who wait and are unknown; they find it done when they come to it."""
    waiting = _waiting(holder, request)
    if not waiting:
        erase_at(holder, request, subject, now=now)
        return
    with advisory_locks([each.lock for each in waiting]) as taken:
        along = {request: subject}
        for each in waiting:
            if each.lock in taken and (other := _subject(each, holder)) is not None:
                along[each] = other
        begun = {one: begin(holder, one, whom) for one, whom in along.items()}
        done = holder.erase_all(list(along.values()), now=now)
        for (one, entry), erased in zip(begun.items(), done, strict=True):
            store_entry(one, holder, entry_after(entry, erased))
    for each in along:
        if each != request:
            jobs.enqueue(each)  # a worker that came while we were at it went away


def _waiting(holder: Holder, request: PrivacyRequest) -> list[PrivacyRequest]:
    unknown = PrivacyRequest.objects.filter(kind=RequestKind.ERASE, status=RunStatus.QUEUED, unknown_at__isnull=False)
    others = unknown.exclude(pk=request.pk).exclude(counts__has_key=holder.code)
    return list(others.order_by("created_at")[:MOST])


def _subject(request: PrivacyRequest, holder: Holder) -> Subject | None:
    """The person of a request that nobody else is at; None where one was, or it does not open: it says so itself."""
    request.refresh_from_db()
    if request.status != RunStatus.QUEUED or holder.code in request.counts:
        return None
    try:
        return subject_in(request)
    except SealBrokenError:
        return None
