"""Due: the chance that a customer buys an item again within seven days, from the rhythm in which they did.

Which day it will be cannot be told (the mean error is 6.6 days, that of always the same day 6.8), so nobody asks.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import BoolArray, IdArray, IntArray, Interactions
from recommendations.engine.preprocess.rhythms import Rhythms
from recommendations.engine.push.figures import LEARNED, ModelFigures, Weighted, area, compared, tenths
from recommendations.engine.push.logistic import Columns, Logistic

LEAST = 3  # days with a purchase of the item
WEEK, BETWEEN_LESSONS, BETWEEN_TESTS = 7, 28, 14  # days
TESTS, LESSONS = 3, 6  # moments, at most
KNOWN = 56  # days of history that a lesson needs
ITEM_GAPS = 4  # gaps of the item's own rhythm that a customer's begins with
AT_ONCE = 4_000_000  # days with a purchase that are looked at together
LEAST_LESSONS, LEAST_USERS = 1_000, 100
FIFTH = 0.2
MEAN_GAP, FREQUENCY = "mean_gap", "frequency"
FEATURES = (
    "times", "times_56d", "since", "gap", "gap_deviation", "median_gap", "last_gap", "due", "late", "due_by_habit",
    "trip_gap", "since_trip", "item_gap", "item_habit", "due_by_item", "left",
)  # fmt: skip
PLAIN = ("late", "item_habit", "left")
"""Features that count as they are; of the others it is the logarithm."""
LOGGED = np.array([name not in PLAIN for name in FEATURES])


@dataclass(frozen=True, kw_only=True, eq=False)
class BuyingDays:
    """Days on which users bought items, once each: by user, item and day, the newest day last."""

    user: IntArray
    item: IntArray
    day: IntArray  # of the shop's calendar, days since 1970-01-01
    n_items: int

    def __len__(self) -> int:
        return len(self.user)

    @property
    def pair(self) -> IdArray:
        return self.user.astype(np.int64) * self.n_items + self.item

    def where(self, keep: BoolArray) -> "BuyingDays":
        return BuyingDays(user=self.user[keep], item=self.item[keep], day=self.day[keep], n_items=self.n_items)

    def parts(self, at_once: int = AT_ONCE) -> Iterator["BuyingDays"]:
        """The days of a few users at a time, none of them torn apart."""
        begins = np.flatnonzero(np.diff(self.user, prepend=-1))
        borders = [0]
        while borders[-1] < len(self):
            after = np.searchsorted(begins, borders[-1] + at_once)
            borders.append(int(begins[after]) if after < len(begins) else len(self))
        for first, last in pairwise(borders):
            rows = slice(first, last)
            yield BuyingDays(user=self.user[rows], item=self.item[rows], day=self.day[rows], n_items=self.n_items)

    def sample(self, most: int = AT_ONCE) -> "BuyingDays":
        """The days of every so manieth user, so that they are no more than about ``most``."""
        each = -(-len(self) // most)
        return self if each < 2 else self.where(self.user % each == 0)


@dataclass(frozen=True, kw_only=True, eq=False)
class ItemHabits:
    """How everybody buys an item: the usual days between two purchases, NaN where unknown, and purchases a day."""

    gap: NDArray[np.float64]  # [items]
    rate: NDArray[np.float64]  # [items]


@dataclass(frozen=True, kw_only=True, eq=False)
class DuePairs:
    """Users with items that they bought on three days or more, as of the start of a day, and their features."""

    user: IntArray
    item: IntArray
    last: IntArray  # day of the last purchase
    columns: Columns  # [pairs, 16]

    def __len__(self) -> int:
        return len(self.user)

    def of(self, name: str) -> NDArray[np.float64]:
        """A feature as it is, without its logarithm."""
        place = FEATURES.index(name)
        own = self.columns[:, place]
        return np.expm1(own) if LOGGED[place] else own


@dataclass(frozen=True, kw_only=True, eq=False)
class DueLessons:
    """Moments to learn from, and later ones to be judged by; ``until``: a day of which nothing was learned."""

    model: Logistic | None
    figures: ModelFigures | None
    until: int


def buying_days(acts: Interactions, *, until: float, offset: float = 0.0) -> BuyingDays:
    """The days of all purchases; ``until`` is the moment that ages count back from, ``offset`` what the shop's clock
    is ahead, both in days.
    """
    rows = np.flatnonzero(acts.bought)
    minutes = np.round((until - acts.age[rows].astype(np.float64)) * 1_440) / 1_440  # a float32 is right to the minute
    day = np.floor(minutes + offset).astype(np.int32)
    user, item = acts.user[rows], acts.item[rows]
    order = np.lexsort((day, item, user))
    user, item, day = user[order], item[order], day[order]
    new = (np.diff(user, prepend=-1) != 0) | (np.diff(item, prepend=-1) != 0) | (np.diff(day, prepend=-1) != 0)
    return BuyingDays(user=user[new], item=item[new], day=day[new], n_items=acts.n_items)


def item_habits(days: BuyingDays, *, at: int) -> ItemHabits:
    """How items were bought before a day."""
    past = days.where(days.day < at)
    pair = past.pair
    again = np.flatnonzero(np.diff(pair, prepend=-1) == 0)
    gaps = (past.day[again] - past.day[again - 1]).astype(np.float64)
    gap = np.full(days.n_items, np.nan)
    items, middle = _medians(past.item[again].astype(np.int64), gaps)
    gap[items] = middle
    keys, first, times = np.unique(pair, return_index=True, return_counts=True)
    often = times >= LEAST
    item = keys[often] % days.n_items
    bought = np.bincount(item, times[often], minlength=days.n_items)
    known = np.bincount(item, at - past.day[first[often]], minlength=days.n_items)
    return ItemHabits(gap=gap, rate=np.divide(bought, known, out=np.zeros(days.n_items), where=known > 0))


def pairs_at(days: BuyingDays, habits: ItemHabits, *, at: int) -> DuePairs:
    """What is known at the start of a day of all pairs bought on three days or more before it."""
    past = days.where(days.day < at)
    pair = past.pair
    rhythms = Rhythms(pair, (at - past.day).astype(np.float32))
    often = rhythms.times >= LEAST
    keys = rhythms.keys[often]
    user, item = (keys // days.n_items).astype(np.int32), (keys % days.n_items).astype(np.int32)
    own = rhythms.columns(keys)
    again = np.flatnonzero(np.diff(pair, prepend=-1) == 0)
    with_gaps, middle = _medians(pair[again], (past.day[again] - past.day[again - 1]).astype(np.float64))
    trip = np.unique(past.user.astype(np.int64) * (at + 1) + past.day)
    trips = Rhythms(trip // (at + 1), (at - trip % (at + 1)).astype(np.float32))
    since, gap, times = (own[name].astype(np.float64) for name in ("since", "gap", "times"))
    item_gap = habits.gap[item]
    shrunk = ((times - 1) * gap + ITEM_GAPS * item_gap) / (times - 1 + ITEM_GAPS)
    columns: dict[str, NDArray[np.floating]] = {
        **own,
        "median_gap": middle[np.searchsorted(with_gaps, keys)],
        "trip_gap": trips.of(user.astype(np.int64), trips.gap),
        "since_trip": trips.of(user.astype(np.int64), trips.newest),
        "item_gap": item_gap,
        "item_habit": habits.rate[item],
        "due_by_item": since / np.maximum(item_gap, 1),
        "left": shrunk - since,
    }
    table = np.stack([columns[name].astype(np.float64) for name in FEATURES], axis=1)
    table[:, LOGGED] = np.log1p(np.maximum(table[:, LOGGED], 0.0))
    return DuePairs(user=user, item=item, last=(at - since).astype(np.int32), columns=table)


def learn(days: BuyingDays, *, end: int, seed: int) -> DueLessons:
    """Fit to moments 28 days apart whose weeks end before the first of the tested ones, and judge by these.

    ``end`` is the day after the last whole one. Nothing is fitted where there are too few lessons.
    """
    own = days.sample()
    tests = [end - WEEK - BETWEEN_TESTS * number for number in range(TESTS)]
    until = tests[-1]
    begin = int(own.day.min()) if len(own) else end
    moments = [until - WEEK - BETWEEN_LESSONS * number for number in range(LESSONS)]
    taught = [_asked(own, at) for at in moments if at - begin >= KNOWN]
    tested = [_asked(own, at) for at in tests] if taught else []
    lessons, answers = _joined(taught)
    judging, truth = _joined(tested)
    users = len({*judging.user.tolist()})
    if min(len(lessons), len(judging)) < LEAST_LESSONS or users < LEAST_USERS or not 0 < answers.sum() < len(answers):
        return DueLessons(model=None, figures=None, until=until)
    model = Logistic.fit(lessons.columns, answers, FEATURES)
    moment = np.repeat(np.arange(len(tested)), [len(each) for each, _ in tested])
    figures = _judged(model, judging, truth, moment, seed=seed)
    counts = {"lessons": len(lessons), "tested": len(judging), "users": users, "moments": len(tested)}
    return DueLessons(
        model=model, until=until,
        figures=ModelFigures(table=figures.table, gains=figures.gains, tenths=figures.tenths, counts=counts),
    )  # fmt: skip


def _judged(
    model: Logistic, pairs: DuePairs, bought: BoolArray, moment: NDArray[np.intp], *, seed: int
) -> ModelFigures:
    """The model beside "last purchase + mean gap" and plain frequency; whole customers are drawn."""
    _, group = np.unique(pairs.user, return_inverse=True)
    said = model.chances(pairs.columns)
    scores = {
        LEARNED: said,
        MEAN_GAP: -np.maximum(pairs.of("gap") - pairs.of("since"), 0.0) - 1e-6 * pairs.of("gap"),
        FREQUENCY: pairs.of("times_56d") + 1e-3 * pairs.of("times"),
    }
    asked = group * TESTS + moment  # one question of a customer at a moment

    def measures(score: NDArray[np.float64]) -> dict[str, Weighted]:
        first = _firsts(score, asked)
        return {"top": _hits(first, bought), "best_fifth": _best(first, score, bought), "area": area(score, bought)}

    table, gains = compared(scores, measures, group=group.astype(np.int64), seed=seed)
    return ModelFigures(table=table, gains=gains, tenths=tenths(said, bought, group=group.astype(np.int64), seed=seed))


def _firsts(score: NDArray[np.float64], asked: NDArray[np.intp]) -> NDArray[np.intp]:
    """The row of the highest score of each question; of equals the first."""
    order = np.lexsort((np.arange(len(score)), -score, asked))
    _, first = np.unique(asked[order], return_index=True)
    return np.asarray(order[first])


def _hits(first: NDArray[np.intp], bought: BoolArray) -> Weighted:
    return lambda weights: float(weights[first] @ bought[first] / max(float(weights[first].sum()), 1.0))


def _best(first: NDArray[np.intp], score: NDArray[np.float64], bought: BoolArray) -> Weighted:
    """Hits among the fifth of the questions whose first item has the highest score."""
    best = first[np.argsort(-score[first], kind="stable")][: max(1, int(len(first) * FIFTH))]
    return _hits(best, bought)


def _asked(days: BuyingDays, at: int) -> tuple[DuePairs, BoolArray]:
    """The pairs of a moment, and whether each was bought within the week from it."""
    pairs = pairs_at(days, item_habits(days, at=at), at=at)
    then = np.unique(days.pair[(days.day >= at) & (days.day < at + WEEK)])
    return pairs, np.isin(pairs.user.astype(np.int64) * days.n_items + pairs.item, then)


def _joined(asked: Sequence[tuple[DuePairs, BoolArray]]) -> tuple[DuePairs, BoolArray]:
    if not asked:
        none = np.empty(0, np.int32)
        return DuePairs(user=none, item=none, last=none, columns=np.empty((0, len(FEATURES)))), np.empty(0, np.bool_)
    user, item, last, columns = (
        np.concatenate([getattr(pairs, name) for pairs, _ in asked]) for name in ("user", "item", "last", "columns")
    )
    return DuePairs(user=user, item=item, last=last, columns=columns), np.concatenate([truth for _, truth in asked])


def _medians(keys: IdArray, values: NDArray[np.float64]) -> tuple[IdArray, NDArray[np.float64]]:
    """The median of the values of each key, with the keys ascending."""
    order = np.lexsort((values, keys))
    ranked = values[order]
    own, first, number = np.unique(keys[order], return_index=True, return_counts=True)
    return own, (ranked[first + (number - 1) // 2] + ranked[first + number // 2]) / 2
