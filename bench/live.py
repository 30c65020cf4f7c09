"""Latency from an event to the answer that knows of it: ``make bench-live`` while ``make demo`` runs.

Each try sends one event of one customer (or of a new visitor) and then asks once for that person's next answer, on one
connection. The answer must differ as the event demands; the clock runs from the first byte of the event to the last
byte of the answer. ``docs/benchmarks.md`` says what is measured.
"""

import argparse
import json
import statistics
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.web.connection import Connection, request

EVENTS = "/api/v1/events/"
TRIES = 500
CUSTOMERS = 2_000  # ids of the demo's households begin at 1
LIMIT = 100.0  # milliseconds, 99th percentile
WARM_UP = 10


@dataclass(frozen=True, kw_only=True)
class Try:
    """Milliseconds until the event was answered, and until the next answer was there."""

    kind: str
    reflected: bool
    posted: float
    answered: float


class Shop:
    """A storefront with one connection."""

    def __init__(self, address: str, key: str) -> None:
        parts = urlsplit(address)
        self._connection = Connection(parts.port or 80, parts.hostname or "127.0.0.1")
        self._key = key

    def ask(self, placement: str, **who: Any) -> dict[str, Any]:
        return self.send(self.question(placement, **who), 200)

    def question(self, placement: str, **who: Any) -> bytes:
        query = urlencode({"n": 20, "fields": "reasons", **who})
        return request("GET", f"/api/v1/placements/{placement}/recommend/?{query}", key=self._key)

    def event(self, name: str, item: str, **who: str) -> bytes:
        event: dict[str, Any] = {
            "event_id": str(uuid.uuid4()), "name": name, "timestamp": datetime.now(UTC).isoformat(),
            "items": [{"item_id": item}], "context": {"channel": "bench"}, **who,
        }  # fmt: skip
        if name == "purchase":
            event["transaction_id"] = f"bench-{event['event_id']}"
        return request("POST", EVENTS, key=self._key, body=json.dumps(event).encode())

    def timed(self, event: bytes, question: bytes) -> tuple[float, float, dict[str, Any]]:
        """Send both: milliseconds until the event and until the answer were there, and the answer."""
        begin = time.perf_counter()
        status, body = self._connection.send(event)
        posted = time.perf_counter()
        answer = self._connection.send(question)
        answered = time.perf_counter()
        if status != 202 or answer[0] != 200:
            raise SystemExit(f"{status} {body[:300]!r}, {answer[0]} {answer[1][:300]!r}")
        return (posted - begin) * 1e3, (answered - begin) * 1e3, json.loads(answer[1])

    def send(self, what: bytes, expected: int) -> dict[str, Any]:
        status, body = self._connection.send(what)
        if status != expected:
            raise SystemExit(f"{status}: {body[:500]!r}")
        return dict(json.loads(body))


def purchase(shop: Shop, rng: np.random.Generator) -> Try:
    """Buy an item that was shown: it does not come again where only new things are shown."""
    return _vanishes(shop, "purchase", rng)


def dislike_item(shop: Shop, rng: np.random.Generator) -> Try:
    return _vanishes(shop, "dislike_item", rng)


def view_item(shop: Shop, rng: np.random.Generator) -> Try:
    """View an item as a visitor whom nobody knows: from the same answer for everybody to one of their own."""
    visitor = f"bench-{uuid.uuid4().hex}"
    before = _items(shop.ask("home", anonymous_id=visitor))
    item = str(rng.choice(before))
    event = shop.event("view_item", item, anonymous_id=visitor)
    posted, answered, after = shop.timed(event, shop.question("home", anonymous_id=visitor))
    reflected = bool(after["personalised"]) and _items(after) != before
    return Try(kind="view_item", reflected=reflected, posted=posted, answered=answered)


