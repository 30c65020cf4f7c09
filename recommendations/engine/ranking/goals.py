"""Goals beside accuracy: what the price, the margin and the stock of an item make of its score (``maths.md`` §4).

They are of the items, the same for every customer: a lift of 2 doubles a score above 0, ½ halves it, 1 leaves it.
"""

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import FloatArray, TrainingSet
from recommendations.engine.ranking.scores import Lifts
from recommendations.terms import Lift

LEAST, MOST = 0.5, 2.0
"""Ends of a lift: what costs ten times as much is not wanted ten times as much."""

USUAL_DAYS = 182.0
"""Days of purchases that say what is usual."""

WEEK = 7.0
SOLD_WEEKS = 8
"""Weeks whose sales tell how long the stock lasts."""

ENOUGH_WEEKS = 12.0
"""Weeks of cover from which on there is too much of an item."""

NEW_DAYS = 28.0
"""Days for which an item is too new to say how it sells."""


def goal_lifts(training: TrainingSet) -> Lifts:
    """Lifts by item row of the goals that the shop tells anything of; 1 for an item of which it does not."""
    catalogue, cover = training.catalogue, weeks_of_cover(training)
    lifts = {Lift.REVENUE: _against_usual(catalogue.price, training)}
    if catalogue.cost is not None:
        lifts[Lift.MARGIN] = _against_usual(catalogue.price - catalogue.cost, training)
    if cover is not None:
        lifts[Lift.CLEARANCE] = _bounded(cover / ENOUGH_WEEKS, least=1.0)
    return {name: lift for name, lift in lifts.items() if lift is not None}


def margin_share(price: FloatArray, cost: FloatArray | None) -> FloatArray | None:
    """Share of the price that is left after the cost, NaN where one of them is unknown; None where no cost is known."""
    if cost is None or not (np.isfinite(cost) & (price > 0)).any():
        return None
    return np.asarray(1 - cost / np.where(price > 0, price, np.float32(np.nan)), np.float32)


def weeks_of_cover(training: TrainingSet) -> FloatArray | None:
    """Weeks that the stock lasts as the item sells: one unit in eight weeks at least.

    NaN where the stock is unknown or the item is new; None where no stock is known.
    """
    stock = training.catalogue.stock
    if stock is None or not np.isfinite(stock).any():
        return None
    acts = training.teaching
    recent = acts.bought & (acts.age < SOLD_WEEKS * WEEK)
    units = np.bincount(acts.item[recent], acts.quantity[recent], minlength=acts.n_items)
    cover = stock * SOLD_WEEKS / np.maximum(units, 1)
    return np.where(training.catalogue.listed_age < NEW_DAYS, np.nan, cover).astype(np.float32)


def _against_usual(values: FloatArray, training: TrainingSet) -> FloatArray | None:
    """Value of each item over the middle one of what was bought; None where that is unknown or not above 0."""
    acts = training.teaching
    paid = values[acts.item[acts.bought & (acts.age < USUAL_DAYS)]]
    paid = paid[np.isfinite(paid)]
    usual = float(np.median(paid)) if len(paid) else 0.0
    return _bounded(values / usual, least=LEAST) if usual > 0 else None


def _bounded(ratio: NDArray[np.floating], *, least: float) -> FloatArray:
    return np.where(np.isfinite(ratio), np.clip(ratio, least, MOST), 1).astype(np.float32)
