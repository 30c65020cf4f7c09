"""Maximal marginal relevance on what items have in common (Carbonell and Goldstein 1998; ``maths.md`` §5)."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import BoolArray, FloatArray, IntArray
from recommendations.engine.ranking.scores import Positions, gathered, top

CONSIDERED = 60
"""The best of a list among which its order may change."""


@dataclass(frozen=True, kw_only=True)
class Likeness:
    """Traits of the items; two items are as like as the share of traits in which they have the same known value."""

    traits: IntArray  # [items, traits]: code of category, brand …; −1 = unknown, which is like nothing


class Spread(NamedTuple):
    """Positions of the list and the score at which each was taken, both [queries, n]."""

    positions: Positions
    finals: FloatArray


def diversified(scores: FloatArray, items: IntArray, *, likeness: Likeness, diversity: float, n: int) -> Positions:
    """Positions [queries, n] into candidates of shape [queries, candidates], best first, −1 after the last."""
    return spread(scores, items, likeness=likeness, diversity=diversity, n=n).positions


def spread(scores: FloatArray, items: IntArray, *, likeness: Likeness, diversity: float, n: int) -> Spread:
    """Taken in turn: the item with the most λ · score − (1 − λ) · largest likeness to those above, λ = 1 − diversity.

    Among the best 60 (or n); a tie goes to the better score. With diversity 0 the order and the finals are the scores.
    """
    best = top(scores, max(CONSIDERED, n) if diversity else n)
    value = gathered(scores, best, missing=-np.inf)
    if not diversity:
        return Spread(best, value)
    traits = likeness.traits[gathered(items, best, missing=-1)]
    closest = np.zeros(best.shape, np.float32)
    open_ = value > -np.inf
    value = np.where(open_, value, 0)
    taken = np.full((len(best), n), -1, np.int64)
    finals = np.full((len(best), n), -np.inf, np.float32)
    rows = np.arange(len(best))
    for place in range(min(n, best.shape[1])):
        final = np.where(open_, np.float32(1 - diversity) * value - np.float32(diversity) * closest, -np.inf)
        choice = np.argmax(final, axis=1)
        finals[:, place] = final[rows, choice]
        taken[:, place] = np.where(open_[rows, choice], best[rows, choice], -1)
        open_[rows, choice] = False
        np.maximum(closest, _likeness(traits, traits[rows, choice]), out=closest)
    return Spread(taken, finals)


def _likeness(traits: IntArray, chosen: IntArray) -> FloatArray:
    """Of every candidate [queries, candidates, traits] to the chosen one [queries, traits]."""
    same: BoolArray = (traits == chosen[:, None, :]) & (traits >= 0)
    shared: NDArray[np.float32] = same.mean(axis=2, dtype=np.float32)
    return shared
