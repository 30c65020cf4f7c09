"""People erased while the shop is busy, on the demo's data: ``make bench-privacy-erasures``. They stay erased there.

Fifty households are erased by one call of the API. Meanwhile a shop sends what others do, and again what the fifty did
before, as a replay and a retry would. Measured are the time until they are answered as somebody who was never seen and
is in the same arms of experiments, byte for byte but for the number and the moment of the answer, and the time until
all holders are done. Then the loop
runs without them, and a reader that knows no holder looks for their numbers, orders, sessions, events and answers in
the tables, in Valkey and in every file. Receipts are verified by a process without settings. NDCG stands beside what it
was before.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import django
import numpy as np
import requests

from bench.attacks.door import PATIENCE, Door, event
from bench.bars import Figure, report, say
from bench.demo import running

SEED = 20_261_201
PEOPLE = 50
RATE = 200  # events a second, together
UNKNOWN_MS, SECONDS_EACH, SECONDS_ALL = 250, 2.0, 300.0
STRANGERS = 100  # of whom one is in the same arms of running experiments
CHECKED = 100  # of many people, whose answers and receipts are looked at one by one
DONE_WITHIN, RUNS_WITHIN = 1_800.0, 3_600.0  # seconds
HUSKS_GO = 125.0  # seconds; rows without a pseudonym stay for one minute, and a task comes by every minute
BLENDS = ("home", "discover")
OWN = ("recommendation_id", "served_at", "latency_us", "latency_ms")
"""Fields of an answer that are its own, whoever asks."""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.privacy.erasures", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(".local"))
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--no-run", action="store_true", help="leave out the run of the loop and the second scan")
    parser.add_argument("--json", type=Path, help="write protocol and figures here")
    options = parser.parse_args(argv)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recsite.settings")
    django.setup()
    with running(options.data) as why_not:
        if why_not:
            sys.stderr.write(f"{why_not}\n")
            return 1
        figures = []
        for figure in _figures(options):
            say(f"  {figure.line(0)}")  # at once: what comes next takes minutes
            figures.append(figure)
    protocol = {"people": options.people, "seed": options.seed, "data": str(options.data)}
    return report(figures, protocol=protocol, path=options.json)


def _figures(options: argparse.Namespace) -> Iterator[Figure]:
    from bench.privacy import people as of_bench  # noqa: PLC0415 - Django is set up by now

    of_bench.await_replay(within=RUNS_WITHIN)
    people = of_bench.People.drawn(options.people, seed=options.seed)
    door, key = Door.of(options.data), of_bench.privacy_key()
    before = {} if options.no_run else of_bench.accuracy()
    say(f"{len(people.ids)} people with {len(people.traces.texts):,} orders, events, sessions and answers of their own")
    yield Figure("texts that are theirs, before", len(people.traces.texts), least=len(people.ids))
    with _busy(door, people) as sent:
        took = _erase(door, key, people)
    yield Figure("events sent meanwhile", sent["events"], least=1)
    yield Figure("events of before that were taken again", sent["again"], most=0)
    yield Figure("seconds that the call took", took.call)
    yield Figure("ms from its answer until the first was unknown", took.unknown_ms, most=UNKNOWN_MS)
    yield Figure("of them known once it was answered", took.known, most=0)
    most = min(SECONDS_EACH, SECONDS_ALL / len(people.ids))
    yield Figure("seconds a person", took.seconds / len(people.ids), most=most)
    yield Figure("answers that differ from a stranger's", _differing(door, people.ids), most=0)
    if not options.no_run:
        _learn_anew()
        _wait(door, key, took.states, wanted={"done"})
        yield from _accuracy(before, of_bench.accuracy())
    time.sleep(HUSKS_GO)
    yield from of_bench.scan(people.traces, options.data)
    yield Figure("receipts that verify offline", _verified(door, key, took.states), least=min(CHECKED, len(people.ids)))


class Erasing(NamedTuple):
    """How long the call took, from its answer until the first was unknown, and from the call until all were done."""

    call: float
    unknown_ms: float
    known: int  # of them, right after the answer
    seconds: float
    states: list[str]  # addresses


def _erase(door: Door, key: str, people: Any) -> Erasing:
    first = next(one for one in people.ids if not _is_unknown(door, one))
    body = {"erasures": [{"user_id": one, "reference": f"bench-{people.seed}-{one}"} for one in people.ids]}
    started = time.monotonic()
    unknown: list[float] = []

    def look() -> None:
        while not unknown and time.monotonic() < started + PATIENCE:
            if _is_unknown(door, first):
                unknown.append(time.monotonic())

    watcher = threading.Thread(target=look)
    watcher.start()
    answer = _call(door, key, "post", "/api/v1/users/erase/batch/", body)
    answer.raise_for_status()
    accepted = time.monotonic()
    known = _differing(door, people.ids)
    states = [each["status_url"] for each in answer.json()["requests"]]
    _wait(door, key, states, wanted={"waiting_for_run", "done"})
    done = time.monotonic()
    watcher.join()
    until = max(0.0, 1_000 * ((unknown or [float("inf")])[0] - accepted))
    return Erasing(accepted - started, until, known, done - started, states)


def _wait(door: Door, key: str, states: Sequence[str], *, wanted: set[str]) -> None:
    until = time.monotonic() + DONE_WITHIN
    for state in states:
        while (one := _call(door, key, "get", state).json())["state"] not in wanted:
            if one["state"] == "failed":
                raise SystemExit(f"failed: {json.dumps(one, indent=1)[:2_000]}")
            if time.monotonic() > until:
                raise SystemExit(f"a request did not come to {wanted} within {DONE_WITHIN / 60:.0f} minutes")
            time.sleep(0.5)


def _learn_anew() -> None:
    """Run the loop, once a run that the demo has under way is over."""
    until = time.monotonic() + RUNS_WITHIN
    while subprocess.run([sys.executable, "manage.py", "run_loop"], check=False).returncode:
        if time.monotonic() > until:
            raise SystemExit(f"no run of the loop ended well within {RUNS_WITHIN / 60:.0f} minutes")
        time.sleep(5)


def _differing(door: Door, ids: Sequence[str]) -> int:
    """Answers that differ from those to strangers."""
    return sum(not _is_unknown(door, one) for one in ids[:CHECKED])


def _is_unknown(door: Door, user_id: str) -> bool:
    """Whether the answer is that to a stranger in the same arms, of the same moment: what all see changes, too."""
    answer = _answer(door, user_id)
    strangers = (_answer(door, f"nobody-{number}") for number in range(STRANGERS))
    return answer == next(one for one in strangers if one.get("experiments") == answer.get("experiments"))


def _answer(door: Door, user_id: str) -> Mapping[str, Any]:
    """What somebody is answered at home, without what is the answer's own."""
    query = urlencode({"n": "20", "user_id": user_id, "dry_run": "true"})
    address = f"{door.url}/api/v1/placements/home/recommend/?{query}"
    answer = requests.get(address, headers={"Authorization": f"Api-Key {door.read_key}"}, timeout=PATIENCE).json()
    return {name: value for name, value in answer.items() if name not in OWN}


