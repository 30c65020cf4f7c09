"""A question of one customer, ready but for the rules: so that it can be answered under one book after another.

What answers is the ``select`` that serves; reasons, which take most of the time of an answer, are left out.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.evaluation.accuracy import LENGTH, judge, ndcg, revenue_ndcg
from recommendations.engine.evaluation.breadth import Assortment
from recommendations.engine.evaluation.split import Truth
from recommendations.engine.frames import FloatArray, IntArray
from recommendations.engine.ranking.rules import Rule, left_in, of_kind
from recommendations.engine.ranking.scores import Standardised
from recommendations.engine.ranking.selection import (
    NOTHING,
    CatalogueState,
    Selection,
    SelectionParams,
    eligibility,
    select,
)
from recommendations.engine.ranking.slots import Cap
from recommendations.engine.ranking.variants import one_tile_each
from recommendations.serving.customer_context import NOBODY
from recommendations.serving.fallback import FallbackSource, backfill
from recommendations.serving.pipeline import NO_LIKENESS
from recommendations.store.serving.served_rules import ServedRules
from recommendations.store.serving.snapshot import ServedPlacement, Snapshot
from recommendations.terms import Cut, RuleAction

CHUNK = 8
"""Fillers are looked for among so many times as many items as there are slots, then among more."""

RUNGS_KEPT = 100


@dataclass(frozen=True, kw_only=True, eq=False)
class Question:
    """A customer's request but for the rules; rows are those of the stock, ``params`` explores nothing."""

    customer: int  # primary key
    segment: int  # −1 = none
    audiences: tuple[int, ...]
    context: IntArray
    rows: IntArray  # [candidates], ascending
    z: Standardised  # [instances, candidates]
    weights: FloatArray  # [instances]
    params: SelectionParams


@dataclass(frozen=True, kw_only=True, eq=False)
class Answerer:
    """Answers questions of one placement. ``fallbacks`` tells what fills up a question's slate, the best first."""

    catalogue: CatalogueState
    fallbacks: Callable[[Question], Iterator[FallbackSource]]
    _left_of: dict[tuple[tuple[Rule, ...], int], tuple[FallbackSource, FallbackSource]] = field(
        default_factory=dict, repr=False
    )

    def answer(self, question: Question, rules: tuple[Rule, ...]) -> IntArray:
        """Rows of what is shown, in order, as ``recommend`` shows them."""
        params = replace(question.params, rules=rules)
        chosen = self._chosen(question, params)
        items, slots = (chosen.items, chosen.slots) if chosen else (NOTHING, np.arange(0))
        if len(items) >= params.n:
            return items
        rest = self._rest(question, params, but=items)
        free = np.setdiff1d(np.arange(params.n), slots)[: len(rest)]
        return np.concatenate([items, rest])[np.argsort(np.concatenate([slots, free]), kind="stable")]

    def _chosen(self, question: Question, params: SelectionParams) -> Selection | None:
        if not len(question.rows) and not of_kind(params.rules, RuleAction.PIN):
            return None
        return select(question.rows, question.z, question.weights, catalogue=self.catalogue, params=params)

    def _rest(self, question: Question, params: SelectionParams, *, but: IntArray) -> IntArray:
        """Fillers for the slots that are left; rules that exclude, include only and cap are kept."""
        every = np.arange(len(self.catalogue.sellable), dtype=np.int32)
        caps = [Cap(rule, every) for rule in of_kind(params.rules, RuleAction.CAP)]
        if self.catalogue.families is not None:
            caps.append(one_tile_each(self.catalogue.families))
        for cap in caps:
            for row in but.tolist():
                cap.take(row)
        slate = but
        for fallback in self.fallbacks(question):
            left = self._left(fallback, params.rules)
            first, size = 0, CHUNK * params.n
            while first < len(left.rows) and len(slate) < params.n:
                part = left.rows[first : first + size]
                open_ = np.zeros(len(every), np.bool_)
                open_[part] = eligibility(part, catalogue=self.catalogue, params=params)[0]
                open_[slate] = False
                taken = backfill([FallbackSource(left.source, part)], open_=open_, n=params.n - len(slate), caps=caps)
                slate = np.append(slate, np.array([row for row, _ in taken], np.int32))
                first, size = first + size, size * CHUNK
            if len(slate) >= params.n:
                break
        return slate[len(but) :]

    def _left(self, fallback: FallbackSource, rules: tuple[Rule, ...]) -> FallbackSource:
        """What the rules leave of a source that many questions share; that is kept with it, so that its id lasts."""
        key = rules, id(fallback.rows)
        if key not in self._left_of:
            if len(self._left_of) >= RUNGS_KEPT:
                self._left_of.clear()
            left, _ = left_in(fallback.rows, self.catalogue.sellable[fallback.rows], rules)
            self._left_of[key] = fallback, FallbackSource(fallback.source, fallback.rows[left])
        return self._left_of[key][1]


