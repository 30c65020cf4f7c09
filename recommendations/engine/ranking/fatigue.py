"""Fatigue: what was shown to a customer again and again and never clicked goes down (``maths.md`` §12)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import FloatArray, IntArray
from recommendations.engine.ids import id_map
from recommendations.engine.ranking.rules import unit

HALF_LIFE = 7.0
"""Days after which an ignored showing counts by half."""


@dataclass(frozen=True, kw_only=True)
class Showings:
    """Showings of items to one customer that were seen, in any order."""

    item: IntArray
    slot: IntArray  # 1 = first
    at: NDArray[np.float64]  # days since 1970-01-01 UTC
    answered: NDArray[np.float64]  # when the customer last clicked or bought the item, −inf: never


@dataclass(frozen=True, kw_only=True)
class IgnoredItems:
    """Items that one customer looked at and did not click, and how much less they are believed in."""

    items: IntArray  # rows, ascending
    looks: NDArray[np.float64]  # e of each
    times: NDArray[np.int64]  # showings of each since it was last clicked or bought
    kappa: float
    beta: float

    def terms(self, items: IntArray, scores: FloatArray) -> NDArray[np.float64]:
        """Terms of the candidates, [candidates], from the scores of those that may be shown, before any rule."""
        return fatigue(self._of(self.looks, items), kappa=self.kappa, beta=self.beta, unit=unit(scores))

    def times_of(self, items: IntArray) -> NDArray[np.int64]:
        """How often each item, by its row, was shown since it was last clicked or bought."""
        return self._of(self.times, items)

    def _of[T: np.generic](self, values: NDArray[T], items: IntArray) -> NDArray[T]:
        if not len(self.items):
            return np.zeros(len(items), values.dtype)
        at = np.minimum(np.searchsorted(self.items, items), len(self.items) - 1)
        return np.where(self.items[at] == items, values[at], np.zeros(1, values.dtype))


def ignored_items(showings: Showings, *, now: float, eta: float, kappa: float, beta: float) -> IgnoredItems:
    """The items of these showings that were not clicked or bought since; arguments as of ``ignored``, ``fatigue``."""
    since = showings.at > showings.answered
    items, times = np.unique(showings.item[since], return_counts=True)
    rows = items.astype(np.int32)
    return IgnoredItems(
        items=rows,
        looks=ignored(showings, rows, now=now, eta=eta),
        times=times.astype(np.int64),
        kappa=kappa,
        beta=beta,
    )


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
