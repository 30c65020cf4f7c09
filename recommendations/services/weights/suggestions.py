"""Suggested weights: the tuner searches in the background, within limits, and publishes nothing."""

import math
from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from recommendations.engine.evaluation.panel import PanelResult
from recommendations.engine.evaluation.panel_measures import ACCURACY, CLEARANCE, MARGIN, REVENUE, measured_by
from recommendations.engine.feedback.suggestion import Aim, Suggested, suggested
from recommendations.models import Blend, Group, Staff, WeightSearch, group_fields
from recommendations.services.weights.panels import HeldPanel, PanelSettings
from recommendations.services.weights.tuning import NothingToTuneOnError
from recommendations.services.weights.values import Values, shares, values_of
from recommendations.services.weights.what_if import Unmeasured, held_for
from recommendations.store import jobs
from recommendations.store.models import weight_versions
from recommendations.store.models.measurements import described_all
from recommendations.terms import BlendName, RunStatus

LIMITS = ("least_coverage", "least_diversity", "most_loss")
WHOLE = 100.0  # percent
ORDER = "diversity"
"""Name of the lock on the diversity of the order, beside the names of instances."""

GOALS = (ACCURACY, REVENUE, MARGIN, CLEARANCE)
"""What a search can aim at, where the shop has the data that measure it."""

BETWEEN_REPORTS = timedelta(milliseconds=300)
KEPT = timedelta(days=1)
"""How long a search can be looked at, so that a page that is loaded again finds it."""


class Outcome(StrEnum):
    FOUND = "found"
    STAYS = "stays"  # nothing within the limits is measurably better than what it began with
    UNMET = "unmet"  # nothing that was tried is within the limits: the values come as near as was possible


class SearchRunningError(Exception):
    """A search for this blend (and group) is not over yet: ``search``."""

    def __init__(self, search: WeightSearch) -> None:
        super().__init__(f"search {search} is not over yet")
        self.search = search


class SearchIsOverError(Exception):
    """The search has ended, or somebody has cancelled it before."""


def suggest(
    *,
    blend: BlendName,
    group: Group = None,
    values: Mapping[str, Any],
    goal: str = ACCURACY,
    locked: Collection[str] = (),
    limits: Mapping[str, Any],
    by: Staff | None,
    now: datetime,
) -> WeightSearch:
    """Begin a search from ``values`` (as a draft has them) in the background.

    ``locked`` are instances whose shares stay, lifts, and "diversity" where the order is not to be more mixed.
    ``limits`` are percentages: ``least_coverage`` and ``least_diversity`` of the lists, ``most_loss`` of the accuracy
    that is live; what is empty sets none. Raises ValidationError by field, NothingToTuneOnError and SearchRunningError.
    """
    served = weight_versions.served_weights(blend, group)
    start = Values.of(served) if served else Values(weights={})
    wanted = values_of(values, blend=blend, otherwise=start, known=start.weights)
    held = held_for(blend, group)
    if isinstance(held, Unmeasured):
        raise NothingToTuneOnError(blend)
    shares_of_limits = _limits(limits, goal, known=goals_of(held))
    running = latest_suggestion(blend, group)
    if running and not running.is_over:
        raise SearchRunningError(running)
    search = WeightSearch.objects.create(
        blend=Blend.objects.get(name=blend), started_by=by, **group_fields(group),
        request={"values": asdict(wanted), "locked": sorted(locked), "goal": goal, "limits": shares_of_limits},
    )  # fmt: skip
    WeightSearch.objects.filter(created_at__lt=now - KEPT).delete()
    jobs.enqueue(search)
    return search


def latest_suggestion(blend: BlendName, group: Group = None) -> WeightSearch | None:
    """Search that was asked for last, over or not; None where there was none today."""
    since = timezone.now() - KEPT
    return WeightSearch.objects.filter(blend__name=blend, created_at__gte=since, **group_fields(group)).first()


def cancel(search: WeightSearch, *, now: datetime) -> None:
    """End the search. Raises SearchIsOverError."""
    if not jobs.request_cancel(search, now=now):
        raise SearchIsOverError


