"""Flips, sixty of them, between two model versions under requests, through both doors of a real web process.

What each version answers to each customer is asked while nothing else is live. Under the flips every answer must be
exactly that of the version which it names: the same items, scores and parts in the same order.
"""

import argparse
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.faults.client import Client, Reply
from bench.faults.report import Report, options, progress
from bench.faults.shop import READY_SECONDS, ROOT, Shop, responds, running, until, with_servers

DOORS = ("GET", "POST")
PLACEMENTS = ("home", "discover")
CUSTOMERS = 20

type Print = tuple[Any, ...]
type Right = dict[tuple[str, str, str, str], Print]  # door, version, placement, customer → answer


class Flipper:
    """A program that stays and makes versions live by the product's own service."""

    def __init__(self, shop: Shop) -> None:
        argv = [sys.executable, "-m", "bench.faults.inside", "flip"]
        self.process = subprocess.Popen(
            argv, cwd=ROOT, env=shop.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __call__(self, version: int) -> None:
        """Make the version live; returns when that is committed and announced."""
        if self.process.stdin is None or self.process.stdout is None:
            raise RuntimeError("the flipper has no pipes")
        self.process.stdin.write(f"{version}\n")
        self.process.stdin.flush()
        if self.process.stdout.readline().strip() != str(version):
            raise RuntimeError(f"version {version} could not be made live")

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


def main(argv: Sequence[str] | None = None) -> int:
    arguments = _options().parse_args(argv)
    report, tell = Report("Version flips under load"), progress(arguments)
    with with_servers(seeds=(1, 2)) as (shop, _), running(shop.web()):
        until(lambda: responds(f"{shop.url}readyz"), "web process", seconds=READY_SECONDS)
        flipper = Flipper(shop)
        try:
            flips(shop, flipper, report, arguments)
        finally:
            flipper.end()
        tell(f"{arguments.flips} flips")
    return report.end(arguments.json, vars(arguments))


def _options() -> argparse.ArgumentParser:
    parser = options(__doc__)
    parser.add_argument("--flips", type=int, default=20)
    parser.add_argument("--gap", type=float, default=0.55, help="seconds between flips")
    parser.add_argument("--readers", type=int, default=4)
    return parser


def ask(client: Client, door: str, placement: str, customer: str) -> Reply:
    """Ask as a dry run, so that nothing is explored: the same question has one answer."""
    path = f"/api/v1/placements/{placement}/recommend/"
    if door == "GET":
        return client.send("GET", f"{path}?user_id={customer}&dry_run=true")
    return client.send("POST", path, f'{{"user_id": "{customer}", "dry_run": true}}'.encode())


def print_of(body: Mapping[str, Any]) -> Print:
    """Part of an answer that the versions decide."""
    results = (
        (one["item_id"], one["score"], one["final"], *sorted(one["contributions"].items())) for one in body["results"]
    )
    return (body["weights_version"], body["rules_version"], body["source"], *results)


def right_answers(shop: Shop, flipper: Flipper) -> Right:
    client = Client(shop.port, shop.headers)
    right: Right = {}
    for version in shop.facts["versions"]:
        flipper(version)

        def is_served(name: str = f"m{version}") -> bool:
            return bool(ask(client, "GET", "home", "u0").body["model_version"] == name)

        until(is_served, f"version {version}", seconds=60)
        for door in DOORS:
            for placement in PLACEMENTS:
                for number in range(CUSTOMERS):
                    body = ask(client, door, placement, f"u{number}").body
                    right[door, body["model_version"], placement, f"u{number}"] = print_of(body)
    client.close()
    return right


def flips(shop: Shop, flipper: Flipper, report: Report, arguments: argparse.Namespace) -> None:
    right = right_answers(shop, flipper)
    one, other = (f"m{version}" for version in shop.facts["versions"])
    alike = sum(
        right[door, one, place, user] == answer for (door, name, place, user), answer in right.items() if name == other
    )
    doors_agree = all(right["POST", name, place, user] == answer for (_, name, place, user), answer in right.items())
    seen: Counter[str] = Counter()
    over, lock = threading.Event(), threading.Lock()

    def read(rng: random.Random) -> None:
        client = Client(shop.port, shop.headers)
        while not over.is_set():
            door, place, user = rng.choice(DOORS), rng.choice(PLACEMENTS), f"u{rng.randrange(CUSTOMERS)}"
            reply = ask(client, door, place, user)
            verdict = judged(reply, right, (door, place, user))
            with lock:
                seen[verdict] += 1
        client.close()

    rngs = [random.Random(f"{arguments.seed}-{number}") for number in range(arguments.readers)]  # noqa: S311
    threads = [threading.Thread(target=read, args=(rng,), daemon=True) for rng in rngs]
    for thread in threads:
        thread.start()
    for number in range(arguments.flips):
        flipper(shop.facts["versions"][number % 2])
        time.sleep(arguments.gap)
    over.set()
    for thread in threads:
        thread.join(30)
    answers = sum(seen.values())
    report.figures |= {"flips": arguments.flips, "answers": answers, "seen": dict(seen), "alike": alike}
    report.promise("both doors give the same bodies", f"{len(right):,} answers compared", kept=doors_agree)
    what = "the versions differ, so a mixture would show"
    report.promise(what, f"{alike} of {len(right) // 2} answers are the same under both", kept=not alike)
    report.promise("no mixed answer", f"{seen['mixed']} of {answers:,}", kept=not seen["mixed"] and answers > 0)
    report.promise("no empty answer", f"{seen['empty']} of {answers:,}", kept=not seen["empty"])
    errors = {what: number for what, number in seen.items() if what not in {"mixed", "empty", one, other}}
    report.promise("no error", errors or 0, kept=not errors)
    shares = f"{seen[one]:,} and {seen[other]:,} answers in {arguments.flips} flips"
    report.promise("both versions were served", shares, kept=bool(seen[one] and seen[other]))


def judged(reply: Reply, right: Right, question: tuple[str, str, str]) -> str:
    """Name of the version that answered, or what was wrong."""
    if reply.status != HTTPStatus.OK:
        return str(reply.status)
    if not reply.body["results"]:
        return "empty"
    door, place, user = question
    name = str(reply.body["model_version"])
    return name if print_of(reply.body) == right.get((door, name, place, user)) else "mixed"


if __name__ == "__main__":
    sys.exit(main())
