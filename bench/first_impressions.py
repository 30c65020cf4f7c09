"""Promises to new items on the demo's data, replayed: ``make bench-first-impressions``.

The 28 days of the test window with their real visits and the items that were first sold in them: a ninth of these,
drawn, at four requests a visit, as many as the placement can carry; and under load all of them at eight. Beside
the rule that ships stand the same one without its guard (whoever fits best) and with nothing else (the oldest first).
A promise counts as over when it is kept or its days are. What the slot costs is NDCG@10 of a visit's basket against the
plain list, with a 95 % interval by resampling people.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.meter import Progress, metered
from bench.ranking.complete_journey import TEST_CUT, WINDOW, shop
from recommendations.domains.goods import GOODS
from recommendations.engine.describe.items import places, with_vectors
from recommendations.engine.evaluation.intervals import resamples
from recommendations.engine.frames import FloatArray, IntArray
from recommendations.engine.preprocess.clean import clean
from recommendations.engine.preprocess.matrix import EventWeights, TrainingSnapshot, snapshot
from recommendations.engine.ranking.promise import Budget, Promise, admitted, budget, chances
from recommendations.engine.recommenders.content_ridge import Config, ContentRidge
from recommendations.engine.recommenders.hybrid import BlendPlan, FittedInstance, candidates
from recommendations.engine.recommenders.registry import instances_of, leaning_of
from recommendations.engine.rng import generator
from recommendations.terms import BlendName

K = 10
DISCOUNT = 1 / np.log2(np.arange(K) + 2)
PAUSE = 1 / 96  # days between two looks at the promises
LOADS = {"a ninth of the new items": (1 / 9, 4), "all new items, twice the traffic": (1.0, 8)}
"""Share of the new items, and requests of a visit."""
type Guard = Callable[[Budget], float]
RULES: dict[str, Guard] = {
    "best fit alone": lambda _now: 0.0, "oldest first": lambda _now: 1.0, "the rule that ships": lambda now: now.load
}  # fmt: skip
type Values = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class World:
    """Visits in the order of time with the plain lists of their people, and new items with how they fit everybody."""

    at: Values  # [visits], days
    user: IntArray  # [visits]
    baskets: Sequence[frozenset[int]]
    lists: IntArray  # [people, K]
    before: Values  # times of the visits of the week before
    items: IntArray  # [new items] rows
    listed: Values  # [new items]
    fit: FloatArray  # [people, new items]
    requests: int  # of a visit


@dataclass(kw_only=True)
class Tally:
    """What came of the promises and of the slot."""

    shown: IntArray
    since: Values  # NaN: not promised
    over: NDArray[np.bool_]
    shares: list[float] = field(default_factory=list)
    lost: dict[int, list[tuple[float, float]]] = field(default_factory=dict)  # by user: NDCG, and its change
    standing: list[float] = field(default_factory=list)  # of what was shown, among all new items for its customer


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    options = parser.parse_args(argv)
    figures: dict[str, Any] = {}
    with metered() as cost:
        world = _world(options.seed, tell=Progress())
        for load, (share, requests) in LOADS.items():
            part = _drawn(world, share, requests=requests, seed=options.seed)
            for rule, guard in RULES.items():
                figures[f"{load}, {rule}"] = _replayed(part, guard, seed=options.seed)
                sys.stdout.write(f"{load}, {rule}\n  {_line(figures[f'{load}, {rule}'])}\n")
    sys.stdout.write(f"{cost.seconds:.0f} s, {cost.peak_mb:,.0f} MB\n")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return 0


def _world(seed: int, *, tell: Progress) -> World:
    data, cut = shop(), TEST_CUT
    first = data.attributes.listed_at
    came = (first >= cut) & (first < cut + WINDOW)
    known = replace(data.attributes, listed_at=np.where(came, cut - 1e-6, first))
    cleaned, _ = clean(data.events[data.events["at"].to_numpy() < cut], until=cut)
    taken = snapshot(cleaned, known, cut=cut, weights=EventWeights())
    taken = with_vectors(taken, texts=data.counted_texts, ids=known.ids)
    at = places(known.ids, taken.items)
    items = np.flatnonzero(came[at]).astype(np.int32)
    queries = taken.training.queries(np.arange(taken.training.n_users))
    fit = ContentRidge(Config()).fit(taken.training, seed=seed).score(queries)[:, items]
    lists = _lists(taken, seed=seed)
    tell(f"{len(items):,} new items, lists of {len(lists):,} people")
    before, visits = _visits(taken)
    return World(
        at=visits[0], user=visits[1], baskets=visits[2], lists=lists, before=before,
        items=items, listed=first[at][items], fit=fit, requests=1,
    )  # fmt: skip


def _lists(taken: TrainingSnapshot, *, seed: int) -> IntArray:
    """The plain list of everybody: *home* as it ships."""
    training, blend = taken.training, BlendName.HOME
    fitted = [
        FittedInstance(name=one.name, recommender=one.build().fit(training, seed=seed)) for one in instances_of(blend)
    ]
    names = tuple(one.name for one in fitted)
    plan = BlendPlan(weights=GOODS.weights[blend], instances=names, leaning=leaning_of(blend))
    records = candidates(fitted, training.queries(np.arange(training.n_users)), plans={"home": plan})
    return records["home"].ranked(GOODS.weights[blend], K)


def _visits(taken: TrainingSnapshot) -> tuple[Values, tuple[Values, IntArray, Sequence[frozenset[int]]]]:
    """Times of the visits of the week before the window; time, person and basket of those in it."""
    events = shop().events
    events = events[(events["at"] >= TEST_CUT - 7) & (events["at"] < TEST_CUT + WINDOW)]
    user = taken.users.rows(events["user"].to_numpy())
    events = events.assign(row=taken.items.rows(events["item"].to_numpy()), person=user)
    by_basket = (
        events[user >= 0].groupby("basket").agg(at=("at", "max"), person=("person", "first"), rows=("row", frozenset))
    )
    by_basket = by_basket.sort_values("at", kind="stable")
    inside = by_basket["at"].to_numpy() >= TEST_CUT
    of_window = by_basket[inside]
    return by_basket["at"].to_numpy()[~inside], (
        of_window["at"].to_numpy(np.float64), of_window["person"].to_numpy(np.int32), of_window["rows"].tolist()
    )  # fmt: skip


def _drawn(world: World, share: float, *, requests: int, seed: int) -> World:
    """The world with a share of the new items, drawn."""
    taken = generator(seed, "new items").random(len(world.items)) < share
    return replace(
        world, items=world.items[taken], listed=world.listed[taken], fit=world.fit[:, taken], requests=requests
    )


def _replayed(world: World, guard: Guard, *, seed: int) -> dict[str, Any]:
    n = len(world.items)
    tally = Tally(shown=np.zeros(n, np.int32), since=np.full(n, np.nan), over=np.zeros(n, np.bool_))
    replay = Replay(world=world, tally=tally, draw=generator(seed, "first impressions"))
    past, look, now = np.concatenate([world.before, world.at]), -np.inf, Budget(share=0.0, load=0.0)
    for visit, at in enumerate(world.at.tolist()):
        if at - look >= PAUSE:
            rate = world.requests * (np.searchsorted(past, at) - np.searchsorted(past, at - 7)) / 7
            look, now = at, replay.keep(at, rate=float(rate))
        for _ in range(world.requests):
            tally.shares.append(now.share)
            replay.ask(visit, Budget(share=now.share, load=guard(now)))
    return _figures(world, tally, replay.promise, seed=seed)


@dataclass(kw_only=True, eq=False)
class Replay:
    world: World
    tally: Tally
    draw: np.random.Generator
    promise: Promise = field(default_factory=Promise)
    open: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))

    @cached_property
    def order(self) -> NDArray[np.int64]:
        """New items, those first that fit people best on average."""
        return np.argsort(-np.nan_to_num(self.world.fit.mean(axis=0), nan=-np.inf), kind="stable")

    def keep(self, at: float, *, rate: float) -> Budget:
        """End what is over, promise while there is room, and budget what is open."""
        tally, promise = self.tally, self.promise
        given = ~np.isnan(tally.since)
        tally.over |= given & ((tally.shown >= promise.impressions) | (at - tally.since >= promise.days))
        left = np.maximum(promise.impressions - tally.shown, 0)
        waiting = self.order[(self.world.listed[self.order] <= at) & ~given[self.order]]
        promised = float(left[given & ~tally.over].sum())
        tally.since[waiting[: admitted(len(waiting), promised=promised, rate=rate, promise=promise)]] = at
        self.open = np.flatnonzero(~np.isnan(tally.since) & ~tally.over)
        return budget(left[self.open], at - tally.since[self.open], rate=rate, promise=promise)

    def ask(self, visit: int, now: Budget) -> None:
        """Answer one request of a visit, and note what it was worth."""
        world, tally = self.world, self.tally
        user, basket = int(world.user[visit]), world.baskets[visit]
        hits = np.array([item in basket for item in world.lists[user].tolist()], np.float64)
        ideal = DISCOUNT[: min(K, len(basket))].sum()
        open_ = self.open[tally.shown[self.open] < self.promise.impressions]
        change = 0.0
        if len(open_) and self.draw.random() < now.share:
            fit = world.fit[user, open_]
            one = self.draw.choice(len(open_), p=chances(world.at[visit] - tally.since[open_], fit, load=now.load))
            tally.shown[open_[one]] += 1
            tally.standing.append(float(np.mean(fit <= fit[one])))
            change = (float(int(world.items[open_[one]]) in basket) - hits[-1]) * DISCOUNT[-1] / ideal
        tally.lost.setdefault(user, []).append((float((hits * DISCOUNT).sum() / ideal), change))


def _figures(world: World, tally: Tally, promise: Promise, *, seed: int) -> dict[str, Any]:
    given = ~np.isnan(tally.since)
    kept = given & (tally.shown >= promise.impressions)
    over = given & (kept | (tally.since + promise.days <= TEST_CUT + WINDOW))
    sums = np.array([np.sum(rows, axis=0) for rows in tally.lost.values()])
    drawn = resamples(len(sums), seed=seed)
    losses = (drawn @ sums[:, 1]) / (drawn @ sums[:, 0])
    return {
        "new items a day": len(world.items) / WINDOW,
        "promised": float(given.mean()),
        "kept of those that are over": float(kept[over].mean()),
        "share of the answers": float(np.mean(tally.shares)),
        "change of NDCG@10": [float(sums[:, 1].sum() / sums[:, 0].sum()), *np.quantile(losses, [0.025, 0.975])],
        "standing of what was shown": float(np.mean(tally.standing)),
    }


def _line(figures: dict[str, Any]) -> str:
    loss = figures["change of NDCG@10"]
    return (
        f"{figures['new items a day']:.1f} a day, {figures['promised']:.0%} promised, "
        f"{figures['kept of those that are over']:.1%} kept, in {figures['share of the answers']:.1%} of the answers, "
        f"NDCG@10 {loss[0]:+.2%} [{loss[1]:+.2%}, {loss[2]:+.2%}], "
        f"fits as the {figures['standing of what was shown']:.0%} best"
    )


if __name__ == "__main__":
    sys.exit(main())
