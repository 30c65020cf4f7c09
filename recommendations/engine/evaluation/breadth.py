"""Breadth metrics of lists, whether or not they are bought: coverage, novelty and diversity.

The per-user metrics are functions of ranked item rows [users, places] (−1 = no item), the assortment and a cut-off k.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import gammaln

from recommendations.engine.evaluation.accuracy import PerUser
from recommendations.engine.frames import BoolArray, FloatArray, IntArray, Sparse, TrainingSet
from recommendations.engine.ranking.goals import ENOUGH_WEEKS, margin_share, weeks_of_cover


@dataclass(frozen=True, kw_only=True)
class Assortment:
    """Items that breadth is measured against; one row per item of the training set."""

    surprise: FloatArray  # −log2 of the share of users who bought the item (an unsold item counts as sold to one)
    categories: Sparse  # items × categories, rows of length 1 (or 0 where unknown)
    margin: FloatArray | None = None  # share of the price, NaN where unknown; None: nothing is known
    plenty: BoolArray | None = None  # whether there is too much of the item; None: no stock is known


def assortment(training: TrainingSet) -> Assortment:
    acts = training.interactions
    buyers = np.bincount(acts.where(acts.bought).matrix().indices, minlength=training.n_items)
    surprise = np.log2(max(training.n_users, 1) / np.maximum(buyers, 1)).astype(np.float32)
    categories: Sparse = sparse.csr_matrix(training.catalogue.categories, dtype=np.float32, copy=True)
    lengths = np.sqrt(np.asarray(categories.multiply(categories).sum(axis=1)).ravel())
    categories.data /= np.repeat(np.where(lengths > 0, lengths, 1), np.diff(categories.indptr))
    goods, cover = training.catalogue, weeks_of_cover(training)
    return Assortment(
        surprise=surprise, categories=categories, margin=margin_share(goods.price, goods.cost),
        plenty=None if cover is None else cover > ENOUGH_WEEKS,
    )  # fmt: skip


def novelty(ranked: IntArray, shop: Assortment, k: int) -> PerUser:
    """Mean −log2 of the popularity share of what is shown (Zhou 2010); 0 for an empty list."""
    items = ranked[:, :k]
    surprise: PerUser = np.where(items >= 0, shop.surprise[items], 0).sum(axis=1, dtype=np.float64)
    return np.asarray(surprise / np.maximum(np.count_nonzero(items >= 0, axis=1), 1))


def diversity(ranked: IntArray, shop: Assortment, k: int) -> PerUser:
    """1 − mean cosine of the categories over all pairs of the list (Ziegler 2005); 0 for fewer than two items.

    With unit rows Σ_{i≠j} c_i·c_j = |Σ c_i|² − Σ |c_i|², so no pair is ever looked at.
    """
    items = ranked[:, :k]
    counts = np.count_nonzero(items >= 0, axis=1)
    starts = np.concatenate([[0], np.cumsum(counts)])
    lists = sparse.csr_matrix(
        (np.ones(starts[-1], np.float32), items[items >= 0], starts), shape=(len(items), len(shop.surprise))
    )
    together = _squares(lists @ shop.categories)
    alone = lists @ _squares(shop.categories)
    pairs = np.maximum(counts * (counts - 1), 1)
    return np.where(counts > 1, 1 - (together - alone) / pairs, 0.0)


def coverage(ranked: IntArray, shop: Assortment, k: int) -> float:
    """Share of the catalogue that is in anyone's list."""
    items = ranked[:, :k]
    seen = np.bincount(items[items >= 0], minlength=len(shop.surprise)) > 0
    return float(seen.sum() / max(len(seen), 1))


def different_items(times: NDArray[np.float64], *, lists: int, drawn: int) -> float:
    """Different items in ``drawn`` of the lists on average, of items that are each in so many of them (Hurlbert 1971).

    Σ 1 − C(N − t, m) / C(N, m): what grows with the number of lists is compared where there are equally many.
    """
    left = lists - np.minimum(times, lists)
    possible = left >= drawn  # to be in none of those drawn
    rest = left[possible]
    ways = gammaln(rest + 1) - gammaln(rest - drawn + 1) - gammaln(lists + 1) + gammaln(lists - drawn + 1)
    return float(len(times) - np.exp(ways).sum())


def _squares(rows: Sparse) -> PerUser:
    row = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    return np.bincount(row, rows.data.astype(np.float64) ** 2, minlength=rows.shape[0])
