"""Recent popularity of items, and whether it is more than usual: numbers that recommenders share."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import FloatArray, Interactions
from recommendations.engine.preprocess.weighting import act_weights, transformed

WEEK = 7.0  # days
TREND_DAYS = 21.0
SMOOTHING = 3.0  # s of the trend
SORTED_AT_ONCE = 8_000_000
"""Rows, about, of which the strongest of each week are looked for at a time: half a gigabyte."""


def recent_popularity(interactions: Interactions, *, half_life: float | None) -> FloatArray:
    """Σ over people of min(1, Σ strength · λ_h(age)) of each item, shape [items].

    A person counts at most once, so that one person's many purchases do not make an item popular.
    """
    return recent_demand(interactions, half_life=half_life).astype(np.float32)


def recent_demand(interactions: Interactions, *, half_life: float | None) -> NDArray[np.float64]:
    """Compute the sums of ``recent_popularity`` in double precision: those of other people can be added to them."""
    capped = transformed(act_weights(interactions, half_life=half_life), "binary")
    return np.bincount(capped.indices, capped.data, minlength=interactions.n_items).astype(np.float64, copy=False)


def relative(popularity: FloatArray) -> FloatArray:
    """Popularity over that of the most popular item; all zero where nothing is popular."""
    top = popularity.max(initial=0)
    return popularity / top if top > 0 else popularity.copy()


def recent_buyers(interactions: Interactions, *, days: float) -> FloatArray:
    """Number of different users who bought each item in the last ``days``, shape [items]."""
    recent = interactions.where(interactions.bought & (interactions.age < days)).matrix()
    return np.bincount(recent.indices, minlength=interactions.n_items).astype(np.float32)


def trend(interactions: Interactions, *, days: float = TREND_DAYS) -> FloatArray:
    """trend_j = (demand of the last ``days`` + s) / (demand usual in so many days of the whole history + s), [items].

    Demand is the strongest act of each person in each week, so that nobody alone makes a trend. 1 = as usual, 2 = twice
    as much as usual. A history shorter than ``days`` knows no trend: 1 everywhere.
    """
    return trend_of(*weekly_demand(interactions, days=days), oldest=oldest_act(interactions), days=days)


def weekly_demand(
    interactions: Interactions, *, days: float = TREND_DAYS
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Demand of the last ``days`` and of the whole history, each [items]; that of other people can be added to it."""
    if not len(interactions):
        return np.zeros(interactions.n_items), np.zeros(interactions.n_items)
    first = np.concatenate([_strongest(interactions, rows) for rows in _by_users(interactions, most=SORTED_AT_ONCE)])
    item, demand = interactions.item[first], np.maximum(interactions.strength[first], 0)
    recent = np.bincount(item, demand * (interactions.age[first] < days), minlength=interactions.n_items)
    return recent, np.bincount(item, demand, minlength=interactions.n_items)


def _by_users(interactions: Interactions, *, most: int) -> Iterator[NDArray[np.int64]]:
    """Places of the rows of some users after those of others, about ``most`` at a time, each in their order."""
    parts = -(-len(interactions) // most)
    borders = np.linspace(0, interactions.n_users, parts + 1).astype(np.int64)
    for start, stop in pairwise(borders):
        yield np.flatnonzero((interactions.user >= start) & (interactions.user < stop))


def _strongest(interactions: Interactions, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Places of the strongest row of each user, week and item among these, in the order of user, week and item."""
    age, strength = interactions.age[rows], interactions.strength[rows]
    week = (age // WEEK).astype(np.int64)
    person = interactions.user[rows].astype(np.int64) * (int(week.max(initial=0)) + 1) + week
    key = person * interactions.n_items + interactions.item[rows]
    order = np.lexsort((age, -strength, key))
    return rows[order[np.unique(key[order], return_index=True)[1]]]


def trend_of(
    recent: NDArray[np.float64], whole: NDArray[np.float64], *, oldest: float, days: float = TREND_DAYS
) -> FloatArray:
    """The trend that weekly demand makes, where the oldest act of all is so many days old."""
    if oldest <= days:
        return np.ones(len(recent), np.float32)
    return ((recent + SMOOTHING) / (whole * (days / oldest) + SMOOTHING)).astype(np.float32)


def oldest_act(interactions: Interactions) -> float:
    """Days before the moment of asking; 0 where there is none."""
    return float(interactions.age.max(initial=0))
