"""Load of single events at a steady rate, and how long each waited."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http import HTTPStatus
from typing import NamedTuple

import numpy as np

from bench.ingestion.lines import bodies, events
from bench.web.connection import Connection, request

CONNECTIONS = 4
TAKEN = {HTTPStatus.OK, HTTPStatus.ACCEPTED}


class Wait(NamedTuple):
    """A request: when it was due (by ``time.perf_counter``), and the milliseconds from then to its answer."""

    due: float
    ms: float


class SteadyLoad:
    """Events sent at a steady rate, one a request; what was accepted of them, and how many answers were others."""

    def __init__(self, port: int, key: str, *, rate: int) -> None:
        self._port, self._key, self._pause = port, key, CONNECTIONS / rate
        self._rng = np.random.default_rng(0)
        self._lock = threading.Lock()
        self.accepted = self.refused = 0

    @contextmanager
    def going(self) -> Iterator[list[Wait]]:
        """What each request waited, complete once the block ends."""
        waits, ended = list[Wait](), threading.Event()
        with ThreadPoolExecutor(CONNECTIONS) as threads:
            senders = [threads.submit(self._send, waits, ended, number) for number in range(CONNECTIONS)]
            try:
                yield waits
            finally:
                ended.set()
            for sender in senders:
                sender.result()

    def _send(self, waits: list[Wait], ended: threading.Event, number: int) -> None:
        client, due = Connection(self._port), time.perf_counter() + number * self._pause / CONNECTIONS
        while not ended.is_set():
            with self._lock:
                [body] = bodies(events(1, rng=self._rng), size=1)
            sent = request("POST", "/api/v1/events/", key=self._key, body=body)
            time.sleep(max(0.0, due - time.perf_counter()))
            status, _answer = client.send(sent)
            with self._lock:
                waits.append(Wait(due, 1_000 * (time.perf_counter() - due)))
                self.accepted += status in TAKEN
                self.refused += status not in TAKEN
            due += self._pause
        client.close()
