"""What is fixed when an experiment starts: the caps of its money metrics, and the scales of its intervals.

Both come from the 28 days before, so that nothing that the experiment itself brings can bend them.
"""

import math
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import Any

from django.conf import settings

from recommendations.engine.experiments.effects import ratio_spread
from recommendations.engine.experiments.moments import Moments, explained
from recommendations.engine.experiments.planning import ALPHA, planned_error, units_after
from recommendations.engine.experiments.sequences import mixture_scale
from recommendations.models import Experiment
from recommendations.store.attribution.statements import COUNTS, KEY_ASIDE, PERSON_ASIDE, WHOLE, WORDS
from recommendations.store.experiments.totals import WINDOW, past_totals
from recommendations.store.temp_tables import rows
from recommendations.terms import Metric

LARGEST = 0.99
"""Quantile of what buyers spent that is the most that a person counts."""
RATIOS = frozenset(
    {Metric.ITEMS_PER_BASKET, Metric.BASKET_VALUE, Metric.CTR, Metric.REFUNDS, Metric.FALLBACK, Metric.LATENCY}
)
"""Metrics that are Σy/Σx; all others are means, and coverage has no interval."""

_SPENT = f"""
SELECT percentile_cont(%(quantile)s) WITHIN GROUP (ORDER BY amount) FROM (
  SELECT sum(event.amount)::float8 AS amount FROM events_to_measure event
  WHERE event.name = ANY(%(bought)s) AND event.occurred_at >= %(start)s AND event.occurred_at < %(end)s
    AND event.customer_id IS NOT NULL AND {COUNTS} AND NOT {KEY_ASIDE}
    AND NOT {PERSON_ASIDE.format(WHOLE.format("event.customer_id"))}
  GROUP BY {WHOLE.format("event.customer_id")}
) buyer WHERE amount > 0
"""  # noqa: S608 - parts of our own
_ATTRIBUTED = f"""
SELECT percentile_cont(%(quantile)s) WITHIN GROUP (ORDER BY amount) FROM (
  SELECT sum(line.amount - line.refunded)::float8 AS amount
  FROM recommendations_attributedline line JOIN events_to_measure event USING (occurred_at, event_id, line)
  WHERE line.name = ANY(%(bought)s) AND line.kept AND line.occurred_at >= %(start)s AND line.occurred_at < %(end)s
    AND line.placement = ANY(%(placements)s) AND event.customer_id IS NOT NULL
  GROUP BY {WHOLE.format("event.customer_id")}
) buyer WHERE amount > 0
"""  # noqa: S608
_NEW_VISITORS = """
SELECT floor(extract(epoch FROM first_at - %(start)s) / 86400)::integer AS day, count(*) FROM (
  SELECT min(served_at) AS first_at FROM recommendations_slate
  WHERE served_at >= %(start)s AND served_at < %(end)s AND placement = ANY(%(placements)s) AND unit IS NOT NULL
  GROUP BY unit
) visitor GROUP BY day
"""


@dataclass(frozen=True, kw_only=True)
class StartMeasures:
    """Caps by metric in money, and scales τ² by metric; ``curve``: different visitors of the first 1, 2 … days."""

    caps: Mapping[str, float]
    scales: Mapping[str, float]
    curve: Sequence[float]


def start_measures(experiment: Experiment, *, now: datetime) -> StartMeasures:
    """Measure the 28 days before now; the service that starts an experiment stores caps and scales with it.

    A metric that did not vary then has no scale yet: the first readings give it one.
    """
    caps = spending_caps(experiment, now=now)
    curve = visitor_curve(experiment, now=now)
    units = units_after(curve, experiment.planned_days) * experiment.traffic if curve else 0.0
    capped = copy(experiment)
    capped.caps = dict(caps)
    past = past_totals(capped, start=now - WINDOW, end=now).sums if units else {}
    moments = {metric: one.moments for (_, segment, metric), one in past.items() if segment is None}
    return StartMeasures(caps=caps, scales=scales(experiment, moments, units=units), curve=curve)


def spending_caps(experiment: Experiment, *, now: datetime) -> dict[str, float]:
    """What a person counts at most: the 99th percentile of what buyers spent; none where nobody bought."""
    values = _values(experiment, now) | WORDS | {"believed": settings.PURCHASES_FROM, "quantile": LARGEST}
    ((spent,),), ((attributed,),) = rows(_SPENT, **values), rows(_ATTRIBUTED, **values)
    caps = {Metric.REVENUE: spent, Metric.ATTRIBUTED: attributed if attributed is not None else spent}
    return {metric.value: round(cap, 2) for metric, cap in caps.items() if cap is not None}


def visitor_curve(experiment: Experiment, *, now: datetime) -> list[float]:
    """Different visitors of the experiment's placements in the first 1, 2 … 28 days before now; empty without any."""
    new = dict(rows(_NEW_VISITORS, **_values(experiment, now)))
    return list(accumulate(float(new.get(day, 0)) for day in range(WINDOW.days))) if new else []


def scales(experiment: Experiment, moments: Mapping[Metric, Moments], *, units: float) -> dict[str, float]:
    """τ² of each metric by the standard error expected of so many units of all arms, at the metric's own α.

    ``moments`` are of people as those to come. With uneven shares it is that of the smallest arm and the control.
    """
    arms = [arm.share for arm in experiment.arms.order_by("position")]
    if len(arms) < 2 or min(arms) <= 0 or units <= 0:
        return {}
    per_arm = 2 * units / (1 / arms[0] + 1 / min(arms[1:]))
    deviations = {metric: _deviation(metric, own) for metric, own in moments.items()}
    return {
        metric.value: mixture_scale(planned_error(sigma, per_arm), level(experiment, metric, arms=len(arms)))
        for metric, sigma in deviations.items()
        if 0 < sigma < math.inf
    }


def level(experiment: Experiment, metric: Metric, *, arms: int) -> float:
    """α of one arm against the control in a metric: the primary's, a guardrail's (one-sided), or a supporting one's."""
    if metric == experiment.primary:
        return ALPHA / (arms - 1)
    guardrails = guarding(experiment)
    if metric in guardrails:
        return 2 * ALPHA / (len(guardrails) * (arms - 1))
    supporting = set(Metric) - set(guardrails) - {Metric.COVERAGE, Metric(experiment.primary)}
    return ALPHA / (len(supporting) * (arms - 1))


def guarding(experiment: Experiment) -> list[Metric]:
    """Guardrails that have an interval; coverage only warns."""
    return [Metric(name) for name in experiment.guardrails if name != Metric.COVERAGE]


def _deviation(metric: Metric, own: Moments) -> float:
    """Standard deviation of a unit in a metric, of revenue what CUPED leaves; NaN where it cannot be told."""
    if metric in RATIOS:
        return ratio_spread(own)
    left = 1 - explained([own]) if metric is Metric.REVENUE else 1.0
    return math.sqrt(own.variance * left)


def _values(experiment: Experiment, now: datetime) -> dict[str, Any]:
    return {
        "start": now - WINDOW, "end": now,
        "placements": list(experiment.placements.values_list("name", flat=True)),
    }  # fmt: skip
