"""A past answer made again by the functions that serve, of what it was made of or of what holds now."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Self

import numpy as np

from recommendations.models import BlendWeights, RuleBook, Slate
from recommendations.serving.answer_record import BasisRecord
from recommendations.serving.arms import arms_of, named_again, unit_of
from recommendations.serving.page import prepare_page, share_out
from recommendations.serving.past.past_parts import CannotMakeError, Missing, PastParts, model_of, parts_of, slots_of
from recommendations.serving.pipeline import complete, prepare
from recommendations.serving.serving_state import resolve
from recommendations.serving.types import Answer
from recommendations.store.live import fetch
from recommendations.store.live.state import LiveState
from recommendations.store.models.model import Model
from recommendations.store.rules.conditions import FrozenRule
from recommendations.store.serving.served_audiences import ServedAudiences
from recommendations.store.serving.served_rules import ServedRules
from recommendations.store.serving.snapshot import Names, ServedWeights, Snapshot, WeightsKey
from recommendations.store.serving.stock_at import StockThen, stock_at
from recommendations.terms import BlendName

__all__ = [
    "Again", "CannotMakeError", "Instead", "Missing", "Part", "Reconstruction", "Sameness", "again", "rules_of",
    "versions_of",
]  # fmt: skip

ROUNDING = 1e-6
"""How far scores may lie apart where another processor added them up."""


class Sameness(StrEnum):
    EXACT = "exact"  # bit for bit
    ROUNDING = "rounding"  # the same items in the same order, scores within rounding
    DIFFERENT = "different"


class Part(StrEnum):
    """Parts of an answer that may have changed since."""

    MODEL = "model"
    WEIGHTS = "weights"  # and the settings of the placement
    RULES = "rules"
    CATALOGUE = "catalogue"
    CUSTOMER = "customer"  # what they did, their audiences, and time


@dataclass(frozen=True, kw_only=True)
class Instead:
    """What stands in place of what an answer was made of: parts as they are ``now``, or a version by its number."""

    now: Collection[Part] = ()
    weights: int | None = None  # key of a version
    rules: int | None = None  # number of a book


@dataclass(frozen=True, kw_only=True)
class Again:
    """An answer made again; ``differences`` are places, from 0, that show another item."""

    slate: Slate
    answer: Answer
    sameness: Sameness
    differences: Sequence[int]
    missing: Sequence[Missing]


@dataclass(kw_only=True, eq=False)
class Reconstruction:
    """All that is needed to make the answer of a slate again, read once; ``live`` is the snapshot of now."""

    slate: Slate
    parts: PastParts
    slots: Sequence[tuple[str, PastParts]]
    live: Snapshot
    model: Model | None  # of then
    then: StockThen
    moment: datetime
    _rules: dict[tuple[bool, int], ServedRules] = field(default_factory=dict)
    _snapshots: dict[tuple[bool, bool], Snapshot] = field(default_factory=dict)

    @classmethod
    def of(cls, slate: Slate, *, live: Snapshot, now: datetime) -> Self:
        """Read what a slate was made of. Raises CannotMakeError."""
        parts = parts_of(slate)
        model = model_of(parts.basis.model)
        then = stock_at(slate.served_at, mark=parts.basis.catalogue)
        slots = slots_of(slate, parts)
        return cls(slate=slate, parts=parts, slots=slots, live=live, model=model, then=then, moment=now)

    @property
    def missing(self) -> list[Missing]:
        """Why the answer is not certain to be the same."""
        unknown = not self.parts.live(self.slate.customer_id).known
        pairs = {
            Missing.MODEL_EDITED: self.model is not None and self.model.edition > 0,
            Missing.CATALOGUE_UNKNOWN: not self.then.certain,
            Missing.STATE_UNKNOWN: unknown,
        }
        return [code for code, holds in pairs.items() if holds]

    @property
    def changed(self) -> list[Part]:
        """Parts that may be others now; each of the rest is certainly the one of then."""
        live, slots = self.live, [parts for _own, parts in self.slots]
        model = live.model.version_id if live.model else None
        edited = live.model is not None and live.model.edition > 0
        same = {
            Part.MODEL: model == self.parts.basis.model and not edited,
            Part.WEIGHTS: all(map(self._holds, slots)),
            Part.RULES: all(self._now(parts).rules.version == parts.basis.rules for parts in slots),
            Part.CATALOGUE: live.stock.mark == self.then.stock.mark,
        }
        return [part for part in Part if not same.get(part)]

    def _now(self, parts: PastParts) -> Snapshot:
        """What the person of the request gets of a slot now: under the arms of experiments that they are in."""
        slate = self.slate
        by_visitor = slate.customer is not None and unit_of([bytes(slate.customer.pseudonym)]) != slate.unit
        request = named_again(parts.request.request, None if by_visitor else slate.customer)
        arms = arms_of(
            request, snapshot=self.live, unit=slate.unit, customer=slate.customer_id, state=self._state_now,
            now=self.moment,
        )  # fmt: skip
        return self.live.under(arms)

    def _holds(self, parts: PastParts) -> bool:
        """Whether a placement and all weights that its blends have now are those that an answer knew."""
        basis, live = parts.basis, self._now(parts)
        rows = self._rows(basis)
        then = {WeightsKey.of(BlendName(row.blend.name), row.group): ServedWeights.of(row) for row in rows}
        blends = {basis.placement.blend, *(key.blend for key in then)}
        now = {key: weights for key, weights in live.weights.items() if key.blend in blends}
        placement = live.placements.get(basis.placement.name)
        if placement is not None:  # how much room there is for new items changes by the minute, and is no setting
            placement = replace(placement, promised=basis.placement.promised)
        return placement == basis.placement and now == then

    def answer(self, instead: Instead) -> Answer:
        """Make the answer. Raises CannotMakeError where a model's files are gone."""
        moment = self.moment if Part.CUSTOMER in instead.now else self.slate.served_at
        state, whole = self._state(instead), self._whole(instead)
        snapshots = [self._under(whole, parts, instead) for _own, parts in self.slots]
        requests = [
            resolve(parts.request.request, stock=whole.stock, customer=self.slate.customer_id, recommendation_id=own)
            for own, parts in self.slots
        ]
        if self.parts.request.page is None:
            return complete(prepare(requests[0], snapshot=snapshots[0], state=state, now=moment))
        page = prepare_page(requests, snapshots=snapshots, state=state, now=moment)
        return share_out(page)[[own for own, _parts in self.slots].index(self.slate.recommendation_id)]

    def _whole(self, instead: Instead) -> Snapshot:
        """The snapshot without what differs from slot to slot."""
        bare = self._bare(instead)
        if Part.CUSTOMER in instead.now:
            return bare.with_parts(
                objectors=self.live.objectors, resumed=self.live.resumed, audiences=self.live.audiences
            )
        return bare

    def _bare(self, instead: Instead) -> Snapshot:
        """Stock and model, with the audiences of then; worked out once for each pair of them."""
        key = Part.CATALOGUE in instead.now, Part.MODEL in instead.now
        if key not in self._snapshots:
            stock = self.live.stock if Part.CATALOGUE in instead.now else self.then.stock
            audiences = self.parts.state.audiences if self.parts.state else ()
            members = {key: np.array([self.slate.customer_id], np.int64) for key in audiences}
            bare = self._snapshots[key] = Snapshot(
                stock=stock,
                model=self.live.model if Part.MODEL in instead.now else self.model,
                rules=ServedRules.nothing(stock, read_at=self.moment),
                names=self._names,
                audiences=ServedAudiences(members=members),
                resumed=self._resumed_then,
                read_at=self.moment,
            )
            _ = bare.likeness, bare.lifts
        return self._snapshots[key]

    @property
    def _resumed_then(self) -> dict[int, float]:
        """When the customer agreed again, where that was before the answer."""
        until = self.slate.served_at.timestamp()
        return {key: at for key, at in self.live.resumed.items() if key == self.slate.customer_id and at <= until}

    def _under(self, snapshot: Snapshot, parts: PastParts, instead: Instead) -> Snapshot:
        """The snapshot with the rules, the placement and the weights of a slot."""
        snapshot = snapshot.with_parts(rules=self._book(parts, instead))
        if Part.WEIGHTS in instead.now:
            live = self._now(parts)
            return snapshot.with_parts(placements=live.placements, weights=live.weights)
        basis, rows = parts.basis, self._rows(parts.basis)
        if instead.weights is not None:
            others = versions_of([instead.weights]).values()
            rows = [row for row in rows if row.blend_id not in {other.blend_id for other in others}] + [*others]
        weights = {WeightsKey.of(BlendName(row.blend.name), row.group): ServedWeights.of(row) for row in rows}
        if (
            Part.CUSTOMER in instead.now and basis.visit_weights is None
        ):  # nobody visited: no version of it then is known
            weights |= {key: own for key, own in self._now(parts).weights.items() if key.blend is BlendName.SESSION}
        return snapshot.with_parts(placements={basis.placement.name: basis.placement}, weights=weights)

    def _state(self, instead: Instead) -> LiveState:
        if Part.CUSTOMER not in instead.now:
            return self.parts.live(self.slate.customer_id)
        return self._state_now

    @cached_property
    def _state_now(self) -> LiveState:
        since = self.live.model.as_of if self.live.model else None
        return fetch.state_of(self.slate.customer_id, since=since, showings=True).state

    def _book(self, parts: PastParts, instead: Instead) -> ServedRules:
        """A book over the stock of then or now, looked up once for each pair."""
        now, number = instead.now, instead.rules
        if number is None:
            number = self._now(parts).rules.version if Part.RULES in now else parts.basis.rules
        key = (Part.CATALOGUE in now, number)
        if key not in self._rules:
            self._rules[key] = self._bare(instead).rules.with_book(rules_of(number), version=number)
        return self._rules[key]

    def _rows(self, basis: BasisRecord) -> list[BlendWeights]:
        """Versions of weights that an answer was made of, where they are still there."""
        keys = (basis.weights, basis.visit_weights)
        return [self._versions[key] for key in keys if key is not None and key in self._versions]

    @cached_property
    def _versions(self) -> Mapping[int, BlendWeights]:
        bases = [parts.basis for _own, parts in self.slots]
        keys = {key for basis in bases for key in (basis.weights, basis.visit_weights) if key is not None}
        return versions_of(keys)

    @cached_property
    def _names(self) -> Names:
        return Names.stored()


