"""Generalisation: how well lists find what their recommender learned from, beside what came after.

Of each history a random tenth of what was taken is left out of the question, though the recommender has learned from
it: it is asked for that tenth, in the way in which it is asked for the purchases of the test window. The same customers
stand on both sides, so the gap is paired. That there is one says little, as a tenth of the past is no window of the
future; that it grows says that more is learned by heart.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import NamedTuple, Self

import numpy as np
from numpy.random import Generator
from scipy import sparse

from recommendations.engine.evaluation.accuracy import PerUser, judge, ndcg
from recommendations.engine.evaluation.intervals import NORMAL, Measure, measures, resamples
from recommendations.engine.evaluation.split import without
from recommendations.engine.frames import BoolArray, IdArray, IntArray, Interactions, Queries, Sparse, TrainingSet

HIDDEN = 0.1  # of what was taken
MOST = 500  # customers
FEWEST = 20
"""Customers without whom nothing is said: the interval would say nothing."""
K = 10


class Gap(NamedTuple):
    """NDCG@10 on what was learned and on what came after, and their difference, paired by customer."""

    learned: Measure
    after: Measure
    gap: Measure

    @classmethod
    def of(cls, learned: PerUser, after: PerUser, *, seed: int) -> Self:
        """Measure from NDCG of the same customers in the same order."""
        table = np.stack([learned, after, learned - after], axis=1)
        return cls(*measures(table, resamples(len(table), seed=seed)))


@dataclass(frozen=True, kw_only=True)
class HiddenTenth:
    """Customers who are asked for a tenth of what they took, without it in their histories."""

    users: IdArray  # rows of the training set
    queries: Queries
    hidden: Sparse  # customers × items: money spent; a row may be empty
    rest: Sparse  # customers × items: how often they took what else

    @classmethod
    def of(cls, training: TrainingSet, users: IdArray, draw: Generator) -> Self:
        """Ask these users of the training set."""
        queries = training.queries(users)
        acts = queries.histories
        mask = hidden_acts(acts, draw)
        return cls(
            users=users,
            queries=replace(queries, histories=acts.where(~mask)),
            hidden=_spent(acts, mask),
            rest=acts.where(acts.bought & ~mask).matrix(),
        )

    @property
    def unknown(self) -> Sparse:
        """What is hidden and nowhere else in a history: what a list of new items could find."""
        return without(self.hidden, self.rest)


def hidden_acts(acts: Interactions, draw: Generator) -> BoolArray:
    """Mask of the acts that are hidden: a tenth of what each took, and one at least; nothing of who took one thing."""
    taken = np.flatnonzero(acts.bought)
    order = taken[np.lexsort((draw.random(len(taken)), acts.user[taken]))]
    user = acts.user[order]
    counts = np.bincount(user, minlength=acts.n_users)
    place = np.arange(len(order)) - (np.cumsum(counts) - counts)[user]
    wanted = np.where(counts > 1, np.maximum(np.rint(HIDDEN * counts), 1), 0)
    mask = np.zeros(len(acts), np.bool_)
    mask[order[place < wanted[user]]] = True
    return mask


def gaps(
    names: Sequence[str], *, refound: tuple[IntArray, Sparse], after: tuple[IntArray, Sparse], seed: int
) -> dict[str, Gap]:
    """The gap of each row, by name; none where fewer than ``FEWEST`` customers have something on both sides.

    Either side is lists [customers, names, places] of item rows, best first, and the truth [customers, items].
    """
    both = np.flatnonzero((np.diff(refound[1].indptr) > 0) & (np.diff(after[1].indptr) > 0))
    if len(both) < FEWEST:
        return {}
    return {
        name: Gap.of(*(ndcg(judge(lists[both, m], truth[both]), K) for lists, truth in (refound, after)), seed=seed)
        for m, name in enumerate(names)
    }


def growth(now: Measure, before: Measure, *, compared: int) -> float | None:
    """How much a gap grew between two versions; None where that is within its interval.

    The interval is one of 95 % for all that are ``compared`` together (Bonferroni), as one of forty rows is always
    beyond its own.
    """
    grown = now.value - before.value
    wider = NormalDist().inv_cdf(1 - 0.025 / compared) / NORMAL
    reach = wider * math.hypot(now.high - now.low, before.high - before.low) / 2
    return grown if grown > reach else None


def _spent(acts: Interactions, mask: BoolArray) -> Sparse:
    """Money spent on these acts, customers × items; an entry is a purchase even where it is 0."""
    places = acts.user[mask], acts.item[mask]
    spent: Sparse = sparse.csr_matrix(
        sparse.coo_matrix((np.maximum(np.nan_to_num(acts.amount[mask]), 0), places), shape=(acts.n_users, acts.n_items))
    )
    spent.sort_indices()
    return spent
