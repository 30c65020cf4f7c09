"""Large files imported while events come in: ``make bench-imports``. It begins with an empty shop on its own servers.

Events are sent at a steady rate, one a request, on four connections. Quiet stretches and imports take turns: each is of
months of which the record has no line, in another process, as fast as it can. Told apart are the imports as a whole and
their ends, from the last key that was built to the moment when its lines are the record's: then customers are added,
and tables attached to the one that the events go to. Bars: nothing refused, nothing lost, and at those ends the 99th
percentile at most twice that of the quiet time. The rest of an import takes a core, which on a machine of two the
events feel.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import django
import numpy as np

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recsite.settings")
os.environ.setdefault("LOG_LEVEL", "WARNING")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.utils import timezone  # noqa: E402

from bench.bars import Figure, report, say  # noqa: E402
from bench.ingestion.lines import open_shop, write_months  # noqa: E402
from bench.ingestion.rounds import FIRST_MONTH, MOST  # noqa: E402
from bench.ingestion.steady_load import SteadyLoad, Wait  # noqa: E402
from bench.web.servers import web  # noqa: E402
from recommendations.ingest import import_files  # noqa: E402
from recommendations.models import Event  # noqa: E402
from recommendations.services.access.keys import create_key  # noqa: E402
from recommendations.services.operations import housekeeping  # noqa: E402
from recommendations.store.events.partitions import month_of  # noqa: E402
from recommendations.terms import Scope  # noqa: E402

MONTH, MONTHS = timedelta(days=30.5), 4  # of a file
TIMES = 2.0
LEAST = 100
"""Requests of which a 99th percentile is taken."""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.ingestion.meanwhile", description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000, help="of a file")
    parser.add_argument("--files", type=int, default=3)
    parser.add_argument("--rate", type=int, default=100, help="events a second")
    parser.add_argument("--seconds", type=int, default=30, help="of each quiet stretch")
    parser.add_argument("--json", type=Path, help="write protocol and figures here")
    options = parser.parse_args(argv)
    protocol = {name: getattr(options, name) for name in ("rows", "files", "rate", "seconds")}
    return report(list(_figures(options)), protocol=protocol, path=options.json)


def _figures(options: argparse.Namespace) -> Iterator[Figure]:
    key, took = _open(), list[Took]()
    quiet, meanwhile, at_ends = list[Wait](), list[Wait](), list[Wait]()
    with (
        tempfile.TemporaryDirectory(prefix="imports-") as folder,
        web("recsite.wsgi:application", up="/healthz") as server,
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as imports,
    ):
        imports.submit(time.time).result()  # its process is ready
        load = SteadyLoad(server.port, key, rate=options.rate)
        with load.going():
            time.sleep(options.seconds / 3)  # what the process holds is filled
        for number in range(options.files):
            path = _written(Path(folder), number, rows=options.rows)
            with load.going() as waits:
                time.sleep(options.seconds)
            quiet += waits
            with load.going() as waits:
                took.append(imports.submit(_import, path).result())
            meanwhile += waits
            at_ends += [wait for wait in waits if wait.due >= took[-1].keys]
    lines = options.files * options.rows
    yield Figure("lines imported", sum(one.kept for one in took), least=lines, most=lines)
    yield Figure("lines a second", lines / sum(one.ended - one.began for one in took))
    yield Figure("seconds of the longest end", max(one.ended - one.keys for one in took))
    yield from _figures_of("in the quiet time", quiet)
    yield from _figures_of("during the imports", meanwhile, quiet=quiet)
    yield from _figures_of("at their ends", at_ends, quiet=quiet, most=TIMES)
    yield Figure("answers that were no 202 or 200", load.refused, most=0)
    stored = Event.objects.exclude(source="import").count()
    yield Figure("accepted events that are not stored", abs(load.accepted - stored), most=0)


def _figures_of(
    words: str, waits: Sequence[Wait], *, quiet: Sequence[Wait] = (), most: float | None = None
) -> Iterator[Figure]:
    """What was waited in these stretches, and how many times longer that was than in the quiet ones."""
    yield Figure(f"events {words}", len(waits), least=LEAST)
    if waits:
        yield Figure(f"ms, median {words}", float(np.median([wait.ms for wait in waits])))
        yield Figure(f"ms, 99 % {words}", _percentile(waits))
        yield Figure(f"ms, the longest {words}", max(wait.ms for wait in waits))
    if waits and quiet:
        yield Figure(f"times the 99th percentile {words}", _percentile(waits) / _percentile(quiet), most=most)


def _percentile(waits: Sequence[Wait]) -> float:
    return float(np.percentile([wait.ms for wait in waits], 99))


class Took(NamedTuple):
    """When an import began, had its last key, and ended, by ``time.perf_counter``; the lines that it kept."""

    began: float
    keys: float
    ended: float
    kept: int


def _import(path: Path) -> Took:
    keys = began = time.perf_counter()

    def hear(step: str, done: int, total: int) -> None:
        nonlocal keys
        if step == "keys" and done == total:
            keys = time.perf_counter()

    imported = import_files.import_events(path, now=timezone.now(), report=hear)
    return Took(began, keys, time.perf_counter(), imported.kept)


def _written(folder: Path, number: int, *, rows: int) -> Path:
    """A file of months that begin where those of the file before end."""
    path, first = folder / "events.csv", month_of(timezone.now() - FIRST_MONTH)
    months = [month_of(first + (number * MONTHS + step) * MONTH) for step in range(MONTHS + 1)]
    write_months(path, rows, months, rng=np.random.default_rng(number))
    say(f"file {number + 1}: {rows:,} rows, {path.stat().st_size / 1e6:,.0f} MB")
    return path


def _open() -> str:
    """Open an empty shop; the key of its server."""
    call_command("migrate", verbosity=0, interactive=False)
    housekeeping.prepare_partitions(now=timezone.now())
    open_shop()
    key, secret = create_key(
        name="Bench", scopes=[Scope.EVENTS_WRITE], by=None, requests_per_minute=MOST, lines_per_minute=MOST
    )
    return f"{key.prefix}.{secret}"


if __name__ == "__main__":
    sys.exit(main())
