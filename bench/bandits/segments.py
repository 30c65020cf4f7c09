"""One bandit for all, one for each segment, or segments that borrow from one another."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from bench.bars import Figure, say
from recommendations.engine.experiments.bandit import best_chances, borrowed, floors_of, shares
from recommendations.engine.rng import generator

type Values = NDArray[np.float64]
SIZES = np.array([0.3, 0.2, 0.15, 0.1, 0.1, 0.06, 0.05, 0.04])
ARMS, DAYS, UNITS = 4, 56, 2_000
SCATTER = 12.0  # standard deviation of what a unit spends over its mean
DIFFER = (0.0, 0.05, 0.10, 0.20)
WAYS = ("even", "one", "apart", "borrowed")


def lost(way: str, between: float, *, draw: np.random.Generator) -> float:
    """Worth lost in 56 days: arms differ by 5 %, and in each segment by ``between`` of their own."""
    worth = 1 + draw.normal(0, 0.05, ARMS) + draw.normal(0, between, (len(SIZES), ARMS))
    n, y = np.zeros_like(worth), np.zeros_like(worth)
    share, total = np.full(worth.shape, 1 / ARMS), 0.0
    for _ in range(DAYS):
        units = UNITS * SIZES[:, None] * share
        total += float((units * (worth.max(axis=1, keepdims=True) - worth)).sum())
        n += units
        y += units * worth + draw.normal(0, SCATTER * np.sqrt(units))
        share = _shares(way, n, y)
    return total


def _shares(way: str, n: Values, y: Values) -> Values:
    if way == "even":
        return np.full(n.shape, 1 / ARMS)
    floors = floors_of(ARMS)
    if way == "one":
        chances = best_chances(y.sum(axis=0) / n.sum(axis=0), SCATTER / np.sqrt(n.sum(axis=0)))
        return np.tile(shares(chances, floors), (len(n), 1))
    mean, variance = y / n, SCATTER**2 / n
    if way == "borrowed":
        belief = borrowed(mean, variance)
        mean, variance = belief.mean, belief.sd**2
    pairs = zip(mean, np.sqrt(variance), strict=True)
    return np.array([shares(best_chances(own, sd), floors) for own, sd in pairs])


def segments(runs: int, *, seed: int) -> Iterator[Figure]:
    say(f"{len(SIZES)} segments, {ARMS} arms, {DAYS} days of 2,000 units, {runs} runs: regret of an even split's")
    say(f"{'segments differ by':20}" + "".join(f"{way:>10}" for way in WAYS[1:]))
    for between in DIFFER:
        totals = {
            way: float(np.mean([lost(way, between, draw=generator(seed, "segments", str(run))) for run in range(runs)]))
            for way in WAYS
        }
        parts = {way: total / totals["even"] for way, total in totals.items()}
        say(f"{between:<20.0%}" + "".join(f"{parts[way]:10.2f}" for way in WAYS[1:]))
        worst = max(parts["one"], parts["apart"])
        yield Figure(
            f"borrowed / the worse of the others, segments differ by {between:.0%}", parts["borrowed"] / worst, most=1.0
        )
    say()
