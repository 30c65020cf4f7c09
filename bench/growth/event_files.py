"""What files of events cost: to write, to bring up, to read in parts, to take somebody out of.

    python -m recsite.embedded --ephemeral -- python -m bench.growth.event_files --rows 2000000

The rows are invented by PostgreSQL, over five months, of one customer for every 50.
"""

import argparse
import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import django
from django.core.management import call_command
from django.db import connection

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recsite.settings")
django.setup()

from bench.meter import metered  # noqa: E402 - Django first
from recommendations.loop.event_parts import PART_ROWS  # noqa: E402
from recommendations.models import Customer, Event, EventFile  # noqa: E402
from recommendations.store.events.partitions import prepare_partitions  # noqa: E402
from recommendations.store.snapshots.erasing import erase_rows  # noqa: E402
from recommendations.store.snapshots.frames import event_shards  # noqa: E402
from recommendations.store.snapshots.update import update  # noqa: E402
from recommendations.store.snapshots.whose_rows import Sought  # noqa: E402

NOW = datetime(2026, 9, 15, tzinfo=UTC)
FIRST = NOW - timedelta(days=140)
EVENTS = """
INSERT INTO recommendations_event
  (occurred_at, event_id, line, name, customer_id, quantity, amount, transaction_id, received_at, source, trust)
SELECT at, gen_random_uuid(), 0, CASE WHEN number %% 3 = 0 THEN 'purchase' ELSE 'view_item' END, keys.low + owner, 1,
       number %% 97, CASE WHEN number %% 3 = 0 THEN 't' || number / 12 END, at, 'import', 3
FROM generate_series(1, %s) AS number,
  (SELECT min(id) AS low, count(*) AS n FROM recommendations_customer) AS keys,
  LATERAL (SELECT %s + (%s * random() * interval '1 day') AS at, floor(power(random(), 2) * keys.n)::bigint AS owner
           WHERE number > 0) AS drawn
"""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--json", type=Path, help="file for the figures")
    arguments = parser.parse_args(argv)
    call_command("migrate", verbosity=0)
    prepare_partitions(FIRST, NOW)
    keys = range(arguments.rows // 50)
    Customer.objects.bulk_create(
        (Customer(pseudonym=hashlib.sha256(str(key).encode()).digest()) for key in keys), batch_size=10_000
    )
    invented(EVENTS, arguments.rows, FIRST, 140)
    results = measured()
    for name, figures in results.items():
        sys.stdout.write(f"{name:<24}" + "".join(f"  {unit} {value:,.2f}" for unit, value in figures.items()) + "\n")
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0


def measured() -> dict[str, dict[str, float]]:
    results = {"write all files": cost(lambda: update(until=NOW)), "look for changes": cost(lambda: update(until=NOW))}
    invented(EVENTS, 10_000, NOW - timedelta(days=1), 1)
    invented(EVENTS, 200, FIRST, 100)
    results["bring up after a day"] = cost(lambda: update(until=NOW))
    for rows in (1 << 62, PART_ROWS, 250_000):
        results[f"read, {parts_of(rows)} parts"] = cost(partial(parts_of, rows))
    people = [Sought(keys=frozenset({key})) for key in Customer.objects.order_by("?").values_list("pk", flat=True)[:3]]
    results["erase one of three"] = {"seconds": cost(lambda: [erase_rows([one]) for one in people])["seconds"] / 3}
    stored = EventFile.objects.values_list("size", "rows")
    rows = Event.objects.count()
    results["a line"] = {"bytes": sum(size for size, _ in stored) / sum(n for _, n in stored), "of": rows}
    return results


def parts_of(rows: int) -> int:
    """Read all events in parts of so many rows; how many parts there are."""
    with event_shards(until=NOW, rows=rows) as shards:
        return sum(1 for _ in shards)


def cost(work: Callable[[], object]) -> dict[str, float]:
    """Seconds on the clock and of Python's processor, and the peak of Python's memory."""
    cpu = time.process_time()
    with metered() as spent:
        work()
    return {"seconds": spent.seconds, "cpu": time.process_time() - cpu, "gb": spent.peak_mb / 1e3}


def invented(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


if __name__ == "__main__":
    raise SystemExit(main())
