"""Effects of an experiment's arms by its readings alone, with intervals that are right at every look."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from django.db.models import QuerySet, Subquery
from django.utils import timezone

from recommendations.engine.experiments.decision import ALPHA
from recommendations.engine.experiments.effects import TreatmentEffect, ratio_difference
from recommendations.engine.experiments.moments import Moments
from recommendations.engine.experiments.sequences import anytime_interval, p_value
from recommendations.models import Arm, Experiment, Reading
from recommendations.services.experiments.standings import OF_REPLAY, effect_of, moments_of
from recommendations.terms import Metric
from recommendations.wording import experiment_labels

WITHOUT_INTERVAL = frozenset({Metric.COVERAGE})

type Sums = Mapping[int, Moments]
"""Sums by the place of the arm."""


class MetricGroup(StrEnum):
    """What a metric is for in an experiment."""

    PRIMARY = "primary"
    GUARDRAIL = "guardrail"
    SUPPORTING = "supporting"


@dataclass(frozen=True, kw_only=True)
class MetricResult:
    """Effect of the arm at a place on a metric; ``low`` and ``high``, in the metric's unit, may be infinite."""

    metric: str
    group: MetricGroup
    place: int
    effect: TreatmentEffect
    low: float
    high: float
    p: float


def last_readings(arms: Iterable[Arm]) -> QuerySet[Reading]:
    """The readings of the last time that the experiment of these arms was read."""
    every = Reading.objects.filter(arm__in=[arm.pk for arm in arms])
    return every.filter(at=Subquery(every.order_by("-at").values("at")[:1]))


def sums_of(rows: Iterable[Reading], arms: Iterable[Arm], *, segment: int | None = None) -> dict[str, Sums]:
    """Sums by metric and place of the arm, of everybody or of a segment."""
    places = {arm.pk: arm.position for arm in arms}
    sums: dict[str, dict[int, Moments]] = defaultdict(dict)
    for row in rows:
        if row.segment == segment:
            sums[row.metric][places[row.arm_id]] = moments_of(row)
    return dict(sums)


def sums_by_day(experiment: Experiment, arms: Iterable[Arm]) -> dict[date, Sums]:
    """Sums of the primary metric at the last reading of each day of the shop."""
    places = {arm.pk: arm.position for arm in arms}
    rows = Reading.objects.filter(arm__in=places, metric=experiment.primary, segment=None).order_by("at")
    days: dict[date, dict[int, Moments]] = defaultdict(dict)
    for row in rows.defer("facts"):
        days[timezone.localdate(row.at)][places[row.arm_id]] = moments_of(row)
    return {day: sums for day, sums in days.items() if 0 in sums}


def metric_results(
    experiment: Experiment, arms: Sequence[Arm], overall: Mapping[str, Sums], by_day: Mapping[date, Sums]
) -> list[MetricResult]:
    """The primary metric, the guardrails, then all else that was measured; of each arm but the control.

    Of replayed customers only what their lists held and how they came about: they bought before they were answered.
    """
    replayed = bool(experiment.decision.get("replayed"))
    names = [name for name, _words in experiment_labels.METRICS if name in overall]
    supporting = [name for name in names if name not in experiment.guardrails]
    order = dict.fromkeys([experiment.primary, *sorted(experiment.guardrails), *supporting])
    groups = {name: group_of(experiment, name) for name in order if not replayed or name in OF_REPLAY}
    counts = {group: sum(each is group for each in groups.values()) for group in MetricGroup}
    lines: list[MetricResult] = []
    for name, group in groups.items():
        sums, alpha = overall.get(name, {}), alpha_of(group, arms=len(arms), count=counts[group])
        places = [arm.position for arm in arms[1:] if 0 in sums and arm.position in sums]
        lines += [_result(experiment, name, sums, place, alpha=alpha) for place in places]
    return [_with_best_p(line, experiment, by_day) for line in lines]


def effect_on(metric: str, sums: Sums, place: int) -> TreatmentEffect:
    """Effect of the arm at a place on a metric, against the control."""
    if metric == Metric.COVERAGE:  # in equally many lists, without people
        return ratio_difference(sums[place], sums[0])
    every = [each for each in sums.values() if each.n > 1]
    return effect_of(Metric(metric), sums[place], sums[0], every=every)


def alpha_of(group: MetricGroup, *, arms: int, count: int = 1) -> float:
    """Error that a metric of a group may have; a guardrail is one-sided: the end of the interval at twice that."""
    pairs = max(arms - 1, 1)
    if group is MetricGroup.PRIMARY:
        return ALPHA / pairs
    return (2 if group is MetricGroup.GUARDRAIL else 1) * ALPHA / max(count * pairs, 1)


def group_of(experiment: Experiment, name: str) -> MetricGroup:
    if name == experiment.primary:
        return MetricGroup.PRIMARY
    return MetricGroup.GUARDRAIL if name in experiment.guardrails else MetricGroup.SUPPORTING


def _result(experiment: Experiment, name: str, sums: Sums, place: int, *, alpha: float) -> MetricResult:
    effect, tau2 = effect_on(name, sums, place), experiment.scales.get(name)
    low, high, p = -math.inf, math.inf, 1.0
    if tau2 and name not in WITHOUT_INTERVAL:
        _value, low, high, p = anytime_interval(effect, tau2, alpha)
    group = group_of(experiment, name)
    return MetricResult(metric=name, group=group, place=place, effect=effect, low=low, high=high, p=p)


def _with_best_p(line: MetricResult, experiment: Experiment, by_day: Mapping[date, Sums]) -> MetricResult:
    """The line of the primary metric with the smallest p of all days, which may be quoted."""
    tau2 = experiment.scales.get(experiment.primary)
    if not tau2 or line.group is not MetricGroup.PRIMARY:
        return line
    days = [effect_on(line.metric, sums, line.place) for sums in by_day.values() if line.place in sums]
    return replace(line, p=min([line.p, *(p_value(day, tau2) for day in days)]))
