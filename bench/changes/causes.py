"""Lists of ten that change because one part of the system did: is that part named?"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.evaluation.stability import rbo, shapley
from recommendations.engine.frames import IntArray

PARTS = ("data", "settings", "weights", "rules", "catalogue")
CUSTOMERS, ITEMS, INSTANCES, LENGTH = 40, 80, 5, 10
SMALL = 0.1
"""How far the other parts move where the cause is not alone, against the cause's own 1."""

type Part = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class CauseReading:
    """How often the planted cause had the largest share of the change."""

    others: float  # how far the other parts moved
    planted: int
    named: int
    gap: float  # largest difference between the sum of the shares and the whole
    smallest: float  # the least part of a change that its cause was given


def reading(*, planted: int, others: float, seed: int) -> CauseReading:
    """Plant the parts in turn and share out what became of the lists."""
    named, gap, smallest = 0, 0.0, np.inf
    for number in range(planted):
        cause = PARTS[number % len(PARTS)]
        moved = {part: 1.0 if part == cause else others for part in PARTS}
        change = changed(np.random.default_rng([seed, number]), moved)
        shares, whole = shapley(change, PARTS), change(frozenset(PARTS))
        named += max(PARTS, key=lambda part: shares[part]) == cause
        gap = max(gap, abs(sum(shares.values()) - whole))
        smallest = min(smallest, shares[cause] / whole)
    return CauseReading(others=others, planted=planted, named=named, gap=gap, smallest=float(smallest))


def changed(draw: np.random.Generator, moved: Mapping[str, float]) -> Callable[[frozenset[str]], float]:
    """Make a system before and after its parts moved so far; the function is the mean 1 − RBO of its lists."""
    before, after = system(draw), system(draw)
    shift = {"data": 0.5, "settings": 0.5, "weights": 1.0, "rules": 1.0, "catalogue": 1.0}
    now = {part: before[part] + moved[part] * shift[part] * (after[part] - before[part]) for part in PARTS}
    first = lists(before)

    def change(parts: frozenset[str]) -> float:
        return float((1 - rbo(first, lists({part: (now if part in parts else before)[part] for part in PARTS}))).mean())

    return change


def system(draw: np.random.Generator) -> dict[str, Part]:
    """Draw the parts: interests, what recommenders make of them, their shares, boosts, and what is in stock."""
    return {
        "data": draw.normal(size=(CUSTOMERS, ITEMS)),
        "settings": draw.normal(size=(INSTANCES, ITEMS)),
        "weights": draw.dirichlet(np.ones(INSTANCES)),
        "rules": np.where(draw.random(ITEMS) < 0.05, 1.5, 0.0),
        "catalogue": draw.random(ITEMS),
    }


def lists(parts: Mapping[str, Part]) -> IntArray:
    """The ten best of each customer, of what has not run out of stock."""
    scores = parts["data"] + parts["weights"] @ parts["settings"] + parts["rules"]
    scores = np.where(parts["catalogue"] < 0.1, -np.inf, scores)
    return np.argsort(-scores, axis=1, kind="stable")[:, :LENGTH].astype(np.int32)
