"""What a reading of a large experiment costs: ``make bench-readings``, in an empty PostgreSQL.

200,000 people with 2,000,000 answers, and beside them the events of four weeks before and after the first of them. The
people are settled from the slates, then the experiment is read three times, each time anew; the same sums come out
of pandas (``recomputed.py``). Ends with 1 where a bar is not kept. ``--quick`` has a fiftieth of all, and judges
the sums only.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recsite.settings")
django.setup()

import psycopg  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.utils import timezone  # noqa: E402

from bench.bars import Figure, report, say  # noqa: E402
from bench.meter import Progress, metered  # noqa: E402
from bench.readings import crowd  # noqa: E402
from recommendations.models import Customer, Experiment, Reading, Unit  # noqa: E402
from recommendations.services.experiments.readings import judge, read_experiment  # noqa: E402
from recommendations.store.experiments.totals import totals  # noqa: E402
from recommendations.store.experiments.units import settle_units  # noqa: E402
from recommendations.store.temp_tables import rows  # noqa: E402

PEOPLE, SLATES = 200_000, 2_000_000
READINGS = 3
SECONDS, MEGABYTES = 20.0, 300.0


def main(argv: Sequence[str] | None = None) -> int:
    options = argparse.ArgumentParser(
        prog="python -m bench.readings", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    options.add_argument("--quick", action="store_true", help="a fiftieth of the people and answers")
    options.add_argument("--silent", action="store_true", help="no progress on standard error")
    given = options.parse_args(argv)
    people, slates = (PEOPLE // 50, SLATES // 50) if given.quick else (PEOPLE, SLATES)
    tell, now = Progress(silent=given.silent), timezone.now()
    call_command("migrate", verbosity=0, interactive=False)
    if Customer.objects.exists():
        say("The database is not empty: it may be somebody's.")
        return 2
    experiment = crowd.fill(people, slates, now=now, tell=tell)
    with metered() as settling:
        settle_units(now)
    tell("settled")
    figures = [
        Figure("people settled", Unit.objects.filter(experiment=experiment).count(), least=people, most=people),
        Figure("seconds to settle them all at once", settling.seconds),
    ]
    for number in range(1, READINGS + 1):
        before = cpu_seconds()
        with metered() as reading:
            read_experiment(experiment, now=now)
        tell(f"reading {number}")
        figures += [
            Figure(f"seconds of reading {number}", reading.seconds, most=None if given.quick else SECONDS),
            Figure(f"CPU seconds of reading {number}, PostgreSQL's too", cpu_seconds() - before),
            Figure(f"peak MB of the process, reading {number}", reading.peak_mb, most=MEGABYTES),
        ]
    with metered() as judging:
        judge(experiment, now=now)
    figures += [
        Figure("rows of one reading", Reading.objects.count()), Figure("seconds of the verdict", judging.seconds),
        Figure("peak MB of a server process of PostgreSQL", server_megabytes()),
        Figure("largest difference to the sums of pandas", difference(experiment, now=now), most=1e-9),
    ]  # fmt: skip
    protocol = {"people": people, "slates": slates, "quick": given.quick}
    return report(figures, protocol=protocol, path=given.json)


def difference(experiment: Experiment, *, now: datetime) -> float:
    """Largest difference of the product's sums to those of pandas, as a share of them."""
    from bench.readings.recomputed import (  # noqa: PLC0415 - pandas is not the product's
        Sums,
        largest_difference,
        record_of,
        sums_of,
    )

    seen = totals(experiment, now=now).sums
    own: Sums = {
        (arm, str(metric)): {name: getattr(sums.moments, name) for name in ("n", "y", "yy", "x", "xx", "xy")}
        for (arm, segment, metric), sums in seen.items()
        if segment is None
    }
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        return largest_difference(own, sums_of(record_of(connection, experiment.pk, now=now)))


def cpu_seconds() -> float:
    """CPU of this process and of that which serves it, so far: what a reading costs whoever else is at work."""
    ((pid,),) = rows("SELECT pg_backend_pid()")
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return time.process_time() + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def server_megabytes() -> float:
    """Highest resident size of the process of PostgreSQL that serves this one, shared buffers included."""
    ((pid,),) = rows("SELECT pg_backend_pid()")
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    return float("nan")


if __name__ == "__main__":
    sys.exit(main())
