"""What a customer goes on with: works that they began, and the next part of what they finished a part of."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import BoolArray, IntArray
from recommendations.store.live.state import WHOLE, Begun
from recommendations.store.serving.stock import Stock


class GoingOn(NamedTuple):
    """A work to go on with: begun and left after ``tenths`` of it, or the part that comes ``after`` a finished one."""

    row: int  # of the stock
    at: float  # when the customer last had to do with it
    tenths: int = 0
    after: int = -1  # row of the last part that was finished


@dataclass(frozen=True)
class Watched:
    """What a customer finished, and when (seconds since 1970-01-01 UTC), and the most that they played of what they
    began, by row of the stock.
    """

    finished: Mapping[int, float] = field(default_factory=dict)
    begun: Mapping[int, tuple[int, float]] = field(default_factory=dict)  # tenths, the last time

    def with_plays(self, plays: Iterable[Begun], stock: Stock) -> "Watched":
        """What was watched, with plays of the live state."""
        finished, begun = dict(self.finished), dict(self.begun)
        for item, tenths, at in plays:
            row = stock.ids.row(item)
            if row >= 0 and tenths == WHOLE:
                finished[row] = max(at, finished.get(row, at))
            elif row >= 0:
                most, last = begun.get(row, (0, at))
                begun[row] = max(tenths, most), max(at, last)
        return Watched(finished, {row: play for row, play in begun.items() if row not in finished})

    def goes_on(self, stock: Stock, *, sellable: BoolArray) -> list[GoingOn]:
        """What to go on with, the newest first: of a series one episode, the one that was begun last, else the next."""
        collection, episode = stock.column("collection"), stock.column("episode")
        leading, series = list[GoingOn](), set[int]()
        for one in self._begun(stock, sellable):
            group = int(collection[one.row])
            if not (episode[one.row] and group in series):
                leading.append(one)
            if stock.has_collection(one.row):
                series.add(group)
        following = [each for each in self._next_parts(stock, sellable) if int(collection[each.row]) not in series]
        return sorted(leading + following, key=_newest)

    def out_of_turn(self, stock: Stock, *, sellable: BoolArray) -> IntArray:
        """Episodes of numbered series that are not the next one to see, which is the first where none was finished."""
        rows = stock.parts[stock.column("episode")[stock.parts]]
        if not len(rows):
            return np.empty(0, np.int32)
        group, number = stock.column("collection")[rows], stock.column("number")[rows]
        due = self._due(stock, sellable)[group]
        return np.asarray(rows[number != due])

    def _begun(self, stock: Stock, sellable: BoolArray) -> list[GoingOn]:
        """What was begun and is for sale, the newest first."""
        begun = [GoingOn(row, at, tenths) for row, (tenths, at) in self.begun.items() if sellable[row]]
        return sorted((one for one in begun if not self._is_left_behind(one, stock)), key=_newest)

    def _is_left_behind(self, one: GoingOn, stock: Stock) -> bool:
        """Whether it is an episode of which a later one was finished since, as who skips the credits finishes none."""
        if not (stock.column("episode")[one.row] and stock.has_collection(one.row)):
            return False
        group, number = stock.column("collection"), stock.column("number")
        own, part = group[one.row], number[one.row]
        return bool(part) and any(
            at > one.at and group[row] == own and number[row] > part for row, at in self.finished.items()
        )

    def _next_parts(self, stock: Stock, sellable: BoolArray) -> list[GoingOn]:
        """The part of each collection that comes after the last one that was finished, where it is for sale."""
        last, group, number = self._last_parts(stock), stock.column("collection"), stock.column("number")
        due = self._due(stock, sellable)
        rows = stock.parts[sellable[stock.parts]]
        rows = rows[(number[rows] == due[group[rows]]) & np.isin(group[rows], list(last))]
        parts = ((row, last[int(group[row])]) for row in rows.tolist())
        return [GoingOn(row, at, after=part) for row, (part, at) in parts if row not in self.finished]

    def _last_parts(self, stock: Stock) -> dict[int, tuple[int, float]]:
        """The furthest finished part of each collection, and when a part of it was last finished."""
        group, number = stock.column("collection"), stock.column("number")
        parts: dict[int, tuple[int, float]] = {}
        for row, at in self.finished.items():
            if number[row] and stock.has_collection(row):
                part, last = parts.get(int(group[row]), (row, at))
                parts[int(group[row])] = max(part, row, key=lambda each: int(number[each])), max(last, at)
        return parts

    def _due(self, stock: Stock, sellable: BoolArray) -> NDArray[np.int64]:
        """Numbers of the next part of each collection that is for sale; −1 where there is none."""
        none = np.iinfo(np.int64).max
        group, number = stock.column("collection"), stock.column("number")
        reached = np.zeros(len(stock.collections), np.int64)
        for collection, (row, _) in self._last_parts(stock).items():
            reached[collection] = number[row]
        due = np.full(len(stock.collections), none, np.int64)
        rows = stock.parts[sellable[stock.parts]]
        ahead = rows[number[rows] > reached[group[rows]]]
        np.minimum.at(due, group[ahead], number[ahead])
        return np.where(due == none, -1, due)


def _newest(one: GoingOn) -> tuple[float, int]:
    return -one.at, one.row
