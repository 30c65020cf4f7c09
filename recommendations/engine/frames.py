"""The engine's data types: interactions, catalogue, promotion plan, queries and the training set, as arrays.

Rows are dense (0 … n − 1); ``ids.py`` holds the border to the shop's ids. Arrays in a frame are never changed.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

type IntArray = NDArray[np.int32]
type IdArray = NDArray[np.int64]
type FloatArray = NDArray[np.float32]
type HalfArray = NDArray[np.float16]
type BoolArray = NDArray[np.bool_]
type Sparse = sparse.csr_matrix[np.float32]

COLUMNS = ("item", "basket", "age", "quantity", "strength", "amount", "bought")
"""Columns of interactions beside the user."""


def rest(n: int, rows: NDArray[np.integer]) -> IntArray:
    """The other rows of 0 … n − 1, ascending. Raises ValueError where one of ``rows`` is none of these."""
    if len(rows) and not 0 <= rows.min() <= rows.max() < n:
        raise ValueError(f"rows are 0 to {n - 1}, not {rows.min()} to {rows.max()}")
    there = np.ones(n, np.bool_)
    there[rows] = False
    return np.flatnonzero(there).astype(np.int32)


class BoughtItems(NamedTuple):
    """BoughtItems of one user by item."""

    items: IntArray  # ascending
    place: Mapping[int, int]  # of each item among these
    times: IdArray
    newest: NDArray[np.float64]  # age in days
    oldest: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Interactions:
    """One row per (user, basket, kind of act, item), sorted by user; lines of one item in a basket are one row.

    An act outside a purchase (a view, a cart) carries its session as basket. ``n_users`` is the number of histories.
    """

    user: IntArray
    item: IntArray
    basket: IntArray  # the same number only for lines of one basket of one user
    age: FloatArray  # days before the moment of asking, ≥ 0
    quantity: FloatArray
    strength: FloatArray  # α relative to a purchase: purchase 1, view_item 0.2, refund −1; less before a change point
    amount: FloatArray  # money paid, shop currency
    bought: BoolArray  # the row is a purchase
    n_users: int
    n_items: int

    def __len__(self) -> int:
        return len(self.user)

    @cached_property
    def offsets(self) -> IdArray:
        """Start of each user's rows, length ``n_users + 1``."""
        return np.searchsorted(self.user, np.arange(self.n_users + 1, dtype=np.int32)).astype(np.int64)

    @cached_property
    def basket_rank(self) -> IntArray:
        """Number of newer baskets of the same user, per row (0 = the newest basket)."""
        if not len(self):
            return np.empty(0, np.int32)
        first, code = self._baskets()
        user = self.user[first]
        newest = np.full(len(first), np.inf, np.float32)
        np.minimum.at(newest, code, self.age)
        order = np.lexsort((first, newest, user))
        starts = np.concatenate([[0], np.flatnonzero(np.diff(user[order])) + 1])
        position = np.arange(len(order)) - np.repeat(starts, np.diff(np.concatenate([starts, [len(order)]])))
        rank = np.empty(len(order), np.int32)
        rank[order] = position
        return rank[code]

    def _baskets(self) -> tuple[IdArray, IntArray]:
        """The first row of each basket, and the basket of each row."""
        before, after = self.basket[:-1], self.basket[1:]
        if (after < before).any():
            _, first, code = np.unique(self.basket, return_index=True, return_inverse=True)
            return first.astype(np.int64), code.astype(np.int32)
        begins = np.concatenate([[True], after > before])  # in order already, as a snapshot is: nothing to sort
        return np.flatnonzero(begins), np.cumsum(begins, dtype=np.int32) - np.int32(1)

    @cached_property
    def n_baskets(self) -> IntArray:
        """Baskets per user, shape [n_users]."""
        counts = np.zeros(self.n_users, np.int32)
        np.maximum.at(counts, self.user, self.basket_rank + 1)
        return counts

    @cached_property
    def purchases(self) -> BoughtItems:
        """What the one user of this history bought."""
        bought = np.flatnonzero(self.bought)
        order = bought[np.lexsort((self.age[bought], self.item[bought]))]
        item, age = self.item[order], self.age[order].astype(np.float64)
        first = np.flatnonzero(np.diff(item, prepend=-1))
        items, times = item[first], np.diff(np.append(first, len(item)))
        place = dict(zip(items.tolist(), range(len(items)), strict=True))
        return BoughtItems(items, place, times, age[first], age[first + times - 1])

    def matrix(self, values: NDArray[np.floating] | None = None) -> Sparse:
        """Matrix users × items; the values (one per row, default 1) of a user's rows of one item are added up."""
        data = np.ones(len(self), np.float32) if values is None else np.array(values, np.float32)
        shape = (self.n_users, self.n_items)  # rows are sorted by user: they are the matrix already, but for its order
        matrix = sparse.csr_matrix((data, self.item.copy(), self.offsets), shape=shape)
        matrix.sum_duplicates()
        return matrix

    def of_users(self, rows: NDArray[np.integer]) -> Self:
        """The histories of these users, renumbered 0 … len(rows) − 1 in the order asked for."""
        counts = np.diff(self.offsets)[rows]
        starts = np.repeat(self.offsets[:-1][rows] - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts)
        take = (starts + np.arange(counts.sum())).astype(np.int64) if len(rows) else np.empty(0, np.int64)
        return self._take(take, user=np.repeat(np.arange(len(rows), dtype=np.int32), counts), n_users=len(rows))

    def without(self, users: NDArray[np.integer]) -> Self:
        """The histories of all others; those after somebody who goes move up."""
        return self.of_users(rest(self.n_users, users))

    def where(self, keep: BoolArray) -> Self:
        """The rows for which ``keep`` is true; users and items keep their numbers."""
        if keep.all():
            return self
        return self._take(np.flatnonzero(keep), user=self.user[keep], n_users=self.n_users)

    def _take(self, rows: NDArray[np.int64], *, user: IntArray, n_users: int) -> Self:
        columns: dict[str, Any] = {name: getattr(self, name)[rows] for name in COLUMNS}
        return replace(self, user=user, n_users=n_users, **columns)


