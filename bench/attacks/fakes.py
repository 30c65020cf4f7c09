"""Invented people and what they do, as rows of an event frame: pushers of four items that hardly anybody buys."""

from collections.abc import Mapping
from enum import StrEnum

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from recommendations.event_types import EventName
from recommendations.terms import Trust

FIRST = 50_000_000  # number of the first invented person, and basket


class Source(StrEnum):
    """How invented acts come in."""

    PAGE = "page"  # purchases sent with the key of a page, which may tell of a day
    PARTNER = "partner"  # purchases of a week in a file that a careless partner hands in
    AGED = "aged"  # acts with the key of a page on three days over more than a week


DAYS_AGO: Mapping[Source, tuple[float, ...]] = {
    Source.PAGE: (0.2, 0.4, 0.6, 0.8),
    Source.PARTNER: (0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5),
    Source.AGED: (0.5, 4.5, 8.5),
}


def fakes(
    source: Source, *, events: int, people: int, targets: NDArray[np.int64], anchor: int, now: float
) -> pd.DataFrame:
    """Rows of ``events`` baskets of a target and the anchor, dealt out to the people and the days in turn.

    Every third basket of the aged is put into a cart, not bought: they are careful.
    """
    number = np.arange(events)
    days = np.array(DAYS_AGO[source])
    at = now - days[(number // people) % len(days)] + (number % 1_000) * 1e-5
    carts = (source is Source.AGED) & (number % 3 == 0)
    rows = {
        "user": FIRST + number % people,
        "item": targets[(number // people) % len(targets)],
        "name": np.where(carts, EventName.ADD_TO_CART.value, EventName.PURCHASE.value),
        "at": at,
        "basket": FIRST + number,
        "quantity": np.ones(events, np.float32),
        "price": np.ones(events, np.float32),
        "amount": np.ones(events, np.float32),
        "rating": np.full(events, np.nan, np.float32),
        "trust": np.full(events, Trust.IMPORT if source is Source.PARTNER else Trust.PAGE, np.int8),
        "day": np.floor(at).astype(np.int32),
    }
    target = pd.DataFrame(rows)
    return pd.concat([target, target.assign(item=anchor)], ignore_index=True)
