"""Adaptivity: after how many baskets do lists follow people who changed overnight? ``make bench-adaptivity`` runs it.

On the demo's data 200 households change their main department at the test cut. From then on they buy, every third day,
what somebody else who often buys there bought from a department that they hardly knew: the lines of this donor's last
baskets, so what is bought again is bought again. Everybody else goes on as they did. How far home follows is the share
of its ten items that is of the new department, beside the share in the lists of the same households had they never
bought anything but what the donor bought there. Asked are

- a run after so many baskets, as it ships, and one that knows no change points, with the half-lives of the recommenders
  of home as they ship and halved; beside it stands NDCG@10 of the households that did not change, on the test window;
- live state alone: the model is of the night before, and the answer knows what they looked at since, beside the record
  (what is bought settles what was looked at, and waits for the run);
- visitors whom no model knows: three visits to one department, five items each, and then some to another, beside those
  who looked at nothing but that.

The bars: half of the list follows after three baskets, and after one visit of a visitor; and that change points are
known takes at most half a percent of NDCG@10 of the households that did not change.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.attacks.shilling import Demo
from bench.bars import Figure, report, say
from bench.ranking.complete_journey import TEST_CUT, WINDOW, shop
from recommendations.domains.goods import GOODS
from recommendations.engine.evaluation.accuracy import judge, ndcg
from recommendations.engine.evaluation.intervals import Measure, differences, measures, resamples
from recommendations.engine.evaluation.split import truths
from recommendations.engine.evaluation.visits import SampledVisits
from recommendations.engine.feedback.visit_share import Records, joined_records
from recommendations.engine.frames import IntArray
from recommendations.engine.preprocess.clean import clean
from recommendations.engine.preprocess.matrix import EventWeights, TrainingSnapshot, snapshot
from recommendations.engine.ranking.candidates import Candidates
from recommendations.engine.ranking.visit_share import SHARE, mixed
from recommendations.engine.recommenders.hybrid import BlendPlan, FittedInstance, candidates
from recommendations.engine.recommenders.protocol import Recommender
from recommendations.engine.recommenders.registry import Instance, instances_of
from recommendations.engine.rng import generator
from recommendations.terms import BlendName, Task

CHANGED, EVERY, NOON = 200, 3.0, 0.5  # households; days between their baskets, which come at noon
BASKETS = (0, 1, 2, 3, 4, 6, 9)
VISITS = (0, 1, 2, 3)
K, HALF = 10, 0.5
BAR, VISIT_BAR, LOSS = 3, 1, 0.5
LEAST_LINES, LEAST_BASKETS, LEAST_DONORS = 2, 20, 10
"""Lines of a basket of a department, baskets of a household that lends them, households of a department."""
PER_VISIT, BEFORE, SEEN = 5, 3, 20  # items of a visit; visits before the change; items that an answer looks at
HOME = GOODS.weights[BlendName.HOME]
SESSION = GOODS.weights[BlendName.SESSION]

type Shares = NDArray[np.float64]
type PerHousehold = NDArray[np.float64]
type Step = tuple[int, Shares]
"""After how many baskets or visits, and the share of each one's ten places that is of their new department."""


@dataclass(frozen=True, kw_only=True)
class Way:
    """A way to learn: with all half-lives times the factor, and with or without change points."""

    words: str
    factor: float = 1.0
    knows_changes: bool = True


SHIPPED = Way(words="a run as it ships")
UNKNOWN = Way(words="a run that knows no change points", knows_changes=False)
HALVED = Way(words="the same, half-lives × 0.5", factor=0.5, knows_changes=False)


