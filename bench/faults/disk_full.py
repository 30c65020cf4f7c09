"""Full disk of the database, in an import and under events: a clear error, and nothing half stored.

The database lies in a tablespace on a small file system in memory, which only root can mount. First a file of events
that is too large comes in by ``manage.py import_events``, then the rest of the disk is filled while events arrive.
"""

import argparse
import csv
import os
import random
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path

import psycopg

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.faults.client import Client, batch
from bench.faults.report import Report, options, progress
from bench.faults.shop import READY_SECONDS, ROOT, Shop, responds, running, until, with_servers

WORDS = "No space left on device"
BLOCK = 8_192
ROOM = 1_000_000  # bytes that are left for events
RETURNS = 600.0


def main(argv: Sequence[str] | None = None) -> int:
    arguments = _options().parse_args(argv)
    report, tell = Report("The disk is full"), progress(arguments)
    with with_servers() as (shop, _), small_disk(shop, arguments.size) as disk:
        if disk is None:
            report.skipped = "Skipped: only root can mount the small file system that is filled up here."
            return report.end(arguments.json, vars(arguments))
        moved(shop, disk)
        with running(shop.web()):
            until(lambda: responds(f"{shop.url}readyz"), "web process", seconds=READY_SECONDS)
            imported(shop, report, arguments)
            tell("import")
            flooded(shop, disk, report, arguments)
            tell("events")
        with server(shop) as connection:  # a server that misses a tablespace would not stop in order
            connection.execute("DROP DATABASE recsite WITH (FORCE)")
            connection.execute("DROP TABLESPACE small")
    return report.end(arguments.json, vars(arguments))


def _options() -> argparse.ArgumentParser:
    parser = options(__doc__)
    parser.add_argument("--size", type=int, default=96, help="of the disk, in MB")
    parser.add_argument("--rows", type=int, default=400_000, help="of the file that does not fit")
    return parser


@contextmanager
def small_disk(shop: Shop, size: int) -> Iterator[Path | None]:
    """Mount a file system of so many MB, gone with the block; None where we may not mount one."""
    disk = shop.folder / "small"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}m", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        yield None
        return
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def moved(shop: Shop, disk: Path) -> None:
    """Move the whole database onto the small disk; its log of changes stays on the large one."""
    place = disk / "tablespace"
    place.mkdir(mode=0o700)
    owner = (shop.folder / "pgdata").stat()
    os.chown(place, owner.st_uid, owner.st_gid)
    with server(shop) as connection:
        connection.execute(f"CREATE TABLESPACE small LOCATION '{place}'")
        connection.execute("ALTER DATABASE recsite SET TABLESPACE small")


def server(shop: Shop) -> psycopg.Connection[tuple[object, ...]]:
    """Connect to the server's own database."""
    return psycopg.connect(shop.env["DATABASE_URL"], dbname="postgres", autocommit=True)


def count(shop: Shop, table: str) -> int:
    with shop.database() as connection:
        row = connection.execute(f"SELECT count(*) FROM recommendations_{table}").fetchone()  # noqa: S608 - our own
    return int(row[0]) if row else 0


def imported(shop: Shop, report: Report, arguments: argparse.Namespace) -> None:
    file, now = shop.folder / "events.csv", datetime.now(UTC)
    with file.open("w", newline="", encoding="utf-8") as opened:
        rows = csv.writer(opened)
        rows.writerow(["event_id", "name", "timestamp", "user_id", "item_id"])
        for number in range(arguments.rows):
            at = (now - timedelta(seconds=number)).isoformat()
            item = shop.facts["items"][number % len(shop.facts["items"])]
            rows.writerow([uuid.UUID(int=number + 1), "view_item", at, f"u{number % 60}", item])
    before = {table: count(shop, table) for table in ("event", "customer", "rejectedrow")}
    argv = [sys.executable, "manage.py", "import_events", str(file)]
    done = subprocess.run(argv, cwd=ROOT, env=shop.env, capture_output=True, text=True, check=False)
    words = done.stderr.strip().splitlines()[-1:] or [""]
    after = {table: count(shop, table) for table in before}
    report.figures["import"] = {"said": done.stderr[-2000:], "before": before, "after": after}
    kept = done.returncode == 1 and WORDS in done.stderr and "Traceback" not in done.stderr
    report.promise("an import that does not fit ends with a clear error", words[0], kept=kept)
    seen = f"{before['event']:,} events before, {after['event']:,} after, of a file of {arguments.rows:,}"
    report.promise("nothing of it is imported", seen, kept=before == after)


def flooded(shop: Shop, disk: Path, report: Report, arguments: argparse.Namespace) -> None:
    rng, client = random.Random(arguments.seed), Client(shop.port, shop.headers)  # noqa: S311 - no secret
    ballast = disk / "ballast"
    filled(ballast)
    os.truncate(ballast, ballast.stat().st_size - ROOM)
    taken: dict[str, int] = {}
    statuses: Counter[int] = Counter()
    refused, lines_refused = b"", dict[str, int]()
    answers: Counter[int] = Counter()
    while statuses[HTTPStatus.SERVICE_UNAVAILABLE] < 20 and statuses.total() < 20_000:
        body, lines = batch(rng, shop.facts["items"], customers=60)
        reply = client.send("POST", "/api/v1/events/", body)
        statuses[reply.status] += 1
        if reply.status == HTTPStatus.ACCEPTED:
            taken |= lines
        else:
            refused, lines_refused = body, lines
            answers[client.send("GET", "/api/v1/placements/home/recommend/?user_id=u1").status] += 1
    ballast.unlink()
    begin = time.monotonic()

    def is_taken() -> bool:
        return client.send("POST", "/api/v1/events/", refused).status == HTTPStatus.ACCEPTED

    until(is_taken, "the request that was refused", seconds=RETURNS)
    seconds = time.monotonic() - begin
    taken |= lines_refused
    with shop.database() as connection:
        rows = connection.execute("SELECT event_id::text, count(*) FROM recommendations_event GROUP BY 1").fetchall()
    stored = dict(rows)
    lost = [one for one, lines in taken.items() if stored.get(one) != lines]
    report.figures["events"] = {"statuses": dict(statuses), "acknowledged": len(taken), "lost": len(lost)}
    seen = ", ".join(f"{status} × {number:,}" for status, number in sorted(statuses.items()))
    kept = set(statuses) <= {HTTPStatus.ACCEPTED, HTTPStatus.SERVICE_UNAVAILABLE} and len(statuses) == 2
    report.promise("events on a full disk are refused with 503", seen, kept=kept)
    report.promise("no acknowledged event is lost or half stored", f"{len(lost)} of {len(taken):,}", kept=not lost)
    seen = ", ".join(f"{status} × {number}" for status, number in answers.items())
    report.promise("recommendations go on meanwhile", seen, kept=set(answers) == {HTTPStatus.OK})
    report.promise("with room again the same request is taken", f"after {seconds:.2f} s", kept=True)


def filled(ballast: Path) -> None:
    """Fill the disk until nothing fits any more."""
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * BLOCK)
        except OSError:
            return


if __name__ == "__main__":
    sys.exit(main())
