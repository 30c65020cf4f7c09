"""Staples: which items a customer buys again and again, and which of them is nearest to being due."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import BoolArray, IntArray, Interactions
from recommendations.engine.preprocess.rhythms import Rhythms

LEAST = 3  # days with a purchase of the item
EARLY, LATE = 0.8, 1.5  # shares of the usual gap between which an item is due
AT_ONCE = 4_000_000  # acts that are sorted together
DAY = 86_400.0
MINUTE = 60.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Staples:
    """Pairs of user and item with at least three days of purchase; to the minute."""

    user: IntArray
    item: IntArray
    last: NDArray[np.float64]  # seconds since 1970-01-01 UTC
    gap: NDArray[np.float64]  # mean, in seconds
    times: IntArray  # days with a purchase

    def __len__(self) -> int:
        return len(self.user)

    def where(self, keep: BoolArray) -> Self:
        return type(self)(
            user=self.user[keep], item=self.item[keep], last=self.last[keep], gap=self.gap[keep],
            times=self.times[keep],
        )  # fmt: skip

    def passed(self, at: float) -> NDArray[np.float64]:
        """Share of the usual gap that has passed at a moment, in seconds since 1970-01-01 UTC."""
        return np.asarray((at - self.last) / self.gap)


def staples_of(acts: Interactions, *, until: float, offset: float = 0.0, at_once: int = AT_ONCE) -> Staples:
    """Staples of all users; ``until`` is the moment that ages count back from, seconds since 1970-01-01 UTC.

    ``offset`` are seconds by which the shop's clock is ahead. Users are taken a few at a time, so that no more than
    about ``at_once`` acts are sorted together.
    """
    parts = [_of_rows(acts, first, last, until=until, offset=offset) for first, last in _chunks(acts, at_once)]
    user, item, last, gap, times = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Staples(user=user, item=item, last=last, gap=gap, times=times)


def nearest(due: Staples, *, at: float) -> NDArray[np.intp]:
    """Places of one item a user: the one nearest to its gap; of equals the one bought on more days, then the first."""
    distance = np.round(np.abs(due.passed(at) - 1.0), 6)
    order = np.lexsort((due.item, -due.times, distance, due.user))
    _, first = np.unique(due.user[order], return_index=True)
    return np.asarray(order[first])


def _chunks(acts: Interactions, at_once: int) -> list[tuple[int, int]]:
    """Rows of a few users together, from and to."""
    borders = [0]
    while borders[-1] < len(acts):
        row = min(borders[-1] + at_once, len(acts))
        borders.append(int(acts.offsets[np.searchsorted(acts.offsets, row)]))
    return list(pairwise(borders)) or [(0, 0)]


def _of_rows(
    acts: Interactions, first: int, last: int, *, until: float, offset: float
) -> tuple[IntArray, IntArray, NDArray[np.float64], NDArray[np.float64], IntArray]:
    """The columns of ``Staples``. An age is a float32, which is right to the minute for years, and not to the second:
    files have midnights, and a day must not change with the model.
    """
    rows = first + np.flatnonzero(acts.bought[first:last])
    pair = acts.user[rows].astype(np.int64) * acts.n_items + acts.item[rows]
    order = np.lexsort((acts.age[rows], pair))
    pair, age = pair[order], acts.age[rows][order]
    day = np.floor((_to_the_minute(until - age.astype(np.float64) * DAY) + offset) / DAY)
    newest = (np.diff(pair, prepend=-1) != 0) | (np.diff(day, prepend=np.inf) != 0)  # of its day
    rhythms = Rhythms(pair[newest], age[newest])
    often = rhythms.times >= LEAST
    keys = rhythms.keys[often]
    return (
        (keys // acts.n_items).astype(np.int32),
        (keys % acts.n_items).astype(np.int32),
        _to_the_minute(until - rhythms.newest[often].astype(np.float64) * DAY),
        _to_the_minute(rhythms.gap[often] * DAY),
        rhythms.times[often].astype(np.int32),
    )


def _to_the_minute(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.round(seconds / MINUTE) * MINUTE)