def _call(door: Door, key: str, method: str, path: str, body: Any = None) -> requests.Response:
    address = path if path.startswith("http") else f"{door.url}{path}"
    return requests.request(method, address, json=body, headers={"Authorization": f"Api-Key {key}"}, timeout=PATIENCE)


@contextmanager
def _busy(door: Door, people: Any) -> Iterator[dict[str, int]]:
    """A shop that sends what others do, and what these people did before, until the block ends."""
    sent, over = {"events": 0, "again": 0}, threading.Event()
    rng = np.random.default_rng(people.seed)

    def go_on() -> None:
        while not over.wait(0.25):
            lines = [_line(rng, people.others, people.items) for _ in range(RATE // 4)]
            door.server("/api/v1/events/", {"events": lines})
            again = door.server("/api/v1/events/", {"events": people.past(rng, 20)}).json()
            sent["events"] += len(lines) + 20
            sent["again"] += int(again.get("accepted", 0))

    sender = threading.Thread(target=go_on)
    sender.start()
    try:
        yield sent
    finally:
        over.set()
        sender.join()


def _line(rng: np.random.Generator, others: Sequence[str], items: Sequence[str]) -> dict[str, Any]:
    item = {"item_id": str(rng.choice(items)), "quantity": 1, "price": "2.00"}
    return event("view_item", user_id=str(rng.choice(others)), items=[item])


def _accuracy(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Figure]:
    """What the run measured, beside that of before, where both were asked of the same weeks."""
    for blend in BLENDS:
        then, now = before[blend], after[blend]
        say(f"{blend}: NDCG@10 {then.value:.4f} [{then.low:.4f}, {then.high:.4f}] before, {now.value:.4f} after")
        if then.since == now.since:
            yield Figure(f"NDCG@10 of {blend}, after", now.value, least=then.low, most=then.high)
        else:
            say(f"not compared: {then.since:%-d %B %Y} and {now.since:%-d %B %Y}, as the replay went on; run it again")
            yield Figure(f"NDCG@10 of {blend}, after", now.value)


def _verified(door: Door, key: str, states: Sequence[str]) -> int:
    """Receipts that a process without settings verifies by the public keys alone."""
    argv = [sys.executable, "manage.py", "verify_receipt"]
    environment = {"PATH": os.environ.get("PATH", ""), "DJANGO_SETTINGS_MODULE": "recsite.settings"}
    count = 0
    with tempfile.TemporaryDirectory() as folder:
        keys = Path(folder) / "keys.json"
        keys.write_bytes(requests.get(f"{door.url}/.well-known/recsite-receipts.json", timeout=PATIENCE).content)
        for number, state in enumerate(states[:CHECKED]):
            file = Path(folder) / f"{number}.json"
            file.write_bytes(_call(door, key, "get", f"{state.rstrip('/')}/receipt/").content)
            offline = [*argv, str(file), "--keys", str(keys)]
            count += subprocess.run(offline, env=environment, capture_output=True, check=False).returncode == 0
    return count


if __name__ == "__main__":
    sys.exit(main())
