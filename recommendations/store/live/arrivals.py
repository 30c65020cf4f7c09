"""The last events of each source as they came in, for whoever looks on: in Valkey, for an hour, and without any id of
the shop's customers.

A process tells what came at most once a second, so that a request hardly ever pays for it. Where Valkey is away, it is
forgotten.
"""

import threading
from collections import deque
from collections.abc import Callable, Container, Sequence

import msgspec
from django.db import connection

from recommendations.store.live.erased_keys import erased_keys
from recommendations.store.live.valkey import Command, valkey
from recommendations.store.process_held import ProcessHeld
from recommendations.store.valkey_keys import ARRIVAL_LISTS, ARRIVALS

MOST = 100  # of a source
TELL = 1.0  # seconds
_REFUSED = ":refused"
REFUSED = frozenset({"rejected", "refused"})
"""Verdicts of what is looked for long after it came; a second list holds it, from which nothing else pushes it."""


class Why(msgspec.Struct, frozen=True):
    """What was left out of an event or was wrong with it: where, and what to do."""

    pointer: str
    reason: str


class Arrival(msgspec.Struct, omit_defaults=True):
    """An event as it came in. ``customer`` is a key of ours, ``items`` are ids of the shop, the first few."""

    at: float
    verdict: str
    name: str = ""
    event_id: str = ""
    items: list[str] = []
    more: int = 0
    customer: int | None = None
    whys: list[Why] = []


type Make = Callable[[], Sequence[Arrival]]
"""Makes the arrivals of a request, the oldest first, when they are told."""

_arrivals = msgspec.json.Decoder(Arrival)


class ArrivalLog:
    """Arrivals of one process that Valkey has not been told, by source."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: dict[str, deque[Make]] = {}
        self._later: threading.Timer | None = None

    def note(self, source: str, make: Make) -> None:
        """Remember what came with a request; of many only the last are ever made."""
        with self._lock:
            self._made.setdefault(source, deque(maxlen=MOST)).append(make)
            if self._later is None:
                self._later = threading.Timer(TELL, self._tell_beside)
                self._later.daemon, self._later.name = True, "arrivals"
                self._later.start()

    def forget(self) -> None:
        """Tell nothing of what was made."""
        with self._lock:
            self._made = {}
            if self._later is not None:
                self._later.cancel()

    def _tell_beside(self) -> None:
        try:
            self.tell()
        finally:
            connection.close()  # this thread's, where it asked who was erased

    def tell(self) -> None:
        with self._lock:
            made, self._made, self._later = self._made, {}, None
        commands: list[Command] = []
        gone = erased_keys().look()
        for source, makers in made.items():
            name, newest = ARRIVALS.of(source), [each for each in _newest(makers) if each.customer not in gone]
            commands += _push(name, newest)
            commands += _push(f"{name}{_REFUSED}", [arrival for arrival in newest if arrival.verdict in REFUSED])
        if commands:
            valkey().ask(commands)


def _newest(makers: deque[Make]) -> list[Arrival]:
    """The newest arrivals, in their order."""
    newest: list[Arrival] = []
    while makers and len(newest) < MOST:
        newest = [*makers.pop()(), *newest]
    return newest[-MOST:]


def _push(name: str, arrivals: Sequence[Arrival]) -> list[Command]:
    if not arrivals:
        return []
    rows = map(msgspec.json.encode, arrivals)
    return [("LPUSH", name, *rows), ("LTRIM", name, 0, MOST - 1), *_keep(name)]


def _keep(name: str) -> list[Command]:
    """Commands that keep a list, and its name beside those of the others."""
    seconds = ARRIVALS.seconds
    return [("EXPIRE", name, seconds), ("SADD", ARRIVAL_LISTS, name), ("EXPIRE", ARRIVAL_LISTS, seconds)]


arrival_log = ProcessHeld(ArrivalLog, end=ArrivalLog.forget)


def last_arrivals(sources: Sequence[str]) -> dict[str, list[Arrival]] | None:
    """The last arrivals of each source, the newest first, and older ones refused; None where Valkey is away."""
    if not sources:
        return {}
    names = [f"{ARRIVALS.of(source)}{end}" for source in sources for end in ("", _REFUSED)]
    lists = valkey().ask([("LRANGE", name, 0, MOST - 1) for name in names])
    if lists is None:
        return None
    every, refused = ([list(map(_arrivals.decode, rows)) for rows in lists[start::2]] for start in (0, 1))
    return {source: _both(*pair) for source, *pair in zip(sources, every, refused, strict=True)}


def _both(every: list[Arrival], refused: list[Arrival]) -> list[Arrival]:
    """Arrivals, and behind them what was refused before the first of them and so is in its own list alone."""
    if len(every) < MOST:
        return every
    return [*every, *(arrival for arrival in refused if arrival.at < every[-1].at)]


def arrivals_of(customers: Container[int]) -> list[tuple[bytes, bytes]]:
    """Lists, and rows in them, of events of these customers. Raises ValkeyAwayError."""
    names = sorted(valkey().answers([("SMEMBERS", ARRIVAL_LISTS)])[0])
    lists = valkey().answers([("LRANGE", name, 0, -1) for name in names]) if names else ()
    return [
        (name, row)
        for name, rows in zip(names, lists, strict=True)
        for row in rows
        if _arrivals.decode(row).customer in customers
    ]


def forget_arrivals(customers: Container[int]) -> int:
    """Delete what came of these customers; how many rows. Raises ValkeyAwayError."""
    rows = arrivals_of(customers)
    if rows:
        valkey().answers([("LREM", name, 0, row) for name, row in rows])
    return len(rows)
