"""Whether daily shares pay, on made days whose truth is known: ``make bench-bandits``.

Worth lost beside an even split's, in shops where one arm is better, where the best one changes and where all are
alike; harmful arms at their floor and paused, harmless ones not; segments that borrow from one another. Ends with 1
where a bar is not kept. ``--quick`` has a tenth of the runs: too few to judge by, so it ends with 0.
"""

import argparse
import sys
from pathlib import Path

from bench.bandits.guardrails import guardrails
from bench.bandits.regret import regret
from bench.bandits.segments import segments
from bench.bars import Figure, report


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--runs", type=int, default=100)
    options.add_argument("--quick", action="store_true", help="a tenth of the runs")
    given = options.parse_args()
    runs = max(given.runs // 10, 10) if given.quick else given.runs
    others = max(runs * 3 // 5, 10)
    figures: list[Figure] = []
    figures += regret(runs, seed=given.seed)
    figures += guardrails(others, seed=given.seed)
    figures += segments(others, seed=given.seed)
    protocol = {"seed": given.seed, "runs": {"regret": runs, "others": others}, "quick": given.quick}
    return report(figures, protocol=protocol, path=given.json, judged=not given.quick)


if __name__ == "__main__":
    sys.exit(main())
