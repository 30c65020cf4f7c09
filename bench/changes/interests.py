"""What feedback tells of interests, in worlds where it is known: patience, and the points of acts."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.feedback.event_weights import ACTS, ActOutcomes, learn_points
from recommendations.engine.feedback.patience import fit_patience
from recommendations.event_types import EventName

SLOTS, ETA, CHANCE = 10, 0.6, 0.05
WORTH = (1.0, 1.5, 2.5, 3.0)
"""Log odds of a purchase that the acts add."""


@dataclass(frozen=True, kw_only=True)
class PatienceReading:
    """Fits of κ where it is known."""

    kappa: float
    pairs: int
    runs: int
    median: float
    low: float  # tenth percentile
    high: float  # ninetieth


@dataclass(frozen=True, kw_only=True)
class PointsReading:
    """Points of an act where they are known."""

    act: str
    truth: float
    runs: int
    mean: float
    held: float  # share of the intervals that hold the truth
    unmatched: float  # mean where popularity is not looked at


def patience(kappa: float, *, pairs: int, runs: int, seed: int) -> PatienceReading:
    """Fit κ of people who see 3 to 20 showings of an item, anywhere among ten slots."""
    fits = [one_fit(np.random.default_rng([seed, run]), kappa, pairs=pairs) for run in range(runs)]
    low, median, high = np.percentile(fits, [10, 50, 90])
    return PatienceReading(kappa=kappa, pairs=pairs, runs=runs, median=float(median), low=float(low), high=float(high))


def one_fit(draw: np.random.Generator, kappa: float, *, pairs: int) -> float:
    interest = draw.beta(CHANCE * kappa, (1 - CHANCE) * kappa, pairs)
    showings = draw.multinomial(draw.integers(3, 21, pairs), np.full(SLOTS, 1 / SLOTS))
    clicked = draw.binomial(showings, np.arange(1, SLOTS + 1) ** -ETA * interest[:, None])
    return fit_patience(clicked.sum(axis=1), showings - clicked, eta=ETA).kappa


def points(*, pairs: int, runs: int, seed: int) -> list[PointsReading]:
    """Learn points where the odds rise with popularity and with the act, and acts go to popular items."""
    drawn = [pairs_with_acts(np.random.default_rng([seed, run]), n=pairs) for run in range(runs)]
    learned = values([drawn_pairs for drawn_pairs, _ in drawn])
    unmatched = values([alike for _, alike in drawn])
    unit = EventName.PURCHASE.facts.points
    readings = []
    for row, act in enumerate(ACTS[:-1]):
        truth = unit * WORTH[row] / WORTH[-1]
        held = (learned[:, row, 1] <= truth) & (truth <= learned[:, row, 2])
        readings.append(
            PointsReading(
                act=str(act),
                truth=truth,
                runs=runs,
                mean=float(learned[:, row, 0].mean()),
                held=float(held.mean()),
                unmatched=float(unmatched[:, row, 0].mean()),
            )
        )
    return readings


def values(outcomes: Sequence[ActOutcomes]) -> NDArray[np.float64]:
    """Points and their interval of each world and act weaker than a purchase, [worlds, acts, 3]."""
    learned = [learn_points(one) for one in outcomes]
    return np.array([[points_of[act].points for act in ACTS[:-1]] for points_of in learned])


def pairs_with_acts(draw: np.random.Generator, *, n: int) -> tuple[ActOutcomes, ActOutcomes]:
    """Draw pairs, and give them a second time with all items taken for alike."""
    popularity = draw.lognormal(0, 1, n).astype(np.float32)
    acted = draw.random(n) < popularity / (1 + popularity)
    act = np.where(acted, draw.choice(len(ACTS), n, p=[0.5, 0.15, 0.15, 0.2]), -1).astype(np.int32)
    odds = np.exp(-5 + 0.5 * np.log(popularity) + np.array([*WORTH, 0.0])[act])  # −1: the last
    customer, bought = np.arange(n, dtype=np.int32), draw.random(n) < odds / (1 + odds)
    matched, alike = (
        ActOutcomes(customer=customer, act=act, popularity=known, bought=bought)
        for known in (popularity, np.ones_like(popularity))
    )
    return matched, alike
