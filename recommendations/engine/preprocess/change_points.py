"""Customers who buy otherwise than they did: what came before counts for less (``maths.md`` §1)."""

from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommendations.engine.frames import BoolArray, FloatArray, IntArray, Interactions, Sparse

BASKETS = (3, 4, 6, 8, 12, 16, 24, 32, 48, 64)  # newest ones that are held against all older ones
OLDER = 10  # baskets, at least, that say how somebody used to buy
AT_ONCE = 5_000_000  # rows of acts
ALIKE = 0.25  # of the likeness of the older baskets to themselves; what is above it is no change


class ChangePoints(NamedTuple):
    """The moment since when each user has bought otherwise than before."""

    since: FloatArray  # [users]: age of the first basket of the change in days; infinity where there was none
    baskets: IntArray  # [users]: baskets since then; 0 where there was none

    @classmethod
    def of(cls, acts: Interactions, departments: Sparse) -> Self:
        """Find the change points; ``departments`` [items, departments] has the parts of each item.

        The last k baskets are a change where Σ_c q_c p_c ≤ Σ_c p_c² / 4: q is the mean share of the departments in
        them, p that in the baskets before, of which there are ten at least. Of several k that is one for which the
        likeness is least, of equals the largest. Nobody else's acts are looked at.
        """
        bought = acts.where(acts.bought & (np.diff(departments.indptr) > 0)[acts.item])
        _, first, basket = np.unique(bought.basket, return_index=True, return_inverse=True)
        user, rank = bought.user[first], bought.basket_rank[first]
        shares = _basket_shares(bought, basket, departments)
        every, n = _sums(shares, user, n_users=acts.n_users), bought.n_baskets
        best, baskets = np.full(acts.n_users, ALIKE), np.zeros(acts.n_users, np.int32)
        for k in BASKETS:
            alike = _likeness(_sums(shares, user, n_users=acts.n_users, mask=rank < k), every, k=k, n=n)
            better = (n >= k + OLDER) & (alike <= best)
            best[better], baskets[better] = alike[better], k
        since = np.where(baskets > 0, 0, np.inf).astype(np.float32)
        after = bought.basket_rank < baskets[bought.user]
        np.maximum.at(since, bought.user[after], bought.age[after])
        return cls(since, baskets)

    def lessening(self, acts: Interactions) -> Interactions:
        """The acts, of which those before a change count half as much for each basket since; all are still there."""
        before = acts.age > self.since[acts.user]
        if not before.any():
            return acts
        factor = np.where(before, np.exp2(-self.baskets[acts.user].astype(np.float32)), np.float32(1))
        return replace(acts, strength=acts.strength * factor)


def lessened(acts: Interactions, departments: Sparse, *, at_once: int = AT_ONCE) -> Interactions:
    """The acts, of which those before a change count for less; users are looked at so many acts at a time."""
    strength = acts.strength.copy()
    ends = np.searchsorted(acts.offsets, np.arange(at_once, len(acts) + at_once, at_once), side="left")
    for start, end in pairwise(np.unique([0, *np.minimum(ends, acts.n_users)]).tolist()):
        own = acts.of_users(np.arange(start, end))
        rows = slice(*acts.offsets[[start, end]])
        strength[rows] = ChangePoints.of(own, departments).lessening(own).strength
    return replace(acts, strength=strength)


def _basket_shares(bought: Interactions, basket: NDArray[np.integer], departments: Sparse) -> sparse.csr_matrix:
    """Share of the departments in each basket, [baskets, departments]; a row sums to 1."""
    n = int(basket.max(initial=-1)) + 1
    lines = sparse.csr_matrix((np.ones(len(bought)), (basket, bought.item)), shape=(n, bought.n_items)) @ departments
    of_row = np.repeat(np.asarray(lines.sum(axis=1)).ravel(), np.diff(lines.indptr))
    return sparse.csr_matrix((lines.data / of_row, lines.indices, lines.indptr), shape=lines.shape)


def _sums(
    shares: sparse.csr_matrix, user: IntArray, *, n_users: int, mask: BoolArray | None = None
) -> sparse.csr_matrix:
    """Sums of the shares over the baskets of each user, those in the mask alone."""
    rows = np.arange(len(user)) if mask is None else np.flatnonzero(mask)
    members = sparse.csr_matrix((np.ones(len(rows)), (user[rows], rows)), shape=(n_users, len(user)))
    return sparse.csr_matrix(members @ shares)


def _likeness(newest: sparse.csr_matrix, every: sparse.csr_matrix, *, k: int, n: IntArray) -> NDArray[np.float64]:
    """How alike the newest k of n baskets are to the older ones, over how alike these are to themselves: [users]."""
    older = every - newest
    cross = np.asarray(newest.multiply(older).sum(axis=1)).ravel() / k
    own = np.asarray(older.multiply(older).sum(axis=1)).ravel() / np.maximum(n - k, 1)
    return np.asarray(np.divide(cross, own, out=np.full(len(n), np.inf), where=own > 0))