def again(made_of: Reconstruction, *, instead: Instead | None = None) -> Again:
    """Make the answer again and compare it with the slate. Raises CannotMakeError."""
    slate, answer = made_of.slate, made_of.answer(instead or Instead())
    items = [shown.item for shown in answer.shown]
    longest = max(len(slate.items), len(items))
    differences = [place for place in range(longest) if slate.items[place : place + 1] != items[place : place + 1]]
    return Again(
        slate=slate, answer=answer, sameness=_sameness(slate, answer), differences=differences, missing=made_of.missing
    )


def versions_of(keys: Collection[int]) -> dict[int, BlendWeights]:
    """Versions of weights by key."""
    return BlendWeights.objects.select_related("blend", "segment", "audience").in_bulk(list(keys))


def rules_of(number: int) -> Sequence[FrozenRule]:
    """Rules of a book; none before the first."""
    book = RuleBook.objects.filter(number=number).first() if number else None
    return book.rules if book else ()


def _sameness(slate: Slate, answer: Answer) -> Sameness:
    if [shown.item for shown in answer.shown] != slate.items:
        return Sameness.DIFFERENT
    pairs = [
        ([shown.score for shown in answer.shown], slate.scores),
        ([shown.propensity for shown in answer.shown], slate.propensities),
    ]
    if all(made == stored for made, stored in pairs):
        return Sameness.EXACT
    close = all(np.allclose(made, stored, rtol=0, atol=ROUNDING) for made, stored in pairs)
    return Sameness.ROUNDING if close else Sameness.DIFFERENT
