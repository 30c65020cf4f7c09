"""Cleaning of events, and counts of what was removed and why (``maths.md`` §1).

A frame of events has the columns ``user`` int64 (−1 = nobody), ``item`` int64 (−1 = none or unknown), ``name`` (values
of ``EventName``), ``at`` float64 (days since 1970-01-01 UTC), ``basket`` int64 (−1 = neither transaction nor session),
``quantity``, ``price``, ``amount`` float32 (NaN = unknown), ``rating`` float32 (share of its scale, NaN = none),
``trust`` int8 (a ``Trust``) and ``day`` int32 (the shop's days since 1970-01-01: on which it was received or, where the
shop itself tells of it, happened).
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from recommendations.engine.frames import BoolArray
from recommendations.engine.preprocess.levels import Levels
from recommendations.event_types import TRADES, EventName, ItemNeed
from recommendations.terms import Level, Trust

SECOND = 1 / 86_400
SESSION_GAP = 30 / 1440  # days
EARLIEST = 7305.0  # 1990-01-01
BURST_FACTOR = 50
BURST_FLOOR = 500
FIRST_SESSION = -2

NEEDS_NO_ITEM = frozenset(name for name in EventName if name.facts.item is ItemNeed.OPTIONAL)


class Removed(StrEnum):
    """Why an event was left out; an event counts under the first reason that applies."""

    NEW = "new"  # of somebody who is new, of whom nobody learns yet
    ORPHAN = "orphan"  # no customer, or no item where the act needs one
    IMPOSSIBLE_TIME = "impossible_time"  # in the future of the cut, before 1990, or unknown
    IMPOSSIBLE_VALUE = "impossible_value"  # quantity not above 0, negative or infinite money
    DUPLICATE = "duplicate"  # the same in every column
    NEAR_DUPLICATE = (
        "near_duplicate"  # the same act on the same item within a second, and not a line of the same transaction
    )
    TOLD_AGAIN = "told_again"  # an order's item that another event told of: a better source's, or an earlier one
    BURST = "burst"  # a day on which one customer did far more than people do


@dataclass(frozen=True, kw_only=True)
class CleaningReport:
    """Counts of a cleaning: kept + Σ removed = total."""

    total: int
    kept: int
    removed: Mapping[Removed, int]
    burst_threshold: float  # events of one customer on one day; more is a burst
    bursts: NDArray[np.int64]  # [bursts, 3]: user, day since 1970-01-01 UTC, events of that day; most events first
    sessions: int  # cut from the events that came without transaction or session


class Parts(Protocol):
    """Events in parts, of which each has all events of its customers; they can be gone through time and again."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[pd.DataFrame]: ...


class Cleaning:
    """The events that count, in parts as they were told, in their old order, with a session as basket (≤ −2) where they
    had none. A session's number is its own within its part.

    What one customer does says nothing of another but for the threshold of bursts. So all parts are gone through at
    once, for that, and again whenever they are asked for; of a single one what counts is kept. Without ``people``
    nobody is new.
    """

    def __init__(self, parts: Parts, *, until: float, people: Levels | None = None) -> None:
        self._parts, self._until, self._people = parts, until, people
        removed, days, busy, total, sessions = Counter[Removed](), Counter[int](), [], 0, 0
        for part in parts:
            rest, reasons = self._sifted(part)
            codes, counts = _user_days(rest)
            mask = rest["user"].isin(rest["user"].to_numpy()[counts[codes] > BURST_FLOOR]).to_numpy()
            busy.append(rest.loc[mask, ["user", "at", "basket"]])
            removed += reasons
            days.update(counts.tolist())
            total, sessions = total + len(part), sessions + _sessions(rest[~mask])
            self._only = rest if len(parts) == 1 else None
        self._threshold = _threshold(days)
        acts = pd.concat(busy, ignore_index=True)
        burst = _bursts(acts, self._threshold)
        removed[Removed.BURST] = int(burst.sum())
        self.report = CleaningReport(
            total=total,
            kept=total - removed.total(),
            removed={reason: removed[reason] for reason in Removed},
            burst_threshold=self._threshold,
            bursts=_days(acts[burst]),
            sessions=sessions + _sessions(acts[~burst]),
        )
        if self._only is not None:
            self._only = self._settled(self._only)

    def __len__(self) -> int:
        return len(self._parts)

    def __iter__(self) -> Iterator[pd.DataFrame]:
        if self._only is not None:
            yield self._only
            return
        for part in self._parts:
            yield self._settled(self._sifted(part)[0])

    def _sifted(self, events: pd.DataFrame) -> tuple[pd.DataFrame, Counter[Removed]]:
        """A part without all but bursts that does not count, and why how many were left out."""
        removed, rest = Counter[Removed](), events
        for reason, bad in (
            (Removed.NEW, lambda frame: _of_the_new(frame, self._people)),
            (Removed.ORPHAN, _orphans),
            (Removed.IMPOSSIBLE_TIME, lambda frame: _impossible_times(frame, until=self._until)),
            (Removed.IMPOSSIBLE_VALUE, _impossible_values),
        ):
            rest = _dropped(rest, bad(rest), reason=reason, removed=removed)
        exact, near = _duplicates(rest)
        removed[Removed.DUPLICATE], removed[Removed.NEAR_DUPLICATE] = int(exact.sum()), int(near.sum())
        rest = rest[~(exact | near)] if (exact | near).any() else rest
        return _dropped(rest, _told_again(rest), reason=Removed.TOLD_AGAIN, removed=removed), removed

    def _settled(self, rest: pd.DataFrame) -> pd.DataFrame:
        """What counts of a part that was sifted."""
        burst = _bursts(rest, self._threshold)
        rest = rest[~burst] if burst.any() else rest
        return rest.assign(basket=_with_sessions(rest)).reset_index(drop=True)


