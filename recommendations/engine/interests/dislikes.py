"""Dislikes in interests: each takes from the categories of its item, a second one in a category halves its share."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommendations.engine.frames import BoolArray, FloatArray, IntArray, Sparse
from recommendations.engine.preprocess.weighting import decay
from recommendations.event_types import EventName

POINTS = -2.0
"""What a dislike counts in a weight w_ij, in points."""

HALVED_FOR = 30.0
"""Days after the newest of two or more dislikes in a category in which its share is half."""


@dataclass(frozen=True, kw_only=True)
class Dislikes:
    """Dislikes, each pair of a user and an item once."""

    user: IntArray
    item: IntArray
    age: FloatArray  # days, of the newest
    n_users: int
    n_items: int

    @classmethod
    def of(cls, ages: Sparse) -> Self:
        """Dislikes from ages plus one day, users × items, as a training set holds them."""
        pairs = ages.tocoo()
        age = np.maximum(pairs.data - 1, 0).astype(np.float32)
        return cls(user=pairs.row, item=pairs.col, age=age, n_users=ages.shape[0], n_items=ages.shape[1])

    def lessened(self, interests: FloatArray, categories: Sparse, *, half_life: float) -> FloatArray:
        """max(U − 2/5 Σ_j 2^(−age/h) c_j, 0): interests without what the disliked items take away, [users, categories].

        ``categories`` are items × categories. A purchase has five points, and is the unit.
        """
        if not len(self.user):
            return interests
        weights = self._matrix(decay(self.age, half_life) * (POINTS / EventName.PURCHASE.facts.points))
        return np.asarray(np.maximum(interests + (weights @ categories).toarray(), 0), np.float32)

    def halved(self, shares: FloatArray, categories: Sparse) -> FloatArray:
        """Shares with those of ``repeated`` halved; what they lose goes to the others in proportion, so that a row
        adds up to 1. Where nobody else has any, it stays.
        """
        if len(self.user) < 2:
            return shares
        twice = self.repeated(categories)
        lost = np.where(twice, shares / 2, 0)
        others = np.where(twice, 0, shares).sum(axis=1, keepdims=True)
        grown = np.divide(lost.sum(axis=1, keepdims=True), others, out=np.zeros_like(others), where=others > 0)
        changed = np.where(twice, shares - lost, shares * (1 + grown))
        return np.asarray(np.where(others > 0, changed, shares), np.float32)

    def repeated(self, categories: Sparse) -> BoolArray:
        """Whether a user disliked two items of a category, the newest in the last 30 days, [users, categories]."""
        member = categories.copy()
        member.data = np.ones_like(member.data)
        times = (self._matrix(np.ones(len(self.user), np.float32)) @ member).toarray()
        recent = (self._matrix((self.age < HALVED_FOR).astype(np.float32)) @ member).toarray()
        return np.asarray((times >= 2) & (recent > 0))

    def _matrix(self, values: NDArray[np.float32]) -> Sparse:
        return sparse.csr_matrix((values, (self.user, self.item)), shape=(self.n_users, self.n_items), dtype=np.float32)
