"""Pairs of customers and items at a cut, with their strongest act and what was bought after it, from clean events."""

import numpy as np
import pandas as pd

from recommendations.engine.feedback.event_weights import ACTS, ActOutcomes
from recommendations.event_types import EventName

OUTCOME_DAYS = 28.0
NO_ACT_PAIRS = 200_000
"""Pairs that are drawn evenly of all; those without an act stay."""

_ACT = {**{name: place for place, name in enumerate(ACTS)}, EventName.SELECT_ITEM: ACTS.index(EventName.VIEW_ITEM)}


def act_outcomes(events: pd.DataFrame, *, cut: float, draw: np.random.Generator) -> ActOutcomes:
    """Pairs with an act before the cut, and as even a sample as the draw gives of pairs without one.

    ``events`` are clean and reach at least 28 days beyond the cut; popularity is an item's number of pairs with an act.
    """
    named = events[(events["item"].to_numpy() >= 0) & events["name"].isin(list(_ACT)).to_numpy()]
    at, code = named["at"].to_numpy(), named["name"].astype(object).map(_ACT).to_numpy(np.int64)
    past, later = at < cut, (at >= cut) & (at < cut + OUTCOME_DAYS) & (code == ACTS.index(EventName.PURCHASE))
    users, user = np.unique(named["user"].to_numpy()[past], return_inverse=True)
    items, item = np.unique(named["item"].to_numpy()[past], return_inverse=True)
    if not len(users):
        nothing = np.empty(0, np.int32)
        return ActOutcomes(customer=nothing, act=nothing, popularity=np.empty(0, np.float32), bought=nothing > 0)
    pairs, place = np.unique(user * len(items) + item, return_inverse=True)
    strongest = np.full(len(pairs), -1, np.int64)
    np.maximum.at(strongest, place, code[past])
    drawn = np.setdiff1d(draw.integers(0, len(users) * len(items), NO_ACT_PAIRS), pairs)
    every = np.concatenate([pairs, drawn])
    popularity = np.bincount(pairs % len(items), minlength=len(items))
    buyers = _rows(users, named["user"].to_numpy()[later]), _rows(items, named["item"].to_numpy()[later])
    known = (buyers[0] >= 0) & (buyers[1] >= 0)
    return ActOutcomes(
        customer=(every // len(items)).astype(np.int32),
        act=np.concatenate([strongest, np.full(len(drawn), -1)]).astype(np.int32),
        popularity=popularity[every % len(items)].astype(np.float32),
        bought=np.isin(every, (buyers[0] * len(items) + buyers[1])[known]),
    )


def _rows(known: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Place of each value among the ascending ones that are known, −1 where it is none of them."""
    at = np.minimum(np.searchsorted(known, values), len(known) - 1)
    return np.where(known[at] == values, at, -1)
