"""Whether experiments say what is so, on made visitors whose truth is known: ``make bench-experiments``.

Nothing differs, and every day is looked at: a t-test says "different" in a quarter of the runs, an always-valid
interval in at most 5 %. A planted lift is seen as often as planned, in as many days. A broken split is seen, a right
one is not called broken. Ends with 1 where a bar is not kept. ``--quick`` has a twentieth of the runs: too few to
judge by, so it ends with 0.
"""

import argparse
import sys
from pathlib import Path

from bench.bars import Figure, report
from bench.experiments.peeking import peeking
from bench.experiments.power import power
from bench.experiments.split import own_data, split


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--runs", type=int, default=1_000, help="of experiments without effect")
    options.add_argument("--quick", action="store_true", help="a twentieth of the runs")
    given = options.parse_args()
    runs = max(given.runs // 20, 20) if given.quick else given.runs
    counts = {
        "peeking": runs,
        "peeking, 30 % refunds": max(runs * 2 // 5, 20),
        "power": max(runs * 3 // 10, 20),
        "split": runs,
    }
    figures: list[Figure] = []
    figures += peeking(counts["peeking"], seed=given.seed, refunds=0.1)
    figures += peeking(counts["peeking, 30 % refunds"], seed=given.seed + 1, refunds=0.3)
    figures += power(counts["power"], seed=given.seed)
    figures += split(counts["split"], seed=given.seed)
    figures += own_data(seed=given.seed)
    return report(
        figures,
        protocol={"seed": given.seed, "runs": counts, "quick": given.quick},
        path=given.json,
        judged=not given.quick,
    )


if __name__ == "__main__":
    sys.exit(main())
