"""Rounds of the bench of ingestion: every way once a round, one after the other."""

import os
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from http import HTTPStatus
from itertools import batched
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
from django.core.management import call_command
from django.utils import timezone

from bench.ingestion.lines import Shop, as_text, bodies, events, lines, open_shop, row, write_file, write_months
from bench.meter import Progress
from bench.web.connection import Connection, request
from bench.web.servers import Server, web
from recommendations.ingest import import_files
from recommendations.models import Event, Item
from recommendations.services.access.keys import create_key
from recommendations.services.operations import housekeeping
from recommendations.store.events.insert import EventLine
from recommendations.store.events.partitions import month_of
from recommendations.store.temp_tables import silent
from recommendations.terms import Scope

EVENTS = "/api/v1/events/"
NAMES = ", ".join(EventLine.__struct_fields__)
TYPES = {
    "occurred_at": "timestamptz", "event_id": "uuid", "line": "smallint", "name": "text", "customer_id": "bigint",
    "item_id": "bigint", "quantity": "numeric", "price": "numeric", "amount": "numeric", "rating": "double precision",
    "rating_scale": "double precision", "search_term": "text", "transaction_id": "text", "session_id": "text",
    "recommendation_id": "text", "position": "smallint", "target_type": "text", "target_id": "text", "source": "text",
    "attributes": "jsonb", "trust": "smallint", "progress": "double precision",
}  # fmt: skip
UNNEST = (
    f"INSERT INTO recommendations_event ({NAMES}) SELECT * FROM "  # noqa: S608 - names and types of our own
    f"unnest({', '.join(f'%s::{TYPES[name]}[]' for name in EventLine.__struct_fields__)}) ON CONFLICT DO NOTHING"
)
INSERT = f"INSERT INTO recommendations_event ({NAMES}) VALUES ({', '.join(['%s'] * len(EventLine.__struct_fields__))})"  # noqa: S608
HEAP = f"CREATE TABLE floor ({', '.join(f'{name} {kind}' for name, kind in TYPES.items())})"
FILE = (
    "CREATE TABLE floor (event_id uuid, occurred_at timestamptz, name text, user_id text, item_id text, "
    "session_id text, quantity integer, price numeric(12, 2), transaction_id text)"
)

FIRST_MONTH, MONTHS = timedelta(days=600), 6  # ago, of a first file
MOST = 10_000_000  # requests and lines a minute: the limit is not what is measured
WHOLE = b'"duplicates":0,"rejected":0'
BLOCK = 262_144
CPU = "web µs a line"

type Rates = dict[str, float]


class NotEmptyError(Exception):
    """The database holds a shop already."""


def run(*, rounds: int, connections: int, sizes: Mapping[str, Any], folder: Path, tell: Progress) -> list[Rates]:
    """Run the rounds: rates of each; a first one, which fills what the processes hold, does not count."""
    call_command("migrate", verbosity=0, interactive=False)
    if Item.objects.exists() or Event.objects.exists():
        raise NotEmptyError
    housekeeping.prepare_partitions(now=timezone.now())
    shop = open_shop()
    key, secret = create_key(
        name="Bench", scopes=[Scope.EVENTS_WRITE], by=None, requests_per_minute=MOST, lines_per_minute=MOST
    )
    with (
        web("recsite.wsgi:application", up="/healthz") as server,
        psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as bare,
    ):
        bench = Bench(
            shop, bare, server, key=f"{key.prefix}.{secret}", connections=connections, file=folder / "events.csv"
        )
        rates = []
        for number in range(rounds + 1):
            rates.append(bench.round(sizes))
            tell(f"round {number} of {rounds}: " + ", ".join(f"{name} {rate:,.0f}" for name, rate in rates[-1].items()))
    return rates[1:]


