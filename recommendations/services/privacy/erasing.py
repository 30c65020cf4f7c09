"""One person erased everywhere: made unknown first, then holder by holder, then looked for again at all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

import structlog
from django.db import DatabaseError

from recommendations.models import PrivacyRequest
from recommendations.privacy_terms import EraseMode, HolderCode, RequestKind
from recommendations.services.privacy.at_once import ErasedElsewhereError, begin_erasures, leave_erasures, note_whom
from recommendations.services.privacy.sealed import (
    PersonIds,
    PrivacyKeysMissingError,
    open_sealed,
    seal_subject,
)
from recommendations.store.contacts.sealing import KeysMissingError, SealBrokenError
from recommendations.store.erasure.burial import Buried, bury_all
from recommendations.store.erasure.legal_holds import HeldError
from recommendations.store.erasure.subjects import subject_of, subject_of_keys
from recommendations.store.events.tombstones import comebacks_of
from recommendations.store.holders import registry
from recommendations.store.holders.protocol import Erased, Holder, Subject
from recommendations.store.live.valkey import ValkeyAwayError
from recommendations.store.models.artefacts import ArtefactDamagedError
from recommendations.store.models.scrubbing import ScrubbingError

NOTHING: Mapping[str, Any] = {"found": 0, "deleted": 0, "changed": 0, "kept": 0, "why": ""}

log = structlog.get_logger(__name__)


class LeftoverError(Exception):
    """The scan found something after the erasure; the text names the holders."""

    def __init__(self, left: Mapping[HolderCode, int]) -> None:
        where = ", ".join(f"{code} ({number:,})" for code, number in left.items())
        super().__init__(f"After the erasure something is left at: {where}.")


HINDRANCES = (
    HeldError, ErasedElsewhereError, LeftoverError, PrivacyKeysMissingError, KeysMissingError, SealBrokenError,
    ValkeyAwayError, ScrubbingError, ArtefactDamagedError, DatabaseError, OSError,
)  # fmt: skip
"""What may keep a request from going on for a while: it says so, and is tried again."""


def subject_in(request: PrivacyRequest) -> Subject:
    """The person whom a request is about; nobody once it is over.

    Until they are unknown their ids are looked up each time; then the request knows where they were found. An export is
    of who has the ids now; an erasure leaves nothing of who had them before, either. Raises PrivacyKeysMissingError and
    SealBrokenError.
    """
    if request.sealed is None:
        return Subject(keys=frozenset())
    opened = open_sealed(request.sealed)
    subject = subject_of(opened.user_id, opened.anonymous_ids) if isinstance(opened, PersonIds) else opened
    if request.kind == RequestKind.ERASE:
        return replace(subject, until=request.unknown_at, since={})
    return replace(subject, since={**subject_of_keys(subject.keys).since, **subject.since})


def make_unknown(request: PrivacyRequest, *, now: datetime) -> None:
    """Let no id lead to the person any more; the request forgets the ids, and knows where the person was found.

    Raises HeldError, ErasedElsewhereError, and as ``subject_in``.
    """
    begun = begin_erasures({request: subject_in(request)})
    if not begun:
        raise ErasedElsewhereError
    make_unknown_all(begun, mode=EraseMode(request.mode), now=now)


def make_unknown_all(
    subjects: Mapping[PrivacyRequest, Subject], *, mode: EraseMode, now: datetime, at: datetime | None = None
) -> None:
    """Make the people of several requests, which have begun, unknown at one moment, in the mode of all.

    ``at`` as for ``bury``. Raises HeldError where one of them is held since a moment ago; then none has begun.
    """
    requests = list(subjects)
    try:
        bury_all(list(subjects.values()), mode=mode, now=now, at=at, note=partial(_note_buried, requests))
    except HeldError:
        leave_erasures(requests)
        raise
    for request in requests:
        request.unknown_at = now
    PrivacyRequest.objects.bulk_update(requests, ["unknown_at"])


def _note_buried(requests: Sequence[PrivacyRequest], buried: Sequence[Buried]) -> None:
    """Store where the people were found, whom a worker does not find by their ids any more, and what was taken."""
    for request, (subject, taken) in zip(requests, buried, strict=True):
        note_whom(request, subject)
        request.sealed = seal_subject(subject)
        before = request.options.get("taken", {})
        request.options["taken"] = {
            code: _sum(before.get(code, {}), each) for code, each in taken.items() if code in before or each != Erased()
        }
    PrivacyRequest.objects.bulk_update(requests, ["sealed", "options"])


def _sum(before: Mapping[str, int], more: Erased) -> dict[str, int]:
    """What was found, deleted and changed ``before`` and since."""
    more_of = {"found": more.deleted + more.changed, "deleted": more.deleted, "changed": more.changed}
    return {name: before.get(name, 0) + number for name, number in more_of.items()}


def seal_keys(request: PrivacyRequest, subject: Subject) -> None:
    """Forget the pseudonyms, too: an id that comes back has the same one, and is somebody else."""
    note_whom(request, None)
    request.sealed = seal_subject(Subject(keys=subject.keys))
    request.save(update_fields=["sealed", "options"])


def was_erased(subject: Subject, *, since: datetime) -> bool:
    """Whether any id of a person was erased from this moment on."""
    return any(back.at >= since for back in comebacks_of(subject.pseudonyms).values())


def scan(subject: Subject) -> dict[HolderCode, int]:
    """What each holder has of the person."""
    return {holder.code: holder.find(subject) for holder in registry.HOLDERS}


def held_about(ids: PersonIds) -> dict[HolderCode, int]:
    """How much each holder has of the person whom the shop calls so."""
    return scan(subject_of(ids.user_id, ids.anonymous_ids))


def open_holders(request: PrivacyRequest) -> list[Holder]:
    """Holders that have not erased yet, were killed at it, or had something left at the scan."""
    done = {code for code, entry in request.counts.items() if "begun" not in entry and not entry["left"]}
    return [holder for holder in registry.HOLDERS if holder.code not in done]


def erase_at(holder: Holder, request: PrivacyRequest, subject: Subject, *, now: datetime) -> None:
    """Let one holder erase, and store what it did."""
    entry = begin(holder, request, subject)
    store_entry(request, holder, entry_after(entry, holder.erase(subject, now=now)))


def begin(holder: Holder, request: PrivacyRequest, subject: Subject) -> dict[str, Any]:
    """What is stored of a holder that is about to erase; what a killed worker had erased there counts as deleted.

    It begins with what was taken as the person was made unknown.
    """
    entry = {**NOTHING, **request.options.get("taken", {}).get(holder.code, {}), **request.counts.get(holder.code, {})}
    number = holder.find(subject)
    if "begun" in entry:
        entry["deleted"] += max(entry["begun"] - number, 0)
    else:
        entry["found"] += number
    if number:
        store_entry(request, holder, {**entry, "begun": number})
    return entry


def entry_after(entry: Mapping[str, Any], erased: Erased) -> dict[str, Any]:
    """What is stored of a holder once it has erased; what was kept by the ``entry`` of before still is."""
    return {
        "found": entry["found"],
        "deleted": entry["deleted"] + erased.deleted,
        "changed": entry["changed"] + erased.changed,
        "kept": erased.kept or entry["kept"],
        "why": erased.why or entry["why"],
        "left": 0,
    }


def leave_nothing(request: PrivacyRequest, subject: Subject, *, now: datetime) -> None:
    """Scan all holders; what came late, as from a run that was cancelled meanwhile, is erased once more.

    Raises LeftoverError, which is logged, too, where something is left all the same.
    """
    if not _look_again(request, subject):
        return
    for holder in open_holders(request):
        erase_at(holder, request, subject, now=now)
    if left := _look_again(request, subject):
        log.error("an erasure left something", request=str(request.pk), holders=sorted(left))
        raise LeftoverError(left)


def _look_again(request: PrivacyRequest, subject: Subject) -> dict[HolderCode, int]:
    """Scan all holders and store what is left at each; only those that have something are in the answer."""
    left = scan(subject)
    for code, number in left.items():
        request.counts[code] = {**NOTHING, **request.counts.get(code, {}), "left": number}
    request.save(update_fields=["counts"])
    return {code: number for code, number in left.items() if number}


def store_entry(request: PrivacyRequest, holder: Holder, entry: Mapping[str, Any]) -> None:
    request.counts[holder.code] = dict(entry)
    request.save(update_fields=["counts"])
