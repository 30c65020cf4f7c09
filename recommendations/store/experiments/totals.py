"""Totals of an experiment: sums over its people by arm, segment and metric, made anew from the record each time.

A late purchase, a refund, a merger is simply in the next totals, and nothing counts twice.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.conf import settings
from django.db import transaction

from recommendations.engine.evaluation.breadth import different_items
from recommendations.engine.experiments.moments import Moments
from recommendations.event_types import EventName
from recommendations.models import Experiment, Unit
from recommendations.store.attribution.statements import WORDS
from recommendations.store.experiments.statements import MEMBERS, SEAT_COLUMNS, TOTALS, VISITORS, seats_statement
from recommendations.store.temp_tables import rows, run, temporary
from recommendations.terms import Metric

WINDOW = timedelta(days=28)
"""How long what a person does counts after the first exposure, and before it as what was so anyway."""
MOST_UNITS = 200_000
"""People beyond which a fixed sample of them is summed."""
MOST_ITEMISED = 5_000
SLOWEST = 1_000.0  # milliseconds that an answer counts at most
# How many people there are PostgreSQL cannot guess; a loop over them that reads all slates each time would never end.
# One core is enough for them, the other is the shop's.
_PLAN = """
SET LOCAL work_mem = '48MB'; SET LOCAL jit = off; SET LOCAL enable_nestloop = off;
SET LOCAL max_parallel_workers_per_gather = 0
"""


@dataclass(frozen=True, kw_only=True)
class MetricSums:
    """Moments of a metric over the people of an arm, and how many of them have more than nothing of it."""

    moments: Moments
    successes: int


@dataclass(frozen=True, kw_only=True)
class ExperimentTotals:
    """Sums by (arm, segment, metric), the segment None for everybody; arms and segments as their keys and numbers.

    ``parts``: people of each arm by what they were at their first answer, ``kind`` or ``placement``. ``uncapped`` are
    sums of revenue without its cap, ``above_cap`` the people whom it cuts. ``items`` are the different items
    in as many answers of each arm as the one with fewest has, and that number: of ``MOST_ITEMISED`` people.
    """

    sums: Mapping[tuple[int, int | None, Metric], MetricSums]
    parts: Mapping[tuple[str, str], Mapping[int, int]]
    uncapped: Mapping[int, float]
    above_cap: Mapping[int, int]
    items: Mapping[int, tuple[float, int]]
    facts: Mapping[str, float]


def totals(experiment: Experiment, *, now: datetime) -> ExperimentTotals:
    """Totals of all people of an experiment up to now, each from the first exposure for ``WINDOW`` at most."""
    if experiment.started_at is None:
        raise ValueError(f"{experiment} has not started")
    people = Unit.objects.filter(experiment=experiment).count()
    values = {
        "experiment": experiment.pk, "start": experiment.started_at, "now": now,
        "served_until": min(now, experiment.ended_at or now), "share": min(1.0, MOST_UNITS / max(people, 1)),
        "items_share": min(1.0, MOST_ITEMISED / max(people, 1)),
        "arms": list(experiment.arms.values_list("pk", flat=True)),
    }  # fmt: skip
    return _totals(MEMBERS, experiment, values)


def past_totals(experiment: Experiment, *, start: datetime, end: datetime) -> ExperimentTotals:
    """Totals of who came to the experiment's placements in a past stretch, as if all were in one arm, 0."""
    values = {"start": start, "now": end, "served_until": end, "share": 1.0, "items_share": 0.0, "arms": []}
    return _totals(VISITORS, experiment, values)


@transaction.atomic
def _totals(people: str, experiment: Experiment, values: Mapping[str, Any]) -> ExperimentTotals:
    run(_PLAN)
    caps = {name: float(cap) for name, cap in experiment.caps.items()}
    given = WORDS | {
        "believed": settings.PURCHASES_FROM, "acts": [EventName.PURCHASE, EventName.DISLIKE_ITEM],
        "placements": list(experiment.placements.values_list("name", flat=True)), "window": WINDOW,
        "earliest": values["start"] - WINDOW, "slowest": SLOWEST,
        "cap": caps.get(Metric.REVENUE, float("inf")), "attributed_cap": caps.get(Metric.ATTRIBUTED, float("inf")),
    }  # fmt: skip
    with temporary("experiment_seat", SEAT_COLUMNS):
        run(seats_statement(people), **given, **values)
        run("ANALYZE experiment_seat")
        table = rows(TOTALS, **given, **values)
    run("RESET work_mem; RESET enable_nestloop; RESET max_parallel_workers_per_gather")
    return _understood(table, share=values["share"])


def _understood(table: Iterable[tuple[Any, ...]], *, share: float) -> ExperimentTotals:
    sums: dict[tuple[int, int | None, str], MetricSums] = {}
    shown: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    parts: dict[tuple[str, str], dict[int, int]] = defaultdict(dict)
    facts: dict[str, float] = {"sample": share}
    for kind, arm, segment, name, n, *products, successes in table:
        if kind == "metric":
            y, yy, x, xx, xy = map(float, products)
            moments = Moments(n=float(n), y=y, yy=yy, x=x, xx=xx, xy=xy)
            sums[arm, segment, name] = MetricSums(moments=moments, successes=successes)
        elif kind == "fact":
            facts[name] = float(n)
        elif kind == "coverage":
            shown[arm, int(products[1])].append((int(n), int(products[0])))
        else:
            parts[kind, name][arm] = int(n)
    seen = "ctr" if facts["listed"] else "ctr_served"
    chosen = {
        (arm, segment, Metric(name if name != "ctr_served" else "ctr")): one
        for (arm, segment, name), one in sums.items()
        if name in set(Metric) - {Metric.CTR} or name == seen
    }
    whole = {(arm, name): one for (arm, segment, name), one in sums.items() if segment is None}
    return ExperimentTotals(
        sums=chosen, parts=parts, items=_in_equally_many(shown), facts=facts,
        uncapped={arm: one.moments.y for (arm, name), one in whole.items() if name == "uncapped"},
        above_cap={arm: one.successes for (arm, name), one in whole.items() if name == "above_cap"},
    )  # fmt: skip


def _in_equally_many(shown: Mapping[tuple[int, int], Sequence[tuple[int, int]]]) -> dict[int, tuple[float, int]]:
    """Different items by arm; ``shown`` are, by arm and its answers, how many items were in how many of them."""
    fewest = min((answers for _arm, answers in shown), default=0)
    items = {}
    for (arm, answers), counts in shown.items():
        times = np.repeat(*np.array(counts).T[::-1]).astype(np.float64)
        items[arm] = different_items(times, lists=answers, drawn=fewest), fewest
    return items
