"""Suggested weights: the tuner searches in the background, within limits, and publishes nothing."""

import secrets
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from celery import current_app
from django.core.exceptions import ValidationError
from django.utils import timezone

from recommendations.engine.feedback.suggestion import Limits, Suggested, suggested
from recommendations.models import Segment, Staff
from recommendations.services.weights.panels import HeldPanel, PanelSettings
from recommendations.services.weights.tuning import NothingToTuneOnError
from recommendations.services.weights.values import Values, number, shares, values_of
from recommendations.services.weights.what_if import Unmeasured, held_for
from recommendations.store.models import weight_searches, weight_versions
from recommendations.store.models.measurements import described_all
from recommendations.store.models.weight_searches import NoAnswerError
from recommendations.terms import BlendName, RunStatus

__all__ = ["NoAnswerError", "Outcome", "Suggestion", "cancel", "latest_suggestion", "search", "suggest", "suggestion"]

SEARCH = "recommendations.tasks.search_weights"
ORDER = "diversity"
"""Name of the lock on the diversity of the order, beside the names of instances."""

BETWEEN_REPORTS = timedelta(milliseconds=300)
SILENT = timedelta(minutes=1)
"""A worker that has said nothing for so long is gone."""

WAITED = timedelta(minutes=10)
"""A job that no worker has taken up for so long is lost."""


class Outcome(StrEnum):
    FOUND = "found"
    STAYS = "stays"  # nothing within the limits is measurably better than what it began with
    UNMET = "unmet"  # nothing that was tried is within the limits: the values come as near as was possible


class SuggestionRunningError(Exception):
    """A search for this blend (and segment) is not over yet: ``suggestion``."""

    def __init__(self, suggestion: "Suggestion") -> None:
        super().__init__(f"suggestion {suggestion.key} is not over yet")
        self.suggestion = suggestion


class SuggestionIsOverError(Exception):
    """The search has ended, or somebody has cancelled it before."""

    def __init__(self, suggestion: "Suggestion") -> None:
        super().__init__(f"suggestion {suggestion.key} is over: {suggestion.status}")
        self.suggestion = suggestion


class _CancelledError(Exception):
    """Staff asked for the search to stop."""


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """A search and, where it succeeded, what it found: ``values`` for the sliders, and their figures on the panel."""

    key: str
    blend: BlendName
    segment: int | None  # number
    status: RunStatus
    progress: float
    asked_by: int | None  # key of the staff
    asked_at: datetime
    locked: tuple[str, ...]
    least_coverage: float
    least_diversity: float
    outcome: Outcome | None = None
    values: Values | None = None
    users: int = 0
    metrics: Mapping[str, Mapping[str, float]] = field(default_factory=dict)  # value, low, high by metric
    against: Mapping[str, Mapping[str, float]] = field(default_factory=dict)  # what it began with, paired
    most_coverage: float = 0.0  # of all that was tried
    most_diversity: float = 0.0
    evaluations: int = 0

    @property
    def is_over(self) -> bool:
        return self.status not in (RunStatus.QUEUED, RunStatus.RUNNING)


def suggest(
    *,
    blend: BlendName,
    segment: Segment | None = None,
    values: Mapping[str, Any],
    locked: Collection[str] = (),
    least: Mapping[str, Any],
    by: Staff | None,
    now: datetime,
) -> Suggestion:
    """Begin a search from ``values`` (as a draft has them) in the background.

    ``locked`` are instances whose shares stay, and "diversity" where the order is not to be more mixed; ``least`` has
    least values of ``coverage`` and ``diversity`` of the lists (0 … 1). Raises ValidationError by field (the limits as
    ``least_coverage``, ``least_diversity``), NothingToTuneOnError, SuggestionRunningError and NoAnswerError.
    """
    served = weight_versions.served_weights(blend, segment)
    start = Values.of(served) if served else Values(weights={})
    wanted = values_of(values, blend=blend, otherwise=start, known=start.weights)
    limits = _limits(least)
    if isinstance(held_for(blend, segment), Unmeasured):
        raise NothingToTuneOnError(blend)
    running = latest_suggestion(blend, segment)
    if running and not running.is_over:
        raise SuggestionRunningError(running)
    key = secrets.token_hex(8)
    request = {
        "blend": blend, "segment": segment.number if segment else None, "values": asdict(wanted),
        "locked": sorted(locked), "least": limits, "by": by.pk if by else None, "at": now.isoformat(),
    }  # fmt: skip
    weight_searches.keep(key, of=_of(blend, segment), request=request)
    current_app.send_task(SEARCH, args=[key])
    return _suggestion_of(key, request, {}, now=now)


def latest_suggestion(blend: BlendName, segment: Segment | None = None) -> Suggestion | None:
    """Suggestion that was asked for last, over or not; None where there was none today. Raises NoAnswerError."""
    key = weight_searches.latest(_of(blend, segment))
    return suggestion(key) if key else None


def suggestion(key: str) -> Suggestion | None:
    """Suggestion of this key; None where there is none any more. Raises NoAnswerError."""
    fields = weight_searches.load_search(key)
    return _suggestion_of(key, fields["request"], fields, now=timezone.now()) if "request" in fields else None


