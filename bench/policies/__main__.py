"""Whether off-policy estimates say what is so, on made customers whose truth is known: ``make bench-off-policy``.

Chances of exploration are held against draws, the steepness of attention and the intervals of estimates against the
truth, where slots are independent and where people stop after a click. What exploring costs and buys is a table.
Hopeless cases have to be refused. Ends with 1 where a bar is not kept. ``--quick`` has a fifth of the runs and fewer
answers: too few to judge by, so it ends with 0.
"""

import argparse
import sys
from pathlib import Path

from bench.bars import Figure, report
from bench.policies.coverage import coverage
from bench.policies.draws import attention, draws
from bench.policies.hopeless import hopeless
from bench.policies.price import price


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--runs", type=int, default=40, help="of each draft, world and size of the log")
    options.add_argument("--quick", action="store_true", help="a fifth of the runs, and only small logs")
    given = options.parse_args()
    runs = max(given.runs // 5, 4) if given.quick else given.runs
    sizes = (5_000,) if given.quick else (5_000, 20_000)
    answers = 100_000 if given.quick else 1_000_000
    figures: list[Figure] = []
    figures += draws(answers, seed=given.seed)
    figures += attention(runs, sizes=(20_000,) if given.quick else (20_000, 100_000), seed=given.seed)
    figures += coverage(runs, sizes=sizes, seed=given.seed)
    figures += price(10_000 if given.quick else 30_000, seed=given.seed)
    figures += hopeless(runs, seed=given.seed)
    return report(
        figures,
        protocol={"seed": given.seed, "runs": runs, "sizes": sizes, "draws": answers, "quick": given.quick},
        path=given.json,
        judged=not given.quick,
    )


if __name__ == "__main__":
    sys.exit(main())
