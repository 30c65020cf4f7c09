"""Days of a bandit: what came of each person on each day of the shop, summed by arm, and by segment.

Outcomes are tied to the answers of the day by attribution, however late they come; the sums are made anew each time.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from django.conf import settings
from django.db import transaction

from recommendations.engine.experiments.bandit import DailyArms
from recommendations.models import Experiment
from recommendations.store.attribution.statements import CUSTOMER_OF, PERSON_ASIDE, WORDS
from recommendations.store.events.partitions import gone_until
from recommendations.store.experiments.totals import SLOWEST
from recommendations.store.temp_tables import rows, run
from recommendations.terms import Metric

MOST_DAYS = 112
"""Days that are looked back: with the usual half-life an older one weighs less than a 250th of a new one."""
METRICS = (Metric.CTR, Metric.CONVERTED, Metric.ATTRIBUTED, Metric.FALLBACK, Metric.LATENCY)
_PLAN = "SET LOCAL work_mem = '48MB'; SET LOCAL jit = off; SET LOCAL enable_nestloop = off"

# The arm is that under which an answer was served. Who had two on a day, as shares moved during it, is left out.
_VISITS = """
exposure AS MATERIALIZED (
  SELECT slate.recommendation_id, slate.unit, arm.id AS arm_id, (slate.served_at AT TIME ZONE %(zone)s)::date AS day,
         slate.fallback_reason <> '' AS fallback, slate.latency_us
  FROM recommendations_slate slate CROSS JOIN unnest(slate.arms) AS arm(id)
  WHERE slate.served_at >= %(start)s AND slate.served_at < %(end)s AND slate.unit IS NOT NULL
    AND slate.arms && %(arms)s::bigint[] AND arm.id = ANY(%(arms)s)
), tied AS (
  SELECT exposure.recommendation_id, sum(line.amount - line.refunded)::float8 AS amount
  FROM exposure JOIN recommendations_attributedline line ON line.recommendation_id = exposure.recommendation_id
  WHERE line.name = ANY(%(bought)s) AND line.kept GROUP BY exposure.recommendation_id
), visit AS MATERIALIZED (
  SELECT exposure.day, exposure.unit, min(arm_id) AS arm_id, min(arm_id) <> max(arm_id) AS mixed,
         count(*)::float8 AS answers, count(*) FILTER (WHERE fallback)::float8 AS fallbacks,
         avg(least(latency_us / 1000.0::float8, %(slowest)s)) AS waited,
         count(outcome.recommendation_id)::float8 AS seen, bool_or(coalesce(outcome.listed, false)) AS listed,
         count(*) FILTER (WHERE outcome.clicked <> '{}')::float8 AS clicked,
         coalesce(sum(tied.amount), 0) AS amount, count(tied.recommendation_id) > 0 AS converted
  FROM exposure
  LEFT JOIN recommendations_slateoutcome outcome ON outcome.recommendation_id = exposure.recommendation_id
  LEFT JOIN tied ON tied.recommendation_id = exposure.recommendation_id
  GROUP BY exposure.day, exposure.unit
)
"""
_PEOPLE = f"""
named AS MATERIALIZED (
  SELECT each.unit, {CUSTOMER_OF.format("each.unit")} AS customer_id FROM (SELECT DISTINCT unit FROM visit) each
), whole AS MATERIALIZED (
  SELECT named.unit, coalesce(alias.customer_id, named.customer_id) AS customer FROM named
  LEFT JOIN recommendations_customeralias alias
    ON alias.anonymous_id = named.customer_id AND alias.undone_at IS NULL
), person AS MATERIALIZED (
  SELECT whole.unit, segment.number AS segment FROM whole
  LEFT JOIN recommendations_customer customer ON customer.id = whole.customer
  LEFT JOIN recommendations_liveprofile profile ON profile.customer_id = whole.customer
  LEFT JOIN recommendations_segment segment ON segment.id = profile.segment_id
  WHERE customer.personalise IS NOT FALSE AND customer.measure IS NOT FALSE
    AND NOT {PERSON_ASIDE.format("whole.customer")}
)
"""  # noqa: S608 - parts of our own
# Lists count as seen where the shop tells which were, else all that were served do.
_DID = """
did AS (
  SELECT visit.day, visit.arm_id, person.segment,
         CASE WHEN (SELECT bool_or(listed) FROM visit) THEN clicked / nullif(seen, 0) ELSE clicked / answers END AS ctr,
         converted::integer::float8 AS converted, least(amount, %(cap)s) AS attributed,
         fallbacks / answers AS fallback, waited AS latency
  FROM visit JOIN person USING (unit) WHERE NOT mixed
)
"""
_SUMMED = f"""
SELECT day, arm_id, segment, metric.name, count(y)::float8, coalesce(sum(y), 0), coalesce(sum(y * y), 0),
       count(*) FILTER (WHERE y > 0)::float8
