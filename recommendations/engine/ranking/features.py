"""Features of each candidate for the second stage (``maths.md`` §4): numbers known at the cut, and the plan.

Columns come in named groups, and a group is what an explanation speaks of: each instance of the record is one, the
customer's rhythm with the item another.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import BoolArray, FloatArray, IdArray, IntArray, Interactions, Queries
from recommendations.engine.preprocess.rhythms import Rhythms
from recommendations.engine.ranking.candidates import Candidates
from recommendations.engine.ranking.item_facts import CENT, MONTH, ItemFacts, first_of

type Columns = Mapping[str, NDArray[np.floating]]

LARGEST = 60_000.0
"""Larger numbers are cut off: float16 ends at 65,504."""

LAST_BASKETS = 10
FADING: Mapping[str, float] = {"slowly": 0.9, "fast": 0.5}
"""Weight of a basket against the one after it: people come weekly and yearly, and a basket is one for both."""

TOP = 20  # places of an instance's order that count as its recommendation


@dataclass(frozen=True, kw_only=True)
class Features:
    """One row per candidate, query by query in the order of the record; float16, so that what is stored is exact."""

    names: tuple[str, ...]  # "group: what"
    groups: tuple[str, ...]  # of each column
    values: NDArray[np.float16]  # [rows, columns]; NaN = cannot know
    counts: IntArray  # rows of each query

    def rows(self, queries: NDArray[np.integer]) -> IdArray:
        """All rows of these queries, in the order asked for."""
        starts = np.cumsum(self.counts, dtype=np.int64) - self.counts
        counts = self.counts[queries]
        before = np.cumsum(counts, dtype=np.int64) - counts
        return np.repeat(starts[queries] - before, counts) + np.arange(counts.sum(), dtype=np.int64)

    def of(self, queries: NDArray[np.integer]) -> Self:
        """The features of these queries."""
        return replace(self, values=self.values[self.rows(queries)], counts=self.counts[queries])

    def columns(self, names: Sequence[str]) -> Self:
        """The features of these columns, in their order. Raises KeyError where there is no such one."""
        place_of = {name: place for place, name in enumerate(self.names)}
        places = [place_of[name] for name in names]
        groups = tuple(self.groups[place] for place in places)
        return replace(self, names=tuple(names), groups=groups, values=self.values[:, places])

    def where(self, kept: BoolArray, *, counts: NDArray[np.integer]) -> Self:
        """The rows for which ``kept`` is true, so many of each query."""
        return replace(self, values=self.values[kept], counts=counts.astype(np.int32))


def features(candidates: Candidates, queries: Queries, facts: ItemFacts) -> Features:
    """The features of every candidate; ``queries`` are those of the records, in their order, known or folded in."""
    query, place = np.nonzero(candidates.items >= 0)
    pairs = _Pairs(
        queries.histories.where(queries.histories.bought), query, candidates.items[query, place], facts=facts
    )
    sources = [*_instances(candidates, query, place), *_behaviour(pairs)]
    names = tuple(f"{group}: {name}" for group, columns in sources for name in columns)
    values = np.empty((len(query), len(names)), np.float16)
    column = 0
    for _, columns in sources:
        for feature in columns.values():
            values[:, column] = np.clip(feature, -LARGEST, LARGEST)
            column += 1
    return Features(
        names=names,
        groups=tuple(name.partition(":")[0] for name in names),
        values=values,
        counts=np.bincount(query, minlength=len(candidates)).astype(np.int32),
    )


def _instances(candidates: Candidates, query: IdArray, place: IdArray) -> Iterator[tuple[str, Columns]]:
    """Score and rank by each instance, and how far the instances agree."""
    ranks = []
    for m, instance in enumerate(candidates.instances):
        rank = log_ranks(candidates.z[:, m], candidates.items)[query, place]
        ranks.append(np.where(np.isnan(rank), np.float32(np.log1p(candidates.items.shape[1])), rank))
        yield instance, {"z": candidates.z[query, m, place], "rank": rank}
    z = np.nan_to_num(candidates.z[query, :, place].astype(np.float32))
    places = np.stack(ranks, axis=1)
    yield (
        "agreement",
        {
            "mean": z.mean(axis=1),
            "highest": z.max(axis=1),
            "deviation": z.std(axis=1),
            "rank": places.mean(axis=1),
            "best_rank": places.min(axis=1),
            "in_top": np.count_nonzero(places < np.float32(np.log1p(TOP)), axis=1).astype(np.float32),
        },
    )


def log_ranks(z: NDArray[np.float16], items: IntArray) -> FloatArray:
    """log(1 + how many candidates of the record are above); equal ones share a place, NaN for silence."""
    valid = (items >= 0) & ~np.isnan(z)
    value = np.where(valid, -z.astype(np.float32), np.inf)
    order = np.argsort(value, axis=1, kind="stable")
    ranked = np.take_along_axis(value, order, axis=1)
    fresh = np.concatenate([np.ones((len(z), 1), np.bool_), ranked[:, 1:] != ranked[:, :-1]], axis=1)
    place = np.maximum.accumulate(np.where(fresh, np.arange(z.shape[1]), 0), axis=1)
    ranks = np.empty(z.shape, np.float32)
    np.put_along_axis(ranks, order, np.log1p(place).astype(np.float32), axis=1)
    return np.where(valid, ranks, np.float32(np.nan))


class _Pairs:
    """The candidates of all queries in one line, with the customers' purchases grouped in the ways that are needed."""

    def __init__(self, bought: Interactions, query: IdArray, item: IntArray, *, facts: ItemFacts) -> None:
        self.bought, self.facts = bought, facts
        self.query, self.item = query.astype(np.int64), item.astype(np.int64)
        self.category = facts.categories.of_item[self.item]
        self.item_key = self.query * facts.n_items + self.item
        self.category_key = self.query * facts.categories.n + self.category
        self.user = bought.user.astype(np.int64)

    @cached_property
    def items(self) -> Rhythms:
        return Rhythms(self.user * self.facts.n_items + self.bought.item, self.bought.age)

    @cached_property
    def lines(self) -> Rhythms:
        """Rhythms by customer and category, each item of a basket for itself."""
        return Rhythms(self._category_of_line, self.bought.age)

    @cached_property
    def categories(self) -> Rhythms:
        """Rhythms by customer and category, each basket once."""
        first = first_of(self._category_of_line, self.bought.basket)
        return Rhythms(self._category_of_line[first], self.bought.age[first])

    @cached_property
    def customers(self) -> Rhythms:
        """Rhythms by customer, each item of a basket for itself."""
        return Rhythms(self.user, self.bought.age)

    @cached_property
    def baskets(self) -> Rhythms:
        """Rhythms by customer, each basket once."""
        first = first_of(self.user, self.bought.basket)
        return Rhythms(self.user[first], self.bought.age[first])

    @cached_property
    def n_baskets(self) -> FloatArray:
        """Number of baskets of each candidate's customer, at least 1."""
        return self.baskets.of(self.query, self.baskets.times, missing=1)

    @cached_property
    def _category_of_line(self) -> IdArray:
        return self.user * self.facts.categories.n + self.facts.categories.of_item[self.bought.item]


