"""What came of an experiment so far, from its readings alone: each metric by arm, day by day, and by segment."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analytics.charts.arms import ArmVisitors
from analytics.charts.experiments import LiftDay, MetricEffect
from analytics.templatetags.words import label
from recommendations.engine.experiments.decision import ALPHA
from recommendations.engine.experiments.moments import explained
from recommendations.engine.experiments.sequences import half_width
from recommendations.models import Arm, Experiment, Reading
from recommendations.services.experiments.results import (
    MetricGroup,
    MetricResult,
    Sums,
    alpha_of,
    effect_on,
    last_readings,
    metric_results,
    sums_by_day,
    sums_of,
)
from recommendations.terms import Metric
from recommendations.wording import experiment_labels
from recommendations.wording.metrics import higher_is_better, metric_text, number_text

WIDEST = 4.0
"""Width of an interval, as a share of what the control has, from which on it would hide all others."""

ONCE = 1.96  # standard errors of an interval that is looked at once


@dataclass(frozen=True, kw_only=True)
class MetricLine:
    """A metric of an arm beside the control's, in the metric's unit, and its effect as shares of the control's.

    ``before`` and ``after`` are what people had; the effect on revenue allows for what they spent before.
    """

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
    allows_for_past: bool

    @property
    def worth(self) -> float:
        """How many times as many visitors the readings are worth by what people spent before."""
        return 1 / (1 - self.spent_before) if self.spent_before < 1 else math.inf


def results(experiment: Experiment, arms: Sequence[Arm], segment_name: Callable[[int], str]) -> Results | None:
    """The results at the last reading; None before the first. ``arms`` are in their order."""
    rows = list(last_readings(arms))
    if not rows:
        return None
    overall, by_segment = sums_of(rows, arms), _by_segment(rows, arms)
    past = sums_by_day(experiment, arms)
    primary = overall.get(experiment.primary, {})
    facts: Mapping[str, Any] = next(
        (row.facts for row in rows if row.metric == experiment.primary and row.segment is None), {}
    )
    equal_lists = next((row.facts["lists"] for row in rows if "lists" in row.facts), 0)
    lines = [
        _line(experiment, arms, own, overall[own.metric], words=_metric_words(own.metric, lists=equal_lists))
        for own in metric_results(experiment, arms, overall, past)
    ]
    return Results(
        at=rows[0].at,
        people={place: round(sums.n) for place, sums in sorted(primary.items())},
        lines=lines,
        segments=_segments(experiment, by_segment, segment_name),
        days={arm.letter: _days(experiment, past, arm.position, len(arms)) for arm in arms[1:]},
        visitors=_visitors(past, arms),
        spent_before=explained(list(primary.values())) if experiment.primary == Metric.REVENUE else 0.0,
        facts=facts,
        above_cap=sum(row.facts.get("above_cap", 0) for row in rows if row.segment is None),
        allows_for_past=any(line.metric == Metric.REVENUE for line in lines)
        and any(sums.x for sums in overall[Metric.REVENUE].values()),
    )


def _metric_words(metric: str, *, lists: int) -> str:
    """Name of a metric; of different items with the number of lists that they are counted in."""
    if metric != Metric.COVERAGE or not lists:
        return label(experiment_labels.METRICS, metric)
    return ngettext("Different items in %(n)s list", "Different items in %(n)s lists", lists) % {
        "n": number_text(lists, 0)
    }


def _by_segment(rows: Sequence[Reading], arms: Sequence[Arm]) -> dict[int, dict[str, Sums]]:
    numbers = sorted({row.segment for row in rows if row.segment is not None})
    return {number: sums_of(rows, arms, segment=number) for number in numbers}


def _line(experiment: Experiment, arms: Sequence[Arm], own: MetricResult, sums: Sums, *, words: str) -> MetricLine:
    low, high = own.effect.share(own.low), own.effect.share(own.high)
    if high - low > WIDEST:
        low, high = -math.inf, math.inf
    effect = MetricEffect(
        group=GROUPS[own.group](),
        words=words,
        value=own.effect.relative,
        low=low,
        high=high,
        lower_is_better=not higher_is_better(own.metric),
        tolerance=experiment.guardrails.get(own.metric) if own.group is MetricGroup.GUARDRAIL else None,
    )
    before, after = own.effect.base, own.effect.base + own.effect.value
    if own.metric == Metric.REVENUE:  # as it was; the effect has taken out what people spent before
        before, after = sums[0].mean, sums[own.place].mean
    letter = next(arm.letter for arm in arms if arm.position == own.place)
    return MetricLine(
        metric=own.metric, words=words, group=effect.group, letter=letter,
        before=metric_text(own.metric, before), after=metric_text(own.metric, after), effect=effect, p=own.p,
    )  # fmt: skip


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
    tau2, alpha = experiment.scales.get(experiment.primary), alpha_of(MetricGroup.PRIMARY, arms=arms)
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


GROUPS: Mapping[MetricGroup, Callable[[], str]] = {
    MetricGroup.PRIMARY: lambda: _("What decides"),
    MetricGroup.GUARDRAIL: lambda: _("Guardrails"),
    MetricGroup.SUPPORTING: lambda: _("Also measured"),
}