FROM did CROSS JOIN LATERAL (VALUES {", ".join(f"('{name}', {name})" for name in METRICS)}) AS metric(name, y)
GROUP BY GROUPING SETS ((day, arm_id, metric.name), (day, arm_id, segment, metric.name))
HAVING GROUPING(segment) = 1 OR segment IS NOT NULL
UNION ALL
SELECT day, 0, NULL, 'mixed', count(*), 0, 0, 0 FROM visit WHERE mixed GROUP BY day
"""  # noqa: S608


@dataclass(frozen=True, kw_only=True)
class BanditDays:
    """Sums by day and arm of each metric, of everybody (segment None) and by segment; a day is a row, the first first.

    ``mixed`` are the people of a day, summed over the days, who had two arms on it and do not count.
    """

    days: Sequence[date]
    sums: Mapping[tuple[int | None, Metric], DailyArms]
    mixed: int

    def of(self, metric: Metric, segment: int | None = None) -> DailyArms:
        return self.sums[segment, metric]

    @property
    def segments(self) -> list[int]:
        return sorted({segment for segment, _metric in self.sums if segment is not None})


def bandit_days(experiment: Experiment, *, until: date) -> BanditDays:
    """Days of a bandit from its start up to and with ``until``, days of the shop; of arms in their order."""
    if experiment.started_at is None:
        raise ValueError(f"{experiment} has not started")
    zone = ZoneInfo(settings.SHOP_TIME_ZONE)
    first = max(experiment.started_at.astimezone(zone).date(), until - timedelta(days=MOST_DAYS - 1))
    if gone := gone_until():  # of its last day only a part may be left
        first = max(first, gone.astimezone(zone).date() + timedelta(days=1))
    days = [first + timedelta(days=each) for each in range((until - first).days + 1)]
    arms = list(experiment.arms.order_by("position").values_list("pk", flat=True))
    if not days:
        return _understood([], days=days, arms=arms)
    values: dict[str, Any] = {
        "zone": settings.SHOP_TIME_ZONE, "arms": arms, "slowest": SLOWEST, "bought": WORDS["bought"],
        "start": max(_midnight(first, zone), experiment.started_at), "end": _midnight(until + timedelta(days=1), zone),
        "cap": float(experiment.caps.get(Metric.ATTRIBUTED, "inf")),
    }  # fmt: skip
    with transaction.atomic():
        run(_PLAN)
        table = rows(f"WITH {_VISITS}, {_PEOPLE}, {_DID} {_SUMMED}", **values)
        run("RESET work_mem; RESET enable_nestloop")
    return _understood(table, days=days, arms=arms)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def _understood(table: Iterable[tuple[Any, ...]], *, days: Sequence[date], arms: Sequence[int]) -> BanditDays:
    places = {arm: place for place, arm in enumerate(arms)}
    at = {day: row for row, day in enumerate(days)}
    sums: dict[tuple[int | None, Metric], np.ndarray[Any, np.dtype[np.float64]]] = {
        (None, metric): np.zeros((4, len(days), len(arms))) for metric in METRICS
    }
    mixed = 0
    for day, arm, segment, name, *products in table:
        if name == "mixed":
            mixed += int(products[0])
            continue
        own = sums.setdefault((segment, Metric(name)), np.zeros((4, len(days), len(arms))))
        own[:, at[day], places[arm]] = products
    return BanditDays(
        days=days, mixed=mixed,
        sums={key: DailyArms(n=own[0], y=own[1], yy=own[2], successes=own[3]) for key, own in sums.items()},
    )  # fmt: skip
