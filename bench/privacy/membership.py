"""Does a model tell who taught it, and is that over when they are taken out? ``make bench-privacy-membership``.

Half of the demo's households teach. Of 400 who did and 400 who did not every other basket is asked as a stranger would
send it: how high stand the items of their other baskets that are not in the question? The AUC is the chance that
somebody who taught is answered better than somebody who did not: 1 gives everyone away, .5 nobody. Then those 400 are
taken out (``without``), and both are asked again. The bar is .50 ± .03 in the mean of the draws; one alone has ± .04.
Beside it: by how much the scores differ from those of a model that never knew them, and how long taking people out of
EASE takes.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from bench.bars import Figure, report, say
from bench.meter import Progress, metered
from bench.ranking.complete_journey import TEST_CUT, WINDOW, shop
from recommendations.engine.frames import IntArray, Queries, TrainingSet, rest
from recommendations.engine.preprocess.clean import clean
from recommendations.engine.preprocess.matrix import EventWeights, snapshot
from recommendations.engine.recommenders.protocol import Recommender
from recommendations.engine.recommenders.registry import INSTANCES, Instance
from recommendations.engine.rng import generator

MODELS = ("ease_home", "user_knn", "recent_neighbours_home")
ASKED, AT_ONCE = 400, 50
CHANCE, AROUND = 0.5, 0.03
DIFFERENCE = 1e-5  # of the largest score
SECONDS = 1.0
TIMED = (1, 10, 100)  # people who are taken out at once
TIMES = 5


class Draw(NamedTuple):
    """One draw of one model: the AUC of who taught, before and after, and its distance to one that never knew them."""

    before: float
    after: float
    difference: float


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=12)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write protocol and figures there")
    options = parser.parse_args(argv)
    tell = Progress()
    training = purchases()
    tell(f"{training.n_users:,} households, {training.n_items:,} items")
    instances = {one.name: one for one in INSTANCES if one.name in MODELS}
    figures = []
    for name in MODELS:
        drawn = []
        for number in range(options.draws):
            drawn.append(draw_of(instances[name], training, generator(options.seed, "membership", str(number))))
            tell("{} {}: AUC {:.3f} → {:.3f}, difference {:.1e}".format(name, number + 1, *drawn[-1]))
        figures += list(judged(name, drawn))
    figures += list(durations(instances[MODELS[0]], training, generator(options.seed, "durations")))
    say()
    protocol = {"draws": options.draws, "seed": options.seed, "asked": ASKED, "households": training.n_users}
    return report(figures, protocol=protocol, path=options.json, judged=options.draws >= 5)


def purchases() -> TrainingSet:
    """All that the demo's households bought."""
    cleaned, _ = clean(shop().events, until=TEST_CUT + WINDOW)
    return snapshot(cleaned, shop().attributes, cut=TEST_CUT + WINDOW, weights=EventWeights()).training


def draw_of(instance: Instance, training: TrainingSet, draw: np.random.Generator) -> Draw:
    order = draw.permutation(training.n_users).astype(np.int32)
    half = training.n_users // 2
    taught, strangers = np.sort(order[:half]), order[half:]
    inside, outside = probes(training, order[:ASKED]), probes(training, strangers[:ASKED])
    gone = np.searchsorted(taught, order[:ASKED]).astype(np.int32)
    lessons = training.without(strangers)
    knows = instance.build().fit(lessons, seed=0)
    forgets, never = knows.without(gone), instance.build().fit(lessons.without(gone), seed=0)
    before, after = (auc(heights(model, inside), heights(model, outside)) for model in (knows, forgets))
    return Draw(before, after, gap(forgets, never, inside))


class Probe(NamedTuple):
    """Every other basket of some people, as strangers would send it, and the items of the others that are not in it."""

    asked: Queries
    hidden: Sequence[IntArray]


def probes(training: TrainingSet, people: IntArray) -> list[Probe]:
    """The probes, some people at once; who has nothing to hide is left out."""
    made = []
    for start in range(0, len(people), AT_ONCE):
        histories = training.interactions.of_users(people[start : start + AT_ONCE])
        seen = histories.basket_rank % 2 == 0
        items = [
            np.setdiff1d(
                histories.item[(histories.user == user) & ~seen], histories.item[(histories.user == user) & seen]
            )
            for user in range(histories.n_users)
        ]
        rows = np.flatnonzero([len(each) > 0 for each in items])
        asked = Queries(histories=histories.where(seen).of_users(rows), training_rows=np.full(len(rows), -1, np.int32))
        made.append(Probe(asked, [items[row] for row in rows]))
    return made


def heights(model: Recommender, asked: Sequence[Probe]) -> NDArray[np.float64]:
    """Mean place of each person's hidden items among all that are not in the question: 1 the best, 0 the worst."""
    told = []
    for probe in asked:
        scores = np.nan_to_num(model.score(probe.asked), nan=-np.inf)
        for row, hidden in enumerate(probe.hidden):
            others = rest(scores.shape[1], probe.asked.histories.of_users(np.array([row])).item)
            ordered, own = np.sort(scores[row, others]), scores[row, hidden]
            place = np.searchsorted(ordered, own) + np.searchsorted(ordered, own, side="right")
            told.append(place.mean() / 2 / len(ordered))
    return np.array(told)


def auc(positive: NDArray[np.float64], negative: NDArray[np.float64]) -> float:
    """The chance that one of the first is larger than one of the second; of equals one half counts."""
    n = len(positive)
    ranks = rankdata(np.concatenate([positive, negative]))
    return float((ranks[:n].sum() - n * (n + 1) / 2) / (n * len(negative)))


def gap(one: Recommender, other: Recommender, asked: Sequence[Probe]) -> float:
    """The largest difference of two scores, of the largest score; infinite where one is silent and the other is not."""
    largest, furthest = 0.0, 0.0
    for probe in asked:
        here, there = one.score(probe.asked), other.score(probe.asked)
        if (np.isnan(here) != np.isnan(there)).any():
            return np.inf
        largest = max(largest, float(np.nanmax(np.abs(there))))
        furthest = max(furthest, float(np.nanmax(np.abs(here - there))))
    return furthest / largest


def judged(name: str, drawn: Sequence[Draw]) -> Iterator[Figure]:
    before, after, difference = (np.array(column) for column in zip(*drawn, strict=True))
    yield Figure(f"{name}: AUC of who taught", round(float(before.mean()), 4))
    yield Figure(
        f"{name}: AUC once they are out", round(float(after.mean()), 4), least=CHANCE - AROUND, most=CHANCE + AROUND
    )
    yield Figure(f"{name}: its lowest draw", round(float(after.min()), 4))
    yield Figure(f"{name}: its highest draw", round(float(after.max()), 4))
    yield Figure(f"{name}: largest difference to a new fit", float(difference.max()), most=DIFFERENCE)


def durations(instance: Instance, training: TrainingSet, draw: np.random.Generator) -> Iterator[Figure]:
    """Median seconds of taking people out of a model of all, and of learning it anew."""
    with metered() as fit:
        model = instance.build().fit(training, seed=0)
    for people in TIMED:
        spent = []
        for _ in range(TIMES):
            gone = draw.choice(training.n_users, people, replace=False).astype(np.int32)
            with metered() as cost:
                model.without(gone)
            spent.append(cost.seconds)
        words = f"{instance.name}: seconds to take out {people}"
        yield Figure(words, round(float(np.median(spent)), 3), most=SECONDS)
    yield Figure(f"{instance.name}: seconds of a new fit", round(fit.seconds, 3))


if __name__ == "__main__":
    sys.exit(main())
