"""Erasures that a database restored from a backup knows nothing of, repeated from the log beside it."""

import hashlib
from datetime import datetime

import structlog

from recommendations.models import PrivacyRequest
from recommendations.privacy_terms import DUE, RequestKind
from recommendations.services.access import audit
from recommendations.services.privacy.erasing import make_unknown_all
from recommendations.services.privacy.sealed import missing_settings, seal_subject
from recommendations.store import jobs
from recommendations.store.erasure.burial import bury
from recommendations.store.erasure.log import complete_log, lost_erasures, lost_people
from recommendations.store.events.generations import settled
from recommendations.store.events.tombstones import ErasedId, lay
from recommendations.store.holders.protocol import Subject

log = structlog.get_logger(__name__)


def repeat_erasures(now: datetime) -> int:
    """Make everybody unknown whose erasure was lost, and have a worker erase them; how many people they were.

    Their ids are blocked or forgotten as of the first time, whether or not somebody is there. The log gets what it
    lacks.
    """
    lost = lost_erasures()
    if lost and missing_settings():
        log.error("erasures cannot be repeated", lost=len(lost), missing=missing_settings())
        return 0
    people = 0
    with settled(patient=True):
        for erased, subject in lost_people(lost):
            _repeat(erased, subject, now=now)
            people += 1
        lay(lost)
    try:
        complete_log()
    except OSError:
        log.exception("the log of erasures cannot be completed")
    return people


def _repeat(erased: ErasedId, subject: Subject, *, now: datetime) -> None:
    """The request is stored first: of who is unknown, but erased nowhere, nobody would know."""
    reference = f"restored {erased.digest.hex()[:16]} {erased.at.isoformat()}"
    request, new = PrivacyRequest.objects.get_or_create(
        reference=reference,
        defaults={
            "kind": RequestKind.ERASE,
            "mode": erased.mode,
            "asked_for": hashlib.sha256(reference.encode()).digest(),
            "subject": erased.digest,
            "sealed": seal_subject(subject),
            "options": {"export_first": False},
            "due_at": now + DUE,
        },
    )
    if request.closed_at is not None:
        bury(subject, mode=erased.mode, now=now, at=erased.at)
    else:
        make_unknown_all({request: subject}, mode=erased.mode, now=now, at=erased.at)
        jobs.enqueue(request)
    if new:
        fact = {"kind": request.kind, "subject": erased.digest.hex()[:8]}
        audit.record(by=None, verb="ask", subject=request, after=fact)