def search(key: UUID) -> Outcome | None:
    """Run a search in the worker; None where it is gone, over or cancelled."""
    job = WeightSearch.objects.filter(pk=key).first()
    status = jobs.run_job(job, _search, clock=timezone.now)
    return Outcome(job.result["outcome"]) if job and status is RunStatus.SUCCEEDED else None


def _search(job: WeightSearch) -> None:
    """Search, and store what was found."""
    held = held_for(BlendName(job.blend.name), job.group)
    if isinstance(held, Unmeasured):  # there was a panel when it was asked for
        raise jobs.JobCancelledError
    wanted, report = Values(**job.request["values"]), jobs.Reporter(job, between=BETWEEN_REPORTS)
    served = weight_versions.served_weights(BlendName(job.blend.name), job.group)
    live = held.measured(PanelSettings.of(Values.of(served) if served else wanted))
    aim = _aim(job.request, accuracy=float(live.of(ACCURACY).mean()))
    proposal = suggested(
        held.panel, start=wanted.weights, exponents=wanted.exponents, mmr=wanted.diversity, aim=aim, seed=0,
        progress=lambda share: report(share) if report.is_due else None,
    )  # fmt: skip
    job.result = _result(held, wanted, proposal, live=live)
    job.save(update_fields=["result"])
    report(1)


def goals_of(held: HeldPanel | Unmeasured) -> list[str]:
    """Goals that the panel can measure."""
    return [] if isinstance(held, Unmeasured) else [goal for goal in GOALS if goal in measured_by(held.panel.shop)]


def _limits(given: Mapping[str, Any], goal: str, *, known: Collection[str]) -> dict[str, float]:
    """Limits as shares, those that are set; a goal that nothing measures is refused as well."""
    errors: dict[str, list[str]] = {}
    limits: dict[str, float] = {}
    if goal not in known:
        errors["goal"] = [_("Choose one of the goals: for this one the shop has no data yet.")]
    for name in LIMITS:
        if not (typed := str(given.get(name) or "").strip().removesuffix("%").strip()):
            continue
        try:
            percent = float(typed)
        except ValueError:
            percent = math.nan
        if 0 <= percent <= WHOLE:
            limits[name] = percent / WHOLE
        else:
            errors[name] = [_("Enter a percentage from 0 to 100, such as 8.")]
    if errors:
        raise ValidationError(errors)
    return limits


def _aim(request: Mapping[str, Any], *, accuracy: float) -> Aim:
    """What was asked for; ``accuracy`` is that of live, of which a limit allows to lose a part."""
    locked, limits = frozenset(request["locked"]), request["limits"]
    return Aim(
        goal=request["goal"], locked=locked - {ORDER}, mmr_locked=ORDER in locked,
        accuracy=(1 - limits["most_loss"]) * accuracy if "most_loss" in limits else 0.0,
        coverage=limits.get("least_coverage", 0.0), diversity=limits.get("least_diversity", 0.0),
    )  # fmt: skip


def _result(held: HeldPanel, wanted: Values, found: Suggested, *, live: PanelResult) -> dict[str, Any]:
    weights = wanted.weights if found.stays else shares(found.weights)
    exponents = {str(name): exponent for name, exponent in found.exponents.items()}
    values = Values(
        weights=weights, diversity=found.best.mmr, exploration=wanted.exploration, cards=wanted.cards, **exponents
    )
    now = held.measured(PanelSettings.of(values))
    _, against = now.beside(live, held.drawn)
    within = Outcome.STAYS if found.stays else Outcome.FOUND
    outcome = Outcome.UNMET if found.best.shortfall else within
    return {
        "outcome": outcome, "values": asdict(values), "users": len(held), "evaluations": found.evaluations,
        "metrics": described_all(now.summary(held.drawn)), "against": described_all(against),
        "reached": {name: measure.value for name, measure in live.summary(held.drawn).items()},
        "most_coverage": found.most_coverage, "most_diversity": found.most_diversity,
    }  # fmt: skip
