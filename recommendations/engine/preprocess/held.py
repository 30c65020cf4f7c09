"""What is set aside when a run learns: acts of people, and of all who are not confirmed on an item."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd

from recommendations.engine.frames import BoolArray, IdArray
from recommendations.engine.preprocess.levels import Levels
from recommendations.terms import Level

NOBODY = np.empty(0, np.int64)


class Held(NamedTuple):
    """People, and items with the first day (of the shop, since 1970-01-01) whose acts are held; keys of the record."""

    people: IdArray = NOBODY
    items: IdArray = NOBODY
    since: IdArray = NOBODY

    @classmethod
    def union(cls, parts: Iterable["Held"]) -> "Held":
        """All that is held by any of the parts."""
        columns = zip(*(cls(), *parts), strict=True)
        return cls(*(np.concatenate(column) for column in columns))

    def of(self, events: pd.DataFrame, people: Levels) -> BoolArray:
        """Mask of the events (columns as in ``clean.py``) that are held."""
        user, item = events["user"].to_numpy(np.int64), events["item"].to_numpy(np.int64)
        held: BoolArray = np.isin(user, self.people)
        if len(self.items):
            order = np.argsort(self.items, kind="stable")
            at = order[np.minimum(np.searchsorted(self.items, item, sorter=order), len(order) - 1)]
            there = (self.items[at] == item) & (events["day"].to_numpy(np.int64) >= self.since[at])
            held |= there & (people.of(user) < Level.CONFIRMED)
        return held

    def without(self, events: pd.DataFrame, people: Levels) -> pd.DataFrame:
        """The events that are not held."""
        held = self.of(events, people)
        return events[~held] if held.any() else events
