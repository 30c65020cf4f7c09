"""What is known of each customer: confirmed, seen or new (``maths.md`` §1)."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from recommendations.engine.frames import BoolArray, IdArray
from recommendations.event_types import EventName
from recommendations.terms import Level, Trust

DAYS = 3  # on which who is seen has come
APART = 7  # days from the first of them to the last
FEWEST = 20
"""Customers that must be known; in a younger shop nobody is new, or there would be nothing to learn from."""

CONFIRMING = frozenset({EventName.PURCHASE, EventName.RATE_ITEM})
_TAKING_BACK = tuple(name for name in EventName if name.facts.takes_back == EventName.PURCHASE)


class Levels(NamedTuple):
    """The level of each customer, by ascending key."""

    users: IdArray
    level: NDArray[np.int8]

    def of(self, users: NDArray[np.integer]) -> NDArray[np.int8]:
        """Levels of these customers; who is not known is new."""
        if not len(self.users):
            return np.zeros(len(users), np.int8)
        at = np.minimum(np.searchsorted(self.users, users), len(self.users) - 1)
        return np.where(self.users[at] == users, self.level[at], np.int8(Level.NEW)).astype(np.int8)

    def counts(self) -> dict[str, int]:
        """The number of customers by the name of the level."""
        return {level.name.lower(): int((self.level == level).sum()) for level in Level}


def levels(parts: Iterable[pd.DataFrame], *, taken: Collection[EventName] = ()) -> Levels:
    """Learn the levels from the events before a cut, in the columns and parts of ``clean.py``.

    Only what nobody can invent counts: days are those of receipt but where the shop itself tells of them, and purchases
    are the shop's word, as are the acts of ``taken``, which take an item as a purchase does. Where fewer than 20
    customers are known the others are seen, too.
    """
    known = [_levels_of(part, taken=taken) for part in parts]
    users, level = (np.concatenate([one[place] for one in known]) for place in range(2))
    if (level != Level.NEW).sum() < FEWEST:
        level = np.maximum(level, np.int8(Level.SEEN))
    return Levels(users, level)


def _levels_of(events: pd.DataFrame, *, taken: Collection[EventName]) -> Levels:
    """What the customers of a part are in a shop of many."""
    named = events[events["user"].to_numpy() >= 0]
    users, row = np.unique(named["user"].to_numpy(np.int64), return_inverse=True)
    trust, n = named["trust"].to_numpy(), len(users)
    own_word, name = trust >= Trust.SERVER, named["name"]
    given = np.bincount(row, own_word & name.isin(CONFIRMING.union(taken)).to_numpy(), minlength=n)
    taken_back = np.bincount(row, own_word & name.isin(_TAKING_BACK).to_numpy(), minlength=n)
    level = np.full(n, Level.NEW, np.int8)
    level[_returned(row, named["day"].to_numpy(np.int64), n_users=n)] = Level.SEEN
    level[row[trust == Trust.IMPORT]] = Level.SEEN
    level[given > taken_back] = Level.CONFIRMED
    return Levels(users, level)


def _returned(row: NDArray[np.integer], day: NDArray[np.int64], *, n_users: int) -> BoolArray:
    """Whether each user came on so many days, so far apart."""
    first, last = np.full(n_users, np.iinfo(np.int64).max), np.full(n_users, np.iinfo(np.int64).min)
    np.minimum.at(first, row, day)
    np.maximum.at(last, row, day)
    start, end = (int(day.min()), int(day.max()) + 1) if len(day) else (0, 1)
    different = np.asarray(pd.unique(row * (end - start) + (day - start)), np.int64)
    days = np.bincount(different // (end - start), minlength=n_users)
    return (days >= DAYS) & (last >= first + APART)
