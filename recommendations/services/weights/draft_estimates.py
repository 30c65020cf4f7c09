"""What a draft would have earned, estimated in the background from answers already given; nothing changes by it."""

import math
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from recommendations.engine.experiments.attention import ASSUMED, Attention, attention_of
from recommendations.engine.experiments.details import details
from recommendations.engine.experiments.off_policy import Estimate, capped, pbm_dr
from recommendations.engine.experiments.past_choices import PastArrays, past_arrays, replayed_difference
from recommendations.engine.experiments.refusal import LogFacts, refused
from recommendations.engine.experiments.relevance import relevance
from recommendations.models import BlendWeights, DraftEstimate, Placement, Staff
from recommendations.simulation.past_rankings import ComparedWeights, PastSample, past_sample
from recommendations.store import jobs
from recommendations.store.experiments.logged_answers import AnswerLog, answer_log, busiest_placement
from recommendations.store.models import weight_versions
from recommendations.store.serving.snapshot import ServedWeights, WeightsKey
from recommendations.store.serving.snapshot_holder import current_snapshot
from recommendations.terms import TASKS, BlendName, CatalogueScope, RunStatus

BETWEEN_REPORTS = timedelta(milliseconds=300)
WANTED = 0.05
"""Half-width of an interval, as a share of what is live, whose days are told of the log and of a live test."""

ETA_OF_REPLAY = 0.0
"""Steepness that is assumed of a replay, whose customers bought anyway, wherever in the list it stood."""

READING = 0.9  # of the work, in which the answers are ranked again


class NothingToEstimateError(Exception):
    """No placement answered with this blend in four weeks, or nothing is live for it."""


class EstimateIsOverError(Exception):
    """The estimate has ended, or somebody has cancelled it before."""


def ask(*, draft: BlendWeights, by: Staff | None, now: datetime) -> DraftEstimate:
    """Begin an estimate of the draft as it is saved; one that is there already, of the same log, is given again.

    One that goes on for an earlier state of the draft is cancelled. Raises NothingToEstimateError.
    """
    blend = BlendName(draft.blend.name)
    live = weight_versions.served_weights(blend, draft.group)
    visits = blend is BlendName.SESSION
    placement = busiest_placement(_placements_of(blend), now=now, visits=visits)
    if live is None or placement is None:
        raise NothingToEstimateError
    of_draft = DraftEstimate.objects.filter(draft=draft)
    for running in of_draft.unfinished().filter(cancel_requested_at=None):
        if (running.revision, running.live_id) == (draft.revision, live.pk):
            return running
        jobs.request_cancel(running, now=now)
    wanted = {
        "draft": draft, "revision": draft.revision, "live": live, "placement": placement,
        "watermark": answer_log(placement, now=now, visits=visits).watermark,
    }  # fmt: skip
    again = DraftEstimate.objects.succeeded().filter(**wanted).first()
    if again is not None:
        return again
    of_draft.exclude(status=RunStatus.SUCCEEDED).filter(created_at__lt=now - timedelta(days=1)).delete()
    estimate = DraftEstimate.objects.create(**wanted, started_by=by)
    jobs.enqueue(estimate)
    return estimate


def _placements_of(blend: BlendName) -> list[str]:
    """Placements that the weights count at: those of visits at every one that ranks the whole shop for a person."""
    blends = list(TASKS.values()) if blend is BlendName.SESSION else [blend]
    placements = Placement.objects.filter(blend__name__in=blends, scope=CatalogueScope.WHOLE)
    return list(placements.values_list("name", flat=True))


def latest_estimate(draft: BlendWeights) -> DraftEstimate | None:
    """The estimate of a draft that was asked for last, over or not."""
    return DraftEstimate.objects.filter(draft=draft).select_related("live", "draft__blend").first()


def cancel(estimate: DraftEstimate, *, now: datetime) -> None:
    """End the estimate. Raises EstimateIsOverError."""
    if not jobs.request_cancel(estimate, now=now):
        raise EstimateIsOverError


def estimate(key: UUID) -> RunStatus | None:
    """Make an estimate in the worker; None where it is gone, over or somebody else is at it."""
    job = DraftEstimate.objects.select_related("draft__blend", "live__blend").filter(pk=key).first()
    return jobs.run_job(job, _estimate, clock=timezone.now)


