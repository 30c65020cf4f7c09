"""Shilling: invented people who push four items, before and with the defences. ``make bench-attacks`` runs it.

The attack: 10 to 10,000 baskets of a rare item and a popular one, of 1 to 100 invented people, come in with the key of
a page, in a file of a careless partner, or from "aged" visitors of three days over a week; then one run of the loop on
the demo's data up to its test window (items bought 20 times or more).

The bar: of what the four items gain in home, discover, trending and beside the popular item at most a fifth stays; of
real households at most .1 % of the events are set aside; and without an attack NDCG@10 of home and discover has not
lost more than .5 %, beyond its interval. Exposure is the mean of 1 / log₂(1 + place) within the first 50, over 200
households and the items.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.attacks.fakes import FIRST, Source, fakes
from bench.attacks.undefended import acts_trend, instance_of, undefended
from bench.ranking.complete_journey import TEST_CUT, WINDOW, shop
from recommendations.domains.goods import GOODS
from recommendations.engine.evaluation.accuracy import judge, ndcg
from recommendations.engine.evaluation.intervals import differences, resamples
from recommendations.engine.evaluation.split import truths
from recommendations.engine.frames import FloatArray
from recommendations.engine.preprocess.clean import clean
from recommendations.engine.preprocess.held import Held
from recommendations.engine.preprocess.influence import borne_out
from recommendations.engine.preprocess.levels import levels
from recommendations.engine.preprocess.matrix import EventWeights, TrainingSnapshot, snapshot
from recommendations.engine.preprocess.popularity import recent_popularity, trend
from recommendations.engine.preprocess.suspects import suspicions
from recommendations.engine.ranking.candidates import Candidates
from recommendations.engine.recommenders.hybrid import BlendPlan, FittedInstance, candidates
from recommendations.engine.recommenders.registry import INSTANCES
from recommendations.terms import BlendName, Task, Trust

SIZES = ((10, 1), (10, 10), (100, 1), (100, 10), (100, 100), (1_000, 1), (1_000, 10), (1_000, 100), (10_000, 1),
         (10_000, 10), (10_000, 100))  # fmt: skip
BLENDS: Mapping[Task, BlendName] = {Task.HOME: BlendName.HOME, Task.DISCOVER: BlendName.DISCOVER}
PLACES = ("home", "discover", "trending", "also_bought")
ASKED, FIRST_PLACES, OFTEN = 200, 50, 20
STAYS, ASIDE, LOSS = 0.2, 0.001, 0.005
NOISE = 0.0005  # an exposure that the first place in one list of two thousand gives


@dataclass
class Cell:
    """One attack: the exposure of its items without it, with it, and with it under the defences."""

    source: str
    events: int
    people: int
    without: dict[str, float]
    before: dict[str, float]
    after: dict[str, float]
    set_aside: float = 0.0  # share of the real households' events

    def kept(self, place: str) -> bool:
        gained = self.before[place] - self.without[place]
        return self.after[place] - self.without[place] <= max(STAYS * gained, NOISE)

    @property
    def passed(self) -> bool:
        return self.set_aside <= ASIDE and all(self.kept(place) for place in PLACES)


class Demo:
    """The demo's purchases up to the test cut, of the households and items that are looked at."""

    def __init__(self, households: int | None, seed: int) -> None:
        events = shop().events
        times = np.bincount(
            events["item"].to_numpy()[events["at"].to_numpy() < TEST_CUT], minlength=len(shop().products)
        )
        kept = np.flatnonzero(times >= OFTEN)
        rows = np.isin(events["item"].to_numpy(), kept)
        if households:
            rows &= events["user"].to_numpy() <= households
        self.events = events[rows].assign(day=np.floor(events["at"].to_numpy()[rows]).astype(np.int32))
        self.past = self.events[self.events["at"].to_numpy() < TEST_CUT]
        self.rng = np.random.default_rng(seed)
        pairs = self.past[["user", "item"]].drop_duplicates()
        people = pairs["item"].value_counts()
        rare = people[(people >= 5) & (people <= 15)].index.to_numpy(np.int64)
        self.targets = np.sort(self.rng.choice(rare, 4, replace=False))
        self.anchor = int(people.index[3])
        users = np.unique(self.past["user"].to_numpy())
        self.asked = np.sort(self.rng.choice(users, min(ASKED, len(users)), replace=False))

    def with_fakes(self, rows: pd.DataFrame | None) -> pd.DataFrame:
        if rows is None:
            return self.past
        both = pd.concat([self.past, rows], ignore_index=True)
        return both.assign(name=both["name"].astype("category")).sort_values("at", kind="stable", ignore_index=True)


