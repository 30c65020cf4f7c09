"""Suggested weights: the tuner searches in the background, within limits, and publishes nothing."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils import timezone

from recommendations.engine.feedback.suggestion import Limits, Suggested, suggested
from recommendations.models import Blend, Group, Staff, WeightSearch, group_fields
from recommendations.services.weights.panels import HeldPanel, PanelSettings
from recommendations.services.weights.tuning import NothingToTuneOnError
from recommendations.services.weights.values import Values, number, shares, values_of
from recommendations.services.weights.what_if import Unmeasured, held_for
from recommendations.store import jobs
from recommendations.store.models import weight_versions
from recommendations.store.models.measurements import described_all
from recommendations.terms import BlendName, RunStatus

ORDER = "diversity"
"""Name of the lock on the diversity of the order, beside the names of instances."""

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
    locked: Collection[str] = (),
    least: Mapping[str, Any],
    by: Staff | None,
    now: datetime,
) -> WeightSearch:
    """Begin a search from ``values`` (as a draft has them) in the background.

    ``locked`` are instances whose shares stay, and "diversity" where the order is not to be more mixed; ``least`` has
    least values of ``coverage`` and ``diversity`` of the lists (0 … 1). Raises ValidationError by field (the limits as
    ``least_coverage``, ``least_diversity``), NothingToTuneOnError and SearchRunningError.
    """
    served = weight_versions.served_weights(blend, group)
    start = Values.of(served) if served else Values(weights={})
    wanted = values_of(values, blend=blend, otherwise=start, known=start.weights)
    limits = _limits(least)
    if isinstance(held_for(blend, group), Unmeasured):
        raise NothingToTuneOnError(blend)
    running = latest_suggestion(blend, group)
    if running and not running.is_over:
        raise SearchRunningError(running)
    search = WeightSearch.objects.create(
        blend=Blend.objects.get(name=blend), started_by=by, **group_fields(group),
        request={"values": asdict(wanted), "locked": sorted(locked), "least": limits},
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
    proposal = _searched(held, wanted, job.request, progress=lambda share: report(share) if report.is_due else None)
    job.result = _result(held, wanted, proposal)
    job.save(update_fields=["result"])
    report(1)


def _limits(least: Mapping[str, Any]) -> dict[str, float]:
    errors: dict[str, str] = {}
    limits = {
        name: number(least.get(name) or 0, highest=1.0, field=f"least_{name}", errors=errors)
        for name in ("coverage", "diversity")
    }
    if errors:
        raise ValidationError({name: [text] for name, text in errors.items()})
    return limits


def _searched(
    held: HeldPanel, wanted: Values, request: Mapping[str, Any], *, progress: Callable[[float], None]
) -> Suggested:
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
