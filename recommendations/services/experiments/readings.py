"""Readings of experiments and the verdict on them, hour by hour; what harms is stopped without anybody being asked."""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from recommendations.engine.experiments.decision import Verdict, VerdictCode, decide
from recommendations.engine.experiments.mismatch import is_mismatch, log_evidence
from recommendations.engine.experiments.moments import Moments, joined
from recommendations.models import Arm, Experiment, ExperimentNote, Reading
from recommendations.services.access import audit
from recommendations.services.experiments.standings import days_between, last_read, replayed_days, standing
from recommendations.store.advisory_lock import advisory_lock
from recommendations.store.events.partitions import gone_until
from recommendations.store.experiments.caps import scales
from recommendations.store.experiments.totals import WINDOW, ExperimentTotals, totals
from recommendations.store.experiments.units import settle_units
from recommendations.store.live import fetch
from recommendations.terms import ExperimentKind, ExperimentStatus, Metric

__all__ = ["due", "judge", "read_experiment", "read_experiments", "settle_units", "standing"]

HOURLY = timedelta(days=2)
"""How long an experiment is read every hour; then once a day."""
NEARLY = timedelta(minutes=50)  # an hour, less what the schedule may be late
FEWEST_UNITS = 100  # of each arm, before a metric without a past gets its scale
LOCK = 7_264_105


def read_experiments(now: datetime) -> int:
    """Read and judge every experiment that is due; how many. Of two processes one does nothing."""
    with advisory_lock(LOCK) as alone:
        experiments = due(now) if alone else []
        for experiment in experiments:
            read_experiment(experiment, now=now)
            judge(experiment, now=now)
    return len(experiments)


def due(now: datetime) -> list[Experiment]:
    """Experiments to read: hourly for two days, then once a day, until the last person's 28 days are over.

    One that began with what is kept no longer stays as it was read last, as its sums would be those of fewer acts.
    """
    begun = Experiment.objects.filter(simulated=False, started_at__lte=now).exclude(kind=ExperimentKind.BANDIT)
    open_ended = Q(status__in=[ExperimentStatus.RUNNING, ExperimentStatus.PAUSED]) | Q(ended_at__gt=now - WINDOW)
    if gone := gone_until():
        begun = begun.filter(started_at__gte=gone + WINDOW)
    return [experiment for experiment in begun.filter(open_ended).order_by("pk") if _is_due(experiment, now)]


def lost_its_beginning(experiment: Experiment) -> bool:
    """Whether what the experiment began with, or people did in the four weeks before it, is not kept any more."""
    gone = gone_until()
    return gone is not None and experiment.started_at is not None and experiment.started_at < gone + WINDOW


@transaction.atomic
def read_experiment(experiment: Experiment, *, now: datetime) -> int:
    """Store the sums of this moment for everybody and by segment, in place of those already read at it; how many."""
    result = totals(experiment, now=now)
    shared = {**result.facts, "splits": _splits(experiment, result)}
    readings = [
        Reading(
            arm_id=arm, segment=segment, metric=metric, at=now, n=int(own.moments.n), y=own.moments.y,
            yy=own.moments.yy, x=own.moments.x, xx=own.moments.xx, xy=own.moments.xy,
            facts={"successes": own.successes} | _facts(experiment, result, arm=arm, metric=metric, segment=segment,
                                                        shared=shared),
        )
        for (arm, segment, metric), own in result.sums.items()
    ]  # fmt: skip
    readings += [
        Reading(
            arm_id=arm, metric=Metric.COVERAGE, at=now, n=0, y=items, yy=0, x=1, xx=0, xy=0, facts={"lists": answers}
        )
        for arm, (items, answers) in result.items.items()
    ]
    Reading.objects.filter(arm__experiment=experiment, at=now).delete()
    Reading.objects.bulk_create(readings, batch_size=1_000)
    _settle_scales(experiment, result, now=now)
    return len(readings)


def judge(experiment: Experiment, *, now: datetime) -> Verdict | None:
    """Store the verdict on the last reading, a line of the log where it is a new one, and stop what does harm.

    The decision of an experiment that has ended stays as it was. None where there is nothing to judge.
    """
    if experiment.status not in {ExperimentStatus.RUNNING, ExperimentStatus.PAUSED}:
        return None
    current = standing(experiment, now=now)
    if current is None or sum(current.counts) == 0:
        return None
    verdict = decide(current)
    _store(experiment, verdict, now=now, replayed=current.replayed)
    return verdict