@dataclass(frozen=True)
class Learned:
    """What a run has learned, and how it shows the items."""

    made: TrainingSnapshot
    records: Mapping[str, Candidates]
    scores: FloatArray  # of the trending list
    beside: FloatArray  # of the list beside the anchor, by item
    aside: float  # share of the real households' events

    def exposure(self, demo: Demo) -> dict[str, float]:
        rows = self.made.items.rows(demo.targets)
        found = {"trending": _by_score(self.scores, rows), "also_bought": _by_score(self.beside, rows)}
        asked = self.made.users.rows(demo.asked)
        for task, blend in BLENDS.items():
            lists = self.records[blend].of(asked).ranked(GOODS.weights[blend], FIRST_PLACES)
            worth = 1 / np.log2(2 + np.arange(lists.shape[1]))
            found[task] = float(np.mean([(np.isin(lists, [row]) * worth).sum(axis=1).mean() for row in rows]))
        return {place: round(found[place], 5) for place in PLACES}


def _by_score(scores: FloatArray, rows: NDArray[np.integer]) -> float:
    place = np.array([1 + int((scores > scores[row]).sum()) if row >= 0 and scores[row] > 0 else 10**6 for row in rows])
    return float(np.mean(np.where(place <= FIRST_PLACES, 1 / np.log2(1 + place), 0)))


def learn(demo: Demo, events: pd.DataFrame, *, defended: bool) -> Learned:
    """Do what a run does with the events of the past, with the defences or as it was without."""
    until, aside, level = TEST_CUT, 0.0, None
    if defended:
        events = events[(events["name"] != "purchase").to_numpy() | (events["trust"].to_numpy() >= Trust.SERVER)]
        level = levels([events])
        cleaned, _ = clean(events, until=until, people=level)
        found = suspicions([cleaned], level, until=until)
        held = Held.union(one.held for one in found)
        real = cleaned["user"].to_numpy() < FIRST
        aside = float(held.of(cleaned, level)[real].mean())
        cleaned = held.without(cleaned, level)
    else:
        cleaned, _ = clean(events, until=until)
    made = snapshot(cleaned, shop().attributes, cut=TEST_CUT, weights=EventWeights())
    if level is not None:
        teaches = borne_out(made.training.interactions, level.of(made.users.ids))
        made = replace(made, training=replace(made.training, teaches=None if teaches.all() else teaches))
    return _fitted(demo, made, defended=defended, aside=aside)


def _fitted(demo: Demo, made: TrainingSnapshot, *, defended: bool, aside: float) -> Learned:
    training = made.training
    weighted = {name for blend in BLENDS.values() for name in GOODS.weights[blend]} | {"also_bought"}
    wanted = [one if defended else instance_of(one) for one in INSTANCES if one.name in weighted]
    fitted = {one.name: one.build().fit(training, seed=0) for one in wanted}
    rising = trend(training.teaching) if defended else acts_trend(training.interactions)
    parts = [
        FittedInstance(name=one.name, recommender=fitted[one.name], trend_exponent=one.trend)
        for one in wanted if one.name != "also_bought"
    ]  # fmt: skip
    plans = {
        blend.value: BlendPlan(
            weights=GOODS.weights[blend], instances=tuple(GOODS.weights[blend]),
            excluded=made.bought if blend is BlendName.DISCOVER else None,
        )
        for blend in BLENDS.values()
    }  # fmt: skip
    everyone = training.queries(np.arange(training.n_users))
    records = candidates(parts, everyone, plans=plans, trend=rising)
    anchor, one = made.items.rows(np.array([demo.anchor])), np.ones(1, np.float32)
    context = sparse.csr_matrix((one, (np.zeros(1, np.int32), anchor)), shape=(1, training.n_items))
    nobody = replace(training.queries(np.array([0]), context=context), training_rows=np.array([-1], np.int32))
    nobody = replace(nobody, histories=nobody.histories.where(np.zeros(len(nobody.histories), np.bool_)))
    beside = np.nan_to_num(fitted["also_bought"].score(nobody)[0])
    scores = recent_popularity(training.teaching if defended else training.interactions, half_life=7.0) * rising
    return Learned(made, records, scores, beside, aside)


def learn_both(demo: Demo, events: pd.DataFrame) -> tuple[Learned, Learned]:
    """Without the defences and with them."""
    with undefended():
        before = learn(demo, events, defended=False)
    return before, learn(demo, events, defended=True)


