"""Cost of an answer: ``make bench-serving`` on the demo's data.

Four servers, each one granian worker with four threads, are asked in turn, round after round: an answer that lies in
the process, one that lies in Valkey (a bare ``GET``), the fast door and Django's view. Everything is on: keys, rate
limits, marks of change, reasons, rules, the log of slates. CPU is that of the server's whole process tree. Answers of
three kinds are told apart: asked again with nothing changed, asked anew after an act of the customer, and first ones
of a process that has met none of the customers.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import batched
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import django
import msgspec
import redis
from django.utils import timezone

from bench.web.load import Order, Seen
from bench.web.servers import Server, web
from recommendations.event_types import EventName
from recommendations.terms import Scope

PLACE = "/api/v1/placements/{placement}/recommend/?user_id={user}&n={n}"
READY = "/healthz"
FLOOR_KEY = "bench:floor"
FLOORS = ("static", "valkey")
DOORS = ("door", "django")
NAMES = {
    "static": "an answer in the process",
    "valkey": "a bare GET of Valkey",
    "door": "the fast door",
    "django": "Django's view",
}
CUSTOMERS = 2_500  # the households of the demo are called 1 to 2,500; some bought nothing and are strangers
ALIKE = 200  # requests whose bodies are compared


class Block(NamedTuple):
    """Measurement of one server asked so many times; CPU in µs a request."""

    cpu: float
    seen: Seen


@dataclass(frozen=True, kw_only=True)
class Bench:
    servers: Mapping[str, Server]
    paths: Mapping[str, Sequence[str]]
    authorization: str

    def block(self, name: str, *, connections: int, requests: int, start: int = 0) -> Block:
        paths = self.paths[name]
        order = Order(
            port=self.servers[name].port,
            connections=connections,
            requests=requests,
            paths=[paths[(start + place) % len(paths)] for place in range(min(requests, len(paths)))],
            authorization=self.authorization if name in DOORS else "",
        )
        before = self.servers[name].cpu_seconds
        done = subprocess.run(
            [sys.executable, "-m", "bench.web.load"], input=msgspec.json.encode(order), capture_output=True, check=True
        )
        seen = msgspec.json.decode(done.stdout, type=Seen)
        return Block((self.servers[name].cpu_seconds - before) / max(seen.requests, 1) * 1e6, seen)


def main(argv: Sequence[str] | None = None) -> int:
    options = _options(argv)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recsite.settings")
    django.setup()
    from recommendations.models import ModelVersion  # noqa: PLC0415 - after django.setup()

    if not ModelVersion.objects.live().exists():
        sys.exit("There is no live model here; run `make demo` once, with the same DATA.")
    result = measured(options)
    print(as_text(result))  # noqa: T201
    if options.json:
        options.json.write_text(json.dumps(result, indent=2), encoding="utf-8")
    return 0 if not result["wrong"] and result["bodies"]["different"] == 0 else 1


def measured(options: argparse.Namespace) -> dict[str, Any]:
    rng = random.Random(options.seed)  # noqa: S311 - an order of requests, no secret
    users = rng.sample(range(1, CUSTOMERS + 1), CUSTOMERS)
    addresses = [PLACE.format(placement=options.placement, user=user, n=options.n) for user in users]
    with _key() as authorization, ExitStack() as stack:
        env = {"FLOOR_KEY": FLOOR_KEY}
        servers = {
            "door": stack.enter_context(web("recsite.wsgi:application", up=READY)),
            "django": stack.enter_context(web("recsite.wsgi:django", up=READY)),
        }
        content = _body(servers["door"], addresses[0], authorization)
        redis.Redis.from_url(os.environ["REDIS_URL"]).set(FLOOR_KEY, content)
        floor = stack.enter_context(web("bench.web.floor:application", up="/static", env=env))
        servers |= dict.fromkeys(FLOORS, floor)
        paths = {name: [f"/{name}"] for name in FLOORS} | dict.fromkeys(DOORS, addresses)
        bench = Bench(servers=servers, paths=paths, authorization=authorization)
        first = {name: bench.block(name, connections=1, requests=options.first) for name in DOORS}
        bodies = _compared(servers, addresses, authorization)
        again = _again(bench, options)
        anew = _anew(bench, options)
    blocks = [*first.values(), *(block for row in again for block in row["blocks"]), *anew["blocks"]]
    wrong: dict[int, int] = {}
    for block in blocks:
        for status, count in block.seen.wrong.items():
            wrong[status] = wrong.get(status, 0) + count
    return {
        "placement": options.placement,
        "n": options.n,
        "seed": options.seed,
        "answer_bytes": len(content),
        "requests": sum(block.seen.requests for block in blocks),
        "wrong": wrong,
        "bodies": bodies,
        "again": [{key: value for key, value in row.items() if key != "blocks"} for row in again],
        "first_cpu_us": {name: round(block.cpu, 1) for name, block in first.items()},
        "anew_cpu_us": anew["cpu_us"],
    }


def _again(bench: Bench, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Measure repeated answers, a row per number of connections and server: medians of the rounds, which take turns."""
    rows = []
    for name in DOORS:
        bench.block(name, connections=1, requests=CUSTOMERS)
    for connections in options.connections:
        blocks: dict[str, list[Block]] = {name: [] for name in NAMES}
        for _ in range(options.rounds):
            for name, runs in blocks.items():
                runs.append(bench.block(name, connections=connections, requests=options.requests))
        floor = _row(blocks["valkey"])
        for name, runs in blocks.items():
            row = _row(runs)
            ratios = {figure: round(row[figure] / floor[figure], 2) for figure in row}
            rows.append({"connections": connections, "server": name, **row, "of_get": ratios, "blocks": runs})
    return rows