def clean(events: pd.DataFrame, *, until: float, people: Levels | None = None) -> tuple[pd.DataFrame, CleaningReport]:
    """Select the events that count of events in one part, as ``Cleaning`` does."""
    cleaning = Cleaning([events], until=until, people=people)
    [counting] = cleaning
    return counting, cleaning.report


def _dropped(frame: pd.DataFrame, bad: BoolArray, *, reason: Removed, removed: Counter[Removed]) -> pd.DataFrame:
    removed[reason] = int(bad.sum())
    return frame[~bad] if removed[reason] else frame


def _of_the_new(frame: pd.DataFrame, people: Levels | None) -> BoolArray:
    user = frame["user"].to_numpy()
    if people is None:
        return np.zeros(len(frame), np.bool_)
    new: BoolArray = (user >= 0) & (people.of(user) == Level.NEW)
    return new


def _orphans(frame: pd.DataFrame) -> BoolArray:
    lost = (frame["item"].to_numpy() < 0) & ~frame["name"].isin(NEEDS_NO_ITEM).to_numpy()
    nobody: BoolArray = frame["user"].to_numpy() < 0
    return nobody | lost


def _impossible_times(frame: pd.DataFrame, *, until: float) -> BoolArray:
    at = frame["at"].to_numpy()
    possible: BoolArray = (at >= EARLIEST) & (at < until)
    return ~possible


def _impossible_values(frame: pd.DataFrame) -> BoolArray:
    bad = frame["quantity"].to_numpy() <= 0
    for column in ("quantity", "price", "amount"):
        values = frame[column].to_numpy()
        bad |= np.isinf(values)
        if column != "quantity":
            bad |= values < 0
    return np.asarray(bad, np.bool_)


def _duplicates(frame: pd.DataFrame) -> tuple[BoolArray, BoolArray]:
    """(exact, near): events that repeat an earlier one.

    Trades with a transaction never do: lines of one transaction are what was in the basket, and another transaction id
    says more than the clock.
    """
    exact, near = np.zeros(len(frame), np.bool_), np.zeros(len(frame), np.bool_)
    if len(frame) < 2:
        return exact, near
    act = _act_codes(frame)
    at, basket = frame["at"].to_numpy(), frame["basket"].to_numpy()
    order = np.lexsort((at, act))
    earlier, later = order[:-1], order[1:]
    close = (act[earlier] == act[later]) & (at[later] - at[earlier] <= SECOND)
    trade = frame["name"].isin(TRADES).to_numpy()
    close &= ~(trade[later] & (basket[later] >= 0) & (basket[earlier] >= 0))
    earlier, later = earlier[close], later[close]
    same = at[earlier] == at[later]
    for column in ("basket", "quantity", "price", "amount", "rating"):
        values = frame[column].to_numpy()
        same &= (values[earlier] == values[later]) | (_unknown(values[earlier]) & _unknown(values[later]))
    exact[later[same]] = True
    near[later[~same]] = True
    return exact, near


