"""Items that nobody has taken yet, ranked among themselves, on the demo's wheel: ``make bench-cold-items``.

``--movielens`` and ``--citeulike DIR`` rank a random tenth of the films or articles of a published set instead, for the
seeds that the design has figures of; DIR has the files of citeulike-a, which are not ours to pass on.

Two windows of 28 days: on the earlier one settings may be chosen, the later one is reported. NDCG@10 of those who
bought an item that was first sold in the window, with 95 % intervals by resampling people.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.cold_items import contenders, public_sets, sets
from bench.cold_items.sets import ColdSet
from bench.meter import metered
from bench.ranking.complete_journey import TEST_CUT, WINDOW
from recommendations.engine.evaluation.accuracy import judge, ndcg
from recommendations.engine.evaluation.intervals import differences, measures, resamples

K = contenders.K


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    published_set = parser.add_mutually_exclusive_group()
    published_set.add_argument("--movielens", action="store_true", help="a random tenth of the films of MovieLens 100k")
    published_set.add_argument("--citeulike", type=Path, metavar="DIR", help="a random tenth of citeulike-a's articles")
    options = parser.parse_args(argv)
    figures = {}
    for data in _sets(options):
        figures[data.name] = measured(data, seed=options.seed)
    if len(figures) > 1 and options.movielens:
        mean = sum(each[contenders.RIDGE]["ndcg@10"][0] for each in figures.values()) / len(figures)
        sys.stdout.write(f"mean of content_ridge: {mean:.4f}\n")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return 0


def _sets(options: argparse.Namespace) -> Iterator[ColdSet]:
    """The sets that are asked for, each made when it is its turn."""
    if options.movielens:
        yield from map(public_sets.movielens, public_sets.SEEDS["ml-100k"])
    elif options.citeulike:
        yield from (public_sets.citeulike(options.citeulike, seed) for seed in public_sets.SEEDS["citeulike-a"])
    else:
        yield sets.complete_journey(TEST_CUT - WINDOW, name="validation window")
        yield sets.complete_journey(TEST_CUT, name="test window")


def measured(data: ColdSet, *, seed: int) -> dict[str, Any]:
    """Figures of everyone who ranks the set, printed as they come: NDCG@10, and how far content_ridge is ahead."""
    sys.stdout.write(
        f"{data.name}: {data.cold.sum():,} cold items of {len(data.cold):,}, {len(data.truth.users):,} people\n"
    )
    drawn = resamples(len(data.truth.users), seed=seed)
    tables, seconds = {}, {}
    with metered() as cost:
        for name, ranked in contenders.lists(data, seed=seed):
            tables[name] = ndcg(judge(ranked, data.truth.per_user), K)[:, None]
    ours = tables[contenders.RIDGE]
    for name, table in tables.items():
        value, low, high = measures(table, drawn)[0]
        ahead = differences(ours, table, drawn)[0]
        sys.stdout.write(
            f"  {name:<32}{value:.4f} [{low:.4f}, {high:.4f}]   ahead by {ahead.value:+.4f} "
            f"[{ahead.low:+.4f}, {ahead.high:+.4f}]\n"
        )
        seconds[name] = {"ndcg@10": [value, low, high], "content_ridge ahead by": list(ahead)}
    sys.stdout.write(f"  {cost.seconds:.0f} s, {cost.peak_mb:,.0f} MB\n")
    return seconds


if __name__ == "__main__":
    sys.exit(main())
