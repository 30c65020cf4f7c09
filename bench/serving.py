"""Cost of an answer: ``make bench-serving`` on the demo's data.

Four servers, each one granian worker with four threads, are asked in turn, round after round: an answer that lies in
the process, one that lies in Valkey (a bare ``GET``), the fast door and Django's view. Everything is on: keys, rate
limits, marks of change, reasons, rules, the log of slates. CPU is that of the server's whole process tree.

The shop's mix is what a shop asks for: page views of 2,400 customers at random, one in three after the customer looked
at an item, one in ten by a stranger; items are looked at as often as they are sold. Beside it each kind of answer on
its own: asked again with nothing changed, anew after an act, and the first of a process that met none of the customers.
"""

import argparse
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import django
import msgspec
import redis

from bench.web.load import Order, Seen
from bench.web.page_views import PageViews, page_views, tell
from bench.web.servers import Server, web
from recommendations.terms import Scope

PLACE = "/api/v1/placements/{placement}/recommend/?{{who}}&n={n}"
READY = "/healthz"
FLOOR_KEY = "bench:floor"
FLOORS = ("static", "valkey")
FLOOR = ("/valkey",)
DOORS = ("door", "django")
NAMES = {
    "static": "an answer in the process",
    "valkey": "a bare GET of Valkey",
    "door": "the fast door",
    "django": "Django's view",
}
ALIKE = 200  # requests whose bodies are compared


class Block(NamedTuple):
    """Measurement of one server asked so many times; CPU in µs a request."""

    cpu: float
    seen: Seen


