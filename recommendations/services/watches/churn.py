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
from recommendations.models import BlendWeights, RuleBook, StabilityReading
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
MOST_SECONDS = 4.0
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
        rows = BlendWeights.objects.select_related("blend", "segment", "audience").in_bulk(reading.basis["weights"])
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
    """Lists of one moment under every combination of what changed between two bases."""

    before: Basis
    now: Basis
    moment: datetime

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
        return {chosen: self._snapshot(chosen) for chosen in sets}

    def churn(self, *, seed: int, most: float = MOST_SECONDS) -> Churn | None:
        """Change of the lists; None where no customer is known to both models."""
        started = time.monotonic()
        totals = dict.fromkeys(self.snapshots, 0.0)
        lists = asked = 0
        for customers in self._samples(seed):
            for placement in self._placements():
                before = self._lists(frozenset(), placement, customers)
                for chosen in totals.keys() - {frozenset()}:
                    totals[chosen] += float((1 - rbo(before, self._lists(chosen, placement, customers))).sum())
                lists += len(customers)
            asked += len(customers)
            if time.monotonic() - started > most:
                break
        if not lists:
            return None
        means = {chosen: total / lists for chosen, total in totals.items()}
        shares = dict.fromkeys(ChurnPart, 0.0) | shapley(means.__getitem__, self.changed)
        return Churn(customers=asked, whole=means[frozenset(self.changed)], parts=shares)

    def _snapshot(self, chosen: Combination) -> Snapshot:
        sides = {part: self.now if part in chosen else self.before for part in ChurnPart}
        stock = sides[ChurnPart.CATALOGUE].stock
        rules = ServedRules.nothing(stock, read_at=self.moment)
        number = sides[ChurnPart.RULES].rules
        return replace(
            self.now.snapshot,
            stock=stock,
            model=sides[ChurnPart.MODEL].model,
            weights=sides[ChurnPart.WEIGHTS].weights,
            rules=rules.with_book(_frozen(number), version=number) if number else rules,
            experiments=(),
        )

    def _placements(self) -> list[ServedPlacement]:
        """Placements that rank the whole shop for a person."""
        own = self.now.snapshot.placements.values()
        return [
            each for each in own
            if each.blend in TASKS.values() and each.scope is CatalogueScope.WHOLE and not each.needs_context
        ]  # fmt: skip

    def _samples(self, seed: int) -> Iterator[Sequence[int]]:
        if self.before.model is None or self.now.model is None:
            return
        known = np.intersect1d(self.before.model.users.ids, self.now.model.users.ids)
        drawn = generator(seed, "stability").permutation(known)[:CUSTOMERS].tolist()
        for start in range(0, len(drawn), AT_ONCE):
            yield drawn[start : start + AT_ONCE]

    def _lists(self, chosen: Combination, placement: ServedPlacement, customers: Sequence[int]) -> IntArray:
        """The first places of each customer's list as keys of items, −1 after the last."""
        snapshot = self.snapshots[chosen]
        lists = np.full((len(customers), DEPTH), -1, np.int64)
        for place, customer in enumerate(customers):
            request = ResolvedRequest(placement=placement.name, customer=customer, explore=False, explain=False)
            selection = select_candidates(prepare(request, snapshot=snapshot, state=NOTHING, now=self.moment))
            if selection is not None:
                keys = snapshot.stock.ids.ids[selection.items[:DEPTH]]
                lists[place, : len(keys)] = keys
        return lists.astype(np.int32)


def _version(learned: Model | None) -> int | None:
    return learned.version_id if learned else None


def _frozen(number: int) -> Sequence[Any]:
    book = RuleBook.objects.filter(number=number).first()
    return book.rules if book else ()
