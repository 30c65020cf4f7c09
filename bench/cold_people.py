"""Lists for people of whom little is known: ``make bench-cold-people``, on the demo's data.

A quarter of the customers is taken out of training. Of their histories before the cut the newest acts are left, and
what they bought in the 28 days after it is the truth. The blend *home* as it ships stands beside what everybody buys,
and beside itself without leaning on it; differences are paired, with 95 % intervals by resampling people.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.meter import Progress
from bench.ranking.complete_journey import TEST_CUT, WINDOW, Part, shop
from recommendations.domains.goods import GOODS
from recommendations.engine.evaluation.accuracy import judge, ndcg
from recommendations.engine.evaluation.acts_known import cut_down, left_out, without
from recommendations.engine.evaluation.intervals import differences, measures, resamples
from recommendations.engine.frames import IntArray, Interactions, Queries
from recommendations.engine.recommenders.hybrid import BlendPlan, FittedInstance, candidates
from recommendations.engine.recommenders.registry import POPULAR, instances_of, leaning_of
from recommendations.engine.rng import generator
from recommendations.terms import BlendName, Task

KNOWN: Mapping[str, tuple[int, int]] = {"1": (1, 1), "2–5": (2, 5), "6–9": (6, 9), "10–19": (10, 19)}
"""How many acts are known of a history: from … to, drawn."""
K = 10
CUTS = {"validation": TEST_CUT - WINDOW, "test": TEST_CUT}
BLEND = BlendName.HOME
SHIPPED, PLAIN, POPULAR_LIST = "home as it ships", "home without leaning", "popular"


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--window", choices=list(CUTS), default="validation")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(argv)
    figures = run(CUTS[options.window], seed=options.seed, tell=Progress())
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


def run(cut: float, *, seed: int, tell: Progress) -> dict[str, Any]:
    """Figures by how much is known; each is printed as it comes."""
    part, draw = shop().part(cut), generator(seed, "cold people")
    training = part.snapshot.training
    out, acts = left_out(training, draw), training.interactions
    taught = without(training, out)
    fitted = [
        FittedInstance(name=one.name, recommender=one.build().fit(taught, seed=seed)) for one in instances_of(BLEND)
    ]
    people = np.intersect1d(np.flatnonzero(out), part.truths[Task.HOME].users)
    tell(f"{len(fitted)} recommenders fitted without {out.sum():,} customers, of whom {len(people):,} bought")
    drawn, figures = resamples(len(people), seed=seed), {}
    for name, (least, most) in KNOWN.items():
        histories = cut_down(acts.of_users(people), draw, least=least, most=most)
        figures[name] = _measured(part, people, histories, fitted, drawn=drawn)
        sys.stdout.write(f"{name} acts known\n" + "".join(f"  {line}\n" for line in _lines(figures[name])))
    return figures


def _measured(
    part: Part, people: NDArray[np.int64], histories: Interactions, fitted: Sequence[FittedInstance], *, drawn: Any
) -> dict[str, Any]:
    truth = part.truths[Task.HOME].spent[people]
    tables = {name: ndcg(judge(ranked, truth), K)[:, None] for name, ranked in _ranked(histories, fitted).items()}
    result = {}
    for name, table in tables.items():
        ahead = differences(table, tables[POPULAR_LIST], drawn)[0]
        result[name] = {"ndcg@10": list(measures(table, drawn)[0]), "ahead of popular": list(ahead)}
    return result


def _ranked(histories: Interactions, fitted: Sequence[FittedInstance]) -> dict[str, IntArray]:
    queries = Queries(histories=histories, training_rows=np.full(histories.n_users, -1, np.int32))
    names = tuple(one.name for one in fitted)
    plain = BlendPlan(weights=GOODS.weights[BLEND], instances=names)
    records = candidates(fitted, queries, plans={PLAIN: plain, SHIPPED: replace(plain, leaning=leaning_of(BLEND))})
    popular = records[PLAIN].own[:, names.index(POPULAR[BLEND]), :K]
    lists = {name: record.ranked(GOODS.weights[BLEND], K) for name, record in records.items()}
    return {POPULAR_LIST: popular, **lists}


def _lines(figures: Mapping[str, Any]) -> list[str]:
    return [
        "{:<24}{:.4f} [{:.4f}, {:.4f}]   ahead of popular by {:+.4f} [{:+.4f}, {:+.4f}]".format(
            name, *row["ndcg@10"], *row["ahead of popular"]
        )
        for name, row in figures.items()
    ]


if __name__ == "__main__":
    sys.exit(main())
