"""What came of an experiment so far, from its readings alone: each metric by arm, day by day, and by segment."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Subquery
from django.utils import timezone
from django.utils.translation import gettext as _

from analytics.charts.arms import ArmVisitors
from analytics.charts.experiments import LiftDay, MetricEffect
from analytics.templatetags.words import label
from recommendations.engine.experiments.decision import ALPHA
from recommendations.engine.experiments.effects import TreatmentEffect, ratio_difference
from recommendations.engine.experiments.moments import Moments, explained
from recommendations.engine.experiments.sequences import anytime_interval, half_width, p_value
from recommendations.models import Arm, Experiment, Reading
from recommendations.services.experiments.standings import effect_of, moments_of
from recommendations.terms import Metric
from recommendations.wording import experiment_labels
from recommendations.wording.metrics import higher_is_better, metric_text

ONCE = 1.96  # standard errors of an interval that is looked at once
WITHOUT_INTERVAL = frozenset({Metric.COVERAGE})

type Sums = Mapping[int, Moments]
"""Sums by the place of the arm."""


@dataclass(frozen=True, kw_only=True)
class MetricLine:
    """A metric of an arm beside the control's, in the metric's unit, and its effect as shares of the control's."""

    metric: str
    words: str
    group: str
    letter: str
    before: str
    after: str
    effect: MetricEffect
    p: float

    @property
    def tone(self) -> str:
        """Whether the effect is clearly better for the shop, clearly worse, or unclear."""
        if not self.effect.is_certain or self.effect.low <= 0 <= self.effect.high:
            return "unclear"
        return "better" if (self.effect.low > 0) is not self.effect.lower_is_better else "worse"


@dataclass(frozen=True, kw_only=True)
class Results:
    """An experiment at its last reading; ``days`` by arm, ``spent_before`` the part of the scatter that CUPED takes."""

    at: datetime
    people: Mapping[int, int]
    lines: Sequence[MetricLine]
    segments: Sequence[MetricEffect]
    days: Mapping[str, Sequence[LiftDay]]
    visitors: Sequence[ArmVisitors]
    spent_before: float
    facts: Mapping[str, Any]
    above_cap: int

    @property
    def worth(self) -> float:
        """How many times as many visitors the readings are worth by what people spent before."""
        return 1 / (1 - self.spent_before) if self.spent_before < 1 else math.inf


def results(experiment: Experiment, arms: Sequence[Arm], segment_name: Callable[[int], str]) -> Results | None:
    """The results at the last reading; None before the first. ``arms`` are in their order."""
    places = {arm.pk: arm.position for arm in arms}
    every = Reading.objects.filter(arm__in=places)
    rows = list(every.filter(at=Subquery(every.order_by("-at").values("at")[:1])))
    if not rows:
        return None
    overall, by_segment = _sums(rows, places, of=None), _by_segment(rows, places)
    past = _past(experiment, places)
    primary = overall.get(experiment.primary, {})
    facts: Mapping[str, Any] = next(
        (row.facts for row in rows if row.metric == experiment.primary and row.segment is None), {}
    )
    return Results(
        at=rows[0].at,
        people={place: round(sums.n) for place, sums in sorted(primary.items())},
        lines=_lines(experiment, overall, arms, past),
        segments=_segments(experiment, by_segment, segment_name),
        days={arm.letter: _days(experiment, past, arm.position, len(arms)) for arm in arms[1:]},
        visitors=_visitors(past, arms),
        spent_before=explained(list(primary.values())) if experiment.primary == Metric.REVENUE else 0.0,
        facts=facts,
        above_cap=sum(row.facts.get("above_cap", 0) for row in rows if row.segment is None),
    )


def effect_on(metric: str, sums: Sums, place: int) -> TreatmentEffect:
    """Effect of the arm at a place on a metric, against the control."""
    if metric == Metric.COVERAGE:  # different items per 1,000 answers, without people
        return ratio_difference(sums[place], sums[0])
    every = [each for each in sums.values() if each.n > 1]
    return effect_of(Metric(metric), sums[place], sums[0], every=every)


def _sums(rows: Iterable[Reading], places: Mapping[int, int], *, of: int | None) -> dict[str, dict[int, Moments]]:
    """Sums by metric and arm, of everybody or of a segment."""
    sums: dict[str, dict[int, Moments]] = defaultdict(dict)
    for row in rows:
        if row.segment == of:
            sums[row.metric][places[row.arm_id]] = moments_of(row)
    return sums


def _by_segment(rows: Sequence[Reading], places: Mapping[int, int]) -> dict[int, dict[str, dict[int, Moments]]]:
    numbers = sorted({row.segment for row in rows if row.segment is not None})
    return {number: _sums(rows, places, of=number) for number in numbers}


def _past(experiment: Experiment, places: Mapping[int, int]) -> dict[date, Sums]:
    """Sums of the primary metric at the last reading of each day of the shop."""
    rows = Reading.objects.filter(arm__in=places, metric=experiment.primary, segment=None).order_by("at")
    past: dict[date, dict[int, Moments]] = defaultdict(dict)
    for row in rows.defer("facts"):
        past[timezone.localdate(row.at)][places[row.arm_id]] = moments_of(row)
    return {day: sums for day, sums in past.items() if 0 in sums}


