"""From the commit of an erasure to the last answer that still knows the person: ``make bench-privacy-forgetting``.

An invented grocery on servers of its own, and two web processes. Connections to both ask for one customer's answer
again and again while the customer is made unknown. Counted is how long after the commit the last personal answer began
and ended, over all connections; and how many idle connections still got one.
"""

import argparse
import json
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import django
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import transaction  # noqa: E402
from django.utils import timezone  # noqa: E402

from bench.web.connection import Connection, request  # noqa: E402
from bench.web.servers import web  # noqa: E402
from recommendations.loop.run import run_loop  # noqa: E402
from recommendations.privacy_terms import EraseMode  # noqa: E402
from recommendations.services.access.keys import create_key  # noqa: E402
from recommendations.services.operations.runs import start_run  # noqa: E402
from recommendations.store.erasure.burial import bury  # noqa: E402
from recommendations.store.erasure.subjects import subject_of  # noqa: E402
from recommendations.store.live import writes  # noqa: E402
from recommendations.terms import Scope  # noqa: E402
from tests.grocery import open_shop  # noqa: E402

WSGI = "recsite.wsgi:application"
CONNECTIONS = 3  # to each process
BAR = 250.0  # milliseconds
NO_LIMIT = 100_000_000  # requests a minute
PERSONAL = b'"personalised":true'


@dataclass(frozen=True)
class Answer:
    began: float
    ended: float
    personal: bool


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args(argv)
    key = open_door()
    with web(WSGI, up="/healthz") as one, web(WSGI, up="/healthz") as other:
        ports = one.port, other.port
        each = [last_personal(f"u{number}", ports, key) for number in range(given.people)]
    table = {
        name: {"p50": float(np.median(values)), "max": float(np.max(values))}
        for name, values in (
            ("last personal answer began", [one[0] for one in each]),
            ("last personal answer ended", [one[1] for one in each]),
            ("personal answers of connections that were idle", [one[2] for one in each]),
        )
    }
    for name, figures in table.items():
        sys.stdout.write(f"{name:50} p50 {figures['p50']:7.1f}   max {figures['max']:7.1f}   bar {BAR:.0f} ms\n")
    if given.json:
        given.json.write_text(json.dumps(table))
    return int(table["last personal answer began"]["max"] > BAR or bool(sum(one[2] for one in each)))


def open_door() -> str:
    """Fill the database; the key of the shop."""
    call_command("migrate", verbosity=0, interactive=False)
    open_shop(now=timezone.now())
    run_loop(start_run(by=None, now=timezone.now(), in_worker=False).pk, clock=timezone.now)
    writes.rebuild()
    key, secret = create_key(name="bench", scopes=[Scope.RECOMMENDATIONS_READ], by=None, requests_per_minute=NO_LIMIT)
    return f"{key.prefix}.{secret}"


def last_personal(user: str, ports: Sequence[int], key: str) -> tuple[float, float, int]:
    """Milliseconds after the commit until the last personal answer began and ended, 0 where none did; and how many of
    the idle connections got one.
    """
    asked = request("GET", f"/api/v1/placements/home/recommend/?user_id={user}&n=5", key=key)
    idle = [Connection(port) for port in ports]
    for connection in idle:
        if PERSONAL not in connection.send(asked)[1]:
            raise ValueError(f"{user} is a stranger from the start")
    answers, ended = list[Answer](), threading.Event()
    threads = [
        threading.Thread(target=_ask, args=(port, asked, answers, ended)) for port in ports for _ in range(CONNECTIONS)
    ]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    at = _erase(user)
    late = sum(PERSONAL in connection.send(asked)[1] for connection in idle)
    time.sleep(0.5)
    ended.set()
    for thread in threads:
        thread.join()
    personal = [answer for answer in answers if answer.personal]
    began, last = (max(getattr(answer, name) for answer in personal) for name in ("began", "ended"))
    return max(0.0, 1e3 * (began - at)), max(0.0, 1e3 * (last - at)), late


def _ask(port: int, asked: bytes, answers: list[Answer], ended: threading.Event) -> None:
    connection = Connection(port)
    while not ended.is_set():
        began = time.monotonic()
        _status, body = connection.send(asked)
        answers.append(Answer(began, time.monotonic(), PERSONAL in body))


def _erase(user: str) -> float:
    """Make somebody unknown; the moment of the commit."""
    moments: list[float] = []
    with transaction.atomic():
        transaction.on_commit(lambda: moments.append(time.monotonic()))
        bury(subject_of(user, []), mode=EraseMode.FORGET, now=timezone.now())
    return moments[0]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
