"""The work on a request, which a worker does and which goes on where it was left: ``do_request``."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from recommendations.models import PrivacyRequest
from recommendations.privacy_terms import DUE, ReceiptPart, RequestKind
from recommendations.services.privacy import closing, exports
from recommendations.services.privacy.at_once import erasure_under_way, waiting_for
from recommendations.services.privacy.erasing import (
    HINDRANCES,
    erase_at,
    leave_nothing,
    make_unknown,
    open_holders,
    seal_keys,
    subject_in,
    was_erased,
)
from recommendations.services.privacy.receipt_facts import first_facts
from recommendations.services.privacy.receipts import sign_receipt
from recommendations.services.privacy.sealed import PrivacyKeysMissingError
from recommendations.services.privacy.together import HolderOfFiles, erase_together
from recommendations.store.contacts.sealing import SealBrokenError
from recommendations.store.erasure.legal_holds import holds_on
from recommendations.store.events.generations import settled
from recommendations.store.holders import registry
from recommendations.store.holders.protocol import Subject
from recommendations.store.jobs import Reporter, enqueue, requeue, run_job
from recommendations.terms import RunStatus

type Clock = Callable[[], datetime]


def do_request(pk: UUID, *, clock: Clock = timezone.now) -> RunStatus | None:
    """Do a request, or go on with it; None where it has to wait, is over, or another worker is at it.

    What fails says why, and is tried again by ``closing.close_erasures``.
    """
    request = PrivacyRequest.objects.select_related("api_key", "started_by").filter(pk=pk).first()
    if request is None or not request.unfinished or _must_wait(request, now=clock()):
        return None
    work = _export if request.kind == RequestKind.EXPORT else _erase
    with settled(patient=True):  # what is looked for by pseudonyms stays under them
        status = run_job(request, lambda job: work(job, clock), clock=clock, refusals=HINDRANCES)
    if status is RunStatus.FAILED and _must_wait(request, now=clock()):  # it has to since it began
        requeue(request)
        return None
    return status


def _must_wait(request: PrivacyRequest, *, now: datetime) -> bool:
    """Whether holds keep the person, or another request is at them, which is noted; who is unknown already is neither
    kept nor waited for. The month begins anew when the last hold has ended.
    """
    if request.kind != RequestKind.ERASE or request.unknown_at is not None:
        return False
    try:
        subject = subject_in(request)
    except (PrivacyKeysMissingError, SealBrokenError):
        return False  # the work fails by it, and says so
    holds = [each.pk for each in holds_on(subject, now=now)]
    other = erasure_under_way(request, subject)
    noted = {name: value for name, value in request.options.items() if name != "holds"}
    if holds:
        noted["holds"] = holds
    elif "holds" in request.options:
        request.due_at = now + DUE
    if other is not None:
        noted.setdefault("same_as", str(other.pk))
    if noted != request.options:
        request.options = noted
        request.save(update_fields=["options", "due_at"])
    return bool(holds) or other is not None


def _export(request: PrivacyRequest, clock: Clock) -> None:
    """Write the file; an empty one of who was erased since it was asked for, whoever has the id now."""
    subject, nobody = subject_in(request), Subject(keys=frozenset())
    gone = was_erased(subject, since=request.created_at)
    exports.write_export(request, nobody if gone else subject, now=clock())
    request.save(update_fields=["file", "file_until", "options"])  # from now on an erasure deletes the file
    if not gone and was_erased(subject, since=request.created_at):
        exports.write_export(request, nobody, now=clock())
    request.sealed, request.closed_at = None, clock()
    request.save(update_fields=["sealed", "closed_at", "counts"])


def _erase(request: PrivacyRequest, clock: Clock) -> None:
    if request.closed_at is not None:
        return
    if request.unknown_at is None:
        if request.options.get("export_first") and not request.file:
            exports.write_export(request, subject_in(request), now=clock())
            request.counts = {}  # what was written; the erasure counts anew
            request.save(update_fields=["file", "file_until", "options"])
        make_unknown(request, now=clock())
    subject, report = subject_in(request), Reporter(request)
    exports.forget_exports_of(request, subject, now=clock())
    for holder in open_holders(request):
        if isinstance(holder, HolderOfFiles) and not request.counts.get(holder.code):
            erase_together(holder, request, subject, now=clock())
        else:
            erase_at(holder, request, subject, now=clock())
        if report.is_due:
            report(len(request.counts) / (len(registry.HOLDERS) + 1))
    leave_nothing(request, subject, now=clock())
    if request.scanned_at is None:
        exports.forget_exports_of(request, subject, now=clock())  # one may have been written meanwhile
        _sign(request, subject, now=clock())
        for each in waiting_for(request):
            enqueue(each)
    if closing.may_close(request, now=clock()):
        closing.close(request, now=clock())


@transaction.atomic
def _sign(request: PrivacyRequest, subject: Subject, *, now: datetime) -> None:
    request.scanned_at = now
    request.save(update_fields=["scanned_at"])
    seal_keys(request, subject)
    sign_receipt(request, ReceiptPart.ERASED, facts=first_facts(request, now=now), now=now)