class Judge(NamedTuple):
    """What slates are measured against; rows of ``item_of`` are those of the stock."""

    truth: Truth
    shop: Assortment
    item_of: IntArray  # row of the model, −1 = unknown to it


@dataclass(frozen=True, kw_only=True, eq=False)
class Batch:
    """A placement's questions of many customers; ``judge`` is None where no truth says what would have been right."""

    placement: ServedPlacement
    cut: Cut
    questions: Sequence[Question]
    answerer: Answerer
    judge: Judge | None
    _told: dict[int, tuple[tuple[Rule, ...], IntArray]] = field(default_factory=dict, repr=False)

    @cached_property
    def customers(self) -> NDArray[np.int64]:
        return np.array([question.customer for question in self.questions], np.int64)

    def applying(self, rules: ServedRules, *, at: datetime) -> Iterator[tuple[Rule, ...]]:
        """The rules for each question at a moment."""
        for question in self.questions:
            yield rules.applying(
                placement=self.placement.name,
                segment=None if question.segment == NOBODY else question.segment,
                audiences=question.audiences,
                customer=question.customer,
                context=question.context,
                now=at,
            )

    def answers(self, rules: ServedRules, *, at: datetime) -> IntArray:
        """Slates as rows of the stock [customers, slots], −1 after the last item. The last answers are remembered."""
        slates = np.full((len(self.questions), self.placement.n), -1, np.int32)
        for place, applying in enumerate(self.applying(rules, at=at)):
            entry = self._told.get(place)
            if entry is None or entry[0] != applying:
                entry = self._told[place] = applying, self.answer(place, applying)
            slates[place] = entry[1]
        return slates

    def answer(self, place: int, rules: tuple[Rule, ...]) -> IntArray:
        """The slate of one question under these rules [slots]."""
        slate = self.answerer.answer(self.questions[place], rules)
        return np.pad(slate, (0, self.placement.n - len(slate)), constant_values=-1)

    def figures(self, shown: IntArray) -> NDArray[np.float64]:
        """Revenue and accuracy by customer [customers, 2] of all that is shown, the first 20 at most; needs a judge.

        They are revenue NDCG and NDCG at the length of the lists.
        """
        if self.judge is None:
            raise ValueError(f"no truth tells how good the answers of {self.placement.name} are")
        ranked = np.full((len(shown), LENGTH), -1, np.int32)
        top = shown[:, :LENGTH]
        ranked[:, : top.shape[1]] = np.where(top >= 0, self.judge.item_of[top], -1)
        lists, length = judge(ranked, self.judge.truth.per_user), top.shape[1]
        return np.stack([revenue_ndcg(lists, length), ndcg(lists, length)], axis=1)


def shelf_of(
    snapshot: Snapshot, questions: Sequence[Question], *, placement: ServedPlacement, now: datetime
) -> CatalogueState:
    diverse = any(question.params.diversity for question in questions)
    return CatalogueState(
        sellable=snapshot.sellable(now),
        likeness=snapshot.likeness if diverse else NO_LIKENESS,
        lifts=snapshot.lifts,
        families=placement.families_of(snapshot.stock),
    )


def known_items(rows: IntArray) -> IntArray:
    """Rows of items that exist: without −1."""
    return rows[rows >= 0].astype(np.int32)
