"""Association rules of items bought together: support, confidence, lift, significance (``maths.md`` §2)."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommendations.engine.frames import FloatArray, IntArray, Interactions, Sparse
from recommendations.engine.preprocess.blocks import frequent, strongest
from recommendations.engine.preprocess.carriers import Together, carried
from recommendations.engine.preprocess.sizes import MOST_PAIRS, longest_affordable
from recommendations.engine.privacy.smallest import PEOPLE


class Baskets(NamedTuple):
    """Baskets × items, 1 where a purchase of the item is in the basket, and the user of each basket, ascending."""

    content: Sparse
    owner: IntArray


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """Rules "who takes ``first`` takes ``second``"; every pair stands both ways, ordered by first and second."""

    first: IntArray
    second: IntArray
    together: IntArray  # baskets with both
    baskets_of: IntArray  # baskets with each item, shape [items]
    n_baskets: int

    def __len__(self) -> int:
        return len(self.first)

    @property
    def support(self) -> FloatArray:
        """Share of all baskets that hold both."""
        return (self.together / np.float32(max(self.n_baskets, 1))).astype(np.float32)

    @property
    def confidence(self) -> FloatArray:
        """Share of the baskets with ``first`` that hold ``second``."""
        return (self.together / self.baskets_of[self.first]).astype(np.float32)

    @property
    def lift(self) -> FloatArray:
        """Confidence over the share that ``second`` has of all baskets: 1 = independent of each other."""
        expected = self.baskets_of[self.first].astype(np.float64) * self.baskets_of[self.second] / self.n_baskets
        return (self.together / expected).astype(np.float32)

    def where(self, keep: NDArray[np.bool_]) -> "Pairs":
        return replace(self, first=self.first[keep], second=self.second[keep], together=self.together[keep])


def baskets(interactions: Interactions) -> Baskets:
    """Collect the baskets; acts other than purchases are left out."""
    bought = interactions.where(interactions.bought)
    width = int(bought.basket.max(initial=0)) + 1
    keys, code = np.unique(bought.user.astype(np.int64) * width + bought.basket, return_inverse=True)
    shape = (len(keys), bought.n_items)
    matrix = sparse.csr_matrix((np.ones(len(bought), np.float32), (code, bought.item)), shape=shape)
    matrix.sum_duplicates()
    matrix.data[:] = 1
    return Baskets(matrix, (keys // width).astype(np.int32))


def affordable(held: Baskets, *, most_pairs: int = MOST_PAIRS) -> Baskets:
    """The baskets, the largest with a part of their items where they hold more pairs than ``most_pairs`` in all."""
    most = longest_affordable(np.diff(held.content.indptr), most_pairs)
    return held._replace(content=strongest(held.content, most))


def pairs(content: Sparse, *, min_together: int) -> Pairs:
    """All pairs that share at least ``min_together`` baskets."""
    possible = pair_items(content, min_together=min_together)
    return possible.pairs(frequent(possible.columns.T.tocsr(), possible.columns, at_least=min_together))


class PairItems(NamedTuple):
    """Items that are in enough baskets to be in a pair."""

    items: IntArray
    columns: Sparse  # baskets × these items
    baskets_of: IntArray  # baskets with each item of all, shape [items]

    def pairs(self, counts: Sparse, *, start: int = 0) -> Pairs:
        """The pairs of which ``counts`` has the baskets with both; its rows are these items from ``start`` on."""
        first = np.repeat(np.arange(start, start + counts.shape[0], dtype=np.int32), np.diff(counts.indptr))
        keep = first != counts.indices
        return Pairs(
            first=self.items[first[keep]],
            second=self.items[counts.indices[keep]],
            together=np.rint(counts.data[keep]).astype(np.int32),
            baskets_of=self.baskets_of,
            n_baskets=self.columns.shape[0],
        )


def pair_items(content: Sparse, *, min_together: int) -> PairItems:
    """Collect the items of which a pair can be in at least ``min_together`` baskets."""
    baskets_of = np.bincount(content.indices, minlength=content.shape[1]).astype(np.int32)
    items = np.flatnonzero(baskets_of >= max(min_together, 1)).astype(np.int32)
    return PairItems(items, content[:, items], baskets_of)


def many_carry(held: Baskets, found: Pairs, *, people: int = PEOPLE) -> NDArray[np.bool_]:
    """Whether at least so many different people have both of a pair in one basket, shape [pairs]."""
    n_items = len(found.baskets_of)
    popular = found.baskets_of[found.first] > found.baskets_of[found.second]
    rare, other = np.where(popular, found.second, found.first), np.where(popular, found.first, found.second)
    keys, at, back = np.unique(rare.astype(np.int64) * n_items + other, return_index=True, return_inverse=True)
    rows = np.searchsorted(keys, np.arange(n_items + 1, dtype=np.int64) * n_items)
    once = sparse.csr_matrix((found.together[at].astype(np.float32), keys % n_items, rows), shape=(n_items, n_items))
    return carried(Together(held.content, held.content, held.owner), once, people=people)[back]


def p_values(found: Pairs) -> NDArray[np.float64]:
    """Fisher's exact test, one-sided: the chance of so many common baskets or more if the items were independent."""
    from scipy.stats import hypergeom  # noqa: PLC0415 - slow to load

    of_first, of_second = found.baskets_of[found.first], found.baskets_of[found.second]
    return np.asarray(hypergeom.sf(found.together - 1, found.n_baskets, of_first, of_second), np.float64)


def discoveries(p: NDArray[np.float64], *, rate: float, tests: int | None = None) -> NDArray[np.bool_]:
    """Select p-values so that at most ``rate`` of them are false on average (Benjamini and Hochberg 1995).

    ``tests`` is the number of hypotheses looked at where some were dropped before testing; default ``len(p)``.
    """
    order = np.argsort(p, kind="stable")
    limits = rate * np.arange(1, len(p) + 1) / max(tests or len(p), 1)
    below = np.flatnonzero(p[order] <= limits)
    believed = np.zeros(len(p), np.bool_)
    if len(below):
        believed[order[: below[-1] + 1]] = True
    return believed


def tested(found: Pairs) -> Pairs:
    """The pairs of which the p-value is asked: each of those with a lift above 1 once."""
    return found.where((found.first < found.second) & (found.lift > 1))


def significant(found: Pairs, *, rate: float = 0.01, p: NDArray[np.float64] | None = None) -> Pairs:
    """The pairs with a lift above 1 that survive the test; each unordered pair is one hypothesis.

    Only those are tested: so many common baskets as expected or fewer have a p-value of ½ or more (the median of the
    distribution is less than 1 from its mean), which no ``rate`` below ½ believes. ``p``: their p-values, if at hand.
    """
    hypotheses = int(np.count_nonzero(found.first < found.second))
    once = tested(found)
    believed = once.where(discoveries(p_values(once) if p is None else p, rate=rate, tests=hypotheses))
    n_items = len(found.baskets_of)
    keys = believed.first.astype(np.int64) * n_items + believed.second
    low, high = np.minimum(found.first, found.second), np.maximum(found.first, found.second)
    return found.where(np.isin(low.astype(np.int64) * n_items + high, keys) & (found.lift > 1))