def cancel(*, key: str, by: Staff | None, now: datetime) -> Suggestion:
    """End the search. Raises SuggestionIsOverError, LookupError where there is none of this key, and NoAnswerError."""
    current = suggestion(key)
    if current is None:
        raise LookupError(key)
    if current.is_over or not weight_searches.cancel(key, {"by": by.pk if by else None, "at": now.isoformat()}):
        raise SuggestionIsOverError(suggestion(key) or current)
    return suggestion(key) or current


def search(key: str) -> Outcome | None:
    """Run a search in the worker; None where the job is gone or was cancelled. Run again, it gives the same."""
    fields = weight_searches.load_search(key)
    if "request" not in fields or "cancelled" in fields:
        return None
    request = fields["request"]
    segment = Segment.objects.filter(number=request["segment"]).first() if request["segment"] is not None else None
    held = held_for(BlendName(request["blend"]), segment)
    if isinstance(held, Unmeasured):  # there was a panel when it was asked for
        weight_searches.cancel(key, {"by": None, "at": timezone.now().isoformat()})
        return None
    wanted = Values(**request["values"])
    try:
        proposal = _searched(held, wanted, request, progress=_Progress(key))
    except _CancelledError:
        return None
    result = _result(held, wanted, proposal)
    return Outcome(result["outcome"]) if weight_searches.tell(key, "result", result) else None


class _Progress:
    """Reports how far a search is now and then, and stops it where it was cancelled."""

    def __init__(self, key: str) -> None:
        self.key, self.told_at = key, datetime.min.replace(tzinfo=timezone.get_current_timezone())

    def __call__(self, share: float) -> None:
        now = timezone.now()
        if now - self.told_at < BETWEEN_REPORTS:
            return
        self.told_at = now
        if not weight_searches.tell(self.key, "running", {"progress": round(share, 3), "at": now.isoformat()}):
            raise _CancelledError


def _limits(least: Mapping[str, Any]) -> dict[str, float]:
    errors: dict[str, str] = {}
    limits = {
        name: number(least.get(name) or 0, highest=1.0, field=f"least_{name}", errors=errors)
        for name in ("coverage", "diversity")
    }
    if errors:
        raise ValidationError({name: [text] for name, text in errors.items()})
    return limits


def _searched(held: HeldPanel, wanted: Values, request: Mapping[str, Any], *, progress: _Progress) -> Suggested:
    locked = frozenset(request["locked"])
    limits = Limits(**request["least"], locked=locked - {ORDER}, mmr_locked=ORDER in locked)
    return suggested(
        held.panel, start=wanted.weights, promotion=wanted.promotion, mmr=wanted.diversity, limits=limits, seed=0,
        progress=progress,
    )  # fmt: skip


def _result(held: HeldPanel, wanted: Values, found: Suggested) -> dict[str, Any]:
    weights = wanted.weights if found.stays else shares(found.weights)
    values = Values(
        weights=weights, diversity=found.best.mmr, exploration=wanted.exploration, promotion=wanted.promotion
    )
    now, then = (held.measured(PanelSettings.of(one)) for one in (values, wanted))
    within = Outcome.STAYS if found.stays else Outcome.FOUND
    outcome = Outcome.UNMET if found.best.shortfall else within
    return {
        "outcome": outcome, "values": asdict(values), "users": len(held), "evaluations": found.evaluations,
        "metrics": described_all(now.summary(held.drawn)), "against": described_all(now.against(then, held.drawn)),
        "most_coverage": found.most_coverage, "most_diversity": found.most_diversity,
    }  # fmt: skip


def _suggestion_of(key: str, request: Mapping[str, Any], fields: Mapping[str, Any], *, now: datetime) -> Suggestion:
    result = dict(fields.get("result", {})) if "cancelled" not in fields else {}
    if result:
        result |= {"outcome": Outcome(result["outcome"]), "values": Values(**result["values"])}
    progress = 1.0 if result else fields.get("running", {}).get("progress", 0.0)
    return Suggestion(
        key=key, blend=BlendName(request["blend"]), segment=request["segment"], status=_status(request, fields, now),
        progress=progress, asked_by=request["by"], asked_at=datetime.fromisoformat(request["at"]),
        locked=tuple(request["locked"]), least_coverage=request["least"]["coverage"],
        least_diversity=request["least"]["diversity"], **result,
    )  # fmt: skip


def _status(request: Mapping[str, Any], fields: Mapping[str, Any], now: datetime) -> RunStatus:
    if "cancelled" in fields:
        return RunStatus.CANCELLED
    if "result" in fields:
        return RunStatus.SUCCEEDED
    if "running" in fields:
        lost = now - datetime.fromisoformat(fields["running"]["at"]) > SILENT
        return RunStatus.INTERRUPTED if lost else RunStatus.RUNNING
    lost = now - datetime.fromisoformat(request["at"]) > WAITED
    return RunStatus.INTERRUPTED if lost else RunStatus.QUEUED


def _of(blend: BlendName, segment: Segment | None) -> str:
    return f"{blend}:{segment.number}" if segment else str(blend)
