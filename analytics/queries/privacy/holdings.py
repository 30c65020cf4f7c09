"""What each holder found of a person and what it did with it, as a request has it, and as dots of a line."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from recommendations.models import PrivacyRequest
from recommendations.privacy_terms import HolderCode, Kept
from recommendations.services.privacy.holders import held_of_customer
from recommendations.wording.privacy import labels as privacy_labels
from recommendations.wording.privacy.words import KEPT

_WORDS: Mapping[str, str | Promise] = dict(privacy_labels.HOLDERS)


class HolderProgress(StrEnum):
    """How far a holder is with a request."""

    WAITING = "waiting"
    WORKING = "working"
    DONE = "done"
    LEFT = "left"  # the scan found something afterwards


@dataclass(frozen=True)
class Dot:
    """A holder in a line of dots."""

    words: str
    progress: HolderProgress


@dataclass(frozen=True, kw_only=True)
class HolderCounts:
    """What a holder held, deleted, changed and kept (``why``: words, "" for none), and what the last scan found."""

    code: str
    words: str
    progress: HolderProgress
    held: int = 0
    deleted: int = 0
    changed: int = 0
    kept: int = 0
    why: str = ""
    left: int | None = None


@dataclass(frozen=True, kw_only=True)
class HeldOfCustomer:
    """Places that have something of a customer, with how much; names of those that have nothing, or are in Valkey while
    it is away.
    """

    rows: list[tuple[str, int]]
    nothing: str
    away: str


def held_of(customer: int) -> HeldOfCustomer:
    """What every place has of a customer, the one with the most first."""
    held = held_of_customer(customer)
    rows = [(str(_WORDS[code]), count) for code, count in held.items() if count]
    nothing, away = (
        pgettext("between names", ", ").join(str(_WORDS[code]) for code, count in held.items() if count == which)
        for which in (0, None)
    )
    return HeldOfCustomer(rows=sorted(rows, key=lambda row: -row[1]), nothing=nothing, away=away)


def holder_counts(request: PrivacyRequest) -> list[HolderCounts]:
    """Every holder, in the order in which they are erased."""
    counts, rows = request.counts, list[HolderCounts]()
    is_at_work = request.unfinished and request.started_at is not None
    for code in HolderCode:
        given = counts.get(code)
        progress = _progress(given)
        if progress == HolderProgress.WAITING and is_at_work:  # the first that has not done it is the one at work
            progress, is_at_work = HolderProgress.WORKING, False
        rows.append(_counts(code, given or {}, progress))
    return rows


def dots(request: PrivacyRequest) -> list[Dot]:
    return [Dot(each.words, each.progress) for each in holder_counts(request)]


def dots_words(line: list[Dot]) -> str:
    """A line of dots as a sentence, with the names of what is under way or not gone."""
    done = sum(dot.progress == HolderProgress.DONE for dot in line)
    parts = [_("%(done)s of %(all)s places done") % {"done": done, "all": len(line)}]
    named = ((HolderProgress.WORKING, _("under way: %(names)s")), (HolderProgress.LEFT, _("not gone: %(names)s")))
    for progress, words in named:
        names = pgettext("between names", ", ").join(dot.words for dot in line if dot.progress == progress)
        if names:
            parts.append(words % {"names": names})
    return pgettext("between parts of a sentence", "; ").join(parts)


def _progress(given: Mapping[str, Any] | None) -> HolderProgress:
    if given is None:
        return HolderProgress.WAITING
    if "begun" in given:
        return HolderProgress.WORKING
    return HolderProgress.LEFT if given.get("left") else HolderProgress.DONE


def _counts(code: HolderCode, given: Mapping[str, Any], progress: HolderProgress) -> HolderCounts:
    return HolderCounts(
        code=code, words=str(_WORDS[code]), progress=progress, held=given.get("found", 0),
        deleted=given.get("deleted", 0), changed=given.get("changed", 0), kept=given.get("kept", 0),
        why=_why(given.get("why", "")), left=given.get("left"),
    )  # fmt: skip


def _why(code: str) -> str:
    """Why something is kept, in words; "" where nothing is."""
    return str(KEPT[Kept(code)]) if code in set(Kept) else ""
