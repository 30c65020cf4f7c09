"""Maximal marginal relevance on what items have in common (Carbonell and Goldstein 1998; ``maths.md`` §5)."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from recommendations.engine.frames import FloatArray, IntArray
from recommendations.engine.ranking.scores import Positions, gathered, top

CONSIDERED = 60
"""Number of the best candidates among which the order may change."""

NEVER = -2
"""No trait has this code."""

LOWEST = np.float32(np.finfo(np.float32).min)


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
    """Pick in turn the item with the most λ · score − (1 − λ) · largest likeness to those above, λ = 1 − diversity.

    Only the best 60 (or n) count; a tie goes to the better score. With diversity 0 order and finals are the scores'.
    """
    best = top(scores, max(CONSIDERED, n) if diversity else n)
    value = gathered(scores, best, missing=-np.inf)
    if not diversity:
        return Spread(best, value)
    traits = np.moveaxis(likeness.traits[gathered(items, best, missing=-1)], -1, 0).copy()
    as_chosen = np.where(traits >= 0, traits, NEVER)
    open_value = np.where(value > -np.inf, np.float32(1 - diversity) * np.maximum(value, LOWEST), -np.inf)
    per_trait = np.float32(diversity / max(len(traits), 1))
    shared = np.zeros(best.shape, np.int8)  # most traits shared with an item above
    taken, finals = np.full((len(best), n), -1, np.int64), np.full((len(best), n), -np.inf, np.float32)
    rows = np.arange(len(best))
    for place in range(min(n, best.shape[1])):
        final = open_value - per_trait * shared
        choice = np.argmax(final, axis=1)
        finals[:, place] = final[rows, choice]
        taken[:, place] = best[rows, choice]
        open_value[rows, choice] = -np.inf
        same = traits == as_chosen[:, rows, choice][:, :, None]
        np.maximum(shared, np.add.reduce(same.view(np.int8), axis=0, dtype=np.int8), out=shared)
    taken[finals == -np.inf] = -1
    return Spread(taken, finals)