@dataclass(frozen=True, kw_only=True)
class Followed:
    """How far lists are of the new department after so many baskets, or visits."""

    way: str
    after: int
    share: Measure  # of the ten places that are of it
    start: float  # the same before anything changed
    always: float  # the same of those who never were elsewhere
    ndcg: Measure | None = None  # of those who did not change

    @property
    def part(self) -> float:
        """The part of the list that has followed: of the way from the one share to the other."""
        way = self.always - self.start
        return (self.share.value - self.start) / way if way > 0 else 0.0

    @property
    def line(self) -> str:
        told = "" if self.ndcg is None else "   others NDCG@10 {:.4f} [{:.4f}, {:.4f}]".format(*self.ndcg)
        share = "{:.3f} [{:.3f}, {:.3f}]".format(*self.share)
        return f"{self.way:34} {self.after}   {share} of {self.always:.3f}: {self.part:4.0%} followed{told}"


class ChangedHouseholds:
    """Who changes, from which department to which, and whose baskets of it are theirs from then on."""

    def __init__(self, demo: Demo, *, changed: int, seed: int) -> None:
        self.demo, self.draw = demo, generator(seed, "change of mind")
        _, place = np.unique(np.array(shop().departments), return_inverse=True)
        self.department = place.astype(np.int32)  # of every item
        self.past = demo.past.assign(department=self.department[demo.past["item"].to_numpy()])
        shares = pd.crosstab(self.past["user"], self.past["department"], normalize="index")
        self.donors = self._donors()
        self.households = np.sort(self.draw.permutation(shares.index.to_numpy())[:changed]).astype(np.int64)
        self.old = shares.loc[self.households].idxmax(axis=1).to_numpy(np.int64)
        self.new = np.array(
            [self._other(shares.loc[one], old) for one, old in zip(self.households, self.old.tolist(), strict=True)]
        )
        self.donor = np.array([self.draw.choice(self.donors[new]) for new in self.new.tolist()])

    def _donors(self) -> dict[int, NDArray[np.int64]]:
        """The departments that somebody may change to, each with the households that often buy from it."""
        baskets = self.past.groupby(["department", "user", "basket"]).size()
        counts = baskets[baskets >= LEAST_LINES].groupby(["department", "user"]).size()
        department, user = (counts[counts >= LEAST_BASKETS].index.get_level_values(level) for level in (0, 1))
        donors = {each: user[department == each].to_numpy(np.int64) for each in department.unique().tolist()}
        return {each: users for each, users in donors.items() if len(users) >= LEAST_DONORS}

    def _other(self, shares: pd.Series, old: int) -> int:
        """Draw another department, of the half from which the household bought least."""
        seldom = sorted((each for each in self.donors if each != old), key=lambda each: (float(shares[each]), each))
        return int(self.draw.choice(seldom[: -(-len(seldom) // 2)]))

    @cached_property
    def lent(self) -> pd.DataFrame:
        """The donors' lines of the new department as the households' own: ``number`` counts the last baskets from 1,
        which are moved behind the cut; it is 0 of those before, which nobody but ``always`` has.
        """
        parts = []
        for user, new, donor in zip(self.households.tolist(), self.new.tolist(), self.donor.tolist(), strict=True):
            lines = self.past[(self.past["user"] == donor) & (self.past["department"] == new)]
            size = lines.groupby("basket")["item"].transform("size")
            order = lines[size >= LEAST_LINES].groupby("basket")["at"].min().sort_values().index[-BASKETS[-1] :]
            number = lines["basket"].map(dict(zip(order, range(1, len(order) + 1), strict=True))).fillna(0).astype(int)
            at = np.where(number > 0, TEST_CUT + EVERY * (number - 1) + NOON, lines["at"])
            day = np.floor(at).astype(np.int32)
            parts.append(lines.assign(user=user, basket=-1 - lines["basket"], number=number, at=at, day=day))
        lent: pd.DataFrame = pd.concat(parts, ignore_index=True)
        first = int(self.demo.events["basket"].max()) + 1
        lent["basket"] = first + lent.groupby(["user", "basket"], sort=False).ngroup().to_numpy()
        return lent

    def events(self, baskets: int, *, always: bool = False) -> pd.DataFrame:
        """What is known after so many baskets; those who changed did nothing else since. ``always``: nor before."""
        events = self.demo.events
        at, theirs = events["at"].to_numpy(), np.isin(events["user"].to_numpy(), self.households)
        real = events[(at < cut_of(baskets)) & (~theirs | ((at < TEST_CUT) & (not always)))]
        own = self.lent[self.lent["number"].between(0 if always else 1, baskets)][list(real.columns)]
        both = pd.concat([real, own], ignore_index=True)
        return both.assign(name=both["name"].astype("category")).sort_values("at", kind="stable", ignore_index=True)


def cut_of(baskets: int) -> float:
    """The moment of the run after so many baskets."""
    return TEST_CUT + EVERY * baskets


@dataclass(frozen=True, kw_only=True)
class HomeRun:
    """What a run learned of home, and of visits where they are asked for."""

    made: TrainingSnapshot
    home: Sequence[FittedInstance]
    seed: int

    @cached_property
    def visiting(self) -> Mapping[str, Recommender]:
        wanted = [one for one in instances_of(BlendName.SESSION) if SESSION.get(one.name)]
        return {one.name: one.build().fit(self.made.training, seed=self.seed) for one in wanted}

    def records(self, rows: NDArray[np.integer]) -> Candidates:
        plan = BlendPlan(weights=HOME, instances=tuple(one.name for one in self.home))
        return candidates(self.home, self.made.training.queries(rows), plans={"": plan})[""]

    def shares(self, ranked: IntArray, change: ChangedHouseholds, department: NDArray[np.integer]) -> Shares:
        """The share of each one's ten places that is of their department."""
        ids = self.made.items.ids[np.maximum(ranked, 0)]
        own = (change.department[ids] == department[:, None]) & (ranked >= 0)
        return np.asarray(own.mean(axis=1), np.float64)


def run(events: pd.DataFrame, *, cut: float, seed: int, way: Way = SHIPPED) -> HomeRun:
    """Learn as a run does, in this way."""
    cleaned, _ = clean(events, until=cut)
    attributes = shop().attributes if way.knows_changes else replace(shop().attributes, departments=None)
    made = snapshot(cleaned, attributes, cut=cut, weights=EventWeights())
    wanted = [under(one, way.factor) for one in instances_of(BlendName.HOME) if HOME.get(one.name)]
    home = [FittedInstance(name=one.name, recommender=one.build().fit(made.training, seed=seed)) for one in wanted]
    return HomeRun(made=made, home=home, seed=seed)


def under(instance: Instance, factor: float) -> Instance:
    """The instance with every half-life of its own times the factor."""
    own = {one.name: getattr(instance.config, one.name) for one in fields(instance.config) if "half_life" in one.name}
    return instance.under({name: factor * value for name, value in own.items() if value is not None})


def by_run(change: ChangedHouseholds, way: Way, *, seed: int) -> tuple[list[Followed], PerHousehold]:
    """Lists of the run after so many baskets, and NDCG@10 of each household that did not change."""
    first = run(change.events(0), cut=TEST_CUT, seed=seed, way=way)
    others = _ndcg(change, first)
    mean = measures(others[:, None], resamples(len(others), seed=seed))[0]

    def steps() -> Iterator[Step]:
        yield 0, first.shares(_home(first, change), change, change.new)
        for baskets in BASKETS[1:]:
            made = run(change.events(baskets), cut=cut_of(baskets), seed=seed, way=way)
            yield baskets, made.shares(_home(made, change), change, change.new)

    always = _always(change, seed=seed, way=way)
    return list(readings(way.words, steps(), always=always, seed=seed, ndcg=mean)), others


def _always(change: ChangedHouseholds, *, seed: int, way: Way = SHIPPED) -> Shares:
    """The shares had the same households never bought anything but what was lent to them."""
    made = run(change.events(BASKETS[-1], always=True), cut=cut_of(BASKETS[-1]), seed=seed, way=way)
    return made.shares(_home(made, change), change, change.new)


def _home(made: HomeRun, change: ChangedHouseholds) -> IntArray:
    """Lists of those who changed."""
    return made.records(made.made.users.rows(change.households)).ranked(HOME, K)


def _ndcg(change: ChangedHouseholds, made: HomeRun) -> PerHousehold:
    """NDCG@10 of the households that did not change, on the test window."""
    truth = truths(change.demo.events, made.made, window=(TEST_CUT, TEST_CUT + WINDOW))[Task.HOME]
    users = truth.users[~np.isin(made.made.users.ids[truth.users], change.households)]
    return np.asarray(ndcg(judge(made.records(users).ranked(HOME, K), truth.spent[users]), K), np.float64)


def by_live_state(change: ChangedHouseholds, made: HomeRun, *, seed: int) -> Iterator[Followed]:
    """Lists of the model of the night before, beside what was looked at in so many visits since."""
    rows, looked = made.made.users.rows(change.households), change.lent
    looked = looked.assign(row=made.made.items.rows(looked["item"].to_numpy()))

    def steps() -> Iterator[Step]:
        for visits in VISITS:
            new = looked[looked["number"].between(1, visits)][::-1].groupby("user")["row"]
            newest = [new.get_group(one).tolist() if visits else [] for one in change.households.tolist()]
            yield visits, made.shares(_beside(made, rows, _seen(newest)), change, change.new)

    always = _always(change, seed=seed)
    yield from readings("live state, beside the record", steps(), always=always, seed=seed)


def _seen(newest: Sequence[Sequence[int]]) -> IntArray:
    """The newest items of each, every one once; −1 after the last."""
    seen = np.full((len(newest), SEEN), -1, np.int32)
    for number, rows in enumerate(newest):
        once = list(dict.fromkeys(rows))[:SEEN]
        seen[number, : len(once)] = once
    return seen


def _beside(made: HomeRun, rows: NDArray[np.integer], seen: IntArray) -> IntArray:
    """Lists of the records with these items in view, as an answer makes them."""
    own = made.records(rows)
    if (seen < 0).all():
        return own.ranked(HOME, K)
    joined = _joined(made, own, seen)
    visiting = [name for name in joined.instances if name not in own.instances]
    return joined.ranked(mixed(HOME, SESSION, visiting=visiting, share=SHARE), K)


def _joined(made: HomeRun, records: Candidates, seen: IntArray) -> Candidates:
    nothing = sparse.csr_matrix((len(seen), made.made.training.n_items), dtype=np.float32)
    visits = SampledVisits(user=np.arange(len(seen), dtype=np.int32), seen=seen, spent=nothing)
    return joined_records(visits, {"": Records(records)}, made.visiting, made.made.training)[""]


def of_visitors(change: ChangedHouseholds, made: HomeRun, *, seed: int) -> Iterator[Followed]:
    """Lists of people whom no model knows, after so many visits to a department that they never looked at before."""
    draw = generator(seed, "visitors")
    lines = change.past.assign(row=made.made.items.rows(change.past["item"].to_numpy()))
    shelves = {each: lines.loc[lines["department"] == each, "row"].to_numpy() for each in change.donors}
    pairs = np.array([draw.choice(sorted(shelves), 2, replace=False) for _ in change.households])

    def looked_at(*departments: int) -> list[NDArray[np.int64]]:
        return [draw.choice(shelves[each], PER_VISIT) for each in departments]

    def shares(visits: Sequence[Sequence[NDArray[np.int64]]]) -> Shares:
        seen = _seen([np.concatenate(own)[::-1].tolist() for own in visits])
        return made.shares(_alone(made, seen), change, pairs[:, 1])

    own = [looked_at(*[old] * BEFORE, *[new] * VISITS[-1]) for old, new in pairs.tolist()]
    steps = ((visits, shares([each[: BEFORE + visits] for each in own])) for visits in VISITS)
    always = shares([looked_at(*[new] * (BEFORE + 1)) for new in pairs[:, 1].tolist()])
    yield from readings("a visitor", steps, always=always, seed=seed)


def _alone(made: HomeRun, seen: IntArray) -> IntArray:
    """Lists of visits alone, under the weights of visits; what was seen is left out."""
    n = len(seen)
    nobody = Candidates(
        instances=(), items=np.full((n, 0), -1, np.int32), z=np.empty((n, 0, 0), np.float16),
        own=np.empty((n, 0, 0), np.int32),
    )  # fmt: skip
    return _joined(made, nobody, seen).ranked(SESSION, K)


def readings(
    way: str, steps: Iterable[Step], *, always: Shares, seed: int, ndcg: Measure | None = None
) -> Iterator[Followed]:
    """Yield how far lists have followed after each step, the first one before anything changed; each is printed.

    ``ndcg`` is of those who did not change.
    """
    start: float | None = None
    for after, shares in steps:
        [mean] = measures(shares[:, None], resamples(len(shares), seed=seed))
        start = mean.value if start is None else start
        one = Followed(way=way, after=after, share=mean, start=start, always=float(always.mean()), ndcg=ndcg)
        ndcg = None  # it stands with the first
        say(one.line)
        yield one


def needed(figures: Sequence[Followed]) -> float:
    """After how many half of the list follows; infinity where it never did."""
    return min((float(one.after) for one in figures if one.part >= HALF), default=np.inf)


def lost(before: PerHousehold, after: PerHousehold, *, seed: int) -> Measure:
    """The mean loss of a household, in percent of the mean before."""
    [part] = differences(before[:, None], after[:, None], resamples(len(before), seed=seed))
    return Measure(*(100 * value / float(before.mean()) for value in part))


def main(argv: Sequence[str] | None = None) -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--households", type=int, help="only the first so many")
    options.add_argument("--changed", type=int, default=CHANGED, help=f"households that change ({CHANGED})")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    given = options.parse_args(argv)
    change = ChangedHouseholds(Demo(given.households, given.seed), changed=given.changed, seed=given.seed)
    made = run(change.events(0), cut=TEST_CUT, seed=given.seed)
    visitors = list(of_visitors(change, made, seed=given.seed))
    live = list(by_live_state(change, made, seed=given.seed))
    of_way = {way: by_run(change, way, seed=given.seed) for way in (SHIPPED, UNKNOWN, HALVED)}
    figures = [Figure("visits until half of a visitor's list follows", needed(visitors), most=VISIT_BAR)]
    for way, (followed, _others) in of_way.items():
        bar = BAR if way is SHIPPED else None
        figures.append(Figure(f"baskets until half of it does, {way.words}", needed(followed), most=bar))
    loss = lost(of_way[UNKNOWN][1], of_way[SHIPPED][1], seed=given.seed)
    say("change points take {:+.3f} % [{:+.3f}, {:+.3f}] of NDCG@10 of the others".format(*loss))
    figures.append(Figure("change points: loss in % of NDCG@10 of the others", round(loss.value, 3), most=LOSS))
    figures.append(Figure("visits until half of it does, by live state alone", needed(live)))
    runs = [one for followed, _others in of_way.values() for one in followed]
    rows = [
        [one.way, one.after, *one.share, one.start, one.always, *(one.ndcg or ())] for one in (*visitors, *live, *runs)
    ]
    protocol = {
        "households": int(change.past["user"].nunique()), "changed": len(change.households), "seed": given.seed,
        "rows": rows, "loss": [*loss],
    }  # fmt: skip
    return report(figures, protocol=protocol, path=given.json)


if __name__ == "__main__":
    sys.exit(main())