def sign_in(shop: Shop, rng: np.random.Generator) -> Try:
    """Sign in: a visitor buys, then an event names both ids: the purchase is the customer's."""
    visitor, customer = f"bench-{uuid.uuid4().hex}", _customer(rng)
    slate = _items(shop.ask("discover", user_id=customer))
    bought = str(rng.choice(slate))
    shop.send(shop.event("purchase", bought, anonymous_id=visitor), 202)
    event = shop.event("view_item", slate[0], anonymous_id=visitor, user_id=customer)
    posted, answered, after = shop.timed(event, shop.question("discover", user_id=customer))
    return Try(kind="sign-in", reflected=bought not in _items(after), posted=posted, answered=answered)


KINDS = (purchase, view_item, dislike_item, sign_in)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(".local"), help="the demo's folder, with its demo.json")
    parser.add_argument("--url", help="another address than that of demo.json")
    parser.add_argument("--key", help="another API key than that of demo.json")
    parser.add_argument("--tries", type=int, default=TRIES, help=f"of all kinds together ({TRIES})")
    parser.add_argument("--seed", type=int, default=0, help="of customers and items (0)")
    parser.add_argument("--json", type=Path, help="file for the figures")
    arguments = parser.parse_args(argv)
    demo: dict[str, str] = {}
    if not (arguments.url and arguments.key):
        demo = json.loads((arguments.data / "demo.json").read_text(encoding="utf-8"))
    shop = Shop(arguments.url or demo["url"], arguments.key or demo["api_key"])
    rng = np.random.default_rng(arguments.seed)
    tries = [KINDS[number % len(KINDS)](shop, rng) for number in range(WARM_UP + arguments.tries)][WARM_UP:]
    result = summary(tries)
    sys.stdout.write(table(result))
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0 if result["kept"] else 1


def summary(tries: Sequence[Try]) -> dict[str, Any]:
    kinds = dict.fromkeys(one.kind for one in tries)
    rows = {kind: _figures([one for one in tries if one.kind == kind]) for kind in kinds}
    rows["all"] = whole = _figures(tries)
    within = whole["reflected"] == whole["tries"] and whole["answered_ms"]["p99"] <= LIMIT
    return {"kinds": rows, "limit_p99_ms": LIMIT, "kept": within}


def table(result: Mapping[str, Any]) -> str:
    lines = [f"{'':<14}{'reflected':>12}{'event, ms p50':>15}{'p99':>8}{'event to answer, ms p50':>26}{'p99':>8}"]
    for kind, row in result["kinds"].items():
        posted, answered = row["posted_ms"], row["answered_ms"]
        lines.append(
            f"{kind:<14}{row['reflected']:>6}/{row['tries']:<5}{posted['p50']:>15}{posted['p99']:>8}"
            f"{answered['p50']:>26}{answered['p99']:>8}"
        )
    lines.append(f"limit {'kept' if result['kept'] else 'NOT kept'}: all reflected, p99 {result['limit_p99_ms']:g} ms")
    return "\n".join(lines) + "\n"


def _figures(tries: Sequence[Try]) -> dict[str, Any]:
    return {
        "tries": len(tries),
        "reflected": sum(one.reflected for one in tries),
        "posted_ms": _spread([one.posted for one in tries]),
        "answered_ms": _spread([one.answered for one in tries]),
    }


def _spread(took: Sequence[float]) -> dict[str, float]:
    return {
        "p50": round(statistics.median(took), 1),
        "p99": round(float(np.percentile(took, 99)), 1),
        "most": round(max(took), 1),
    }


def _vanishes(shop: Shop, name: str, rng: np.random.Generator) -> Try:
    customer = _customer(rng)
    item = str(rng.choice(_items(shop.ask("discover", user_id=customer))))
    event = shop.event(name, item, user_id=customer)
    posted, answered, after = shop.timed(event, shop.question("discover", user_id=customer))
    return Try(kind=name, reflected=item not in _items(after), posted=posted, answered=answered)


def _items(answer: Mapping[str, Any]) -> list[str]:
    return [result["item_id"] for result in answer["results"]]


def _customer(rng: np.random.Generator) -> str:
    return str(rng.integers(1, CUSTOMERS))


if __name__ == "__main__":
    sys.exit(main())
