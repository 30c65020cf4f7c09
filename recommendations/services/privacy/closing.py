"""What every minute does for requests: erasures are closed after the next run, what failed or was lost is tried again,
and the run that was asked for begins.

An erasure is closed once the model that serves learned without the person, and nobody finds anything a second time.
"""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Q

from recommendations.models import ModelVersion, PrivacyRequest, Run, Staff
from recommendations.privacy_terms import DUE, HolderCode, ReceiptPart, RequestKind
from recommendations.services.operations import runs
from recommendations.services.privacy import exports
from recommendations.services.privacy.erasing import HINDRANCES, leave_nothing, subject_in
from recommendations.services.privacy.holds import HELD
from recommendations.services.privacy.live_log import rewrite_live_log
from recommendations.services.privacy.receipt_facts import last_facts
from recommendations.services.privacy.receipts import sign_receipt
from recommendations.services.privacy.repeating import repeat_erasures
from recommendations.services.privacy.sealed import PrivacyKeysMissingError, SealBrokenError, open_sealed
from recommendations.store import jobs
from recommendations.store.advisory_lock import advisory_lock
from recommendations.store.events.generations import settled
from recommendations.store.holders.customer import delete_husks
from recommendations.store.holders.learned import forget_versions_before, learned_without, learns_without
from recommendations.store.holders.protocol import Subject
from recommendations.terms import RunStatus

LOCK = 7_264_192
HUSKS_LAST = timedelta(seconds=60)
"""Within this time every process has heard who was erased."""
PAUSE = timedelta(minutes=5)
"""After which a request that failed is tried again."""
FOLLOWED_WITHIN = timedelta(seconds=30)
"""After which every process that answers has taken the model that went live: they look every fifteen seconds."""
LATE_AFTER = timedelta(days=20)
"""After which a request that is open is an error."""
RUN_BY = "run_by"
"""The option of an erasure with who asked for a run that has yet to begin."""
log = structlog.get_logger(__name__)


def close_erasures(now: datetime) -> int:
    """Close the erasures whose time has come, and try again what failed; how many were closed."""
    with advisory_lock(LOCK) as alone:
        if not alone:
            return 0
        _repeat(now)
        _delete_husks(now)
        exports.forget_exports(now=now)
        _send_again(now=now)
        closed: list[PrivacyRequest] = []
        with ExitStack() as last_first:  # each is done, also after a bug that another brings out, which is raised then
            last_first.callback(rewrite_live_log)
            last_first.callback(_begin_run, now=now)
            last_first.enter_context(settled(patient=True))  # what is looked for by pseudonyms stays under them
            for request in reversed(waiting()):
                last_first.callback(_close_if_learned, request, closed, now=now)
        return len(closed)


def waiting() -> list[PrivacyRequest]:
    """Erasures of which sums that were learned with the person are still to go, the oldest first."""
    erased = PrivacyRequest.objects.succeeded().filter(kind=RequestKind.ERASE, closed_at=None)
    return list(erased.select_related("api_key", "started_by").order_by("scanned_at"))


def ask_for_run(request: PrivacyRequest, *, by: Staff | None, now: datetime) -> Run | None:
    """Have a run learn without the person of an erasure that waits for one: the run, which is new or has yet to read
    its events; None where the one under way read them before: the next one is begun when it has ended.
    """
    run = _run_under_way(by=by, now=now)
    if helps(run, request):
        return run
    with transaction.atomic():
        own = PrivacyRequest.objects.select_for_update().get(pk=request.pk)
        own.options.setdefault(RUN_BY, by.pk if by else None)
        own.save(update_fields=["options"])
    return None


def helps(run: Run, request: PrivacyRequest) -> bool:
    """Whether a run that is under way learns without the person of an erasure, which can be closed after it."""
    return request.scanned_at is not None and learns_without(run, request.scanned_at)


def start_daily_run(*, now: datetime) -> None:
    """Start the run of the schedule. Where one is under way, erasures that it does not help have another follow."""
    if runs.start_daily_run(now=now) is None:
        for request in waiting():
            ask_for_run(request, by=None, now=now)


def waiting_version(request: PrivacyRequest) -> ModelVersion | None:
    """The newest version that learned without the person of an erasure, and is held back for somebody to look at."""
    made = ModelVersion.objects.ready().select_related("run").order_by("-pk").first()
    return made if made is not None and not made.is_live and helps(made.run, request) else None


