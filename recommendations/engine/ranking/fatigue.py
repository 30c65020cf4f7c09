"""Fatigue: what was shown to a customer again and again and never clicked goes down (``maths.md`` §12)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import IntArray
from recommendations.engine.ids import id_map

HALF_LIFE = 7.0
"""Days after which an ignored showing counts by half."""


@dataclass(frozen=True, kw_only=True)
class Showings:
    """Showings of items to one customer that were seen, in any order."""

    item: IntArray
    slot: IntArray  # 1 = first
    at: NDArray[np.float64]  # days since 1970-01-01 UTC
    answered: NDArray[np.float64]  # when the customer last clicked or bought the item, −inf: never


def ignored(showings: Showings, items: IntArray, *, now: float, eta: float) -> NDArray[np.float64]:
    """Attention e that the customer gave each item without a click since they last clicked or bought it, [items].

    e = Σ k^−η 2^(−age / 7 d) over these showings, at slot k; 0 of what was not shown. In looks: one at the first slot,
    just now, is 1. A showing that is dated after ``now`` has age 0.
    """
    if not len(showings.item):
        return np.zeros(len(items))
    attention = showings.slot.astype(np.float64) ** -eta
    attention *= np.exp2(-np.maximum(now - showings.at, 0) / HALF_LIFE) * (showings.at > showings.answered)
    seen = id_map(showings.item)
    total = np.bincount(seen.rows(showings.item), attention, minlength=len(seen))
    rows = seen.rows(items)
    return np.where(rows >= 0, total[rows], 0.0)


def fatigue(e: NDArray[np.float64], *, kappa: float, beta: float, unit: float) -> NDArray[np.float64]:
    """Terms −β · unit · log2(1 + e / κ) of the scores, shape of ``e``: −β units where belief in the item has halved.

    ``kappa`` is in looks (``engine/feedback/patience.py``), ``unit`` the spread of the pool's scores (``rules.unit``).
    """
    return np.asarray(-beta * unit * np.log1p(e / kappa) / np.log(2))