@dataclass
class Cost:
    """NDCG@10 without an attack, before and with the defences, and the paired difference with its interval."""

    task: str
    before: float
    after: float
    difference: float
    low: float
    high: float

    @property
    def passed(self) -> bool:
        return self.difference >= -LOSS * self.before or (self.high >= 0 and self.low >= -2 * LOSS * self.before)

    @cached_property
    def share(self) -> float:
        return self.difference / self.before


def costs(demo: Demo, before: Learned, after: Learned) -> Iterator[Cost]:
    for task, blend in BLENDS.items():
        values = []
        for learned in (before, after):
            truth = truths(demo.events, learned.made, window=(TEST_CUT, TEST_CUT + WINDOW))[task]
            lists = learned.records[blend].of(truth.users).ranked(GOODS.weights[blend], 10)
            found = np.full(len(learned.made.users), np.nan, np.float32)
            found[truth.users] = ndcg(judge(lists, truth.per_user), 10)
            values.append(dict(zip(learned.made.users.ids.tolist(), found.tolist(), strict=True)))
        both = np.array([(values[0][key], values[1].get(key, np.nan)) for key in values[0]])
        both = np.nan_to_num(both[~np.isnan(both[:, 0])])
        [measure] = differences(both[:, 1:], both[:, :1], resamples(len(both), seed=0))
        yield Cost(task, float(both[:, 0].mean()), float(both[:, 1].mean()), measure.value, measure.low, measure.high)


def main() -> int:
    given = _arguments()
    demo = Demo(given.households, given.seed)
    started = time.monotonic()
    quiet = learn_both(demo, demo.with_fakes(None))
    paid = list(costs(demo, *quiet))
    for cost in paid:
        tell(
            f"NDCG@10 {cost.task:9} {cost.before:.4f} → {cost.after:.4f}  "
            f"{cost.difference:+.4f} [{cost.low:+.4f}, {cost.high:+.4f}] = {100 * cost.share:+.2f} %"
        )
    tell(f"set aside without an attack: {quiet[1].aside:.5f} of the events of real households")
    tell(f"{'source':8} {'events':>6} {'people':>6}  " + "  ".join(f"{place:>19}" for place in PLACES))
    cells = []
    for cell in _attacked(demo, quiet, given):
        cells.append(cell)
        tell(_line(cell))
    if given.json:
        told = {"ndcg": [asdict(cost) for cost in paid], "cells": [asdict(cell) for cell in cells]}
        given.json.write_text(json.dumps(told, indent=1))
    kept = all(cell.passed for cell in cells) and all(cost.passed for cost in paid)
    tell(f"{len(cells)} attacks in {time.monotonic() - started:.0f} s: {'kept' if kept else 'NOT KEPT'}")
    return 0 if kept else 1


def _attacked(demo: Demo, quiet: tuple[Learned, Learned], given: argparse.Namespace) -> Iterator[Cell]:
    exposures = [learned.exposure(demo) for learned in quiet]
    without = {place: max(exposure[place] for exposure in exposures) for place in PLACES}
    for source in given.sources:
        for events, people in given.sizes:
            rows = fakes(source, events=events, people=people, targets=demo.targets, anchor=demo.anchor, now=TEST_CUT)
            before, after = learn_both(demo, demo.with_fakes(rows))
            yield Cell(source, events, people, without, before.exposure(demo), after.exposure(demo), after.aside)


def tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _line(cell: Cell) -> str:
    columns = [
        f"{cell.before[place]:8.4f} → {cell.after[place]:.4f}{' ' if cell.kept(place) else '!'}" for place in PLACES
    ]
    return f"{cell.source:8} {cell.events:6} {cell.people:6}  " + "  ".join(columns) + f"  aside {cell.set_aside:.5f}"


def _arguments() -> argparse.Namespace:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", type=Path)
    options.add_argument("--seed", type=int, default=7)
    options.add_argument("--households", type=int, help="only the first so many")
    options.add_argument("--sources", type=_sources, default=list(Source), help="page,partner,aged")
    options.add_argument("--sizes", type=_sizes, default=SIZES, help="events x people, such as 100x10,1000x100")
    return options.parse_args()


def _sources(text: str) -> Sequence[Source]:
    return [Source(part) for part in text.split(",")]


def _sizes(text: str) -> Sequence[tuple[int, int]]:
    return [(int(events), int(people)) for events, people in (part.split("x") for part in text.split(","))]


if __name__ == "__main__":
    sys.exit(main())
