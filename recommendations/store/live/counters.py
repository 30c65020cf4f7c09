"""Counts of all processes together, since the shop was set up: added up in each process, kept in Valkey.

A process tells what it counted at most once a second, so that a request hardly ever pays for it. What a process had not
told when it died, or an idle one tells with its next count, is the error; figures may be a second behind.
"""

import threading
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Mapping
from enum import StrEnum

from django.db import transaction
from redis.client import Pipeline

from recommendations.store.live.valkey import valkey
from recommendations.store.process_held import ProcessHeld
from recommendations.store.valkey_keys import COUNTED

TELL = 1.0  # seconds
SUM = "sum"
BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Upper ends of the buckets of a time, seconds; what took longer is in a last one."""
BUCKETS = tuple(map(str, (*BOUNDS, "+Inf")))
_BETWEEN = "|"

type Name = tuple[str, ...]
"""What is counted (a ``Counted``), and its labels; of a time the last one is a bucket, or ``SUM`` in microseconds."""


class Counted(StrEnum):
    REQUESTS = "requests"  # route, method, status
    REQUEST_SECONDS = "request_seconds"  # route
    EVENTS = "events"  # verdict
    NEW_PEOPLE = "new_people"  # side of the key
    EVENTS_REFUSED = "events_refused"  # quota
    ANSWERS = "answers"  # placement, source, fallback reason
    ANSWER_SECONDS = "answer_seconds"  # placement
    MESSAGES = "messages"  # channel, state
    VERDICTS = "verdicts"  # verdict
    UNSUBSCRIBES = "unsubscribes"
    COMPLAINTS = "complaints"


def timed(counted: Counted, label: str, *, seconds: float) -> dict[Name, int]:
    """Counts that one measured time adds."""
    bucket = BUCKETS[bisect_left(BOUNDS, seconds)]
    return {(counted, label, bucket): 1, (counted, label, SUM): round(seconds * 1e6)}


class Counters:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._untold: Counter[Name] = Counter()
        self._told_at = clock()

    def add(self, counts: Mapping[Name, int]) -> None:
        with self._lock:
            self._untold.update(counts)
            due = self._clock() - self._told_at >= TELL
        if due:
            self.tell()

    def tell(self) -> None:
        """Add the counts to those in Valkey; where it is away they wait."""
        with self._lock:
            due, self._untold, self._told_at = self._untold, Counter(), self._clock()

        def put(pipeline: Pipeline) -> None:
            for name, count in due.items():
                pipeline.hincrby(COUNTED, _BETWEEN.join(name), count)

        if due and valkey().run(put) is None:
            with self._lock:
                self._untold.update(due)


counters = ProcessHeld(Counters)


def count_at_commit(counts: Mapping[Name, int]) -> None:
    """Count what the transaction does, once it is done."""
    if counts:
        transaction.on_commit(lambda: counters().add(counts))


def totals() -> dict[Name, int] | None:
    """Counts of all processes; None where Valkey is away."""
    counters().tell()
    answers = valkey().run(lambda pipeline: pipeline.hgetall(COUNTED))
    if answers is None:
        return None
    return {tuple(name.decode().split(_BETWEEN)): int(count) for name, count in answers[0].items()}
