"""What the push agent does on made people whose true answers are known: ``make bench-push-agent``.

Its worth beside the rule where people differ, where they are alike and where they change; whether its intervals hold
what is true; what a log tells before it acts; what it refuses; what it costs. Ends with 1 where a bar is not kept.
``--quick`` has a sixth of the runs and no large worlds: too few to judge by, so it ends with 0.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.bars import Figure, report, say
from bench.meter import Progress
from bench.push.agent_cost import cost
from bench.push.agent_log import off_policy, refusals
from bench.push.agent_looks import looks
from bench.push.agent_worlds import worlds

PARTS = ("worlds", "looks", "log", "refusals", "cost")
RUNS, LOOKS, LOGS, POOR = 24, 100, 40, 12
PEOPLE, QUICK_PEOPLE = 250_000, 25_000


def main(argv: Sequence[str] | None = None) -> int:
    options = argparse.ArgumentParser(
        prog="python -m bench.push.agent", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--only", nargs="*", choices=PARTS, default=PARTS, help="some parts")
    options.add_argument("--quick", action="store_true", help="a sixth of the runs, and nothing judged")
    options.add_argument("--silent", action="store_true", help="no progress on standard error")
    given = options.parse_args(argv)
    tell, part, seed = Progress(silent=given.silent), 6 if given.quick else 1, given.seed
    figures: list[Figure] = []
    if "worlds" in given.only:
        figures += worlds(RUNS // part, seed=seed, quick=given.quick, tell=tell)
    if "looks" in given.only:
        figures += looks(LOOKS // part, seed=seed, tell=tell)
    if "log" in given.only:
        figures += off_policy(LOGS // part, seed=seed, tell=tell)
    if "refusals" in given.only:
        figures += refusals(POOR // part, seed=seed, tell=tell)
    if "cost" in given.only:
        figures += cost(QUICK_PEOPLE if given.quick else PEOPLE, seed=seed, tell=tell)
    say()
    protocol = {"seed": seed, "quick": given.quick, "parts": list(given.only)}
    return report(figures, protocol=protocol, path=given.json, judged=not given.quick)


if __name__ == "__main__":
    sys.exit(main())
