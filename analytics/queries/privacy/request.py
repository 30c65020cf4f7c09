"""One request: its steps, what each holder found and did, and its receipts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db.models import Prefetch
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from analytics.queries.privacy.holdings import HolderCounts, HolderProgress, holder_counts
from analytics.templatetags.display import number
from analytics.templatetags.stored_words import in_own_words
from analytics.templatetags.words import label
from recommendations.models import PrivacyRequest, Receipt, Run
from recommendations.privacy_terms import LiveLog, ReceiptPart, RequestKind, RequestState
from recommendations.services.privacy.closing import RUN_BY, helps, waiting_version
from recommendations.services.privacy.sealed import missing_settings
from recommendations.terms import RunStatus
from recommendations.wording import labels
from recommendations.wording.privacy import labels as privacy_labels


@dataclass(frozen=True, kw_only=True)
class RequestStep:
    """A step of a request; ``status`` as stages of runs have it, ``more``: what else is to be said, "" for nothing."""

    words: str
    status: RunStatus
    at: datetime | None = None
    more: str = ""

    @property
    def status_words(self) -> str:
        return label(labels.RUN_STATUSES, self.status)


@dataclass(frozen=True, kw_only=True)
class Holdings:
    """Holders in whose row something stands, and sentences that name the others."""

    shown: Sequence[HolderCounts]
    others: Sequence[str]


class RunAhead(NamedTuple):
    """What is to be said of the run that an erasure waits for, "" for nothing; ``run``: it is under way and helps;
    ``may_ask``: somebody may ask for one.
    """

    words: str
    run: Run | None = None
    may_ask: bool = False


class _Milestone(NamedTuple):
    words: str
    at: datetime | None
    done: bool
    more: str = ""
    refused: bool = False


def find_request(pk: UUID) -> PrivacyRequest | None:
    """The request with its receipts, the first of them first."""
    receipts = Prefetch("receipts", Receipt.objects.order_by("serial"))
    return (
        PrivacyRequest.objects.select_related("started_by", "api_key").prefetch_related(receipts).filter(pk=pk).first()
    )


def steps(request: PrivacyRequest) -> list[RequestStep]:
    """Steps in their order: those that are done, then the one that goes on, waits or failed, then the rest."""
    milestones = list(_of_erasure(request) if request.kind == RequestKind.ERASE else _of_export(request))
    reached = next((at for at, each in enumerate(milestones) if not each.done), len(milestones))
    return [
        RequestStep(
            words=each.words,
            at=each.at,
            more=each.more,
            status=RunStatus.FAILED if each.refused else _status(request, position - reached),
        )
        for position, each in enumerate(milestones)
    ]


def holdings(request: PrivacyRequest) -> Holdings:
    """What holders found; those that found nothing, and those that were not asked yet, in a sentence each."""
    rows = holder_counts(request)
    shown = [each for each in rows if each.held or each.kept or each.left or each.progress == HolderProgress.WORKING]
    nothing = [each for each in rows if each not in shown and each.progress == HolderProgress.DONE]
    waiting = [each for each in rows if each.progress == HolderProgress.WAITING]
    sentences = ((_("Nothing was found in: %(names)s"), nothing), (_("Not looked at yet: %(names)s"), waiting))
    return Holdings(shown=shown, others=[words % {"names": _names(which)} for words, which in sentences if which])


def run_ahead(request: PrivacyRequest) -> RunAhead | None:
    """How far the run is that is to learn without the person; None where the request does not wait for one."""
    if request.state != RequestState.WAITING_FOR_RUN:
        return None
    run, asked = Run.objects.unfinished().first(), RUN_BY in request.options
    if run is not None and helps(run, request):
        return RunAhead(_("A run is under way that learns without them."), run=run)
    if run is None and not asked and (held := waiting_version(request)) is not None:
        text = _("Model %(model)s learned without them, and waits for somebody to look at it.")
        return RunAhead(text % {"model": held}, run=held.run, may_ask=True)
    if run is None:
        return RunAhead(_("The run begins within a minute.") if asked else "", may_ask=not asked)
    if asked:
        return RunAhead(_("A run is under way that read events before this erasure. Another begins after it."))
    return RunAhead(_("A run is under way that read events before this erasure."), may_ask=True)


def days_left(request: PrivacyRequest, *, now: datetime) -> int | None:
    """Days of the calendar until it is due, below 0 once it is late; None where it is over or held."""
    if request.state in {RequestState.DONE, RequestState.HELD}:
        return None
    return (timezone.localdate(request.due_at) - timezone.localdate(now)).days if request.due_at > now else -1


def has_file(request: PrivacyRequest, *, now: datetime) -> bool:
    """Whether there is an export that can be downloaded."""
    return bool(request.file) and request.file_until is not None and request.file_until > now


def problem(request: PrivacyRequest) -> str:
    """Why it failed, and what helps."""
    left = [each for each in holder_counts(request) if each.left]
    if left:
        return _("The scan still found something in: %(names)s. Try again.") % {"names": _names(left)}
    if missing := missing_settings():
        text = _("%(settings)s is not set. Whoever runs the system makes the keys with manage.py privacy_keys.")
        return text % {"settings": pgettext("between names", ", ").join(missing)}
    return in_own_words(request.message)


def places_words(request: PrivacyRequest) -> str:
    """How many holders are done, and what the scans found."""
    rows = holder_counts(request)
    done = sum(each.progress == HolderProgress.DONE for each in rows)
    words = _("%(done)s of %(all)s places done") % {"done": done, "all": len(rows)}
    left = sum(each.left or 0 for each in rows)
    if request.kind == RequestKind.ERASE and any(each.left is not None for each in rows):
        scan = ngettext("the scan found %(n)s entry", "the scan found %(n)s entries", left) % {"n": number(left)}
        words = pgettext("between parts of a sentence", "; ").join(
            [words, scan if left else _("the scan found nothing")]
        )
    return words


def _of_erasure(request: PrivacyRequest) -> Iterator[_Milestone]:
    rows = holder_counts(request)
    done = sum(each.progress in {HolderProgress.DONE, HolderProgress.LEFT} for each in rows)
    receipts = {each.part: each for each in request.receipts.all()}
    yield _Milestone(pgettext("step", "Received"), request.created_at, done=True)
    yield _Milestone(_("Unknown to answers"), request.unknown_at, request.unknown_at is not None)
    many = _("%(done)s of %(all)s") % {"done": done, "all": len(rows)}
    yield _Milestone(_("Erased everywhere"), None, request.scanned_at is not None or done == len(rows), many)
    scanned, first = request.scanned_at, receipts.get(ReceiptPart.ERASED)
    yield _Milestone(_("First scan"), scanned, scanned is not None, _receipt_words(first))
    last = receipts.get(ReceiptPart.CLOSED)
    model = last.document.get("learned_by") if last else None
    yield _Milestone(_("A run learned without them"), None, request.closed_at is not None, model or "")
    yield _Milestone(_("Second scan"), request.closed_at, request.closed_at is not None)
    yield _Milestone(_("Receipt signed"), last.at if last else None, last is not None, _receipt_words(last))
    fate = request.options.get("live_log")
    words = label(privacy_labels.LIVE_LOGS, fate) if fate else ""
    ended = fate is not None and fate != LiveLog.BEGUN
    yield _Milestone(_("Valkey's append-only file rewritten"), None, ended, words, fate == LiveLog.REFUSED)


def _of_export(request: PrivacyRequest) -> Iterator[_Milestone]:
    rows = holder_counts(request)
    done = sum(each.progress == HolderProgress.DONE for each in rows)
    yield _Milestone(pgettext("step", "Received"), request.created_at, done=True)
    is_ready = request.closed_at is not None
    many = _("%(done)s of %(all)s") % {"done": done, "all": len(rows)}
    yield _Milestone(_("Read from every place"), None, is_ready or done == len(rows), many)
    yield _Milestone(_("File ready"), request.closed_at, is_ready)


def _receipt_words(receipt: Receipt | None) -> str:
    return _("receipt %(receipt)s") % {"receipt": receipt} if receipt else ""


def _status(request: PrivacyRequest, ahead: int) -> RunStatus:
    """Status of a step that lies ``ahead`` of the one that is reached."""
    if ahead < 0:
        return RunStatus.SUCCEEDED
    if ahead > 0:
        return RunStatus.QUEUED
    if request.state == RequestState.FAILED:
        return RunStatus.FAILED
    return RunStatus.RUNNING if request.state == RequestState.RUNNING else RunStatus.QUEUED


def _names(rows: Sequence[HolderCounts]) -> str:
    return pgettext("between names", ", ").join(each.words for each in rows)
