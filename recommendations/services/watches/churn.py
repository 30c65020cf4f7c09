"""Change of the lists of a sample of customers from one run to the next, shared out over what changed them.

Each list is made by the functions that serve, of every combination of the parts as they were and as they are; parts
that are the same are not asked about. What customers did since the model was made is left out on both sides.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from itertools import combinations
from typing import Any, Self

import numpy as np

from recommendations.engine.evaluation.stability import rbo, shapley
from recommendations.engine.frames import IntArray
from recommendations.engine.rng import generator
from recommendations.models import StabilityReading
from recommendations.serving.past.again import rules_of, versions_of
from recommendations.serving.pipeline import prepare, select_candidates
from recommendations.serving.types import ResolvedRequest
from recommendations.store.live.state import NOTHING
from recommendations.store.models.artefacts import ArtefactDamagedError
from recommendations.store.models.model import Model, load_model
from recommendations.store.serving.served_rules import ServedRules
from recommendations.store.serving.snapshot import ServedPlacement, ServedWeights, Snapshot, WeightsKey
from recommendations.store.serving.stock import Stock
from recommendations.store.serving.stock_at import stock_at
from recommendations.terms import TASKS, BlendName, CatalogueScope, Cut
from recommendations.watch_terms import ChurnPart

CUSTOMERS = 500
DEPTH = 10  # places that are compared
AT_ONCE = 5
MOST_SECONDS = 3.0
"""Time after which no more customers are asked."""

type Combination = frozenset[ChurnPart]


@dataclass(frozen=True, kw_only=True)
class Basis:
    """What lists are made of; ``now`` is the moment that both sides are asked at."""

    snapshot: Snapshot
    weights: Mapping[WeightsKey, ServedWeights]
    rules: int
    stock: Stock
    model: Model | None

    @classmethod
    def of(cls, snapshot: Snapshot) -> Self:
        return cls(
            snapshot=snapshot, weights=snapshot.weights, rules=snapshot.rules.version, stock=snapshot.stock,
            model=snapshot.model,
        )  # fmt: skip

    @classmethod
    def then(cls, reading: StabilityReading, *, now: Snapshot) -> Self | None:
        """What lists were made of at a reading; None where the files of its model are gone."""
        try:
            learned = load_model(reading.version_id, Cut.LIVE)
        except (ArtefactDamagedError, KeyError):
            return None
        rows = versions_of(reading.basis["weights"])
        mark = int(reading.basis["mark"])
        same = mark == now.stock.mark
        return cls(
            snapshot=now,
            weights={
                WeightsKey.of(BlendName(row.blend.name), row.group): ServedWeights.of(row) for row in rows.values()
            },
            rules=reading.basis["rules"],
            stock=now.stock if same else stock_at(reading.at, mark=mark).stock,
            model=learned,
        )

    def described(self) -> dict[str, Any]:
        """The basis as it is stored with a reading."""
        weights = sorted(one.key for one in self.weights.values() if one.key is not None)
        return {"weights": weights, "rules": self.rules, "mark": str(self.stock.mark)}


@dataclass(frozen=True, kw_only=True)
class Churn:
    """Mean of 1 − RBO over the customers that there was time for, as a whole and by part."""

    customers: int
    whole: float
    parts: Mapping[ChurnPart, float]


@dataclass(kw_only=True)
class Comparison:
    """Lists of one moment under every combination of what changed between two bases.

    ``unset`` is the model of now as it would be under the settings of before, where these are others: then what new
    data changed is parted from what new settings changed on top of it.
    """

    before: Basis
    now: Basis
    moment: datetime
    unset: Model | None = None

    @cached_property
    def changed(self) -> tuple[ChurnPart, ...]:
        differing = {
            ChurnPart.MODEL: _version(self.before.model) != _version(self.now.model),
            ChurnPart.WEIGHTS: dict(self.before.weights) != dict(self.now.weights),
            ChurnPart.RULES: self.before.rules != self.now.rules,
            ChurnPart.CATALOGUE: self.before.stock.mark != self.now.stock.mark,
        }
        return tuple(part for part, differs in differing.items() if differs)

    @cached_property
    def snapshots(self) -> dict[Combination, Snapshot]:
        sets = [
            frozenset(chosen) for size in range(len(self.changed) + 1) for chosen in combinations(self.changed, size)
        ]
        sets += [self._settled(chosen) for chosen in sets if self._settled(chosen) != chosen]
        return {chosen: self._snapshot(chosen) for chosen in sets}

    def churn(self, *, seed: int, most: float = MOST_SECONDS) -> Churn | None:
        """Change of the lists; None where no customer is known to both models."""
        started = time.monotonic()
        totals = dict.fromkeys(self.snapshots, 0.0)
        lists = asked = 0
        for customers in blocks(self.sample(seed)):
            for placement in personal_placements(self.now.snapshot):
                before = lists_of(self.snapshots[frozenset()], placement, customers, now=self.moment)
                for chosen in totals.keys() - {frozenset()}:
                    listed = lists_of(self.snapshots[chosen], placement, customers, now=self.moment)
                    totals[chosen] += float((1 - rbo(before, listed)).sum())
                lists += len(customers)
            asked += len(customers)
            if time.monotonic() - started > most:
                break
        if not lists:
            return None
        means = {chosen: total / lists for chosen, total in totals.items()}
        return Churn(customers=asked, whole=means[self._settled(frozenset(self.changed))], parts=self._shares(means))

    def sample(self, seed: int) -> list[int]:
        """Keys of the customers that are asked, at random of those whom both models know."""
        if self.before.model is None or self.now.model is None:
            return []
        known = np.intersect1d(self.before.model.users.ids, self.now.model.users.ids)
        keys: list[int] = generator(seed, "stability").permutation(known)[:CUSTOMERS].tolist()
        return keys

    def _shares(self, means: Mapping[Combination, float]) -> dict[ChurnPart, float]:
        """Share of each part; settings come after the data that they were fitted on."""
        shares = dict.fromkeys(set(ChurnPart) - {ChurnPart.SETTINGS}, 0.0)
        shares |= shapley(lambda chosen: means[self._settled(chosen)], self.changed)
        if self._settled(frozenset(self.changed)) != frozenset(self.changed):
            data = shapley(means.__getitem__, self.changed)[ChurnPart.MODEL]
            shares |= {ChurnPart.SETTINGS: shares[ChurnPart.MODEL] - data, ChurnPart.MODEL: data}
        return shares

    def _settled(self, chosen: Combination) -> Combination:
        """The combination with the settings of now, where its model is that of now and they changed."""
        if self.unset is None or ChurnPart.MODEL not in chosen:
            return chosen
        return chosen | {ChurnPart.SETTINGS}

    def _snapshot(self, chosen: Combination) -> Snapshot:
        sides = {part: self.now if part in chosen else self.before for part in ChurnPart}
        stock = sides[ChurnPart.CATALOGUE].stock
        rules = ServedRules.nothing(stock, read_at=self.moment)
        number = sides[ChurnPart.RULES].rules
        model = sides[ChurnPart.MODEL].model
        return replace(
            self.now.snapshot,
            stock=stock,
            model=model if chosen == self._settled(chosen) else self.unset,
            weights=sides[ChurnPart.WEIGHTS].weights,
            rules=rules.with_book(rules_of(number), version=number) if number else rules,
            experiments=(),
        )


def distance(one: Snapshot, other: Snapshot, customers: Sequence[int], *, now: datetime, most: float) -> float | None:
    """Mean of 1 − RBO between the lists of two snapshots, over the customers that there was time for; None of none."""
    started = time.monotonic()
    total, lists = 0.0, 0
    for block in blocks(customers):
        for placement in personal_placements(one):
            ours, theirs = (lists_of(side, placement, block, now=now) for side in (one, other))
            total += float((1 - rbo(ours, theirs)).sum())
            lists += len(block)
        if time.monotonic() - started > most:
            break
    return total / lists if lists else None


def blocks(customers: Sequence[int]) -> Iterator[Sequence[int]]:
    """The customers a few at a time, so that there is an end to it when the time is over."""
    for start in range(0, len(customers), AT_ONCE):
        yield customers[start : start + AT_ONCE]


def personal_placements(snapshot: Snapshot) -> list[ServedPlacement]:
    """Placements that rank the whole shop for a person."""
    return [
        each for each in snapshot.placements.values()
        if each.blend in TASKS.values() and each.scope is CatalogueScope.WHOLE and not each.needs_context
    ]  # fmt: skip


def lists_of(snapshot: Snapshot, placement: ServedPlacement, customers: Sequence[int], *, now: datetime) -> IntArray:
    """The first places of each customer's list as keys of items, −1 after the last."""
    lists = np.full((len(customers), DEPTH), -1, np.int64)
    for place, customer in enumerate(customers):
        request = ResolvedRequest(placement=placement.name, customer=customer, explore=False, explain=False)
        selection = select_candidates(prepare(request, snapshot=snapshot, state=NOTHING, now=now))
        if selection is not None:
            keys = snapshot.stock.ids.ids[selection.items[:DEPTH]]
            lists[place, : len(keys)] = keys
    return lists.astype(np.int32)


def _version(learned: Model | None) -> int | None:
    return learned.version_id if learned else None