@dataclass(frozen=True, kw_only=True)
class Bench:
    servers: Mapping[str, Server]
    authorization: str

    def block(self, name: str, paths: Sequence[str], *, requests: int | None = None, connections: int = 1) -> Block:
        """Ask for each path in turn, once if no number is given."""
        order = Order(
            port=self.servers[name].port,
            connections=connections,
            requests=requests or len(paths),
            paths=list(paths),
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
    views = page_views(PLACE.format(placement=options.placement, n=options.n), seed=options.seed)
    own = [views.address.format(who=f"user_id={name}") for name, _ in views.customers]
    with _key() as authorization, ExitStack() as stack:
        env = {"FLOOR_KEY": FLOOR_KEY}
        servers = {
            "door": stack.enter_context(web("recsite.wsgi:application", up=READY)),
            "django": stack.enter_context(web("recsite.wsgi:django", up=READY)),
        }
        content = _body(servers["door"], own[-1], authorization)
        redis.Redis.from_url(os.environ["REDIS_URL"]).set(FLOOR_KEY, content)
        floor = stack.enter_context(web("bench.web.floor:application", up="/static", env=env))
        servers |= dict.fromkeys(FLOORS, floor)
        bench = Bench(servers=servers, authorization=authorization)
        rows = [*_first(bench, own, options), *_again(bench, own, options)]
        rows += _anew(bench, views, options)
        bench.block("door", own)  # who acted for the other door is asked for once, or the mix would be those acts
        rows += _mix(bench, views, options)
        bodies = _compared(servers, own, authorization)
    blocks = [block for row in rows for block in row.pop("blocks")]
    wrong = sum((Counter(block.seen.wrong) for block in blocks), Counter[int]())
    return {
        "placement": options.placement,
        "n": options.n,
        "seed": options.seed,
        "answer_bytes": len(content),
        "requests": sum(block.seen.requests for block in blocks),
        "wrong": dict(wrong),
        "bodies": bodies,
        "rows": rows,
    }


type Blocks = dict[str, list[Block]]
"""By server, a block of each round."""


def _first(bench: Bench, own: Sequence[str], options: argparse.Namespace) -> list[dict[str, Any]]:
    """Measure the first answer that a process gives each customer."""
    blocks: Blocks = {"valkey": [], **{name: [] for name in DOORS}}
    part = options.first // options.rounds
    for number in range(options.rounds):
        blocks["valkey"].append(bench.block("valkey", FLOOR, requests=options.requests))
        for name in DOORS:
            blocks[name].append(bench.block(name, own[number * part : (number + 1) * part]))
    return _rows("first", 1, blocks)


def _again(bench: Bench, own: Sequence[str], options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Measure answers that nothing changed since."""
    for name in DOORS:
        bench.block(name, own)
    for connections in options.connections:
        blocks: Blocks = {name: [] for name in NAMES}
        for _ in range(options.rounds):
            for name, runs in blocks.items():
                paths = own if name in DOORS else [f"/{name}"]
                runs.append(bench.block(name, paths, requests=options.requests, connections=connections))
        yield from _rows("again", connections, blocks)


def _anew(bench: Bench, views: PageViews, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Measure answers of which each comes after an act of its customer."""
    blocks: Blocks = {"valkey": [], **{name: [] for name in DOORS}}
    part = options.first // options.rounds
    for number in range(options.rounds):
        blocks["valkey"].append(bench.block("valkey", FLOOR, requests=options.requests))
        for name in DOORS:
            those = views.customers[number * part : (number + 1) * part]
            tell(views.act_of(key) for _, key in those)
            blocks[name].append(bench.block(name, [views.address.format(who=f"user_id={each}") for each, _ in those]))
    return _rows("anew", 1, blocks)


def _mix(bench: Bench, views: PageViews, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Measure the shop's mix."""
    for connections in options.connections:
        blocks: Blocks = {"valkey": [], "door": []}
        for _ in range(options.rounds):
            blocks["valkey"].append(bench.block("valkey", FLOOR, requests=options.requests, connections=connections))
            paths, acts = views.drawn(options.mix)
            tell(acts)
            blocks["door"].append(bench.block("door", paths, connections=connections))
        yield from _rows("mix", connections, blocks)


def _rows(kind: str, connections: int, blocks: Blocks) -> list[dict[str, Any]]:
    """A row per server: medians of the rounds, and how many times those of the bare ``GET`` they are."""
    floor = _row(blocks["valkey"])
    rows = []
    for name, runs in blocks.items():
        row = _row(runs)
        ratios = {figure: round(row[figure] / floor[figure], 2) for figure in row}
        rows.append({"kind": kind, "connections": connections, "server": name, **row, "of_get": ratios, "blocks": runs})
    return rows


def _row(blocks: Sequence[Block]) -> dict[str, float]:
    return {
        "cpu_us": round(median(block.cpu for block in blocks), 1),
        "rps": round(median(block.seen.requests / block.seen.seconds for block in blocks), 1),
        "p50_ms": round(median(block.seen.p50 for block in blocks), 3),
        "p99_ms": round(median(block.seen.p99 for block in blocks), 3),
    }


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
        f"{'answers':8} {'connections':>11}  {'server':24} {'CPU µs':>8} {'x':>6} {'rps':>8} {'x':>6} {'p50 ms':>8} "
        f"{'x':>6} {'p99 ms':>8} {'x':>6}"
    )
    lines = [head, "", title]
    for row in result["rows"]:
        cells = " ".join(
            f"{row[figure]:8,.{digits}f} {row['of_get'][figure]:6.2f}"
            for figure, digits in (("cpu_us", 0), ("rps", 0), ("p50_ms", 2), ("p99_ms", 2))
        )
        lines.append(f"{row['kind']:8} {row['connections']:11}  {NAMES[row['server']]:24} {cells}")
    return "\n".join(lines)


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--placement", default="home")
    parser.add_argument("--n", type=int, default=20)
    parser.add_argument("--requests", type=int, default=2_500, help="a round, of each server")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--first", type=int, default=2_100, help="first answers, and answers after an act")
    parser.add_argument("--mix", type=int, default=600, help="page views of a round of the shop's mix")
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="write everything to this file")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
