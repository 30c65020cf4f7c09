"""Invention: what 60,000 visitors that nobody has ever seen cost a run of the loop. ``make bench-attacks`` runs it.

The attack: ever new ids look at things and put them into carts, with the key of the shop's pages; their events stand in
the record as if every quota had let them through. Runs without and with them take turns, on the demo's data.

The bar: a run with them takes at most 10 % longer, by the medians, and its artefacts are the same, SHA-256 by SHA-256,
but for the picture of the segments, which follows that of the run before. The bench leaves the record as it was.
"""

import argparse
import json
import os
import statistics
import sys
from pathlib import Path
from typing import Any

import django
from django.utils import timezone

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

VISITORS = 60_000
LONGER = 1.1


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=2)
    options.add_argument("--visitors", type=int, default=VISITORS)
    options.add_argument("--json", type=Path)
    given = options.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recsite.settings")
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    django.setup()
    from bench.attacks import invented as record  # noqa: PLC0415 - models need the settings

    now = timezone.now()
    seconds: dict[bool, list[float]] = {False: [], True: []}
    sums: list[dict[str, str]] = []
    record.forget()
    record.timed_run(now)  # the first one has another before it
    for _ in range(given.rounds):
        for invented in (False, True):
            if invented:
                record.invent(given.visitors, now=now)
            try:
                took, learned = record.timed_run(now)
            finally:
                record.forget()
            seconds[invented].append(took)
            sums.append(learned)
            _tell(f"{'with' if invented else 'without'} invented visitors: {took:.1f} s")
    ratio = statistics.median(seconds[True]) / statistics.median(seconds[False])
    differing = sorted({name for learned in sums for name, value in learned.items() if value != sums[0].get(name)})
    _tell(f"{given.visitors:,} visitors: {ratio:.3f} × the time; {len(differing)} of {len(sums[0])} artefacts differ")
    told: dict[str, Any] = {"seconds": {str(key): value for key, value in seconds.items()}, "differing": differing}
    if given.json:
        given.json.write_text(json.dumps(told), encoding="utf-8")
    return 0 if ratio <= LONGER and not differing else 1


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