def may_close(request: PrivacyRequest, *, now: datetime) -> bool:
    """Whether all that is served was learned without the person, or nothing was ever learned."""
    if request.scanned_at is None or not learned_without(request.scanned_at):
        return False
    return not ModelVersion.objects.live().filter(live_since__gt=now - FOLLOWED_WITHIN).exists()


def late(*, now: datetime) -> Q:
    """Whether a request has been open for more than 20 days, and is not held."""
    return Q(closed_at=None, due_at__lt=now + DUE - LATE_AFTER) & ~HELD


def late_requests(*, now: datetime) -> int:
    """How many requests are late."""
    return PrivacyRequest.objects.filter(late(now=now)).count()


def close(request: PrivacyRequest, *, now: datetime) -> None:
    """Delete versions that learned with the person, erase what came late, look everywhere again, and sign.

    Raises LeftoverError, PrivacyKeysMissingError and SealBrokenError.
    """
    versions = forget_versions_before(request.scanned_at) if request.scanned_at else 0
    subject = subject_in(request)
    leave_nothing(request, subject, now=now)
    with transaction.atomic():
        request.closed_at, request.sealed = now, None
        if learned := request.counts.get(HolderCode.LEARNED):
            learned |= {"kept": 0, "why": None}  # the sums went with those versions
        request.save(update_fields=["closed_at", "sealed", "counts"])
        sign_receipt(request, ReceiptPart.CLOSED, facts=last_facts(request, versions=versions, now=now), now=now)


def _close_if_learned(request: PrivacyRequest, closed: list[PrivacyRequest], *, now: datetime) -> None:
    """Close one and add it to the ``closed``, if the live model learned without the person and nothing is left."""
    if may_close(request, now=now):
        with suppress(*HINDRANCES), _noting_failure(request, now=now):
            close(request, now=now)
            closed.append(request)


@transaction.atomic
def _begin_run(*, now: datetime) -> None:
    """Begin the run that was asked for, unless one is under way; those it learns without have what they asked for."""
    asked = [each for each in waiting() if RUN_BY in each.options]
    if asked:
        run = _run_under_way(by=Staff.objects.filter(pk=asked[0].options[RUN_BY]).first(), now=now)
        helped = [each for each in asked if helps(run, each)]
        for each in helped:
            del each.options[RUN_BY]
        PrivacyRequest.objects.bulk_update(helped, ["options"])


def _run_under_way(*, by: Staff | None, now: datetime) -> Run:
    """The run that is under way, or else a new one."""
    try:
        return runs.start_run(by=by, now=now)
    except runs.RunInProgressError as error:
        return error.run


@contextmanager
def _noting_failure(request: PrivacyRequest, *, now: datetime) -> Iterator[None]:
    """Let the request say what kept it from being closed, which is raised on; it is tried again then."""
    try:
        yield
    finally:
        if isinstance(error := sys.exception(), Exception):
            log.error("erasure not closed", exc_info=error, request=str(request.pk))
            message = f"{type(error).__name__}: {jobs.text_of(error)}"
            failed = {"status": RunStatus.FAILED, "message": message, "finished_at": now}
            PrivacyRequest.objects.filter(pk=request.pk).update(**failed)


def _repeat(now: datetime) -> None:
    """Repeat what a restored database has forgotten; a log that cannot be read, as readiness says, stops nothing."""
    try:
        repeat_erasures(now)
    except OSError:
        log.exception("the log of erasures cannot be read")


def _delete_husks(now: datetime) -> None:
    """Delete rows of which every holder took its own; all stay while it is unknown of a request whose they are.

    With a row goes all that hangs on it, and nobody would count it, silence its address, or forget it in the trail.
    """
    open_ones = PrivacyRequest.objects.filter(kind=RequestKind.ERASE, scanned_at=None)
    try:
        subjects = [open_sealed(each.sealed) for each in open_ones if each.sealed is not None]
    except (PrivacyKeysMissingError, SealBrokenError):
        log.exception("rows of erased customers are kept")
    else:
        begun = {key for each in subjects if isinstance(each, Subject) for key in each.keys}
        delete_husks(now - HUSKS_LAST, but=begun)


def _send_again(*, now: datetime) -> None:
    """Give failed requests, lost ones, and those whose hold may have ended to a worker."""
    failed = PrivacyRequest.objects.filter(status=RunStatus.FAILED, closed_at=None, finished_at__lt=now - PAUSE)
    again = [request for request in failed if jobs.requeue(request)]
    for request in [*again, *jobs.interrupted(PrivacyRequest, now=now)]:
        jobs.enqueue(request)
    if late := late_requests(now=now):
        log.error("privacy requests are older than 20 days", requests=late)
