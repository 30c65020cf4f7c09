"""Counts of what each API key sends, hour by hour: added up in each process, on their way to the record in Valkey.

They are told at most once a second, so that a request hardly ever pays for it; what came last is told a second later,
whether anything follows or not. Of people Valkey keeps an estimate of how many they are (HyperLogLog), and no key of
theirs.
"""

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from redis.client import Pipeline

from recommendations.store.live.valkey import Command, valkey
from recommendations.store.process_held import ProcessHeld
from recommendations.store.valkey_keys import SOURCES

HOUR = 3_600
TELL = 1.0  # seconds
MOST = 100_000  # people of an hour that wait in a process while Valkey is away; further ones are not counted
_BETWEEN = "|"


class SourceCount(StrEnum):
    """What is counted of a source; the names are those of the fields of ``SourceHour``."""

    LINES = "lines"
    PEOPLE = "people"
    NEW_PEOPLE = "new_people"
    PURCHASES = "purchases"
    NOT_KEPT = "not_kept"
    CRAWLED = "crawled"
    UNPROVEN = "unproven"
    IGNORED = "ignored"
    WAITING = "waiting"
    REFUSED = "refused"


class SourceCounters:
    """Counts of one process that Valkey has not been told, by hour, key and ``SourceCount``; people by hour and key."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: Counter[tuple[int, int, SourceCount]] = Counter()
        self._people: defaultdict[tuple[int, int], set[int]] = defaultdict(set)
        self._told_at = clock()
        self._later: threading.Timer | None = None  # until it has told

    def note(self, key: int, counts: Mapping[SourceCount, int], *, at: datetime, people: Collection[int] = ()) -> None:
        """Count what came with a key at a moment; ``people`` are keys of customers."""
        hour = int(at.timestamp()) // HOUR * HOUR
        with self._lock:
            for sent, count in counts.items():
                if count:
                    self._counts[hour, key, sent] += count
            seen = self._people[hour, key]
            if len(seen) < MOST:
                seen.update(people)
            due = self._clock() - self._told_at >= TELL
            if not due and self._later is None:
                self._later = threading.Timer(TELL, self.tell)
                self._later.daemon = True
                self._later.start()
        if due:
            self.tell()

    def tell(self) -> None:
        """Add the counts to those in Valkey; where it is away they wait."""
        with self._lock:
            counts, self._counts, self._told_at = self._counts, Counter(), self._clock()
            people, self._people = self._people, defaultdict(set)
            self._later = None
        if counts and (not _tell_people(people) or valkey().run(lambda pipeline: _put(pipeline, counts)) is None):
            with self._lock:
                self._counts.update(counts)
                for where, seen in people.items():
                    self._people[where] |= seen


def _tell_people(people: Mapping[tuple[int, int], set[int]]) -> bool:
    """Add people, which may come twice; False where Valkey is away."""
    commands: list[Command] = []
    for (hour, key), seen in people.items():
        if seen:
            name = SOURCES.of(hour, key)
            commands += [("PFADD", name, *seen), ("EXPIRE", name, SOURCES.seconds)]
    return not commands or valkey().ask(commands) is not None


def _put(pipeline: Pipeline, counts: Mapping[tuple[int, int, SourceCount], int]) -> None:
    for (hour, key, sent), count in counts.items():
        pipeline.hincrby(SOURCES.of(hour), f"{key}{_BETWEEN}{sent}", count)
    for hour in {hour for hour, _key, _sent in counts}:
        pipeline.expire(SOURCES.of(hour), SOURCES.seconds)


source_counters = ProcessHeld(SourceCounters)


def sent_in(hours: Sequence[int]) -> dict[int, dict[int, dict[str, int]]]:
    """What was sent in the hours that began at these moments of Unix time, by hour and key; nothing without Valkey."""
    hashes = valkey().run(lambda pipeline: [pipeline.hgetall(SOURCES.of(hour)) for hour in hours])
    sent: dict[int, dict[int, dict[str, int]]] = {}
    for hour, fields in zip(hours, hashes or (), strict=False):
        for field, count in fields.items():
            key, _, what = field.decode().partition(_BETWEEN)
            sent.setdefault(hour, {}).setdefault(int(key), {})[what] = int(count)
    places = [(hour, key) for hour, keys in sent.items() for key in keys]
    if not places:
        return {}
    people = valkey().run(lambda pipeline: [pipeline.pfcount(SOURCES.of(hour, key)) for hour, key in places])
    for (hour, key), about in zip(places, people or (), strict=False):
        sent[hour][key][SourceCount.PEOPLE] = about
    return sent
