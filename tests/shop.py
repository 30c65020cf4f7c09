"""Small shops whose right answers are known by construction or by hand.

``checkerboard``: every customer buys every other item except their own; the one that is missing is the right answer.
``worked_example``: ten customers, twenty items and three histories, small enough for a sheet of paper. The numbers of
that sheet stand here, and every layer (engine, loop, API) has to give them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from scipy import sparse

from recommendations.engine.frames import Catalogue, Interactions, Queries, Sparse, TrainingSet
from recommendations.engine.recommenders.sequence_net import SHAPES


class Act(NamedTuple):
    """One row of ``Interactions``; ``age`` in days, ``strength`` relative to a purchase."""

    user: int
    item: int
    basket: int
    age: float = 0.0
    strength: float = 1.0
    bought: bool = True


def interactions(acts: Sequence[Act], *, n_users: int, n_items: int) -> Interactions:
    rows = sorted(acts, key=lambda act: act.user)
    return Interactions(
        user=np.asarray([act.user for act in rows], np.int32),
        item=np.asarray([act.item for act in rows], np.int32),
        basket=np.asarray([act.basket for act in rows], np.int32),
        age=np.asarray([act.age for act in rows], np.float32),
        quantity=np.ones(len(rows), np.float32),
        strength=np.asarray([act.strength for act in rows], np.float32),
        amount=np.asarray([act.bought for act in rows], np.float32),
        bought=np.asarray([act.bought for act in rows], np.bool_),
        n_users=n_users,
        n_items=n_items,
    )


def catalogue(category_of: Sequence[int]) -> Catalogue:
    """One category per item; each item is described by its category (term c) and by itself (a term of its own).

    Its vector says its category.
    """
    n_items, n_categories = len(category_of), max(category_of, default=-1) + 1
    rows, ones = np.arange(n_items), np.ones(n_items, np.float32)
    categories = sparse.csr_matrix((ones, (rows, list(category_of))), shape=(n_items, n_categories))
    own = sparse.csr_matrix((ones, (rows, rows)), shape=(n_items, n_items))
    return Catalogue(
        categories=categories,
        terms=sparse.csr_matrix(sparse.hstack([categories, own]), dtype=np.float32),
        price=np.full(n_items, 2, np.float32),
        listed_age=np.full(n_items, 365, np.float32),
        vectors=categories.toarray().astype(np.float16),
    )


def training_set(acts: Sequence[Act], *, n_users: int, category_of: Sequence[int]) -> TrainingSet:
    return TrainingSet(
        interactions=interactions(acts, n_users=n_users, n_items=len(category_of)), catalogue=catalogue(category_of)
    )


def everybody(training: TrainingSet, *, context: Sparse | None = None) -> Queries:
    """One question for each customer in training."""
    return training.queries(np.arange(training.n_users), context=context)


def folded_in(queries: Queries) -> Queries:
    """The same histories, of customers whom training does not know."""
    return replace(queries, training_rows=np.full(len(queries), -1, np.int32))


def stranger(n_items: int) -> Queries:
    """A query of which nothing is known: no history, no context."""
    return Queries(histories=interactions([], n_users=1, n_items=n_items), training_rows=np.asarray([-1], np.int32))


def in_view(rows: Sequence[Sequence[int]], *, n_items: int) -> Sparse:
    """The context of each query as a matrix."""
    at = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    items = np.asarray([item for row in rows for item in row], np.int32)
    return sparse.csr_matrix((np.ones(len(items), np.float32), (at, items)), shape=(len(rows), n_items))


def checkerboard(n: int = 20) -> TrainingSet:
    """User u buys every item of u's parity but item u, in each of three baskets 30, 20 and 10 days ago.

    The parity is the item's category, so content and interests, too, have one new item left to recommend: u. Everybody
    follows all of their own parity.
    """
    acts = [
        Act(user=user, item=item, basket=3 * user + trip, age=30.0 - 10 * trip)
        for user in range(n)
        for trip in range(3)
        for item in range(user % 2, n, 2)
        if item != user
    ]
    board = training_set(acts, n_users=n, category_of=[item % 2 for item in range(n)])
    return replace(board, links=follows({user: range(user % 2, n, 2) for user in range(n)}, n_users=n))


def with_net(training: TrainingSet) -> TrainingSet:
    """The shop with a net made by hand: who took items of a category expects others of it, and more after more.

    Its blocks add nothing. The places disturb what is expected, the later ones less.
    """
    n_places, kinds = 50, training.catalogue.categories.toarray()
    d = 2 * (-(-kinds.shape[1] // 2) + 1)
    disturbed = np.zeros((n_places, d), np.float32)
    disturbed[:, -2] = 1 / np.arange(1, n_places + 1)
    disturbed[:, -1] = -disturbed[:, -2]
    sizes = {"n": training.n_items, "p": n_places, "d": d, "b": 1}
    net = {
        name: np.zeros([sizes[axis] if axis in sizes else int(axis) for axis in axes], np.float32)
        for name, axes in SHAPES.items()
    }
    net["items"][:, : kinds.shape[1]] = kinds
    net["places"] = disturbed
    net["last_norm"][0] = 1
    return replace(training, net=net)


def follows(followed: Mapping[int, Iterable[int]], *, n_users: int) -> Sparse:
    """Whom each user follows as a matrix; nobody follows themselves."""
    pairs = [(user, other) for user, others in followed.items() for other in others if other != user]
    ones = np.ones(len(pairs), np.float32)
    return sparse.csr_matrix((ones, tuple(np.array(pairs, np.int32).reshape(-1, 2).T)), shape=(n_users, n_users))


# The worked example. Items are numbered from 1 on paper; item j is row j − 1 and belongs to category (j − 1) mod 8.

BOUGHT = {1: (1, 3, 5), 2: (2, 4, 6), 3: (3, 5, 7)}
VIEWED = {1: (2, 4, 6), 2: (3, 5, 7), 3: (4, 6, 8)}
SEARCHED = {1: (3, 5, 7), 2: (1, 4, 6), 3: (2, 5, 8)}
PURCHASE, VIEW, SEARCH = 5, 1, 1  # event weights of ``maths.md`` §1

# Weight of each item 1 … 8 on the scale of the event weights: the sums of the three tables above.
WEIGHTS = {1: (5, 1, 6, 1, 6, 1, 1, 0), 2: (1, 5, 1, 6, 1, 6, 1, 0), 3: (0, 1, 5, 1, 6, 1, 5, 2)}
TOTAL = 21  # of each of the three: 3 · 5 + 3 · 1 + 3 · 1
SHARES = {user: tuple(Fraction(weight, TOTAL) for weight in row) for user, row in WEIGHTS.items()}
# Dot products of the weight rows: 1·2 = 5+5+6+6+6+6+1, 1·3 = 0+1+30+1+36+1+5, 2·3 = 0+5+5+6+6+6+5; and squared lengths.
DOTS = {(1, 2): 35, (1, 3): 74, (2, 3): 33, (1, 1): 101, (2, 2): 101, (3, 3): 93}
# Dot products of the columns of items 3 and 5, (6, 1, 5) and (6, 1, 6): 36 + 1 + 30; and squared lengths.
ITEM_DOTS = {(3, 5): 67, (3, 3): 62, (5, 5): 73}
POPULARITY = (6, 7, 12, 8, 13, 8, 7, 2)  # column sums of the weights
BY_PEOPLE = (6, 7, 11, 7, 11, 7, 7, 2)  # the same where nobody counts for more than one purchase, 5


def worked_example() -> TrainingSet:
    """Ten users (4 – 10 cold), twenty items (9 – 20 without events), all acts at one instant."""
    acts = [
        Act(
            user=user - 1, item=item - 1, basket=10 * kind + user, strength=weight / PURCHASE, bought=weight == PURCHASE
        )
        for kind, (table, weight) in enumerate([(BOUGHT, PURCHASE), (VIEWED, VIEW), (SEARCHED, SEARCH)])
        for user, items in table.items()
        for item in items
    ]
    return training_set(acts, n_users=10, category_of=[item % 8 for item in range(20)])
