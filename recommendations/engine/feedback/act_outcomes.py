"""Pairs of customers and items at a cut, with their strongest act and what was bought after it, from clean events."""

from collections.abc import Iterable
from typing import NamedTuple, Self

import numpy as np
import pandas as pd

from recommendations.engine.feedback.event_weights import ACTS, ActOutcomes
from recommendations.engine.frames import IdArray
from recommendations.event_types import EventName

OUTCOME_DAYS = 28.0
NO_ACT_PAIRS = 200_000
"""Pairs that are drawn evenly of all; those without an act stay."""

_ACT = {**{name: place for place, name in enumerate(ACTS)}, EventName.SELECT_ITEM: ACTS.index(EventName.VIEW_ITEM)}


class _StrongestActs(NamedTuple):
    """Pairs of a customer and an item, by their keys."""

    user: IdArray
    item: IdArray
    act: IdArray  # the strongest

    @classmethod
    def of(cls, user: IdArray, item: IdArray, act: IdArray) -> Self:
        """Each pair once, by customer and item."""
        order = np.lexsort((-act, item, user))
        user, item, act = user[order], item[order], act[order]
        first = np.append(True, (np.diff(user) != 0) | (np.diff(item) != 0))[: len(user)]
        return cls(user[first], item[first], act[first])


def act_outcomes(parts: Iterable[pd.DataFrame], *, cut: float, draw: np.random.Generator) -> ActOutcomes:
    """Pairs with an act before the cut, and as even a sample as the draw gives of pairs without one.

    The parts of the events are clean (``preprocess/clean.py``) and reach at least 28 days beyond the cut; popularity is
    an item's number of pairs with an act.
    """
    told = [_strongest_of(part, cut=cut) for part in parts]
    past, later = (
        _StrongestActs(*map(np.concatenate, zip(*(one[side] for one in told), strict=True))) for side in range(2)
    )
    users, user = np.unique(past.user, return_inverse=True)
    items, item = np.unique(past.item, return_inverse=True)
    if not len(users):
        nothing = np.empty(0, np.int32)
        return ActOutcomes(customer=nothing, act=nothing, popularity=np.empty(0, np.float32), bought=nothing > 0)
    pairs = user * len(items) + item
    drawn = np.setdiff1d(draw.integers(0, len(users) * len(items), NO_ACT_PAIRS), pairs)
    every = np.concatenate([pairs, drawn])
    popularity = np.bincount(item, minlength=len(items))
    buyer, bought = _rows(users, later.user), _rows(items, later.item)
    known = (buyer >= 0) & (bought >= 0)
    return ActOutcomes(
        customer=(every // len(items)).astype(np.int32),
        act=np.concatenate([past.act, np.full(len(drawn), -1)]).astype(np.int32),
        popularity=popularity[every % len(items)].astype(np.float32),
        bought=np.isin(every, (buyer * len(items) + bought)[known]),
    )


def _strongest_of(events: pd.DataFrame, *, cut: float) -> tuple[_StrongestActs, _StrongestActs]:
    """Pairs of before the cut, and of what was bought after it."""
    named = events[(events["item"].to_numpy() >= 0) & events["name"].isin(list(_ACT)).to_numpy()]
    at, code = named["at"].to_numpy(), named["name"].astype(object).map(_ACT).to_numpy().astype(np.int64)
    user, item = named["user"].to_numpy(np.int64), named["item"].to_numpy(np.int64)
    past, later = at < cut, (at >= cut) & (at < cut + OUTCOME_DAYS) & (code == ACTS.index(EventName.PURCHASE))
    return _StrongestActs.of(user[past], item[past], code[past]), _StrongestActs.of(
        user[later], item[later], code[later]
    )


def _rows(known: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Place of each value among the ascending ones that are known, −1 where it is none of them."""
    at = np.minimum(np.searchsorted(known, values), len(known) - 1)
    return np.where(known[at] == values, at, -1)
