"""Standing of an experiment by its readings alone: the effects of its arms as a verdict looks at them."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from recommendations.engine.experiments.decision import Contrast, ExperimentStanding, Guardrail
from recommendations.engine.experiments.effects import TreatmentEffect, mean_difference, ratio_difference
from recommendations.engine.experiments.moments import Moments, theta
from recommendations.models import Arm, Experiment, Reading
from recommendations.store.experiments.caps import RATIOS, guarding
from recommendations.terms import Metric

type ArmReadings = Mapping[int, Reading]
"""Readings of one metric, moment and segment by the key of their arm."""

HIGHER_IS_WORSE = frozenset({Metric.REFUNDS, Metric.FALLBACK, Metric.LATENCY, Metric.DISLIKES})
WEEK = timedelta(days=7)
OF_REPLAY = frozenset({Metric.CTR, Metric.FALLBACK, Metric.LATENCY, Metric.COVERAGE})
"""Metrics of replayed customers, who bought anyway: what a list held can differ between arms, what was sold cannot."""

SUCCESS = {Metric.CTR: Metric.CTR, Metric.ATTRIBUTED: Metric.ATTRIBUTED}
"""Metric whose people with more than nothing are an arm's successes; of all others it is who bought."""


def standing(experiment: Experiment, *, now: datetime) -> ExperimentStanding | None:
    """All that a verdict looks at, by the last reading up to now; None before the first."""
    at = last_read(experiment, until=now)
    arms = [arm for arm in experiment.arms.order_by("position") if arm.share > 0]
    if at is None or experiment.started_at is None or len(arms) < 2:
        return None
    primary = Metric(experiment.primary)
    own = of_metric(experiment, primary, at=at)
    bought = of_metric(experiment, SUCCESS.get(primary, Metric.CONVERTED), at=at)
    successes = [_successes(bought, arm) for arm in arms]
    weight = sum(arm.share for arm in arms)
    replayed = replayed_days(next((row.facts for row in own.values()), {}))
    return ExperimentStanding(
        days=days_between(experiment.started_at, at) if replayed is None else replayed,
        planned_days=experiment.planned_days,
        counts=[own[arm.pk].n if arm.pk in own else 0 for arm in arms],
        shares=[arm.share / weight for arm in arms],
        control_successes=successes[0],
        contrasts=_contrasts(experiment, arms, successes, at=at),
        smallest=experiment.smallest_lift,
        guardrails=_guardrails(experiment, arms, at=at),
        replayed=replayed is not None,
    )


def replayed_days(facts: Mapping[str, Any]) -> int | None:
    """Whole days that the demo's replay went through by the facts of a reading; None where most answers are others.

    The days of replayed customers are those on which they bought, however soon they all came in.
    """
    replayed = facts.get("replayed", 0)
    return int(facts["replayed_days"]) if replayed and 2 * replayed > facts["seen"] else None


def last_read(experiment: Experiment, *, until: datetime) -> datetime | None:
    """When the experiment was last read up to a moment."""
    rows = Reading.objects.filter(arm__experiment=experiment, at__lte=until).order_by("-at")
    return rows.values_list("at", flat=True).first()


def of_metric(experiment: Experiment, metric: Metric, *, at: datetime, segment: int | None = None) -> ArmReadings:
    """Readings of a metric at a moment, of everybody or of a segment."""
    rows = Reading.objects.filter(arm__experiment=experiment, metric=metric, at=at, segment=segment)
    return {row.arm_id: row for row in rows}


def effect_of(metric: Metric, arm: Moments, control: Moments, *, every: Sequence[Moments]) -> TreatmentEffect:
    """Effect of an arm in a metric; ``every`` are the moments of all arms, by which past spending is taken out."""
    if metric in RATIOS:
        return ratio_difference(arm, control)
    return mean_difference(arm, control, theta=theta(every) if metric is Metric.REVENUE else 0.0)


def moments_of(reading: Reading) -> Moments:
    """Moments as they were stored."""
    return Moments(n=reading.n, y=reading.y, yy=reading.yy, x=reading.x, xx=reading.xx, xy=reading.xy)


def days_between(start: datetime, end: datetime) -> int:
    """Whole days of the shop: how often its clocks came round to the time of the start."""
    zone = ZoneInfo(settings.SHOP_TIME_ZONE)
    begun, ended = (moment.astimezone(zone).replace(tzinfo=None) for moment in (start, end))
    return max((ended - begun).days, 0)


def _effects(experiment: Experiment, metric: Metric, arms: Sequence[Arm], *, at: datetime) -> list[TreatmentEffect]:
    """Effects of the arms but the control; one that cannot be told has an infinite standard error."""
    own = of_metric(experiment, metric, at=at)
    every = [moments_of(own[arm.pk]) if arm.pk in own else Moments(n=0, y=0, yy=0) for arm in arms]
    filled = [each for each in every if each.n > 1]
    return [effect_of(metric, each, every[0], every=filled) for each in every[1:]]


def _contrasts(
    experiment: Experiment, arms: Sequence[Arm], successes: Sequence[int], *, at: datetime
) -> list[Contrast]:
    primary = Metric(experiment.primary)
    tau2 = experiment.scales.get(primary)
    before = last_read(experiment, until=at - WEEK)
    earlier = _effects(experiment, primary, arms, at=before) if before else None
    effects = _effects(experiment, primary, arms, at=at)
    return [
        Contrast(
            arm=place,
            effect=effect if tau2 else _untold(effect),
            tau2=tau2 or 1.0,
            successes=successes[place],
            week_before=earlier[place - 1].se if earlier else math.inf,
        )
        for place, effect in enumerate(effects, start=1)
    ]


def _guardrails(experiment: Experiment, arms: Sequence[Arm], *, at: datetime) -> list[Guardrail]:
    guardrails = []
    for metric in guarding(experiment):
        own, tau2 = of_metric(experiment, metric, at=at), experiment.scales.get(metric)
        for place, effect in enumerate(_effects(experiment, metric, arms, at=at), start=1):
            guardrails.append(
                Guardrail(
                    metric=metric,
                    arm=place,
                    effect=effect if tau2 else _untold(effect),
                    tau2=tau2 or 1.0,
                    tolerance=float(experiment.guardrails[metric]),
                    successes=_successes(own, arms[place]) + _successes(own, arms[0]),
                    higher_is_worse=metric in HIGHER_IS_WORSE,
                )
            )
    return guardrails


def _untold(effect: TreatmentEffect) -> TreatmentEffect:
    """An effect without a scale yet: nothing may be concluded from it."""
    return TreatmentEffect(effect.value, math.inf, effect.base)


def _successes(readings: ArmReadings, arm: Arm) -> int:
    return int(readings[arm.pk].facts["successes"]) if arm.pk in readings else 0
