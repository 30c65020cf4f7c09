"""Starvation: whether shoppers wait while others ask for what is dear. ``make bench-attacks`` runs it.

The attack: eight clients post wrong logins with ever new names, eight search for twelve letters each, four ask for
1,000 customers × 100 items, and a colleague hands in a file of 20 MB; each alone, then all together.

The bar: the median of ``GET home`` is at most 3 times, its 99th percentile at most 10 times that of the quiet machine
in the same run, and no answer of it is an error; nobody gets a 500. Quiet and loaded stretches take turns.

With four threads for everything, though search and batches were bounded already, the medians were 346 times (logins),
33 times (searches) and 1,389 times (all together) that of the quiet machine.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.attacks.loads import CONNECTIONS, Done, Order
from bench.demo import running
from bench.web.connection import Connection, request
from recsite.processes import stop

QUIET, TOGETHER = "quiet", "all together"
CUSTOMERS = 200  # ids of the demo's households begin at 1
BETWEEN = 0.02  # seconds between two answers of the shopper
SETTLE = 2.0  # seconds until the load is there, or its last request is over
MEDIAN_BAR, P99_BAR = 3.0, 10.0


@dataclass
class Seen:
    """What a shopper saw under one load: milliseconds of each answer, errors, and what the load was."""

    load: str
    took: list[float] = field(default_factory=list)
    errors: int = 0
    answers: dict[int, int] = field(default_factory=dict)  # of the load, by status
    client_seconds: float = 0.0  # CPU time of the load's clients

    @property
    def median(self) -> float:
        return float(np.median(self.took))

    @property
    def p99(self) -> float:
        return float(np.percentile(self.took, 99))

    def keeps(self, quiet: "Seen") -> bool:
        calm = self.median <= MEDIAN_BAR * quiet.median and self.p99 <= P99_BAR * quiet.p99
        return calm and not self.errors and not self.answers.get(500)


def measure(seen: Seen, *, port: int, key: str, seconds: float) -> None:
    """Ask for the home page of one customer after the other."""
    line = Connection(port)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        path = f"/api/v1/placements/home/recommend/?user_id={1 + len(seen.took) % CUSTOMERS}&n=20"
        started = time.perf_counter()
        try:
            status, _body = line.send(request("GET", path, key=key))
        except OSError:
            status, line = 0, Connection(port)
        seen.took.append((time.perf_counter() - started) * 1_000)
        seen.errors += status != 200
        time.sleep(BETWEEN)
    line.close()


def under_load(seen: Seen, kinds: Sequence[str], *, published: dict[str, str], port: int, seconds: float) -> None:
    clients = [_start(kind, published=published, port=port, seconds=seconds + 2 * SETTLE) for kind in kinds]
    try:
        time.sleep(SETTLE)
        measure(seen, port=port, key=published["api_key"], seconds=seconds)
        for client in clients:
            done = msgspec.json.decode(client.communicate()[0], type=Done)
            seen.client_seconds += done.cpu_seconds
            for status, times in done.answers.items():
                seen.answers[status] = seen.answers.get(status, 0) + times
    finally:
        for client in clients:
            stop(client, number=signal.SIGTERM, seconds=5)


def _start(kind: str, *, published: dict[str, str], port: int, seconds: float) -> subprocess.Popen[bytes]:
    order = Order(
        kind=kind, port=port, seconds=seconds, key=published["api_key"],
        username=published["username"], password=published["password"],
    )  # fmt: skip
    argv = [sys.executable, "-m", "bench.attacks.loads"]
    given, giving = os.pipe()
    with os.fdopen(given, "rb") as standard_input, os.fdopen(giving, "wb") as orders:
        client = subprocess.Popen(argv, stdin=standard_input, stdout=subprocess.PIPE)
        orders.write(msgspec.json.encode(order))
    return client


def rounds(published: dict[str, str], *, times: int, seconds: float, kinds: Sequence[str]) -> list[Seen]:
    port = urlsplit(published["url"]).port or 80
    loads = {**{kind: [kind] for kind in kinds}, **({TOGETHER: list(kinds)} if len(kinds) > 1 else {})}
    quiet, loaded = Seen(QUIET), {name: Seen(name) for name in loads}
    measure(Seen(QUIET), port=port, key=published["api_key"], seconds=seconds)  # every customer is known then
    for _ in range(times):
        for name, parts in loads.items():
            time.sleep(SETTLE)
            measure(quiet, port=port, key=published["api_key"], seconds=seconds / 2)
            under_load(loaded[name], parts, published=published, port=port, seconds=seconds)
    return [quiet, *loaded.values()]


def table(seen: Sequence[Seen]) -> str:
    quiet = seen[0]
    lines = [f"{'GET home':<14}{'answers':>8}{'median ms':>11}{'ratio':>7}{'p99 ms':>9}{'ratio':>7}{'errors':>8}  load"]
    for one in seen:
        statuses = ", ".join(f"{times} × {status}" for status, times in sorted(one.answers.items()))
        load = f"{statuses}; clients took {one.client_seconds:.1f} s of CPU" if one is not quiet else ""
        lines.append(
            f"{one.load:<14}{len(one.took):>8}{one.median:>11.2f}{one.median / quiet.median:>7.1f}"
            f"{one.p99:>9.1f}{one.p99 / quiet.p99:>7.1f}{one.errors:>8}  {load}"
        )
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(".local"), help="folder of a demo that was started once")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8.0, help="of each stretch")
    parser.add_argument("--only", nargs="+", choices=CONNECTIONS, default=list(CONNECTIONS))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with running(options.data) as why_not:
        if why_not:
            sys.stderr.write(f"{why_not}\n")
            return 1
        published = json.loads((options.data / "demo.json").read_text(encoding="utf-8"))
        seen = rounds(published, times=options.rounds, seconds=options.seconds, kinds=options.only)
    sys.stdout.write(f"{table(seen)}\n")
    if options.json:
        rows = [{**asdict(one), "took": None, "median": one.median, "p99": one.p99} for one in seen]
        options.json.write_text(json.dumps(rows), encoding="utf-8")
    return 0 if all(one.keeps(seen[0]) for one in seen) else 1


if __name__ == "__main__":
    sys.exit(main())
