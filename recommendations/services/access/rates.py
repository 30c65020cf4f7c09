"""Rate limits: requests per minute, counted in each process and added up in Valkey.

A process tells Valkey what it counted after every hundredth of the limit, and at least four times a second, so a
request rarely pays for the count and several processes together stay within a few per cent of the limit. While Valkey
is away each process holds to the limit by itself.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from redis.client import Pipeline

from recommendations.store.live.valkey import valkey

WINDOW = 60
SHARE = 0.01  # of the limit: how much a process counts before it tells
LATEST = 0.25  # seconds


@dataclass
class _Window:
    number: int
    told_at: float
    everywhere: int = 0  # as Valkey last said, with what this process has told since
    untold: int = 0


class RateLimiter:
    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._windows: dict[str, _Window] = {}

    def seconds_to_wait(self, name: str, *, limit: int) -> float | None:
        """Count one request; None where it is within the limit, else the seconds until the next minute begins."""
        now = self._clock()
        until_next = WINDOW - now % WINDOW
        with self._lock:
            window = self._window(name, now)
            if window.everywhere + window.untold >= limit:
                return until_next
            window.untold += 1
            telling = window.untold if window.untold >= limit * SHARE or now - window.told_at >= LATEST else 0
            if telling:
                window.everywhere, window.untold, window.told_at = window.everywhere + telling, 0, now
        total = _tell(f"rate:{name}:{window.number}", telling) if telling else None
        if total is None:
            return None
        with self._lock:
            window.everywhere = max(window.everywhere, total)
        return until_next if total > limit else None

    def _window(self, name: str, now: float) -> _Window:
        number = int(now // WINDOW)
        window = self._windows.get(name)
        if window is None or window.number != number:
            window = self._windows[name] = _Window(number=number, told_at=now)
        return window


def _tell(key: str, count: int) -> int | None:
    """Add to the count in Valkey; returns that of all processes, None where Valkey is away."""

    def add(pipeline: Pipeline) -> None:
        pipeline.incrby(key, count)
        pipeline.expire(key, 2 * WINDOW)

    answers = valkey().run(add)
    return int(answers[0]) if answers else None
