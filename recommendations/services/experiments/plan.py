"""Plans of experiments from the shop's own last four weeks: how long a lift takes to show, and what shows when."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.experiments.decision import FEWEST, WHOLE_DAYS
from recommendations.engine.experiments.effects import ratio_spread
from recommendations.engine.experiments.moments import Moments, explained, theta
from recommendations.engine.experiments.planning import days_needed, smallest_lift, units_after, units_needed
from recommendations.experiment_terms import PlanRefusal
from recommendations.store.experiments.past import PastVisitors, past_visitors
from recommendations.terms import Metric

LOOKS = (7, 14, 28, 56)
"""Days whose smallest lift the plan shows."""
MOST_DAYS = 56
CAP = 99  # percentile of what buyers spent
METRICS = (Metric.REVENUE, Metric.CONVERTED, Metric.CTR)

type Values = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Outcomes:
    """What came of each past visitor up to each day [visitor, day]: ``values``, below the line ``per`` or nothing.

    ``succeeded`` tells who bought (or clicked) by then, ``past`` [visitor] what they spent before.
    """

    values: Values
    present: NDArray[np.bool_]
    succeeded: NDArray[np.bool_]
    per: Values | None = None
    past: Values | None = None
    cap: float | None = None
    capped: int = 0


@dataclass(frozen=True, kw_only=True)
class DayFigures:
    """Mean, standard deviation of a visitor and successes among those who came up to a day."""

    base: float
    sigma: float
    successes: float
    explained: float = 0.0


@dataclass(frozen=True, kw_only=True)
class MetricPlan:
    """What a metric needs: ``lifts`` are the smallest that show in four of five cases after each day, as shares.

    ``days`` is when the lift that is wanted shows, within ``MOST_DAYS``; ``far_days`` the same without that limit.
    ``base`` is its value today, ``explained`` the part of its scatter that past spending speaks for; so many visitors
    as ``capped`` spent more than the ``cap``, and count as that.
    """

    metric: Metric
    base: float
    sigma: float
    explained: float
    lifts: Mapping[int, float]
    days: int | None
    far_days: int | None
    cap: float | None = None
    capped: int = 0

    @property
    def at_looks(self) -> Mapping[int, float]:
        """Smallest lifts of the days that the table has."""
        return {day: self.lifts[day] for day in LOOKS}


@dataclass(frozen=True, kw_only=True)
class ExperimentPlan:
    """Different visitors of the first 1, 2 … days, the plan of each metric, and why it is no plan, with facts."""

    primary: Metric
    visitors: int
    curve: Sequence[int]
    metrics: Mapping[Metric, MetricPlan]
    listed: bool
    refusal: PlanRefusal | None = None
    facts: Mapping[str, Any]

    @property
    def days(self) -> int | None:
        """Days that the primary metric needs; None where there is no plan."""
        own = self.metrics.get(self.primary)
        return own.days if own else None


def plan(
    placements: Sequence[str],
    *,
    segments: Sequence[int],
    signed_in: bool | None,
    metric: Metric,
    smallest: float,
    arms: int,
    traffic: float,
    now: datetime,
) -> ExperimentPlan:
    """The plan of an experiment at these placements that should show a lift of ``smallest``, a share of the control's.

    ``traffic`` is the share of the visitors that it gets, parted evenly by ``arms``.
    """
    past = past_of(placements, segments=segments, signed_in=signed_in, now=now)
    return plan_of(past, metric=metric, smallest=smallest, arms=arms, traffic=traffic)


def past_of(
    placements: Sequence[str], *, segments: Sequence[int], signed_in: bool | None, now: datetime
) -> PastVisitors:
    """Visitors of the last four weeks at these placements, of whom plans are made."""
    return past_visitors(placements, segments=segments, signed_in=signed_in, now=now)


def plan_of(past: PastVisitors, *, metric: Metric, smallest: float, arms: int, traffic: float) -> ExperimentPlan:
    """The plan by visitors who are known."""
    curve = past.curve.tolist() if len(past) else []
    part = traffic / arms
    refusal, facts = _too_little(curve)
    metrics: dict[Metric, MetricPlan] = {}
    if refusal is None:
        plans = (_metric_plan(past, each, curve=curve, smallest=smallest, arms=arms, part=part) for each in METRICS)
        metrics = {each.metric: each for each in plans if each is not None}
        refusal, facts = _out_of_reach(metrics, metric, arms=arms, traffic=traffic)
    return ExperimentPlan(
        primary=metric, visitors=curve[-1] if curve else 0, curve=curve, metrics=metrics, listed=past.listed,
        refusal=refusal, facts=facts,
    )  # fmt: skip


def outcomes(past: PastVisitors, metric: Metric) -> Outcomes:
    """What came of the visitors in a metric, by day; spending counts up to the 99th percentile of those who spent."""
    days = slice(past.first, None)
    present = past.first_day[:, None] <= np.arange(past.first, past.spent.shape[1])
    total = {name: np.cumsum(getattr(past, name)[:, days], axis=1) for name in ("purchases", "clicked", "seen")}
    match metric:
        case Metric.CTR:
            clicked = total["clicked"]
            return Outcomes(values=clicked, present=present, succeeded=clicked > 0, per=total["seen"])
        case Metric.CONVERTED:
            bought = total["purchases"] > 0
            return Outcomes(values=bought.astype(np.float64), present=present, succeeded=bought)
        case Metric.REVENUE:
            return _revenue(past, present=present, succeeded=total["purchases"] > 0, days=days)
    raise ValueError(f"no plan is made for {metric}")


def figures(came: Outcomes, day: int) -> DayFigures:
    """Mean and scatter of the visitors who came up to a day (from 0), after cap and CUPED; NaN of fewer than two."""
    who = came.present[:, day]
    successes = float(came.succeeded[who, day].sum())
    if came.per is not None:
        own = Moments.of(came.values[who, day], came.per[who, day])
        base = own.y / own.x if own.x > 0 else math.nan
        return DayFigures(base=base, sigma=ratio_spread(own), successes=successes)
    own = Moments.of(came.values[who, day], None if came.past is None else came.past[who])
    slope = theta([own]) if own.n > 1 else 0.0
    variance = own.variance - 2 * slope * own.covariance + slope**2 * own.variance_x
    part = explained([own]) if own.n > 1 else 0.0
    return DayFigures(base=own.mean, sigma=math.sqrt(max(variance, 0.0)), successes=successes, explained=part)


def _revenue(past: PastVisitors, *, present: NDArray[np.bool_], succeeded: NDArray[np.bool_], days: slice) -> Outcomes:
    spent = np.maximum(np.cumsum(past.spent[:, days], axis=1), 0.0)
    last = spent[:, -1]
    cap = float(np.percentile(last[last > 0], CAP)) if (last > 0).any() else math.inf
    return Outcomes(
        values=np.minimum(spent, cap), present=present, succeeded=succeeded, past=np.minimum(past.before, cap), cap=cap,
        capped=int((last > cap).sum()),
    )  # fmt: skip


def _metric_plan(
    past: PastVisitors, metric: Metric, *, curve: Sequence[int], smallest: float, arms: int, part: float
) -> MetricPlan | None:
    """The plan of a metric; None where nobody bought (or clicked), or all did alike."""
    came = outcomes(past, metric)
    days = [figures(came, day) for day in range(len(curve))]
    last = days[-1]
    if not (last.base > 0 and last.sigma > 0):
        return None
    scale = curve[-1] / len(past)  # where those who were chosen stand for more
    lifts = {day: _lift(days, curve, day, arms=arms, part=part) for day in range(1, MOST_DAYS + 1)}
    enough = [
        day for day in range(WHOLE_DAYS, MOST_DAYS + 1)
        if lifts[day] <= smallest and _successes(days, curve, day) * scale * part >= FEWEST
    ]  # fmt: skip
    units = units_needed(last.sigma, smallest * last.base, arms=arms)
    far = days_needed(curve, max(units, FEWEST * len(past) / max(last.successes, 1) / scale) / part)
    return MetricPlan(
        metric=metric, base=last.base, sigma=last.sigma, explained=last.explained, lifts=lifts,
        days=min(enough, default=None), far_days=far, cap=came.cap,
        capped=round(came.capped * scale),
    )  # fmt: skip


def _lift(days: Sequence[DayFigures], curve: Sequence[int], day: int, *, arms: int, part: float) -> float:
    """Smallest lift that shows after so many days, as a share; what is not known yet scatters as the last day does."""
    own = days[min(day, len(days)) - 1]
    if not (own.base > 0 and own.sigma > 0):
        return math.inf
    return smallest_lift(own.sigma, units_after(curve, day) * part, arms=arms) / own.base


def _successes(days: Sequence[DayFigures], curve: Sequence[int], day: int) -> float:
    own = days[min(day, len(days)) - 1].successes
    return own * units_after(curve, day) / curve[-1] if day > len(days) else own


def _too_little(curve: Sequence[int]) -> tuple[PlanRefusal | None, Mapping[str, Any]]:
    if not curve:
        return PlanRefusal.NOTHING_KNOWN, {}
    if len(curve) < WHOLE_DAYS:
        return PlanRefusal.TOO_NEW, {"days": len(curve), "more": WHOLE_DAYS - len(curve)}
    return None, {}


def _out_of_reach(
    metrics: Mapping[Metric, MetricPlan], metric: Metric, *, arms: int, traffic: float
) -> tuple[PlanRefusal | None, Mapping[str, Any]]:
    """Why the primary metric cannot be planned, with what would help."""
    own, clicks = metrics.get(metric), metrics.get(Metric.CTR)
    click_days = clicks.days if clicks and metric != Metric.CTR else None
    if own is None:
        return PlanRefusal.NOTHING_HAPPENED, {"metric": metric, "click_days": click_days}
    if own.days is not None:
        return None, {}
    facts = {"days": own.far_days, "most": MOST_DAYS, "click_days": click_days, "arms": arms, "traffic": traffic}
    return PlanRefusal.TOO_LONG, facts
