"""Months dropped while events come in: ``make bench-retention``. It begins with an empty shop on servers of its own.

So many months of events and of lists, with what came of them, are older than they are kept. Events are sent at a steady
rate, one a request, on four connections: first while nothing happens, then while a night of retention drops the months,
with somebody reading the whole record in a long transaction as a run of the loop does. Bars: the 99th percentile of
events during the drop at most twice that of the quiet time, and no event lost: each that was accepted is stored once.
"""

import argparse
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path

import django
import numpy as np

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recsite.settings")
os.environ.setdefault("LOG_LEVEL", "WARNING")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from bench.bars import Figure, report, say  # noqa: E402
from bench.ingestion.lines import bodies, events, open_shop  # noqa: E402
from bench.web.connection import Connection, request  # noqa: E402
from bench.web.servers import web  # noqa: E402
from recommendations.models import Event, SlateOutcome  # noqa: E402
from recommendations.services.access.keys import create_key  # noqa: E402
from recommendations.services.operations import housekeeping  # noqa: E402
from recommendations.services.privacy import retention  # noqa: E402
from recommendations.store.events.partitions import month_of, prepare_partitions  # noqa: E402
from recommendations.store.temp_tables import run  # noqa: E402
from recommendations.terms import Scope  # noqa: E402

MOST = 10_000_000  # requests and lines a minute: the limit is not what is measured
CONNECTIONS = 4
TIMES = 2.0
TAKEN = {HTTPStatus.OK, HTTPStatus.ACCEPTED}
READS = 3.0  # seconds for which somebody reads the whole record
_EVENTS = """
INSERT INTO recommendations_event (occurred_at, event_id, line, name, customer_id, item_id, source)
SELECT %(first)s + random() * interval '27 days', gen_random_uuid(), 0, 'view_item',
  (SELECT min(id) FROM recommendations_customer) + (random() * 19999)::int,
  (SELECT min(id) FROM recommendations_item) + (random() * 4999)::int, 'import'
FROM generate_series(1, %(rows)s)
"""
_LISTS = """
WITH made AS (
  INSERT INTO recommendations_slate (served_at, recommendation_id, placement, source, personalised, fallback_reason,
    rules_version, items, scores, propensities)
  SELECT %(first)s + random() * interval '27 days', gen_random_uuid()::text, 'home', 'model', true, '', 0,
    ARRAY[1, 2, 3], ARRAY[.3, .2, .1], ARRAY[1, 1, 1]
  FROM generate_series(1, %(rows)s) RETURNING served_at, recommendation_id)
INSERT INTO recommendations_slateoutcome (recommendation_id, placement, at, replay, listed, seen, clicked, carted,
  bought, revenues, purchases)
SELECT recommendation_id, 'home', served_at, false, true, '{1}', '{}', '{}', '{}', '{}', 0 FROM made
"""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.privacy.dropping", description=__doc__)
    parser.add_argument("--months", type=int, default=6)
    parser.add_argument("--rows", type=int, default=300_000, help="events of a month; of lists a tenth")
    parser.add_argument("--rate", type=int, default=200, help="events a second")
    parser.add_argument("--seconds", type=int, default=20, help="of the quiet time, and at least of the drop")
    parser.add_argument("--json", type=Path, help="write protocol and figures here")
    options = parser.parse_args(argv)
    figures = list(_figures(options))
    protocol = {name: getattr(options, name) for name in ("months", "rows", "rate", "seconds")}
    return report(figures, protocol=protocol, path=options.json)