def _behaviour(pairs: _Pairs) -> Iterator[tuple[str, Columns]]:
    yield "rhythm", _item_rhythm(pairs)
    yield "category", _category_rhythm(pairs)
    yield "price", _price(pairs)
    yield "promotion", _promotion(pairs)
    yield "popularity", {name: values[pairs.item] for name, values in pairs.facts.popularity.items()}
    yield "customer", _customer(pairs)


def _item_rhythm(pairs: _Pairs) -> Columns:
    """The customer's own purchases of the item, and how others come back to it."""
    own, wanted, back = pairs.items, pairs.item_key, pairs.facts.back
    rhythm = own.columns(wanted)
    rank = pairs.bought.basket_rank
    late = own.of(wanted, own.total(rank < LAST_BASKETS), missing=0)
    faded = {
        f"baskets_faded_{how}": own.of(wanted, own.total(np.power(fading, rank, dtype=np.float32)), missing=0)
        for how, fading in FADING.items()
    }
    return (
        rhythm
        | faded
        | {
            "share_of_baskets": rhythm["times"] / pairs.n_baskets,
            "share_of_last_baskets": late / np.minimum(pairs.n_baskets, LAST_BASKETS),
            "baskets_since": own.of(wanted, rank[own.order][own.starts].astype(np.float32)),
            "quantity": own.of(wanted, own.mean(pairs.bought.quantity)),
            "spent": own.of(wanted, own.total(pairs.bought.amount)),
            "gap_of_others": back.gap[pairs.item],
            "return_rate": back.rate[pairs.item],
            "due_by_others": rhythm["since"] / np.maximum(back.gap[pairs.item], 1),
        }
    )


