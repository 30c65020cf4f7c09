"""What people may ask for, taken in: an export, an erasure, many at once. A worker does it (``work.do_request``).

The shop's ids are sealed while a request waits, and gone once it is over.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from recommendations.models import ApiKey, Customer, PrivacyRequest, Staff
from recommendations.privacy_terms import DUE, EraseMode, RequestKind
from recommendations.services.access import audit
from recommendations.services.access.audit import Author
from recommendations.services.operations.jobs import JobIsOverError, resume_job
from recommendations.services.privacy.sealed import PersonIds, require_keys, seal_ids
from recommendations.services.privacy.together import make_unknown_at_once
from recommendations.store import jobs
from recommendations.store.erasure.subjects import digest_of, subject_digest
from recommendations.store.events.generations import settled

__all__ = [
    "EraseAsk", "ExportAsk", "JobIsOverError", "NoIdsError", "ReferenceReusedError", "ask_erase", "ask_erase_many",
    "ask_export", "try_again",
]  # fmt: skip

MOST_AT_ONCE = 1_000
MOST_IDS = 100  # anonymous ids of one person
ERASE_WORDS = frozenset({"erase", "删除"})
"""What has to be typed on a page so that somebody is erased, in either language, whatever its case."""


class ReferenceReusedError(Exception):
    """The reference is that of another request; ``position`` counts from 0 within a batch."""

    def __init__(self, reference: str, *, position: int = 0) -> None:
        super().__init__(f"the reference {reference!r} is that of another request")
        self.reference = reference
        self.position = position


class NoIdsError(Exception):
    """Nobody is named: neither by a user id nor by an anonymous id; ``position`` as above."""

    def __init__(self, *, position: int = 0) -> None:
        super().__init__("neither a user id nor an anonymous id is given")
        self.position = position


@dataclass(frozen=True, kw_only=True)
class ExportAsk(PersonIds):
    """Wish for all that is held about one person; a ``reference`` of the shop's own makes a repetition the same.

    ``by_owner``: the person asks, on the page of their own data.
    """

    language: str = "en"
    reference: str | None = None
    by_owner: bool = False


@dataclass(frozen=True, kw_only=True)
class EraseAsk(ExportAsk):
    """Wish that one person be erased; ``export_first``: with a file of all that was held."""

    mode: EraseMode = EraseMode.FORGET
    export_first: bool = False


def ask_export(ask: ExportAsk, *, by: Author, now: datetime) -> PrivacyRequest:
    """Have a worker write all that is held about somebody into a file.

    Raises ReferenceReusedError, NoIdsError and PrivacyKeysMissingError.
    """
    return _take([ask], by=by, now=now)[0]


def ask_erase(ask: EraseAsk, *, by: Author, now: datetime) -> PrivacyRequest:
    """Have a worker erase somebody; who is unknown is asked for like any other. Raises as ``ask_export``."""
    return _take([ask], by=by, now=now)[0]


def ask_erase_many(asks: Sequence[EraseAsk], *, by: Author, now: datetime) -> list[PrivacyRequest]:
    """Have all of these erased, at most ``MOST_AT_ONCE``, in their order; all are taken or none is.

    Raises as ``ask_export``.
    """
    return _take(asks, by=by, now=now)


def try_again(request: PrivacyRequest, *, by: Staff | None, now: datetime) -> None:
    """Let a failed request go on at once where it was left. Raises JobIsOverError."""
    resume_job(request, by=by, now=now)


def _take(asks: Sequence[ExportAsk], *, by: Author, now: datetime) -> list[PrivacyRequest]:
    require_keys()
    for position, ask in enumerate(asks):
        if ask.nobody:
            raise NoIdsError(position=position)
    with settled():
        wanted = [_request(ask, by=by, now=now) for ask in asks]
        try:
            return _store(wanted, by=by)
        except IntegrityError:  # the same reference came at the same moment; it is there now
            return _store(wanted, by=by)


@transaction.atomic
def _store(wanted: Sequence[PrivacyRequest], *, by: Author) -> list[PrivacyRequest]:
    """The stored requests, each new one sent to a worker; one whose reference is there is the one that was there."""
    references = [each.reference for each in wanted if each.reference is not None]
    known = {each.reference: each for each in PrivacyRequest.objects.filter(reference__in=references)}
    stored, new = list[PrivacyRequest](), list[PrivacyRequest]()
    for position, each in enumerate(wanted):
        if each.reference is None or (same := known.get(each.reference)) is None:
            new.append(each)
            stored.append(each)
            if each.reference is not None:
                known[each.reference] = each
        elif bytes(same.asked_for) != bytes(each.asked_for):
            raise ReferenceReusedError(each.reference, position=position)
        else:
            stored.append(same)
    PrivacyRequest.objects.bulk_create(new)
    changes = [(each, None, _fact(each)) for each in new]
    audit.record_all(by=by, verb=audit.ASKED_BY_OWNER if _of_owner(new) else "ask", changes=changes)
    transaction.on_commit(lambda: _send(new))
    return stored


def _of_owner(requests: Sequence[PrivacyRequest]) -> bool:
    """Whether the person asks, who always asks alone."""
    return any(each.options.get("by_owner") for each in requests)


def _send(requests: Sequence[PrivacyRequest]) -> None:
    make_unknown_at_once(requests, now=timezone.now())
    for each in requests:
        jobs.enqueue(each)


def _request(ask: ExportAsk, *, by: Author, now: datetime) -> PrivacyRequest:
    subject = _digest(ask)
    kind = RequestKind.ERASE if isinstance(ask, EraseAsk) else RequestKind.EXPORT
    options: dict[str, Any] = {"language": ask.language}
    if ask.by_owner:
        options["by_owner"] = True
    mode = EraseMode.FORGET
    if isinstance(ask, EraseAsk):
        mode, options["export_first"] = ask.mode, ask.export_first
    visits = sorted(subject_digest(None, [each]).hex() for each in ask.anonymous_ids)
    call = json.dumps([kind, subject.hex(), visits, mode, options], sort_keys=True)
    return PrivacyRequest(
        kind=kind,
        mode=mode,
        reference=ask.reference,
        asked_for=hashlib.sha256(call.encode()).digest(),
        subject=subject,
        sealed=seal_ids(ask),
        options=options,
        started_by=by if isinstance(by, Staff) else None,
        api_key=by if isinstance(by, ApiKey) else None,
        due_at=now + DUE,
    )


def _digest(ask: ExportAsk) -> bytes:
    """Digest of the person; who is named by the key has that of their row, which in the first generation their id
    gives, too.
    """
    if ask.customer is None:
        return subject_digest(ask.user_id, ask.anonymous_ids)
    return digest_of(bytes(Customer.objects.values_list("pseudonym", flat=True).get(pk=ask.customer)))


def _fact(request: PrivacyRequest) -> dict[str, str]:
    """What the trail has of a request: nothing that leads to the person."""
    return {"kind": request.kind, "subject": bytes(request.subject).hex()[:8]}
