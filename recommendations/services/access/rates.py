"""Rates: how much of a limit is used in a window of time, counted in each process and added up in Valkey.

A process tells Valkey all that it has counted after every hundredth of a limit, and at least four times a second, so a
request rarely pays for the count and several processes together stay within a few per cent of the limit. While Valkey
is away each process holds to the limit by itself.
"""

import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from redis.client import Pipeline

from recommendations.store.live.valkey import valkey
from recommendations.store.valkey_keys import RATES

MINUTE, HOUR = 60, 3_600
SHARE = 0.01  # of the limit: how much a process counts before it tells
LATEST = 0.25  # seconds
MOST = 100_000  # names that a process remembers; of others it asks Valkey anew


class Rate(NamedTuple):
    """A try to count something: what of it is within the limit, and how much of the window is left."""

    taken: int
    limit: int
    left: int
    resets: float  # seconds until the next window begins
    window: int = MINUTE  # seconds

    @property
    def wait(self) -> float | None:
        """Seconds until the next try; None where this one was within the limit."""
        return None if self.taken else self.resets


@dataclass
class _Window:
    key: str
    ends: float
    everywhere: int = 0  # as Valkey last said, with what this process has told since
    untold: int = 0


class RateLimiter:
    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._windows: dict[str, _Window] = {}
        self._untold: dict[str, _Window] = {}  # by key
        self._told_at = clock()
        self._looked_at = clock()

    def take(self, name: str, amount: int = 1, *, limit: int, window: int = MINUTE, partly: bool = False) -> Rate:
        """Count an amount if the window has room for it; ``partly``: as much of it as there is room for."""
        now = self._clock()
        with self._lock:
            own = self._window(name, now, window)
            room = max(0, limit - own.everywhere - own.untold)
            taken = min(amount, room) if partly else amount * (amount <= room)
            if taken:
                own.untold += taken
                self._untold[own.key] = own
            due = self._due(now) if own.untold >= max(1, limit * SHARE) or now - self._told_at >= LATEST else {}
        if due and (totals := _tell(due, now)):
            with self._lock:
                for key, total in totals.items():
                    due[key][0].everywhere = max(due[key][0].everywhere, total)
            over = totals.get(own.key, 0) - limit  # what others have counted meanwhile
            if taken and over > 0:
                taken = max(0, taken - over) if partly else 0
        left = max(0, limit - own.everywhere - own.untold)
        return Rate(taken, limit, left, own.ends - now, window)

    def _window(self, name: str, now: float, seconds: int) -> _Window:
        if now - self._looked_at >= MINUTE or len(self._windows) > MOST:
            self._forget(now)
        window = self._windows.get(name)
        if window is None or window.ends <= now:
            number = int(now // seconds)
            window = self._windows[name] = _Window(RATES.of(name, number), float((number + 1) * seconds))
        return window

    def _forget(self, now: float) -> None:
        """Forget windows that are over; where there are too many, all that Valkey knows as well."""
        self._looked_at, many = now, len(self._windows) > MOST
        self._windows = {
            name: window for name, window in self._windows.items() if window.ends > now and (window.untold or not many)
        }

    def _due(self, now: float) -> dict[str, tuple[_Window, int]]:
        """Take what Valkey has not been told, by key."""
        due = {key: (window, window.untold) for key, window in self._untold.items()}
        self._untold, self._told_at = {}, now
        for window, count in due.values():
            window.everywhere, window.untold = window.everywhere + count, 0
        return due


def _tell(due: Mapping[str, tuple[_Window, int]], now: float) -> dict[str, int] | None:
    """Add to the counts in Valkey; returns those of all processes, None where Valkey is away."""

    def add(pipeline: Pipeline) -> None:
        for key, (window, count) in due.items():
            pipeline.incrby(key, count)
            pipeline.expire(key, math.ceil(max(0.0, window.ends - now)) + MINUTE)

    answers = valkey().run(add)
    return dict(zip(due, map(int, answers[::2]), strict=True)) if answers else None