def _category_rhythm(pairs: _Pairs) -> Columns:
    """The customer's purchases in the item's category, and the item's part in it."""
    rhythm = pairs.categories.columns(pairs.category_key)
    categories, lines, wanted = pairs.facts.categories, pairs.lines, pairs.category_key
    n_lines = lines.of(wanted, lines.times, missing=0)
    kinds = Rhythms(
        pairs.items.keys // pairs.facts.n_items * categories.n
        + categories.of_item[pairs.items.keys % pairs.facts.n_items],
        pairs.items.oldest,
    )
    return rhythm | {
        "lines": n_lines,
        "lines_28d": lines.of(wanted, lines.recent(MONTH), missing=0),
        "kinds": kinds.of(wanted, kinds.times, missing=0),
        "new_kinds_56d": kinds.of(wanted, kinds.recent(2 * MONTH), missing=0),
        "share_of_item": pairs.items.of(pairs.item_key, pairs.items.times, missing=0) / np.maximum(n_lines, 1),
        "share_of_baskets": rhythm["times"] / pairs.n_baskets,
        "return_rate": categories.back.rate[pairs.category],
        "due_by_others": rhythm["since"] / np.maximum(categories.back.gap[pairs.category], 1),
        "buyers": np.log1p(categories.buyers[pairs.category]),
        "item_share": categories.share[pairs.item],
        "item_rank": categories.rank[pairs.item],
    }


def _price(pairs: _Pairs) -> Columns:
    """Price of the item, against usual, against its category, and against what the customer pays."""
    facts, own = pairs.facts, pairs.items
    paid = own.total(pairs.bought.amount) / np.maximum(own.total(pairs.bought.quantity), CENT)
    taste = pairs.customers.of(pairs.query, pairs.customers.mean(np.nan_to_num(facts.level[pairs.bought.item])))
    usual, recent = facts.usual_price[pairs.item], facts.recent_price[pairs.item]
    level = facts.level[pairs.item]
    return {
        "usual": usual,
        "recent_to_usual": recent / np.maximum(usual, CENT),
        "recent_to_own": recent / np.maximum(own.of(pairs.item_key, paid), CENT),
        "level": level,
        "level_of_customer": taste,
        "level_to_customer": level - taste,
    }


def _promotion(pairs: _Pairs) -> Columns:
    """Past promotions, the plan, and how much of what the customer buys is promoted; empty without promotions."""
    promotion = pairs.facts.promotion
    if promotion is None:
        return {}
    columns: dict[str, NDArray[np.floating]] = {name: values[pairs.item] for name, values in promotion.columns.items()}
    for medium, shares in promotion.when_bought(pairs.bought).items():
        columns[f"{medium}_of_customer"] = pairs.customers.of(pairs.query, pairs.customers.mean(shares))
        columns[f"{medium}_in_category"] = pairs.lines.of(pairs.category_key, pairs.lines.mean(shares))
        columns[f"{medium}_when_bought"] = pairs.items.of(pairs.item_key, pairs.items.mean(shares))
    return columns


def _customer(pairs: _Pairs) -> Columns:
    """The customer's whole behaviour, the same for every candidate."""
    baskets, lines, owner = pairs.baskets, pairs.customers, pairs.items.keys // pairs.facts.n_items
    last, first = Rhythms(owner, pairs.items.newest), Rhythms(owner, pairs.items.oldest)
    columns: dict[str, NDArray[np.floating]] = {
        "baskets": baskets.times,
        "baskets_28d": baskets.recent(MONTH),
        "baskets_56d": baskets.recent(2 * MONTH),
        "since": baskets.newest,
        "gap": baskets.gap,
        "gap_deviation": baskets.gap_deviation,
        "basket_size": lines.times / baskets.times,
        "items": last.times,
        "repeat_rate": 1 - last.times / lines.times,
        "repeated_items": last.mean(pairs.items.times > 1),
        "new_items_28d": first.recent(MONTH) / np.maximum(lines.recent(MONTH), 1),
        "basket_value": lines.total(pairs.bought.amount) / baskets.times,
    }
    return {name: baskets.of(pairs.query, values) for name, values in columns.items()}