class Space(NamedTuple):
    """A space of vectors: the columns from ``first`` up to ``last``, which is not of it."""

    name: str
    first: int
    last: int


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """Attributes of the items that need no behaviour: categories, terms, price and age of the listing."""

    categories: Sparse  # items × categories: membership rows c_j; a row sums to 1 (or 0 where unknown)
    terms: Sparse  # items × terms: counts of attribute and title tokens
    price: FloatArray  # NaN where unknown
    listed_age: FloatArray  # days since the item entered the catalogue, at the cut
    cost: FloatArray | None = None  # what the shop pays for it, as the catalogue has it today; NaN where unknown
    stock: FloatArray | None = None  # units of it today; NaN where unknown
    vectors: HalfArray | None = None  # items × dimensions: what is said of each, unit rows, 0 where nothing is known
    spaces: tuple[Space, ...] = ()  # in which the vectors lie, side by side; none: all are of their texts

    @property
    def n_items(self) -> int:
        return len(self.price)

    def departments(self, of_category: NDArray[np.integer]) -> Sparse:
        """The parts of each item that lie in each department, items × departments; ``of_category`` is one a column."""
        columns = np.arange(len(of_category)), of_category
        shape = (len(of_category), int(of_category.max(initial=-1)) + 1)
        members = sparse.csr_matrix((np.ones(len(of_category), np.float32), columns), shape=shape)
        return sparse.csr_matrix(self.categories @ members)

    def main_categories(self, *, missing: int) -> IdArray:
        """The category of each item's largest share, of equals the first; ``missing`` where it has none."""
        rows = self.categories
        counts = np.diff(rows.indptr)
        filled = counts > 0
        main = np.full(self.n_items, missing, np.int64)
        if filled.any():
            starts = rows.indptr[:-1][filled]
            largest = np.repeat(np.maximum.reduceat(rows.data, starts), counts[filled])
            main[filled] = np.minimum.reduceat(np.where(rows.data == largest, rows.indices, rows.shape[1]), starts)
        return main