class Bench:
    """Lines per second of each way in; every measurement has events of its own, made before its clock starts."""

    def __init__(
        self, shop: Shop, bare: psycopg.Connection, server: Server, *, key: str, connections: int, file: Path
    ) -> None:
        self._shop, self._bare, self._server, self._file = shop, bare, server, file
        self._key, self._connections = key, connections
        self._rng = np.random.default_rng(0)

    def round(self, sizes: Mapping[str, Any]) -> Rates:
        """Measure every way once; the table of events is empty at its beginning."""
        self._bare.execute("TRUNCATE recommendations_event")
        rates: Rates = {}
        for size, count in sizes["lines"].items():
            label = "singly" if size == 1 else f"by {size:,}"
            rates[f"API, {label}"], rates[f"{CPU}, {label}"] = self._api(count, size)
            rates[f"floor: unnest, {label}"] = self._unnest(count, size)
            if size == 1:
                rates[f"floor: insert, {label}"] = self._inserts(count)
        rates["floor: COPY"] = self._copied(HEAP, as_text(self._lines(max(sizes["lines"].values()))))
        return rates | self._import(sizes["file"]) | self._import_months(sizes["months"])

    def _api(self, count: int, size: int) -> tuple[float, float]:
        """Measure the API: lines per second, and processor time of the web process for a line, in microseconds."""
        batches = bodies(self._events(count), size=size)
        requests = [request("POST", EVENTS, key=self._key, body=body) for body in batches]
        clients = [Connection(self._server.port) for _ in range(self._connections)]
        with ThreadPoolExecutor(self._connections) as threads:
            spent, begin = self._server.cpu_seconds, time.perf_counter()
            posts = [
                threads.submit(_post, client, requests[start :: self._connections])
                for start, client in enumerate(clients)
            ]
            for post in posts:
                post.result()
            took = time.perf_counter() - begin
            return count / took, (self._server.cpu_seconds - spent) / count * 1e6

    def _unnest(self, count: int, size: int) -> float:
        """Measure what the API's statement does at least: the same lines, one statement and commit a batch."""
        batches = [
            [list(values) for values in zip(*map(row, batch), strict=True)]
            for batch in batched(self._lines(count), size)
        ]
        return self._timed(count, UNNEST, batches)

    def _inserts(self, count: int) -> float:
        return self._timed(count, INSERT, [row(line) for line in self._lines(count)])

    def _timed(self, count: int, statement: str, values: Sequence[Sequence[Any]]) -> float:
        with self._bare.cursor() as cursor:
            begin = time.perf_counter()
            for each in values:
                cursor.execute(statement.encode(), each, prepare=True)
            return count / (time.perf_counter() - begin)

    def _import(self, count: int) -> Rates:
        write_file(self._file, self._events(count))
        text = self._file.read_bytes().partition(b"\n")[2]
        begin = time.perf_counter()
        imported = import_files.import_events(self._file, now=timezone.now(), report=silent)
        took = time.perf_counter() - begin
        if imported.kept != count:
            raise SystemExit(f"The import kept {imported.kept} of {count} rows.")
        return {"import of a file": count / took, "floor: COPY of the file": self._copied(FILE, text)}

    def _import_months(self, count: int) -> Rates:
        """Measure a first file of some months, of which the record has no line, and a second one of the same months."""
        now = timezone.now()
        months = [month_of(now - FIRST_MONTH + number * timedelta(days=31)) for number in range(MONTHS + 1)]
        rates: Rates = {}
        for number, way in enumerate(("import into free months", "import into full months")):
            write_months(self._file, count, months, rng=self._rng)
            text = self._file.read_bytes().partition(b"\n")[2]
            rates[f"floor: COPY of months {number + 1}"] = self._copied(FILE, text)
            began = time.perf_counter()
            imported = import_files.import_events(self._file, now=now, report=silent)
            rates[way] = count / (time.perf_counter() - began)
            if imported.kept != count:
                raise SystemExit(f"The import kept {imported.kept} of {count} rows.")
        return rates

    def _copied(self, table: str, text: bytes) -> float:
        """Rows per second of COPY into a table without any index, made for it, with its commit."""
        count = text.count(b"\n")
        with self._bare.transaction(), self._bare.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS floor")
            cursor.execute(table.encode())
        begin = time.perf_counter()
        with self._bare.cursor() as cursor, cursor.copy("COPY floor FROM STDIN (FORMAT csv)") as target:
            for start in range(0, len(text), BLOCK):
                target.write(text[start : start + BLOCK])
        took = time.perf_counter() - begin
        self._bare.execute("DROP TABLE floor")
        return count / took

    def _events(self, count: int) -> list[dict[str, Any]]:
        return events(count, rng=self._rng)

    def _lines(self, count: int) -> list[EventLine]:
        return list(lines(self._events(count), self._shop))


def _post(client: Connection, requests: Sequence[bytes]) -> None:
    with closing(client):
        for one in requests:
            status, body = client.send(one)
            if status != HTTPStatus.ACCEPTED or WHOLE not in body:
                raise SystemExit(f"A request was not accepted whole: {status} {body[:500]!r}")