def _figures(options: argparse.Namespace) -> Iterator[Figure]:
    key = _fill(options)
    with web("recsite.wsgi:application", up="/healthz") as server:
        load = Load(server.port, key, rate=options.rate)
        with load.going():
            time.sleep(options.seconds)  # what the process holds is filled
        with load.going() as quiet:
            time.sleep(options.seconds)
        with load.going() as meanwhile, _reader():
            began = time.perf_counter()
            drops = retention.expire(now=timezone.now())
            took = time.perf_counter() - began
            time.sleep(max(0.0, options.seconds - took))
    whole = [drop for drop in drops if drop.partition and drop.rows]
    say(f"{len(drops)} months went in {took:.1f} s, {sum(drop.size for drop in drops) / 1e6:,.0f} MB")
    quiet_p99, drop_p99 = (float(np.percentile(each, 99)) for each in (quiet, meanwhile))
    yield Figure("months with rows that went", len(whole), least=2 * options.months, most=2 * options.months)
    yield Figure("events during the drop", len(meanwhile), least=0.9 * options.rate * options.seconds)
    yield Figure("ms, median of the quiet time", float(np.median(quiet)))
    yield Figure("ms, median during the drop", float(np.median(meanwhile)))
    yield Figure("ms, 99 % of the quiet time", quiet_p99)
    yield Figure("ms, 99 % during the drop", drop_p99)
    yield Figure("ms, the longest during the drop", max(meanwhile))
    yield Figure("times the 99th percentile", drop_p99 / quiet_p99, most=TIMES)
    yield Figure("answers that were no 202 or 200", load.refused, most=0)
    stored = Event.objects.exclude(source="import").count()
    yield Figure("accepted events that are not stored", abs(load.accepted - stored), most=0)
    yield Figure("of old months still there", _left(), most=0)


def _left() -> int:
    kept = timezone.now() - timedelta(days=800)
    return Event.objects.filter(occurred_at__lt=kept).count() + SlateOutcome.objects.count()


class Load:
    """Events sent at a steady rate, one a request; what was accepted of them, and how many answers were others."""

    def __init__(self, port: int, key: str, *, rate: int) -> None:
        self._port, self._key, self._pause = port, key, CONNECTIONS / rate
        self._rng = np.random.default_rng(0)
        self._lock = threading.Lock()
        self.accepted = self.refused = 0

    @contextmanager
    def going(self) -> Iterator[list[float]]:
        """Milliseconds of each request from when it was due, complete once the block ends."""
        took, ended = list[float](), threading.Event()
        with ThreadPoolExecutor(CONNECTIONS) as threads:
            senders = [threads.submit(self._send, took, ended, number) for number in range(CONNECTIONS)]
            try:
                yield took
            finally:
                ended.set()
            for sender in senders:
                sender.result()

    def _send(self, took: list[float], ended: threading.Event, number: int) -> None:
        client, due = Connection(self._port), time.perf_counter() + number * self._pause / CONNECTIONS
        while not ended.is_set():
            with self._lock:
                [body] = bodies(events(1, rng=self._rng), size=1)
            sent = request("POST", "/api/v1/events/", key=self._key, body=body)
            time.sleep(max(0.0, due - time.perf_counter()))
            status, _answer = client.send(sent)
            with self._lock:
                took.append(1_000 * (time.perf_counter() - due))
                self.accepted += status in TAKEN
                self.refused += status not in TAKEN
            due += self._pause
        client.close()


def _fill(options: argparse.Namespace) -> str:
    """Fill an empty shop with old months; the key of its server."""
    call_command("migrate", verbosity=0, interactive=False)
    now = timezone.now()
    housekeeping.prepare_partitions(now=now)
    open_shop()
    for number in range(options.months):
        first = month_of(now - timedelta(days=800 + 31 * number))
        prepare_partitions(first, first)
        run(_EVENTS, first=first, rows=options.rows)
        run(_LISTS, first=first, rows=options.rows // 10)
        say(f"{first:%Y-%m} is filled")
    run("ANALYZE")
    key, secret = create_key(
        name="Bench", scopes=[Scope.EVENTS_WRITE], by=None, requests_per_minute=MOST, lines_per_minute=MOST
    )
    return f"{key.prefix}.{secret}"


@contextmanager
def _reader() -> Iterator[None]:
    """Somebody who reads the whole record in one transaction, which holds on to every month for a while."""
    ready = threading.Event()

    def read() -> None:
        own = connection.copy()  # in the thread that uses it
        with own.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT count(*) FROM recommendations_event")
            ready.set()
            cursor.execute("SELECT pg_sleep(%s)", [READS])
            cursor.execute("COMMIT")
        own.close()

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    ready.wait()
    yield
    thread.join()


if __name__ == "__main__":
    sys.exit(main())
