"""Accuracy metrics: how well ranked lists meet what was bought (``maths.md`` §0).

Every metric is one function of lists held against the truth and a cut-off k, and gives one number per user. Everyone in
the lists has bought something; a place without item is a miss.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import BoolArray, FloatArray, IntArray, Sparse

LENGTH = 20
"""Places of a list that are judged: the largest k."""

type PerUser = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Ideal:
    """The best possible list of each user."""

    n_relevant: IntArray  # [users]: |GT|
    gain: FloatArray  # [users, places]: money of the dearest truths, largest first, 0 after the last


@dataclass(frozen=True, kw_only=True)
class Judged:
    """Ranked lists held against the truth, place by place."""

    relevant: BoolArray  # [users, places]
    gain: FloatArray  # [users, places]: money spent on the item in the window, 0 for a miss
    ideal: Ideal


def ideal(truth: Sparse, *, length: int = LENGTH) -> Ideal:
    """Make the best possible lists for ``truth``: users × items of money spent, no row empty."""
    counts = np.diff(truth.indptr)
    rows = np.repeat(np.arange(truth.shape[0]), counts)
    order = np.lexsort((-truth.data, rows))
    place = np.arange(len(order)) - np.repeat(truth.indptr[:-1], counts)
    gain = np.zeros((truth.shape[0], length), np.float32)
    within = place < length
    gain[rows[within], place[within]] = truth.data[order[within]]
    return Ideal(n_relevant=counts.astype(np.int32), gain=gain)


def labels(items: IntArray, truth: Sparse) -> tuple[BoolArray, FloatArray]:
    """Whether each item [users, places] is in the user's truth, and the money spent on it; −1 never is."""
    rows = np.repeat(np.arange(truth.shape[0], dtype=np.int64), np.diff(truth.indptr))
    bought = rows * truth.shape[1] + truth.indices
    codes = np.arange(len(items), dtype=np.int64)[:, None] * truth.shape[1] + items
    if not len(bought):
        return np.zeros(items.shape, np.bool_), np.zeros(items.shape, np.float32)
    at = np.minimum(np.searchsorted(bought, codes), len(bought) - 1)
    relevant = (bought[at] == codes) & (items >= 0)
    return relevant, np.where(relevant, truth.data[at], 0).astype(np.float32)


def judge(ranked: IntArray, truth: Sparse) -> Judged:
    """Judge item rows [users, places], best first; ``truth`` has a row per user and ascending columns."""
    relevant, gain = labels(ranked, truth)
    return Judged(relevant=relevant, gain=gain, ideal=ideal(truth, length=ranked.shape[1]))


def recall(lists: Judged, k: int) -> PerUser:
    """Recall: hits / |GT|."""
    return _hits(lists, k) / lists.ideal.n_relevant


def hit_rate(lists: Judged, k: int) -> PerUser:
    """Hit rate: 1 where anything was hit."""
    return (_hits(lists, k) > 0).astype(np.float64)


def ndcg(lists: Judged, k: int) -> PerUser:
    """NDCG: Σ hit / log2(place + 1), over the same sum of a list that starts with min(k, |GT|) hits (Järvelin 2002)."""
    best = np.cumsum(discount(k))[np.minimum(lists.ideal.n_relevant, k) - 1]
    relevant = lists.relevant[:, :k]
    return np.asarray((relevant * discount(relevant.shape[1])).sum(axis=1) / best)


def mean_average_precision(lists: Judged, k: int) -> PerUser:
    """Average precision: mean over min(k, |GT|) of the precision at each hit."""
    relevant = lists.relevant[:, :k]
    precision = np.cumsum(relevant, axis=1) / np.arange(1, relevant.shape[1] + 1)
    total: PerUser = (precision * relevant).sum(axis=1)
    return total / np.minimum(lists.ideal.n_relevant, k)


def reciprocal_rank(lists: Judged, k: int) -> PerUser:
    """1 / place of the first hit, 0 without one; its mean is MRR."""
    places = np.arange(1, lists.relevant[:, :k].shape[1] + 1)
    first: PerUser = (lists.relevant[:, :k] / places).max(axis=1, initial=0)
    return first


def revenue_ndcg(lists: Judged, k: int) -> PerUser:
    """NDCG with the money spent as gain; 0 for a user who spent none."""
    best = (lists.ideal.gain[:, :k] * discount(lists.ideal.gain[:, :k].shape[1])).sum(axis=1)
    reached = (lists.gain[:, :k] * discount(lists.gain[:, :k].shape[1])).sum(axis=1)
    return np.where(best > 0, reached / np.where(best > 0, best, 1), 0)


def discount(k: int) -> NDArray[np.float64]:
    """1 / log2(place + 1) of places 1 … k."""
    return 1 / np.log2(np.arange(2, k + 2))


def _hits(lists: Judged, k: int) -> NDArray[np.int64]:
    return np.asarray(np.count_nonzero(lists.relevant[:, :k], axis=1))