@dataclass(frozen=True, kw_only=True)
class Promotions:
    """Promotions of the past and the plan: one row per (item, week), in no order. A week has seven days.

    Weeks that end before the cut are the past; the others are the plan, which a shop knows in advance.
    """

    item: IntArray
    start: FloatArray  # days from the cut to the start of the week: negative in the past
    display: FloatArray  # share of the stores, 0 … 1, that display the item
    mailer: FloatArray  # share of the stores, 0 … 1, whose mailer shows it

    def __len__(self) -> int:
        return len(self.item)


@dataclass(frozen=True, kw_only=True)
class Queries:
    """A block of queries "what for this user, now?", each with a history of its own, in training or not."""

    histories: Interactions  # user = number of the query in the block
    training_rows: IntArray  # the user's row in the training set; −1 where folded in
    context: Sparse | None = None  # queries × items: the item in view, the items in the basket
    links: Sparse | None = None  # queries × users of the training set: 1 for whom they follow; None: nobody is followed
    followed: Sparse | None = None  # queries × categories: acts that followed groups count as much as; None: none
    _derived: dict[Hashable, Any] = field(init=False, default_factory=dict, repr=False, compare=False)

    def __len__(self) -> int:
        return self.histories.n_users

    def of(self, rows: NDArray[np.integer]) -> "Queries":
        """The block of these queries, in the order asked for."""
        return Queries(
            histories=self.histories.of_users(rows),
            training_rows=self.training_rows[rows],
            context=None if self.context is None else self.context[rows],
            links=None if self.links is None else self.links[rows],
            followed=None if self.followed is None else self.followed[rows],
        )

    def once[T](self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what a recommender derives from this block, made once: evidence of twenty items has one profile."""
        derived: T | None = self._derived.get(key)
        if derived is None:
            derived = self._derived[key] = make()
        return derived

    def forget(self) -> None:
        """Forget what was derived: it is many times as large as the histories."""
        self._derived.clear()


@dataclass(frozen=True, kw_only=True)
class TrainingSet:
    """A clean snapshot of everything before a cut; ages count back from that cut.

    Everybody is answered from all of their own acts; others learn from ``teaching`` alone.
    """

    interactions: Interactions
    catalogue: Catalogue
    promotions: Promotions | None = None  # None where the shop has told of none
    teaches: BoolArray | None = None  # rows of the interactions that others learn from; None = all
    links: Sparse | None = None  # users × users: 1 for whom each follows; None: nobody follows anybody
    net: Mapping[str, FloatArray] | None = None  # trained on what lies before the cut (``sequence_net``); None: none is
    followed: Sparse | None = None  # users × categories, as in ``Queries``

    @cached_property
    def teaching(self) -> Interactions:
        """The interactions that others learn from; users and items keep their numbers."""
        return self.interactions if self.teaches is None else self.interactions.where(self.teaches)

    @property
    def n_users(self) -> int:
        return self.interactions.n_users

    @property
    def n_items(self) -> int:
        return self.interactions.n_items

    def without(self, users: NDArray[np.integer]) -> Self:
        """The training set of all others, who move up; nobody follows those who go. A net stays as it was trained."""
        others = rest(self.n_users, users)
        theirs = np.isin(self.interactions.user, users, invert=True)
        return replace(
            self,
            interactions=self.interactions.of_users(others),
            teaches=None if self.teaches is None else self.teaches[theirs],
            links=None if self.links is None else self.links[others][:, others],
            followed=None if self.followed is None else self.followed[others],
        )

    def queries(self, rows: NDArray[np.integer], *, context: Sparse | None = None) -> Queries:
        """The queries of users whose history was in training."""
        return Queries(
            histories=self.interactions.of_users(rows),
            training_rows=np.asarray(rows, np.int32),
            context=context,
            links=None if self.links is None else self.links[rows],
            followed=None if self.followed is None else self.followed[rows],
        )
