"""Clients as a shop has them: they keep a connection, and send a request again, byte by byte, until it was taken."""

import http.client
import json
import random
import ssl
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

AGAIN = 0.05  # seconds until a request is sent again
PATIENCE = 10.0  # seconds for an answer
TAKEN = 900.0  # seconds until an event has to be taken at last
RETRYABLE = 503

Dropped = (OSError, http.client.HTTPException)


class Reply(NamedTuple):
    status: int
    body: Any
    retry_after: str | None
    seconds: float


class Client:
    """A client with one connection; what breaks it is raised (``Dropped``), and the next request opens another."""

    def __init__(
        self, port: int, headers: Mapping[str, str], *, patience: float = PATIENCE, tls: ssl.SSLContext | None = None
    ) -> None:
        self._port, self._headers, self._patience, self._tls = port, dict(headers), patience, tls
        self._connection: http.client.HTTPConnection | None = None

    def send(self, method: str, path: str, body: bytes | None = None) -> Reply:
        started = time.monotonic()
        if self._connection is None:
            self._connection = self._opened()
        try:
            self._connection.request(method, path, body, self._headers)
            answer = self._connection.getresponse()
            content = answer.read()
        except Dropped:
            self.close()
            raise
        is_json = "json" in (answer.getheader("Content-Type") or "")
        parsed = json.loads(content) if is_json else content
        return Reply(answer.status, parsed, answer.getheader("Retry-After"), time.monotonic() - started)

    def _opened(self) -> http.client.HTTPConnection:
        if self._tls:
            return http.client.HTTPSConnection("127.0.0.1", self._port, timeout=self._patience, context=self._tls)
        return http.client.HTTPConnection("127.0.0.1", self._port, timeout=self._patience)

    def close(self) -> None:
        if self._connection is not None:
            with suppress(OSError):
                self._connection.close()
            self._connection = None


@dataclass
class Tally:
    """Counts of what all clients together saw; ``acknowledged`` is the number of lines by event id."""

    acknowledged: dict[str, int] = field(default_factory=dict)
    sent: dict[str, int] = field(default_factory=dict)
    events: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    odd: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, counter: Counter[str], what: str) -> None:
        with self.lock:
            counter[what] += 1

    def note_odd(self, text: str) -> None:
        with self.lock:
            self.odd.append(text)


def batch(rng: random.Random, items: Sequence[str], *, customers: int) -> tuple[bytes, dict[str, int]]:
    """A request of one event or ten, and how many lines each makes; a tenth of the people are new to the shop.

    Only the first items are bought, so that something new is left for everybody.
    """
    events, lines = [], {}
    for _ in range(rng.choice((1, 1, 10))):
        name = rng.choice(("view_item", "view_item", "add_to_cart", "purchase"))
        chosen = rng.sample(items[:24], rng.randint(1, 3)) if name == "purchase" else [rng.choice(items)]
        number = rng.randrange(customers) if rng.random() < 0.9 else rng.randrange(10**6)
        event = {
            "event_id": str(uuid.UUID(int=rng.getrandbits(128), version=4)),
            "name": name,
            "timestamp": datetime.now(UTC).isoformat(),
            "user_id": f"u{number}",
            "items": [{"item_id": item, "quantity": 1} for item in chosen],
        }
        if name == "purchase":
            event["transaction_id"] = event["event_id"]
        events.append(event)
        lines[str(event["event_id"])] = len(chosen)
    return json.dumps({"events": events}).encode(), lines


class Load:
    """Senders and readers in threads of their own, from ``start`` to ``stop``."""

    def __init__(self, client: Callable[[], Client], items: Sequence[str], *, customers: int, seed: int) -> None:
        self.tally = Tally()
        self._client, self._items, self._customers, self._seed = client, items, customers, seed
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self, *, senders: int, readers: int) -> None:
        for number in range(senders):
            rng = random.Random(f"{self._seed}-sender-{number}")  # noqa: S311 - no secret
            self._threads.append(threading.Thread(target=self._send, args=(rng,), daemon=True))
        for number in range(readers):
            rng = random.Random(f"{self._seed}-reader-{number}")  # noqa: S311 - no secret
            self._threads.append(threading.Thread(target=self._read, args=(rng,), daemon=True))
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop all; senders first bring what they have in hand to its end."""
        self._over.set()
        for thread in self._threads:
            thread.join(TAKEN)

    def _send(self, rng: random.Random) -> None:
        client = self._client()
        while not self._over.is_set():
            body, lines = batch(rng, self._items, customers=self._customers)
            with self.tally.lock:
                self.tally.sent |= lines
            self._until_taken(client, body, lines)
            time.sleep(rng.uniform(0, 0.02))
        client.close()

    def _until_taken(self, client: Client, body: bytes, lines: Mapping[str, int]) -> None:
        tally, end = self.tally, time.monotonic() + TAKEN
        while time.monotonic() < end:
            try:
                reply = client.send("POST", "/api/v1/events/", body)
            except Dropped as error:
                tally.count(tally.events, type(error).__name__)
            else:
                tally.count(tally.events, str(reply.status))
                if reply.status == http.HTTPStatus.ACCEPTED:
                    self._note_taken(reply, lines)
                    return
                if reply.status != RETRYABLE or not reply.retry_after:
                    tally.note_odd(f"events {reply.status} {str(reply.body)[:300]}")
                    return
            time.sleep(AGAIN)
        tally.note_odd("events: a request was not taken in time")

    def _note_taken(self, reply: Reply, lines: Mapping[str, int]) -> None:
        verdicts = {row["event_id"]: row["verdict"] for row in reply.body["results"]}
        taken = {one: lines[one] for one, verdict in verdicts.items() if verdict in {"accepted", "duplicate"}}
        with self.tally.lock:
            self.tally.acknowledged |= taken
        if len(taken) != len(lines):
            self.tally.note_odd(f"events: verdicts {sorted(set(verdicts.values()))}")

    def _read(self, rng: random.Random) -> None:
        client, tally = self._client(), self.tally
        while not self._over.is_set():
            path = f"/api/v1/placements/{rng.choice(('home', 'discover'))}/recommend/?user_id=u{rng.randrange(60)}"
            try:
                reply = client.send("GET", path)
            except Dropped as error:
                tally.count(tally.answers, type(error).__name__)
                time.sleep(AGAIN)
                continue
            tally.count(tally.answers, str(reply.status))
            if reply.status == http.HTTPStatus.OK and reply.body["results"]:
                tally.count(tally.sources, f"{reply.body['source']}/{reply.body['fallback_reason']}")
            elif reply.status != RETRYABLE:
                tally.note_odd(f"recommend {reply.status} {str(reply.body)[:300]}")
            time.sleep(rng.uniform(0, 0.03))
        client.close()
