"""Months dropped while events come in: ``make bench-retention``. It begins with an empty shop on servers of its own.

So many months of events and of lists, with what came of them, are older than they are kept; a part of the customers is
known by nothing else. Events are sent at a steady rate, one a request, on four connections. Quiet stretches and drops
take turns: in each of the latter a rule has become a month shorter, and a night of retention, in a process of its own,
drops that month and lets those go of whom nothing is left, while somebody reads the whole record in a long transaction
as a run of the loop does. Only what was sent while the night worked counts as the drop. Bars: the 99th percentile of
events during the drops at most twice that of the quiet time, and no event lost: each that was accepted is stored once.
"""

import argparse
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from multiprocessing import get_context
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
from bench.ingestion.lines import CUSTOMERS, open_shop  # noqa: E402
from bench.ingestion.steady_load import SteadyLoad  # noqa: E402
from bench.web.servers import web  # noqa: E402
from recommendations.models import Customer, Event, RetentionDrop, RetentionRule, SlateOutcome  # noqa: E402
from recommendations.privacy_terms import RetentionKind  # noqa: E402
from recommendations.services.access.keys import create_key  # noqa: E402
from recommendations.services.operations import housekeeping  # noqa: E402
from recommendations.services.privacy import retention  # noqa: E402
from recommendations.store.events.partitions import month_after, month_of, prepare_partitions  # noqa: E402
from recommendations.store.holders.customer import delete_husks  # noqa: E402
from recommendations.store.retention_rules import LET_BE  # noqa: E402
from recommendations.store.temp_tables import run  # noqa: E402
from recommendations.terms import Scope  # noqa: E402

MOST = 10_000_000  # requests and lines a minute: the limit is not what is measured
TIMES = 2.0
READS = 3.0  # seconds for which somebody reads the whole record
_EVENTS = """
INSERT INTO recommendations_event (occurred_at, event_id, line, name, customer_id, item_id, source)
SELECT %(first)s + random() * interval '27 days', gen_random_uuid(), 0, 'view_item',
  (SELECT min(id) FROM recommendations_customer) + %(from)s + (random() * %(people)s)::int,
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
    parser.add_argument("--seconds", type=int, default=12, help="of each quiet stretch")
    parser.add_argument("--json", type=Path, help="write protocol and figures here")
    options = parser.parse_args(argv)
    figures = list(_figures(options))
    protocol = {name: getattr(options, name) for name in ("months", "rows", "rate", "seconds")}
    return report(figures, protocol=protocol, path=options.json)


def _figures(options: argparse.Namespace) -> Iterator[Figure]:
    key, months = _fill(options)
    quiet, meanwhile = list[float](), list[float]()
    with (
        web("recsite.wsgi:application", up="/healthz") as server,
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as nights,
    ):
        load = SteadyLoad(server.port, key, rate=options.rate)
        nights.submit(_night).result()  # nothing goes yet; its process is ready
        with load.going():
            time.sleep(options.seconds)  # what the process holds is filled
        for month in months:
            with load.going() as waits:
                time.sleep(options.seconds)
            quiet += [wait.ms for wait in waits]
            _keep_back_to(month_after(month))
            with load.going() as waits, _reader():
                nights.submit(_night).result()
            meanwhile += [wait.ms for wait in waits]
    drops = RetentionDrop.objects.filter(rows__gt=0)
    yield Figure("months with rows that went", drops.count(), least=2 * len(months))
    yield Figure("MB that went", sum(drop.size for drop in drops) / 1e6)
    yield Figure("customers who left", sum(drop.customers or 0 for drop in drops), least=1)
    yield from _waits(quiet, meanwhile)
    yield Figure("answers that were no 202 or 200", load.refused, most=0)
    stored = Event.objects.exclude(source="import").count()
    yield Figure("accepted events that are not stored", abs(load.accepted - stored), most=0)
    yield Figure("of old months still there", _left(), most=0)


def _waits(quiet: Sequence[float], meanwhile: Sequence[float]) -> Iterator[Figure]:
    """What the two kinds of stretches had to wait, and how many times longer it was."""
    for words, took in (("in the quiet time", quiet), ("during the drops", meanwhile)):
        yield Figure(f"events {words}", len(took), least=500)
        yield Figure(f"ms, median {words}", float(np.median(took)))
        yield Figure(f"ms, 99 % {words}", float(np.percentile(took, 99)))
        yield Figure(f"ms, the longest {words}", max(took))
    times = float(np.percentile(meanwhile, 99) / np.percentile(quiet, 99))
    yield Figure("times the 99th percentile", times, most=TIMES)


def _night() -> None:
    """What a night does: of those who left the night before the rows go, and what was kept long enough."""
    began = time.perf_counter()
    delete_husks(timezone.now())
    for drop in retention.expire(now=timezone.now()):
        say(f"{drop}: {drop.rows:,} rows")
    say(f"a night of {time.perf_counter() - began:.1f} s")


def _keep_back_to(first: datetime) -> None:
    """Have events and lists kept to this moment, by rules that are older than the hour for which nothing goes."""
    now = timezone.now()
    for kind in (RetentionKind.EVENTS, RetentionKind.SLATES):
        RetentionRule.objects.create(kind=kind, days=(now - first).days - 1, note="bench", at=now - 2 * LET_BE)


def _left() -> int:
    kept = timezone.now() - timedelta(days=800)
    return Event.objects.filter(occurred_at__lt=kept).count() + SlateOutcome.objects.count()


def _fill(options: argparse.Namespace) -> tuple[str, list[datetime]]:
    """Fill an empty shop with old months; the key of its server, and the first moments of the months, oldest first."""
    call_command("migrate", verbosity=0, interactive=False)
    now = timezone.now()
    housekeeping.prepare_partitions(now=now)
    open_shop()
    Customer.objects.update(created_at=now - timedelta(days=2_000))
    months = sorted(month_of(now - timedelta(days=830 + 31 * number)) for number in range(options.months))
    people = CUSTOMERS // len(months)
    for number, first in enumerate(months):
        prepare_partitions(first, first)
        run(_EVENTS, first=first, rows=options.rows, people=people - 1, **{"from": number * people})
        run(_LISTS, first=first, rows=options.rows // 10)
        say(f"{first:%Y-%m} is filled")
    _keep_back_to(months[0])
    run("VACUUM ANALYZE")
    run("CHECKPOINT")
    key, secret = create_key(
        name="Bench", scopes=[Scope.EVENTS_WRITE], by=None, requests_per_minute=MOST, lines_per_minute=MOST
    )
    return f"{key.prefix}.{secret}", months


@contextmanager
def _reader() -> Iterator[None]:
    """Somebody who reads the whole record in one transaction, which holds on to every month for a while."""
    ready = threading.Event()

    def read() -> None:
        own = connection.copy()  # in the thread that uses it
        try:
            with own.cursor() as cursor:
                cursor.execute("BEGIN")
                cursor.execute("SELECT count(*) FROM recommendations_event")
                ready.set()
                cursor.execute("SELECT pg_sleep(%s)", [READS])
                cursor.execute("COMMIT")
        finally:
            ready.set()  # whatever happened, nobody waits for ever
            own.close()

    with ThreadPoolExecutor(1) as thread:
        reading = thread.submit(read)
        ready.wait()
        yield
        reading.result()


if __name__ == "__main__":
    sys.exit(main())
