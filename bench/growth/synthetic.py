"""Invented shops of any size, heavy-tailed as real ones, with tastes, baskets and repeats for recommenders to find.

A customer has one of 40 tastes. Most of what they buy comes from the part of the catalogue of that taste, the rest from
all of it, both by a Zipf–Mandelbrot law; some of it they have bought before. Histories are log-normal.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommendations.engine.frames import Catalogue, FloatArray, IntArray, Interactions, Sparse, TrainingSet
from recommendations.engine.rng import generator

ROWS_PER_USER = 50
ITEMS_PER_ROOT = 14.15  # items = this · √rows: 14,000 of a million rows, 100,000 of 50 million
DRAWN = 1.125  # rows drawn for one in training: the others are after the cut, or twice in a basket
LONGEST = 2000  # rows of a history
SPREAD = 1.1  # standard deviation of the logarithm of a history's length
TASTES = 40
OWN_TASTE = 0.6  # share of the draws
REPEATED = 0.25
BASKET = 4  # rows, on average
SESSIONS = 0.2  # share of the baskets in which nothing is bought
VIEW = 0.2  # strength
FLATTENING, EXPONENT = 20.0, 0.95  # the item of rank r is drawn in proportion to (r + 20)^−0.95
DAYS, WINDOW = 365.0, 28.0  # the last days are the truth
AT_ONCE = 4_000_000  # rows


@dataclass(frozen=True, kw_only=True)
class Shop:
    """A training set up to a cut, and what was bought in the 28 days after it (users × items: money spent)."""

    training: TrainingSet
    spent: Sparse


@dataclass(frozen=True, kw_only=True)
class Visits:
    """Everything that was done in a shop. By visit: ``owner``; ``age``, days before the cut, below 0 after it;
    ``buys``. By line: its visit, which is its ``basket``, and its ``item``.
    """

    owner: IntArray
    age: FloatArray
    buys: NDArray[np.bool_]
    basket: IntArray
    item: IntArray
    catalogue: Catalogue
    shape: tuple[int, int]  # users × items


def shop(rows: int, *, seed: int = 0) -> Shop:
    """Invent a shop with about so many rows in training."""
    draw = generator(seed, "synthetic")
    return _shop(draw, _visits(draw, rows, shape_of(rows)))


def visits(rows: int, *, shape: tuple[int, int], seed: int = 0) -> Visits:
    """Invent so many rows of a shop of users × items, before and after the cut together."""
    return _visits(generator(seed, "synthetic"), round(rows * (1 - WINDOW / DAYS)), shape)


def shape_of(rows: int) -> tuple[int, int]:
    """Users × items of a shop with about so many rows in training."""
    return max(rows // ROWS_PER_USER, 2), max(int(ITEMS_PER_ROOT * rows**0.5), 20)


def _visits(draw: np.random.Generator, rows: int, shape: tuple[int, int]) -> Visits:
    n_users, n_items = shape
    user = np.repeat(np.arange(n_users, dtype=np.int32), _lengths(draw, n_users, int(DRAWN * rows)))
    begins = draw.random(len(user), np.float32) < 1 / BASKET
    begins[np.concatenate([[True], user[1:] != user[:-1]])] = True
    basket = np.cumsum(begins, dtype=np.int32) - np.int32(1)
    keys = basket.astype(np.int64) * n_items
    owner = user[begins]
    del begins, basket
    keys += _items(draw, user, n_items)
    keys.sort()
    keys = keys[np.concatenate([[True], keys[1:] != keys[:-1]])]
    basket, item = (keys // n_items).astype(np.int32), (keys % n_items).astype(np.int32)
    del keys
    age = (DAYS * draw.random(len(owner), np.float32) - WINDOW).astype(np.float32)
    buys = draw.random(len(owner), np.float32) >= SESSIONS
    return Visits(
        owner=owner, age=age, buys=buys, basket=basket, item=item, catalogue=_catalogue(draw, n_items), shape=shape
    )


def _shop(draw: np.random.Generator, seen: Visits) -> Shop:
    basket, item, catalogue = seen.basket, seen.item, seen.catalogue
    later = (seen.age < 0)[basket]
    truth = later & seen.buys[basket]
    spent = sparse.csr_matrix(
        (catalogue.price[item[truth]], (seen.owner[basket[truth]], item[truth])), shape=seen.shape, dtype=np.float32
    )
    basket, item = basket[~later], item[~later]
    quantity = quantities(draw, len(item))
    bought = seen.buys[basket]
    acts = Interactions(
        user=seen.owner[basket],
        item=item,
        basket=basket,
        age=seen.age[basket],
        quantity=quantity,
        strength=np.where(bought, np.float32(1), np.float32(VIEW)),
        amount=np.where(bought, catalogue.price[item] * quantity, np.float32(0)),
        bought=bought,
        n_users=seen.shape[0],
        n_items=seen.shape[1],
    )
    return Shop(training=TrainingSet(interactions=acts, catalogue=catalogue), spent=spent)


def quantities(draw: np.random.Generator, count: int) -> FloatArray:
    """Draw how many pieces a line has: one, or two of a fifth of them."""
    return 1 + (draw.random(count, np.float32) < SESSIONS).astype(np.float32)


def _lengths(draw: np.random.Generator, n_users: int, rows: int) -> NDArray[np.int64]:
    share = draw.lognormal(0, SPREAD, n_users)
    share = np.minimum(share / share.sum(), LONGEST / rows)
    return np.asarray(1 + draw.multinomial(max(rows - n_users, 0), share / share.sum()), np.int64)


def _items(draw: np.random.Generator, user: IntArray, n_items: int) -> IntArray:
    """Draw one item per row; item j is the j-th most popular, and of taste j mod 40."""
    tastes = _tastes(n_items)
    first = np.searchsorted(user, np.arange(int(user[-1]) + 1, dtype=np.int32))
    item = np.empty(len(user), np.int32)
    for start in range(0, len(user), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        of = user[part]
        anywhere = _ranks(draw, len(of), n_items)
        within = _ranks(draw, len(of), n_items // tastes) * tastes + of % tastes
        item[part] = np.where(draw.random(len(of), np.float32) < OWN_TASTE, within, anywhere)
        before = first[of] + (draw.random(len(of)) * (np.arange(start, start + len(of)) - first[of])).astype(np.int64)
        again = draw.random(len(of), np.float32) < REPEATED
        item[part][again] = item[before[again]]
    return item


def _ranks(draw: np.random.Generator, n: int, among: int) -> IntArray:
    """Draw ranks 0 … among − 1 in proportion to (rank + 20)^−0.95, by the inverse of the integral."""
    power = 1 - EXPONENT
    low, high = FLATTENING**power, (FLATTENING + among) ** power
    ranks = (low + draw.random(n) * (high - low)) ** (1 / power) - FLATTENING
    return np.asarray(np.clip(ranks, 0, among - 1), np.int32)


def _tastes(n_items: int) -> int:
    return min(TASTES, n_items // 5)


def _catalogue(draw: np.random.Generator, n_items: int) -> Catalogue:
    """Make a catalogue of five categories a taste; an item is described by its category, a brand and two words."""
    rows, ones = np.arange(n_items), np.ones(n_items, np.float32)
    category = rows % (5 * _tastes(n_items))
    columns = [category] + [draw.integers(0, n, n_items) for n in (n_items // 20 + 1, 1000, 1000)]
    parts = [sparse.csr_matrix((ones, (rows, column)), shape=(n_items, int(column.max()) + 1)) for column in columns]
    price: FloatArray = draw.lognormal(1, 0.7, n_items).astype(np.float32)
    return Catalogue(
        categories=parts[0],
        terms=sparse.csr_matrix(sparse.hstack(parts), dtype=np.float32),
        price=price,
        listed_age=np.full(n_items, DAYS, np.float32),
    )
