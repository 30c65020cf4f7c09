"""Measures of lists where people weigh goals: all at one length, that of the list which the shop asks for."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.evaluation.accuracy import Judged, PerUser, ndcg, revenue_ndcg
from recommendations.engine.evaluation.breadth import Assortment, diversity
from recommendations.engine.frames import FloatArray, IntArray

ACCURACY, REVENUE, MARGIN, CLEARANCE, DIVERSITY = "accuracy", "revenue", "margin", "clearance", "diversity"
COVERAGE = "coverage"
"""Share of the catalogue in anybody's list: of all customers together, so it is in no table by customer."""


class Lists(NamedTuple):
    """Ranked lists with what was bought afterwards; item rows [users, places], −1 = no item."""

    ranked: IntArray
    judged: Judged
    shop: Assortment


def margin(lists: Lists, k: int) -> PerUser:
    """Money of margin in what was bought of the first k; an item whose cost is unknown brings none."""
    if lists.shop.margin is None:
        return np.zeros(len(lists.ranked))
    return margin_of_hits(lists.ranked, lists.judged, lists.shop.margin, k)


def margin_of_hits(ranked: IntArray, judged: Judged, shares: FloatArray, k: int) -> PerUser:
    items = ranked[:, :k]
    known = np.where(items >= 0, np.nan_to_num(shares)[items], 0)
    return np.asarray((judged.gain[:, :k] * known).sum(axis=1, dtype=np.float64))


def clearance(lists: Lists, k: int) -> PerUser:
    """Share of the first k places that show an item of which there is too much; 0 for an empty list."""
    items, plenty = lists.ranked[:, :k], lists.shop.plenty
    if plenty is None:
        return np.zeros(len(items))
    there = items >= 0
    shown = np.maximum(np.count_nonzero(there, axis=1), 1)
    return np.asarray(np.count_nonzero(there & plenty[items], axis=1) / shown, np.float64)


MEASURES: Mapping[str, Callable[[Lists, int], PerUser]] = {
    ACCURACY: lambda lists, k: ndcg(lists.judged, k),
    REVENUE: lambda lists, k: revenue_ndcg(lists.judged, k),
    MARGIN: margin,
    CLEARANCE: clearance,
    DIVERSITY: lambda lists, k: diversity(lists.ranked, lists.shop, k),
}


def measured_by(shop: Assortment) -> tuple[str, ...]:
    """Names of the measures for which the shop has the data, in the order of ``MEASURES``."""
    unknown = {MARGIN: shop.margin is None, CLEARANCE: shop.plenty is None}
    return tuple(name for name in MEASURES if not unknown.get(name))


def table_at(lists: Lists, k: int) -> NDArray[np.float64]:
    """Table of the measures: one row per user, one column per name of ``measured_by``."""
    return np.stack([MEASURES[name](lists, k) for name in measured_by(lists.shop)], axis=1)