def _told_again(frame: pd.DataFrame) -> BoolArray:
    """Purchases whose order and item another event told of, as attribution counts them.

    Lines of one event have one time. Of an imported file every row counts: it is the shop's own list.
    """
    again, trust = np.zeros(len(frame), np.bool_), frame["trust"].to_numpy()
    basket = frame["basket"].to_numpy()
    bought = (frame["name"] == EventName.PURCHASE).to_numpy() & (basket >= 0)
    told = bought & (trust < Trust.IMPORT)
    rows = np.flatnonzero(bought & np.isin(basket, basket[told])) if told.any() else np.empty(0, np.int64)
    if not len(rows):
        return again
    line, at, worst = _act_codes(frame.iloc[rows]), frame["at"].to_numpy()[rows], -trust[rows].astype(np.int64)
    _, line = np.unique(np.column_stack([line, basket[rows]]), axis=0, return_inverse=True)
    order = np.lexsort((at, worst, line))
    best = order[np.searchsorted(line[order], line)]  # of each row the one that counts
    again[rows] = (worst > worst[best]) | ((at > at[best]) & (trust[rows] < Trust.IMPORT))
    return again


def _unknown(values: NDArray[np.generic]) -> BoolArray:
    return np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), np.bool_)


def _act_codes(frame: pd.DataFrame) -> NDArray[np.int64]:
    """One number per (user, item, name)."""
    code = np.zeros(len(frame), np.int64)
    for column in ("user", "item", "name"):
        codes, values = pd.factorize(frame[column])
        code = code * len(values) + codes
    return code


def _user_days(frame: pd.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The number of each event's day of its customer, and how many events each of these days has."""
    days = np.floor(frame["at"].to_numpy()).astype(np.int64)
    days -= days.min(initial=0)
    codes, _ = pd.factorize(frame["user"].to_numpy() * (days.max(initial=0) + 1) + days)
    return codes, np.bincount(codes)


def _threshold(days: Mapping[int, int]) -> float:
    """How many events of a day are no burst: 50 times the median of all customers' days, and not below 500 events.

    ``days`` counts the days by their events. The median is not moved by the bursts themselves while they are fewer than
    half of all days.
    """
    if not days:
        return float(BURST_FLOOR)
    events = np.array(sorted(days))
    ends = np.cumsum([days[n] for n in events.tolist()])
    middle = events[np.searchsorted(ends, [(ends[-1] - 1) // 2, ends[-1] // 2], side="right")]
    return float(max(BURST_FLOOR, BURST_FACTOR * middle.mean()))


def _bursts(frame: pd.DataFrame, threshold: float) -> BoolArray:
    """Events of bursts."""
    codes, counts = _user_days(frame)
    return np.asarray(counts[codes] > threshold)


def _days(frame: pd.DataFrame) -> NDArray[np.int64]:
    """Events by user and day, [user days, 3]: user, day, number of events; most events first."""
    day = np.floor(frame["at"].to_numpy()).astype(np.int64)
    days, counts = np.unique(np.column_stack([frame["user"].to_numpy(), day]), axis=0, return_counts=True)
    return np.column_stack([days, counts])[np.argsort(-counts, kind="stable")].astype(np.int64)


def _sessions(frame: pd.DataFrame) -> int:
    """How many sessions events without transaction or session make."""
    return int(FIRST_SESSION + 1 - _with_sessions(frame).min(initial=FIRST_SESSION + 1))


def _with_sessions(frame: pd.DataFrame) -> NDArray[np.int64]:
    """The basket column with sessions −2, −3, … in place of −1: a session of a user ends with 30 minutes of silence."""
    basket = frame["basket"].to_numpy().copy()
    loose = np.flatnonzero(basket == -1)
    if not len(loose):
        return basket
    user, at = frame["user"].to_numpy()[loose], frame["at"].to_numpy()[loose]
    order = np.lexsort((at, user))
    begins = np.ones(len(order), np.bool_)
    begins[1:] = (np.diff(user[order]) != 0) | (np.diff(at[order]) > SESSION_GAP)
    basket[loose[order]] = FIRST_SESSION + 1 - np.cumsum(begins)
    return basket