@transaction.atomic
def _store(experiment: Experiment, verdict: Verdict, *, now: datetime, replayed: bool) -> None:
    stored = Experiment.objects.select_for_update().get(pk=experiment.pk)
    if stored.status not in {ExperimentStatus.RUNNING, ExperimentStatus.PAUSED}:
        return  # somebody ended it meanwhile
    facts = plain(verdict.facts)
    read_at = last_read(experiment, until=now)
    changed = stored.decision.get("code") != verdict.code
    stored.decision = {"code": verdict.code, "facts": facts, "at": read_at.isoformat() if read_at else None}
    if replayed:
        stored.decision["replayed"] = True
    if verdict.code is VerdictCode.HARM:
        before = stored.status
        stored.status, stored.ended_at, stored.revision = ExperimentStatus.STOPPED, now, stored.revision + 1
        if not stored.simulated:  # which nobody is in: neither the trail nor what is served has anything of it
            told = {"code": verdict.code, "facts": facts, "primary": stored.primary}
            after = {"status": stored.status, "verdict": told}
            audit.record(by=None, verb="stop", subject=stored, before={"status": before}, after=after)
            transaction.on_commit(lambda: fetch.announce(fetch.Changed.EXPERIMENTS))
    stored.save(update_fields=["decision", "status", "ended_at", "revision"])
    if changed:
        ExperimentNote.objects.create(experiment=stored, at=now, by=None, code=verdict.code, facts=facts)
    for name in ("decision", "status", "ended_at", "revision"):
        setattr(experiment, name, getattr(stored, name))


def plain(value: Any) -> Any:
    """A fact as JSON takes it: numbers that are none, or without end, are null."""
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _is_due(experiment: Experiment, now: datetime) -> bool:
    before = last_read(experiment, until=now)
    if before is None or experiment.started_at is None:
        return True
    if now - experiment.started_at < HOURLY:
        return now - before >= NEARLY
    zone = ZoneInfo(settings.SHOP_TIME_ZONE)
    return before.astimezone(zone).date() < now.astimezone(zone).date()


def _facts(
    experiment: Experiment, result: ExperimentTotals, *, arm: int, metric: Metric, segment: int | None,
    shared: Mapping[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """What a page says beside the sums of everybody: of the primary metric all that is true of the whole."""
    facts: dict[str, Any] = {}
    if segment is not None:
        return facts
    if metric is Metric.REVENUE:
        facts |= {
            "cap": experiment.caps.get(Metric.REVENUE), "uncapped": result.uncapped[arm],
            "above_cap": result.above_cap[arm],
        }  # fmt: skip
    if metric is Metric.CTR:
        facts["of_served"] = not result.facts["listed"]
    return {**facts, **shared} if metric == experiment.primary else facts


def _splits(experiment: Experiment, result: ExperimentTotals) -> list[dict[str, Any]]:
    """Split checks of everybody, of each segment, of who is signed in or not, and of each placement first seen."""
    arms = [arm for arm in experiment.arms.order_by("position") if arm.share > 0]
    primary = Metric(experiment.primary)
    segments: dict[int | None, dict[int, int]] = {}
    for (arm, segment, metric), own in result.sums.items():
        if metric == primary:
            segments.setdefault(segment, {})[arm] = int(own.moments.n)
    groups: list[tuple[str, str, Mapping[int, int]]] = [
        ("all" if segment is None else "segment", "" if segment is None else str(segment), counts)
        for segment, counts in segments.items()
    ]
    groups += [(kind, name, counts) for (kind, name), counts in result.parts.items()]
    return _checked(groups, arms)


def _checked(groups: Iterable[tuple[str, str, Mapping[int, int]]], arms: Sequence[Arm]) -> list[dict[str, Any]]:
    """Each group with its counts and whether it is split as planned, at α over the number of its kind."""
    known, weight = list(groups), sum(arm.share for arm in arms)
    shares = [arm.share / weight for arm in arms]
    sizes = {kind: sum(1 for other, _, _ in known if other == kind) for kind, _, _ in known}
    checks = []
    for kind, name, counts in known:
        own = [counts.get(arm.pk, 0) for arm in arms]
        checks.append(
            {
                "kind": kind, "name": name, "counts": own, "log_evidence": log_evidence(own, shares),
                "broken": is_mismatch(own, shares, parts=sizes[kind]),
            }
        )  # fmt: skip
    return checks


def _settle_scales(experiment: Experiment, result: ExperimentTotals, *, now: datetime) -> None:
    """Give a metric that had no past its τ², once: by the scatter of the first units, and as many as will have come."""
    whole: dict[Metric, list[Moments]] = {}
    for (_, segment, metric), own in result.sums.items():
        if segment is None:
            whole.setdefault(metric, []).append(own.moments)
    missing = {
        metric: joined(*parts)
        for metric, parts in whole.items()
        if metric not in experiment.scales and min(part.n for part in parts) >= FEWEST_UNITS
    }
    if not missing or experiment.started_at is None:
        return
    units = max(own.n for own in missing.values())
    replayed = replayed_days(result.facts)
    passed = max(days_between(experiment.started_at, now) if replayed is None else replayed, 1)
    late = scales(experiment, missing, units=units * max(experiment.planned_days / passed, 1.0))
    if late:
        experiment.scales = late | experiment.scales
        Experiment.objects.filter(pk=experiment.pk).update(scales=experiment.scales)