def _estimate(job: DraftEstimate) -> None:
    """Rank the answers again, estimate, and store the figures."""
    if job.live is None or job.draft.revision != job.revision:
        raise jobs.JobCancelledError
    report = jobs.Reporter(job, between=BETWEEN_REPORTS)
    now = job.created_at
    log = answer_log(job.placement, now=now, visits=job.draft.blend.name == BlendName.SESSION)
    sample = past_sample(
        log, compared_weights(job.draft, job.live), live=current_snapshot(), now=now,
        progress=lambda share: report(READING * share) if report.is_due else None,
    )  # fmt: skip
    report(READING)
    job.result = _jsonable(figures_of(sample, log))
    job.save(update_fields=["result"])
    report(1)


def compared_weights(draft: BlendWeights, live: BlendWeights) -> ComparedWeights:
    """A draft beside what its customers get now."""
    whose = WeightsKey.of(BlendName(draft.blend.name), draft.group)
    return ComparedWeights(whose=whose, draft=ServedWeights.of(draft), live=ServedWeights.of(live))


def figures_of(sample: PastSample, log: AnswerLog) -> dict[str, Any]:
    """Figures of an estimate, or why there are none, and how far they carry."""
    arrays = past_arrays(sample.choices) if sample.choices else None
    assumed = ETA_OF_REPLAY if log.replay else ASSUMED
    attention = attention_of(arrays.plain, assumed=assumed) if arrays else None
    clicks = pbm_dr(arrays.logged, arrays.rankings, attention) if arrays and attention else None
    a_day = log.a_day * sample.counting_share
    facts = LogFacts(
        answers=sample.answers, shuffled=sample.shuffled, unmakeable=sample.unmakeable, recent=sample.recent,
        answers_a_day=a_day,
    )  # fmt: skip
    refusal = refused(clicks, facts)
    result: dict[str, Any] = {
        "refusal": asdict(refusal) if refusal else None, "answers": sample.answers, "unmakeable": sample.unmakeable,
        "lacking": dict(sample.lacking), "shuffled": sample.shuffled, "nameless": sample.nameless, "days": log.days,
        "a_day": a_day, "replay": log.replay, "listed": log.listed, "visits": log.visits,
    }  # fmt: skip
    if arrays and attention and clicks:
        result |= {
            "clicks": asdict(clicks),
            "money": _money(arrays, attention, facts) if refusal is None and not log.replay else None,
            "attention": {
                "eta": attention.eta, "se": attention.se, "assumed": attention.assumed, "free": attention.free,
            },
            "details": {
                name: asdict(one) for name, one in details(arrays.logged, arrays.rankings, attention).items()
            },
            "known": replayed_difference(arrays) if log.replay else None,
            "tools": _tools(clicks, arrays, a_day),
            "looks": _looks(arrays, attention),
        }  # fmt: skip
    return result


def _money(arrays: PastArrays, attention: Attention, facts: LogFacts) -> dict[str, Any] | None:
    """The estimate in attributed revenue, where the log can tell that as well."""
    if not arrays.revenue.any():
        return None
    money = pbm_dr(arrays.logged, arrays.rankings, attention, outcomes=capped(arrays.revenue))
    of_revenue = LogFacts(**{**asdict(facts), "revenue": True})
    return asdict(money) if refused(money, of_revenue) is None else None


def _tools(clicks: Estimate, arrays: PastArrays, a_day: float) -> dict[str, float] | None:
    """Days until the log, and until a live test of everybody, tells the difference to ± 5 % of the clicks."""
    wanted = WANTED * clicks.live
    if not (wanted > 0 and a_day > 0):
        return None
    half, scatter = (clicks.high - clicks.low) / 2, float(arrays.logged.clicks.sum(axis=1).var())
    by_log = clicks.answers * (half / wanted) ** 2
    by_test = 4 * scatter * (1.96 / wanted) ** 2  # of two arms
    return {"log_days": by_log / a_day, "test_days": by_test / a_day}


def _looks(arrays: PastArrays, attention: Attention) -> dict[str, list[float]]:
    """Attention of each slot, and expected clicks of each place of the ranking if it is looked at."""
    logged = arrays.logged
    r = relevance(
        logged.features, places=logged.places, outcomes=logged.clicks, q=attention.q, customers=logged.customers
    )
    return {"attention": attention.q.tolist(), "relevance": r[:, : logged.chances.shape[1]].mean(axis=0).tolist()}


def _jsonable(value: Any) -> Any:
    """The value with null in place of what JSON does not have."""
    if isinstance(value, Mapping):
        return {str(key): _jsonable(each) for key, each in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
