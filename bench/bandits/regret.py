"""Worth lost against always the best arm beside an even split's, and how calm shares are where all are alike."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.bars import Figure, say
from recommendations.engine.experiments.bandit import HALF_LIFE, PRIOR, among, daily_chances, floors_of
from recommendations.engine.rng import generator
from recommendations.engine.simulation.days import ArmDays, DayModel

type Values = NDArray[np.float64]
type Lifts = Callable[[int], Sequence[float]]
DAYS, ARMS = 56, 4
LAST = 7  # days, over which the shares at the end are averaged
TOO_HIGH = 0.6  # share of an arm that deserves no more than the others


@dataclass(frozen=True)
class Rule:
    """How shares are set; ``None`` for both is an even split."""

    words: str
    half_life: float | None = None
    prior: float | None = None


EVEN = Rule("even")
CHOSEN = Rule("prior .2, fading 14 d", HALF_LIFE, PRIOR)
RULES = (Rule("no prior, no fading", math.inf, 0.0), Rule("prior .2, no fading", math.inf, PRIOR), CHOSEN)


def _changing(day: int) -> Sequence[float]:
    return (0.0, 0.30, 0.0, -0.10) if day < DAYS // 2 else (0.0, -0.10, 0.30, 0.0)


WORLDS: Mapping[str, tuple[Lifts, float | None]] = {
    "best +30 %": (lambda _: (0.0, 0.30, 0.10, -0.10), 0.60),
    "best +10 %": (lambda _: (0.0, 0.10, 0.05, -0.05), 0.85),
    "best changes": (_changing, 0.80),
    "all alike": (lambda _: (0.0, 0.0, 0.0, 0.0), None),
}


def live(rule: Rule, lifts: Lifts, *, draw: np.random.Generator, rate: bool = False) -> tuple[float, Values]:
    """Live through 56 days of 2,000 units: (worth lost, in units of the best arm; shares [days, arms])."""
    model, floors = DayModel(), floors_of(ARMS)
    days, share, lost, path = ArmDays(model, arms=ARMS, rate=rate), np.full(ARMS, 1 / ARMS), 0.0, []
    for day in range(DAYS):
        truth = 1 + np.asarray(lifts(day))
        days.add(share, lifts(day), draw=draw)
        record = days.record()
        lost += float(record.n[-1] @ (truth.max() - truth)) / float(truth.max())
        if rule.half_life is not None and rule.prior is not None:
            chances = daily_chances(record, half_life=rule.half_life, prior=rule.prior)
            share = among(chances, range(ARMS), floors)
        path.append(share)
    return lost, np.array(path)


def regret(runs: int, *, seed: int) -> Iterator[Figure]:
    say(f"{ARMS} arms, {DAYS} days of 2,000 units, 2 % convert, revenue, {runs} runs")
    say(f"{'world':14}{'rule':24}{'regret/even':>12}{'best, last week':>17}{'an arm > 60 %':>15}")
    for world, (lifts, bar) in WORLDS.items():
        even = float(np.mean([live(EVEN, lifts, draw=generator(seed, "bandit", str(run)))[0] for run in range(runs)]))
        for rule in RULES:
            lives = [live(rule, lifts, draw=generator(seed, "bandit", str(run))) for run in range(runs)]
            last = np.array([path[-LAST:].mean(axis=0) for _, path in lives])
            part = float(np.mean([lost for lost, _ in lives])) / even if even else math.nan
            wild = float((last.max(axis=1) > TOO_HIGH).mean())
            best = last[:, int(np.argmax(lifts(DAYS - 1)))].mean()
            say(f"{world:14}{rule.words:24}{part:12.2f}{best:17.0%}{wild:15.1%}")
            if rule is CHOSEN:
                yield (
                    Figure(f"regret of an even split's, {world}", part, most=bar)
                    if bar
                    else Figure("all alike: runs with an arm above .6", wild, most=0.10)
                )
    say()
