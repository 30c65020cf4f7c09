"""Planned experiments with a planted lift: is it seen, and did the plan name the right number of days?"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from bench.bars import Figure, say
from bench.experiments.looks import METRICS, cap_of, capped, to_date
from recommendations.engine.experiments.decision import WHOLE_DAYS
from recommendations.engine.experiments.planning import PastVisitors, past_visitors, standard_errors
from recommendations.engine.experiments.sequences import half_width, mixture_scale
from recommendations.engine.rng import generator
from recommendations.engine.simulation.visitors import VisitorDays, VisitorModel, visitors

ALPHA = 0.05
SHOP = VisitorModel(orders=(2.0, 18.0), amount=(3.0, 0.6), wealth=0.4)
"""A shop of groceries: a tenth of the visits has an order, and people stay who they are."""


@dataclass(frozen=True)
class Case:
    """A primary metric, the people of the shop, and by how much which chances are raised."""

    metric: str
    people: int
    planted: float
    raises: str


CASES = (
    Case("capped, CUPED", 18_000, 0.15, "buys"),
    Case("capped, CUPED", 12_000, 0.15, "buys"),
    Case("capped, CUPED", 10_000, 0.15, "buys"),
    Case("CTR", 18_000, 0.15, "clicks"),
    Case("CTR", 13_000, 0.15, "clicks"),
)
LONGEST = 84  # days that a plan may have
MANY = 150_000  # people of whom the true lift of a metric is taken, the same under both arms


def past(days: VisitorDays, metric: str) -> PastVisitors:
    """Visitors of a past month in a metric, as the plan sees them."""
    if metric == "CTR":
        slates = to_date(days.seen, days.first)
        return past_visitors(to_date(days.clicks, days.first), days.present, per=slates)
    return past_visitors(capped(days), days.present, before=np.minimum(days.past, cap_of(days.past)))


@dataclass(frozen=True)
class PlannedRun:
    """Days of the plan, the day on which the run was as exact as planned, and whether and when the lift was seen."""

    days: int
    exact: int
    seen: bool
    at_last: bool
    stopped: int


def true_lift(case: Case, *, seed: int) -> float:
    """What the raised chance makes of the metric in a month: a cap takes some of it away."""
    means = []
    for planted in (0.0, case.planted):
        many = replace(SHOP, people=MANY)
        month = visitors(many, draw=generator(seed, "truth"), **{case.raises: (planted, planted)})
        means.append(float(past(month, case.metric).mean[-1]))
    return means[1] / means[0] - 1


def power(runs: int, *, seed: int) -> Iterator[Figure]:
    """Figures of so many runs of each case, each planned by a month of its own that is over."""
    say(f"a planted lift, {runs} runs, each planned by a month of its own")
    columns = ("people", "lift", "days", "needed", "ratio", "seen", "last look", "stopped")
    say(f"{'metric':14}" + "".join(f"{column:>10}" for column in columns))
    for case in CASES:
        lift = true_lift(case, seed=seed)
        outcomes = [planned_run(case, lift, seed=seed, run=run) for run in range(runs)]
        days, exact, stopped = (
            float(np.median([getattr(each, column) for each in outcomes])) for column in ("days", "exact", "stopped")
        )
        seen, last = (float(np.mean([getattr(each, column) for each in outcomes])) for column in ("seen", "at_last"))
        ratio = float(np.median([each.days / each.exact for each in outcomes]))
        figures = f"{days:>10.0f}{exact:>10.0f}{ratio:>10.2f}{seen:>10.3f}{last:>10.3f}{stopped:>10.0f}"
        say(f"{case.metric:14}{case.people:>10,}{lift:>10.1%}{figures}")
        words = f"{case.metric}, {case.people:,} people"
        yield Figure(f"planned lift seen, {words}", seen, least=0.80)
        yield Figure(f"days planned / needed, {words}", ratio, least=0.85, most=1.15)
    say()


def planned_run(case: Case, lift: float, *, seed: int, run: int) -> PlannedRun:
    """Plan a run and live through it; one that would never end has 84 days."""
    shop, names = replace(SHOP, people=case.people), (case.metric, str(case.people), str(run))
    month = past(visitors(shop, draw=generator(seed, "past", *names)), case.metric)
    days = month.days_for(lift) or LONGEST
    tau2 = mixture_scale(month.error_after(days), ALPHA)
    longer = replace(shop, days=max(2 * days, 28))
    lived = visitors(longer, draw=generator(seed, "power", *names), **{case.raises: (0.0, case.planted)})
    effects = METRICS[case.metric](lived).effects
    hits = [effect.value > half_width(effect.se, tau2, ALPHA) for effect in effects[:days]]
    hits = [hit and day >= WHOLE_DAYS for day, hit in enumerate(hits, start=1)]
    exact = [effect.share(effect.se) <= lift / standard_errors() for effect in effects]
    return PlannedRun(
        days=days,
        exact=exact.index(True) + 1 if any(exact) else len(exact) + 1,
        seen=any(hits),
        at_last=hits[-1],
        stopped=hits.index(True) + 1 if any(hits) else days,
    )
