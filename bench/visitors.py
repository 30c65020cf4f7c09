"""Recommendations from the first items of a basket of somebody new: ``python bench/visitors.py`` on the demo's data.

A fifth of the customers is taken out of training. Of their baskets in the window the first one, two or five items are
known, in a seeded order as a till knows none, and the rest is the truth. The blend of visits stands beside its own
recommenders, and beside the home blend with the known items folded in as a history of views.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.files.parts import Part, pairs_of, part
from bench.meter import Progress
from bench.ranking.complete_journey import TEST_CUT, WINDOW, shop
from bench.ranking.judging import Entry, Judge, Line
from bench.ranking.readings import in_view
from bench.ranking.report import TaskResult, as_json, table, write_json
from recommendations.domains.goods import GOODS
from recommendations.engine.frames import Interactions, Queries, TrainingSet
from recommendations.engine.preprocess.matrix import DEFAULT_POINTS
from recommendations.engine.preprocess.weighting import SESSION_FADING
from recommendations.engine.recommenders.hybrid import BlendPlan, FittedInstance, Limits, candidates
from recommendations.engine.recommenders.protocol import Recommender
from recommendations.engine.recommenders.registry import instances_of
from recommendations.engine.rng import generator
from recommendations.event_types import EventName
from recommendations.terms import BlendName, Task

LEFT_OUT = 0.2  # of the customers, of training
MOST = 1000  # baskets
LEAST = 8  # items of a basket that is asked about
KNOWN = (1, 2, 5)
KS = (10, 20)
CUTS = {"tuning": TEST_CUT - WINDOW, "test": TEST_CUT}
TASK = Task.DISCOVER  # the known items are no answer
VIEW = DEFAULT_POINTS[EventName.VIEW_ITEM] / DEFAULT_POINTS[EventName.PURCHASE]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--window", choices=list(CUTS), default="tuning", help="the weights were looked for on tuning")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args(argv)
    results = run(CUTS[arguments.window], seed=arguments.seed, tell=Progress())
    for result in results:
        sys.stdout.write(table(result) + "\n\n")
    if arguments.json:
        protocol = {
            "use": "visitors",
            "window": arguments.window,
            "customers_left_out": LEFT_OUT,
            "seed": arguments.seed,
        }
        write_json(arguments.json, as_json(protocol, results))
    return 0


def run(cut: float, *, seed: int, tell: Progress) -> list[TaskResult]:
    """Run the bench for one, two and five known items."""
    snapshot, draw = shop().part(cut).snapshot, generator(seed, "visitors")
    new = np.zeros(len(snapshot.users), np.bool_)
    new[draw.permutation(len(new))[: int(LEFT_OUT * len(new))]] = True
    window = shop().events
    window = window[(window["at"] >= cut) & (window["at"] < cut + WINDOW)]
    user = snapshot.users.rows(window["user"].to_numpy())
    item = snapshot.items.rows(window["item"].to_numpy())
    mask = (user >= 0) & (item >= 0) & new[user]
    baskets = baskets_of(window["basket"].to_numpy()[mask], item[mask], draw=draw)
    acts = snapshot.training.interactions
    training = replace(snapshot.training, interactions=acts.where(~new[acts.user]))
    fitted: dict[str, Recommender] = {}
    for one in dict.fromkeys([*instances_of(BlendName.SESSION), *instances_of(BlendName.HOME)]):
        fitted[one.name] = one.build().fit(training, seed=seed)
        tell(f"{one.name} is fitted")
    results = []
    for n in KNOWN:
        question = question_of(training, baskets, known=n)
        judge = Judge(truth=question.truths[TASK], ks=KS, n_items=training.n_items, seed=seed)
        results.append(TaskResult(task=f"{n} known", judge=judge, lines=lines(question, fitted, judge)))
        tell(f"{n} known of {len(baskets):,} baskets")
    return results


def baskets_of(
    basket: NDArray[np.int64], item: NDArray[np.integer], *, draw: np.random.Generator
) -> list[NDArray[np.int64]]:
    """Draw some baskets of the window: their different items, in a drawn order."""
    _, code = np.unique(basket, return_inverse=True)
    order = np.argsort(code, kind="stable")
    content = [np.unique(items) for items in np.split(item[order], np.flatnonzero(np.diff(code[order])) + 1)]
    large = [items for items in content if len(items) >= LEAST]
    chosen = draw.permutation(len(large))[:MOST]
    return [draw.permutation(large[place]).astype(np.int64) for place in chosen]


def question_of(training: TrainingSet, baskets: Sequence[NDArray[np.int64]], *, known: int) -> Part:
    """Part whose known items are views a minute apart; what is in view is weighted as the API weighs it."""
    number = len(baskets)
    user = np.repeat(np.arange(number, dtype=np.int32), known)
    ones = np.ones(number * known, np.float32)
    histories = Interactions(
        user=user, item=np.concatenate([items[:known] for items in baskets]).astype(np.int32), basket=user.copy(),
        age=np.tile(np.arange(known) / 1440, number).astype(np.float32), quantity=ones,
        strength=ones * np.float32(VIEW), amount=ones * 0, bought=ones < 0, n_users=number, n_items=training.n_items,
    )  # fmt: skip
    queries = Queries(
        histories=histories,
        training_rows=np.full(number, -1, np.int32),
        context=in_view(histories, fading=SESSION_FADING),
    )
    rest = [items[known:] for items in baskets]
    row = np.repeat(np.arange(number), [len(items) for items in rest])
    pairs = pairs_of(row, np.concatenate(rest), shape=(number, training.n_items))
    return part(training, queries, pairs, tasks=(TASK,), repeats=False)


def lines(asked: Part, fitted: Mapping[str, Recommender], judge: Judge) -> list[Line]:
    """Lines of the session blend, its recommenders alone, and the home blend folded in."""
    length = max(KS)
    blends = (("session", "hybrid", BlendName.SESSION), ("home, folded in", "baseline", BlendName.HOME))
    answers = []
    for name, kind, blend in blends:
        names = tuple(one.name for one in instances_of(blend))
        plan = BlendPlan(weights=GOODS.weights[blend], instances=names, excluded=asked.excluded[TASK])
        records = candidates(
            [FittedInstance(name=one, recommender=fitted[one]) for one in names],
            asked.queries,
            plans={blend: plan},
            limits=Limits(own=length, block_rows=128),
        )[blend]
        answers.append(Entry(name=name, kind=kind, ranked=records.ranked(GOODS.weights[blend], length)))
        if blend is BlendName.SESSION:
            alone = [Entry(name=one, kind="recommender", ranked=records.own[:, m]) for m, one in enumerate(names)]
    return [judge.line(entry) for entry in [*answers, *alone]]


if __name__ == "__main__":
    sys.exit(main())
