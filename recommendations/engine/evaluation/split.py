"""The global time split: where history ends, and what was bought afterwards (``maths.md`` §0).

Weights come from the tuning cut, reported figures from the test cut, answers from the live cut; they are never mixed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from recommendations.engine.frames import Sparse
from recommendations.engine.preprocess.matrix import EventWeights, TrainingSnapshot
from recommendations.terms import Cut, Task

WINDOW_DAYS = 28.0
SECOND = 1 / 86_400
USUAL = EventWeights()


@dataclass(frozen=True, kw_only=True)
class Windows:
    """Cuts and windows as days since 1970-01-01 UTC. A window is [start, end): 28 days after a cut."""

    end: float  # midnight after the last full day
    live: float  # after the newest event
    days: float = WINDOW_DAYS

    @classmethod
    def up_to(cls, newest: float, *, now: float) -> Self:
        """Windows for the time of the newest event. A day counts as full when it is over."""
        end = float(min(np.floor(newest) + 1, np.floor(now)))
        return cls(end=end, live=max(end, newest + SECOND))

    @property
    def cuts(self) -> Mapping[Cut, float]:
        return {Cut.TUNING: self.end - 2 * self.days, Cut.TEST: self.end - self.days, Cut.LIVE: self.live}

    def window(self, cut: Cut) -> tuple[float, float]:
        """The window whose purchases are the truth for this cut; nothing is known after the live cut."""
        if cut is Cut.LIVE:
            raise ValueError("the live cut has no truth: nothing has happened after it")
        return self.cuts[cut], self.cuts[cut] + self.days


@dataclass(frozen=True, kw_only=True)
class Truth:
    """Purchases of each user in a window. A stored entry is a purchase even where no money was paid (0)."""

    spent: Sparse  # users × items of the training set: money spent, never negative, columns ascending

    @cached_property
    def users(self) -> NDArray[np.int64]:
        """Rows of the users who bought anything: those whom the metrics speak of."""
        return np.flatnonzero(np.diff(self.spent.indptr))

    @cached_property
    def per_user(self) -> Sparse:
        """The rows of ``users`` only."""
        return self.spent[self.users]

    def only(self, users: NDArray[np.integer]) -> Self:
        """The truth of some of its users: nothing is known of what the others bought."""
        asked = np.zeros(self.spent.shape[0], np.bool_)
        asked[users] = True
        counts = np.diff(self.spent.indptr)
        entries, starts = np.repeat(asked, counts), np.concatenate([[0], np.cumsum(np.where(asked, counts, 0))])
        spent = (self.spent.data[entries], self.spent.indices[entries], starts)
        return type(self)(spent=sparse.csr_matrix(spent, shape=self.spent.shape))


def truths(
    events: pd.DataFrame, snapshot: TrainingSnapshot, *, window: tuple[float, float], weights: EventWeights = USUAL
) -> dict[Task, Truth]:
    """Truth of both tasks: items and users with history in the snapshot; discover leaves out what was bought before.

    What counts as bought is what takes an item under these weights.
    """
    start, end = window
    within = events[(events["at"] >= start) & (events["at"] < end)]
    bought = within[weights.takes(within["name"], within["rating"].to_numpy(np.float64))]
    user = snapshot.users.rows(bought["user"].to_numpy())
    item = snapshot.items.rows(bought["item"].to_numpy())
    acts = snapshot.training.interactions
    with_history = np.bincount(acts.item, minlength=acts.n_items) > 0
    valid = (user >= 0) & (item >= 0)
    valid[valid] = with_history[item[valid]]
    money = np.maximum(np.nan_to_num(bought["amount"].to_numpy(np.float64)[valid]), 0)
    home = sparse.coo_matrix((money, (user[valid], item[valid])), shape=(acts.n_users, acts.n_items), dtype=np.float32)
    spent = sparse.csr_matrix(home)
    spent.sort_indices()
    return {Task.HOME: Truth(spent=spent), Task.DISCOVER: Truth(spent=without(spent, snapshot.bought))}


def without(matrix: Sparse, other: Sparse) -> Sparse:
    """The stored entries of ``matrix`` that are not stored in ``other``; stored zeros stay stored."""
    rows, n_items = np.flatnonzero(np.diff(matrix.indptr)), matrix.shape[1]
    entries, others = _keys(matrix[rows]), _keys(other[rows].sorted_indices())
    mask = np.ones(len(entries), np.bool_)
    if len(others):
        place = np.minimum(np.searchsorted(others, entries), len(others) - 1)
        mask = others[place] != entries
    counts = np.zeros(matrix.shape[0], np.int64)
    counts[rows] = np.bincount(entries[mask] // n_items, minlength=len(rows))
    starts = np.concatenate([[0], np.cumsum(counts)])
    return sparse.csr_matrix((matrix.data[mask], matrix.indices[mask], starts), shape=matrix.shape)


def _keys(matrix: Sparse) -> NDArray[np.int64]:
    """A number for each stored entry, ascending where columns are."""
    rows = np.repeat(np.arange(matrix.shape[0], dtype=np.int64), np.diff(matrix.indptr))
    return np.asarray(rows * matrix.shape[1] + matrix.indices)