def _row(blocks: Sequence[Block]) -> dict[str, float]:
    return {
        "cpu_us": round(median(block.cpu for block in blocks), 1),
        "rps": round(median(block.seen.requests / block.seen.seconds for block in blocks), 1),
        "p50_ms": round(median(block.seen.p50 for block in blocks), 3),
        "p99_ms": round(median(block.seen.p99 for block in blocks), 3),
    }


def _anew(bench: Bench, options: argparse.Namespace) -> dict[str, Any]:
    """Measure answers after every customer has done something since the last one."""
    blocks: dict[str, list[Block]] = {name: [] for name in DOORS}
    for number in range(options.rounds):
        for place, name in enumerate(DOORS):
            _act(number * len(DOORS) + place)
            blocks[name].append(bench.block(name, connections=1, requests=min(options.first, CUSTOMERS)))
    cpu = {name: round(median(block.cpu for block in runs), 1) for name, runs in blocks.items()}
    return {"cpu_us": cpu, "blocks": [block for runs in blocks.values() for block in runs]}


def _act(number: int) -> None:
    """Let every customer of the demo have looked at an item, as far as the live state knows."""
    from recommendations.models import Customer, Item  # noqa: PLC0415 - after django.setup()
    from recommendations.store.live.state import LiveEvent  # noqa: PLC0415
    from recommendations.store.live.writes import remember  # noqa: PLC0415

    item = Item.objects.order_by("pk").values_list("pk", flat=True)[number]
    at = timezone.now()
    for part in batched(Customer.objects.values_list("pk", flat=True), 1_000):
        remember([LiveEvent(customer=key, name=EventName.VIEW_ITEM, item=item, at=at) for key in part])


def _compared(servers: Mapping[str, Server], asked: Sequence[str], authorization: str) -> dict[str, int]:
    """Compare answers to the same requests through both doors, all but the id of each answer."""
    different = 0
    for path in asked[:ALIKE]:
        one, other = (json.loads(_body(servers[name], f"{path}&dry_run=true", authorization)) for name in DOORS)
        for answer in (one, other):
            answer.pop("recommendation_id")
        text = json.dumps(one).replace(f":{servers['door'].port}/", f":{servers['django'].port}/")
        different += json.loads(text) != other
    return {"compared": min(ALIKE, len(asked)), "different": different}


def _body(server: Server, path: str, authorization: str) -> bytes:
    address = f"http://127.0.0.1:{server.port}{path}"
    request = urllib.request.Request(address, headers={"Authorization": authorization})
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        return bytes(answer.read())


@contextmanager
def _key() -> Iterator[str]:
    """A key for the time of the bench, with a limit that it does not reach but is counted against."""
    from recommendations.services.access.keys import create_key, revoke_key  # noqa: PLC0415 - after django.setup()

    scopes = [Scope.RECOMMENDATIONS_READ]
    key, secret = create_key(name="bench", scopes=scopes, by=None, requests_per_minute=100_000_000)
    try:
        time.sleep(1)
        yield f"Api-Key {key.prefix}.{secret}"
    finally:
        revoke_key(key=key, by=None)


def as_text(result: Mapping[str, Any]) -> str:
    head = (
        f"{result['placement']}, n = {result['n']}, answers of about {result['answer_bytes']:,} bytes; "
        f"{result['requests']:,} requests, wrong: {result['wrong'] or 0}; "
        f"bodies of both doors: {result['bodies']['different']} of {result['bodies']['compared']} differ"
    )
    title = (
        f"{'connections':>11}  {'server':24} {'CPU µs':>8} {'x':>6} {'rps':>8} {'x':>6} {'p50 ms':>8} {'x':>6} "
        f"{'p99 ms':>8} {'x':>6}"
    )
    lines = [head, "", title]
    for row in result["again"]:
        cells = " ".join(
            f"{row[figure]:8,.{digits}f} {row['of_get'][figure]:6.2f}"
            for figure, digits in (("cpu_us", 0), ("rps", 0), ("p50_ms", 2), ("p99_ms", 2))
        )
        lines.append(f"{row['connections']:11}  {NAMES[row['server']]:24} {cells}")
    lines += ["", f"{'CPU µs of an answer':26} {'fast door':>10} {'Django':>10}"]
    for title, figures in (("after an act", result["anew_cpu_us"]), ("first of a customer", result["first_cpu_us"])):
        lines.append(f"{title:26} {figures['door']:10,.0f} {figures['django']:10,.0f}")
    return "\n".join(lines)


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--placement", default="home")
    parser.add_argument("--n", type=int, default=20)
    parser.add_argument("--requests", type=int, default=2_500, help="a round, of each server")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--first", type=int, default=1_000, help="first answers, and answers after an act")
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="write everything to this file")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
