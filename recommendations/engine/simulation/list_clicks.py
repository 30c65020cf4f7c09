"""Clicks of made visitors on given lists: what the versions of a practice show, and how good it is in truth.

Visitors look at slot k with chance k^−η whatever else they do (position-based model), at slot k of the r-th list of a
page with chance (r k)^−η, and click what they look at by its relevance. The relevance of each item to each customer is
drawn; that of what an arm shows is scaled, so that its lists get the clicks that the practice wants, as a share of the
control's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import BoolArray
from recommendations.terms import Metric

type Values = NDArray[np.float64]
type Rows = NDArray[np.int64]

ETA = 0.6
RARITY = 4.2
"""By how much the mean relevance lies below one half, in logits."""
APPEAL, TASTE = 1.0, 1.3
"""Standard deviations of the logit: of items, the same for everybody, and of customers' own tastes."""
MOST_SCALE = 16.0
BUYS = 0.25
"""Chance that an item that was clicked is bought."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ListClicks:
    """Chance of a click on each slot [arms, customers, slots], 0 beyond the end of a list.

    ``fallback`` [arms, customers] tells which lists are not the model's.
    """

    chances: Values
    fallback: BoolArray

    @property
    def listed(self) -> Values:
        """Chance that a list is clicked at all, [arms, customers]."""
        return 1 - np.prod(1 - self.chances, axis=2)

    @property
    def bought(self) -> Values:
        """Chance that anything is bought of a list, [arms, customers]."""
        return 1 - np.prod(1 - BUYS * self.chances, axis=2)

    @property
    def orders(self) -> Values:
        """Expected purchases of a list, [arms, customers]."""
        return BUYS * self.chances.sum(axis=2)


def attention_of(levels: Rows, places: Rows) -> Values:
    """Chance that visitors look at slots, by the place of the list on its page and that in the list, from 1."""
    return (levels * places).astype(np.float64) ** -ETA


def list_clicks(
    items: Rows,
    fallback: BoolArray,
    *,
    lifts: Sequence[float],
    primary: Metric,
    draw: np.random.Generator,
    attention: Values | None = None,
) -> ListClicks:
    """Draw the relevance of items [arms, customers, slots], −1 beyond the end of a list; the first arm is the control.

    ``lifts`` are by how much better the lists of each arm are than those of the control, as shares: of ``CTR`` by the
    lists that are clicked, else by the clicks. Where they would need more than certain clicks, they are less so.
    ``attention`` [arms, slots] is that of lists that stand alone where none is given.
    """
    shown, at = np.unique(items, return_inverse=True)
    arms, customers, slots = items.shape
    logit = APPEAL * draw.normal(size=len(shown)) + TASTE * draw.normal(size=(customers, len(shown))) - RARITY
    relevance = 1 / (1 + np.exp(-logit))
    own = relevance[np.arange(customers)[:, None], at.reshape(items.shape)] * (items >= 0)
    if attention is None:
        attention = attention_of(np.ones((arms, slots), np.int64), np.tile(np.arange(1, slots + 1), (arms, 1)))
    wanted = _worth(own[0] * attention[0], primary) * (1 + np.asarray(lifts))
    scaled = [_scaled(each, looks, worth, primary) for each, looks, worth in zip(own, attention, wanted, strict=True)]
    return ListClicks(chances=np.stack(scaled), fallback=fallback)


def true_lifts(clicks: ListClicks, *, rows: Rows, visits: Values, purse: Values) -> dict[str, list[float]]:
    """What each arm but the control changes if everybody has it, as shares of the control's, by metric.

    People are rows of the lists who come ``visits`` times and spend ``purse`` beside others; of money, before its cap.
    """
    listed, bought, orders = (each[:, rows] for each in (clicks.listed, clicks.bought, clicks.orders))
    worth = {
        Metric.CTR: (visits * listed).sum(axis=1),
        Metric.CONVERTED: (1 - (1 - bought) ** visits).sum(axis=1),
        Metric.ORDERS: (visits * orders).sum(axis=1),
        Metric.REVENUE: (purse * visits * orders).sum(axis=1),
    }
    worth[Metric.ATTRIBUTED] = worth[Metric.REVENUE]
    return {
        metric.value: [float(arm / each[0] - 1) if each[0] > 0 else 0.0 for arm in each[1:]]
        for metric, each in worth.items()
    }


def _worth(chances: Values, primary: Metric) -> float:
    """Expected clicks of a list, or chance that it is clicked, over all customers."""
    if primary is Metric.CTR:
        return float((1 - np.prod(1 - chances, axis=1)).mean())
    return float(chances.sum(axis=1).mean())


def _scaled(relevance: Values, attention: Values, wanted: float, primary: Metric) -> Values:
    """Chances of clicks on an arm's lists whose relevance is scaled to the worth that is wanted, by halving."""
    low, high = 0.0, MOST_SCALE
    for _ in range(60):
        middle = (low + high) / 2
        worth = _worth(attention * np.minimum(middle * relevance, 1), primary)
        low, high = (middle, high) if worth < wanted else (low, middle)
    return attention * np.minimum(high * relevance, 1)