def _lines(
    experiment: Experiment, overall: Mapping[str, Sums], arms: Sequence[Arm], past: Mapping[date, Sums]
) -> list[MetricLine]:
    """The primary metric, the guardrails, then all else that was measured."""
    supporting = [
        name for name, _words in experiment_labels.METRICS if name in overall and name not in experiment.guardrails
    ]
    order = dict.fromkeys([experiment.primary, *sorted(experiment.guardrails), *supporting])
    counts = {group: sum(_group(experiment, name) == group for name in order) for group in ("guardrail", "supporting")}
    lines = []
    for name in order:
        sums, group = overall.get(name, {}), _group(experiment, name)
        alpha = _alpha(group, arms=len(arms), count=counts.get(group, 1))
        for arm in arms[1:]:
            if 0 in sums and arm.position in sums:
                line = _line(experiment, name, sums, arm, alpha=alpha)
                lines.append(line if group != "primary" else _with_best_p(line, experiment, past, arm.position))
    return lines


def _line(experiment: Experiment, name: str, sums: Sums, arm: Arm, *, alpha: float) -> MetricLine:
    own, group = effect_on(name, sums, arm.position), _group(experiment, name)
    tau2 = experiment.scales.get(name)
    low, high, p = -math.inf, math.inf, 1.0
    if tau2 and name not in WITHOUT_INTERVAL:
        _value, low, high, p = anytime_interval(own, tau2, alpha)
    effect = MetricEffect(
        group=GROUPS[group](),
        words=label(experiment_labels.METRICS, name),
        value=own.share(own.value),
        low=own.share(low),
        high=own.share(high),
        lower_is_better=not higher_is_better(name),
        tolerance=experiment.guardrails.get(name) if group == "guardrail" else None,
    )
    return MetricLine(
        metric=name, words=effect.words, group=effect.group, letter=arm.letter, before=metric_text(name, own.base),
        after=metric_text(name, own.base + own.value), effect=effect, p=p,
    )  # fmt: skip


def _with_best_p(line: MetricLine, experiment: Experiment, past: Mapping[date, Sums], place: int) -> MetricLine:
    """The line with the smallest p of all days, which may be quoted."""
    tau2 = experiment.scales.get(experiment.primary)
    if not tau2:
        return line
    days = [effect_on(experiment.primary, sums, place) for sums in past.values() if place in sums]
    return MetricLine(**{**vars(line), "p": min([line.p, *(p_value(day, tau2) for day in days)])})


def _segments(
    experiment: Experiment, by_segment: Mapping[int, Mapping[str, Sums]], name: Callable[[int], str]
) -> list[MetricEffect]:
    """Effect on the primary metric in each segment; with several arms, of each."""
    primary, tau2 = experiment.primary, experiment.scales.get(experiment.primary)
    pairs = [
        (number, place, sums[primary])
        for number, sums in by_segment.items()
        for place in sorted(sums.get(primary, {}))
        if place and 0 in sums[primary]
    ]
    several = len({place for _number, place, _sums in pairs}) > 1
    effects = []
    for number, place, sums in pairs:
        own = effect_on(primary, sums, place)
        half = half_width(own.se, tau2, ALPHA / len(pairs)) if tau2 else math.inf
        words = f"{name(number)} · {chr(ord('A') + place)}" if several else name(number)
        effects.append(
            MetricEffect(
                group=_("Segments"),
                words=words,
                value=own.relative,
                low=own.share(own.value - half),
                high=own.share(own.value + half),
            )
        )
    return effects


def _days(experiment: Experiment, past: Mapping[date, Sums], place: int, arms: int) -> list[LiftDay]:
    """Effect of an arm up to each day with its intervals."""
    tau2, alpha = experiment.scales.get(experiment.primary), _alpha("primary", arms=arms, count=1)
    days = []
    for day, sums in past.items():
        if place not in sums:
            continue
        own = effect_on(experiment.primary, sums, place)
        half = half_width(own.se, tau2, alpha) if tau2 else math.inf
        ends = {"low": own.value - half, "high": own.value + half}
        once = {"fixed_low": own.value - ONCE * own.se, "fixed_high": own.value + ONCE * own.se}
        shares = {end: own.share(value) for end, value in (ends | once).items()}
        days.append(LiftDay(day=day, value=own.relative, **shares))
    return days


def _visitors(past: Mapping[date, Sums], arms: Sequence[Arm]) -> list[ArmVisitors]:
    """People who were new each day, by the growth of the readings."""
    series = []
    for arm in arms:
        before, days = 0.0, []
        for day, sums in past.items():
            people = sums[arm.position].n if arm.position in sums else before
            days.append((day, round(max(people - before, 0))))
            before = people
        series.append(ArmVisitors(arm=arm.position, words=arm.letter, days=days))
    return series


def _alpha(group: str, *, arms: int, count: int) -> float:
    """Error that a metric of a group may have; a guardrail is one-sided: the end of the interval at twice that."""
    pairs = max(arms - 1, 1)
    return {"primary": ALPHA / pairs, "guardrail": 2 * ALPHA / max(count * pairs, 1)}.get(
        group, ALPHA / max(count * pairs, 1)
    )


def _group(experiment: Experiment, name: str) -> str:
    if name == experiment.primary:
        return "primary"
    return "guardrail" if name in experiment.guardrails else "supporting"


GROUPS: Mapping[str, Callable[[], str]] = {
    "primary": lambda: _("What decides"),
    "guardrail": lambda: _("Guardrails"),
    "supporting": lambda: _("Also measured"),
}
