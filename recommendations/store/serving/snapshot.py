"""Snapshot that answers are made of: the catalogue, the model, the weights and the rules of one moment."""

import math
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np

from recommendations.engine.experiments.assignment import arm_of, share_of
from recommendations.engine.frames import BoolArray, FloatArray, IntArray
from recommendations.engine.privacy.smallest import SEGMENT
from recommendations.engine.ranking.diversity import Likeness
from recommendations.engine.ranking.scores import Exponents, Lifts
from recommendations.models import Audience, BlendWeights, Category, Group, Segment
from recommendations.models.experiments import BUCKETS
from recommendations.store.events.known_customers import KnownCustomers
from recommendations.store.live.fetch import ROTATION
from recommendations.store.models.held_by_model import held_by_model
from recommendations.store.models.model import Model, likeness
from recommendations.store.promises.served_promises import ServedPromises
from recommendations.store.rules.conditions import FrozenRule
from recommendations.store.serving.served_audiences import ServedAudiences
from recommendations.store.serving.served_rules import ServedRules
from recommendations.store.serving.stock import Stock
from recommendations.store.serving.word_index import WordIndex
from recommendations.terms import PATH_SEPARATOR, BlendName, CatalogueScope, Cut, Lift, Repeat, Variants


class WeightsKey(NamedTuple):
    """What weights are for: a blend, and the customers of an audience (by key), of a segment (by number), or all."""

    blend: BlendName
    audience: int | None = None
    segment: int | None = None

    @classmethod
    def of(cls, blend: BlendName, group: Group) -> Self:
        return cls(
            blend,
            audience=group.pk if isinstance(group, Audience) else None,
            segment=group.number if isinstance(group, Segment) else None,
        )


@dataclass(frozen=True, kw_only=True)
class ServedWeights:
    version: int  # number among those of its blend, as on the pages; 0: tried without being stored
    weights: Mapping[str, float]
    diversity: float
    exploration: float  # share of the answers that are shuffled
    cards: float = 0.0  # how often one of the last slots shows an item from further down
    promotion: float = 0.0  # exponents of the lifts, this one and those below
    revenue: float = 0.0
    margin: float = 0.0
    clearance: float = 0.0
    key: int | None = None  # of the row; None: tried without being stored
    whose: WeightsKey | None = None

    @classmethod
    def of(cls, row: BlendWeights) -> Self:
        return cls(
            version=row.number if row.pk else 0, weights=row.weights, diversity=row.diversity,
            exploration=row.exploration, cards=row.cards, **row.exponents, key=row.pk,
            whose=WeightsKey.of(BlendName(row.blend.name), row.group),
        )  # fmt: skip

    @property
    def exponents(self) -> Exponents:
        return {name: getattr(self, name) for name in Lift}


@dataclass(frozen=True, kw_only=True)
class ServedPlacement:
    name: str
    blend: BlendName | None
    repeat: Repeat
    needs_context: bool
    scope: CatalogueScope
    n: int
    cool_down: float
    diversity: float | None
    explores: bool
    fatigue: float = 0.0  # how far goes down what was shown and not clicked; 0: not at all
    variants: Variants = Variants.EACH  # as answers were made before there was a choice
    promised: ServedPromises | None = None  # to new items

    def families_of(self, stock: Stock) -> IntArray | None:
        """The product of each row of the stock, where of each there is one tile; None where variants have their own."""
        return stock.families if self.variants is Variants.ONE else None

    def diversity_with(self, weights: ServedWeights | None) -> float:
        """The placement's own diversity where it has one, else the weights'."""
        if self.diversity is not None:
            return self.diversity
        return weights.diversity if weights else 0.0


@dataclass(frozen=True, kw_only=True)
class ServedSlot:
    """A placement on a page; ``n`` None: as the placement has it."""

    placement: str
    n: int | None


@dataclass(frozen=True, kw_only=True)
class ServedArm:
    """What an arm of an experiment puts in place of what is served."""

    key: int
    position: int  # 0: the control
    experiment: int
    weights: Mapping[WeightsKey, ServedWeights] = field(default_factory=dict)
    book: tuple[int, Sequence[FrozenRule]] | None = None  # number and rules
    placements: Mapping[str, ServedPlacement] = field(default_factory=dict)
    pages: Mapping[str, Sequence[ServedSlot]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ServedExperiment:
    """A running experiment: who is in it, and which arm they get."""

    key: int
    placements: frozenset[str]
    segments: frozenset[int]  # none: everybody
    signed_in: bool | None  # None: signed in or not
    buckets: range  # of the traffic
    traffic_salt: bytes
    salt: bytes
    arms: Sequence[ServedArm]
    shares: Mapping[int | None, Sequence[float]]  # of the arms, by segment; None: of all others
    stays: Mapping[int, int] = field(default_factory=dict)  # unit → position of the arm that it was in before a merger
    daily: bool = False  # whether people are drawn anew every day of the shop

    @cached_property
    def weighed(self) -> frozenset[WeightsKey]:
        """Blends, of all or of a group, whose weights its arms change."""
        return frozenset(key for arm in self.arms for key in arm.weights)

    def arm_of(self, unit: int, *, segment: int, day: date) -> ServedArm | None:
        """The arm of a unit in a segment; None where it is not in this part of the traffic."""
        if int(share_of(self.traffic_salt, unit) * BUCKETS) not in self.buckets:
            return None
        if unit in self.stays:
            return self.arms[self.stays[unit]]
        salt = self.salt + day.isoformat().encode() if self.daily else self.salt
        shares = self.shares.get(segment, self.shares[None])
        return self.arms[arm_of(share_of(salt, unit), shares)]


@dataclass(frozen=True, kw_only=True)
class Names:
    """Names of rows of the record."""

    categories: Mapping[int, tuple[str, str]]  # primary key → path, name
    segments: Mapping[int, str]  # number → name; without those of too few people to be named

    @classmethod
    def stored(cls) -> Self:
        """Names as they are now."""
        categories = Category.objects.values_list("pk", "path", "name")
        return cls(
            categories={key: (path, name) for key, path, name in categories},
            segments={each.number: str(each) for each in Segment.objects.exclude(size__range=(1, SEGMENT - 1))},
        )

    def under(self, paths: Sequence[str]) -> frozenset[int]:
        """Keys of the categories with these paths, and of all that lie under them."""
        below = tuple(f"{path}{PATH_SEPARATOR}" for path in paths)
        named = self.categories.items()
        return frozenset(key for key, (path, _name) in named if path in paths or path.startswith(below))

    @cached_property
    def words(self) -> WordIndex:
        """Words of the paths, by the place of the category in ``categories``."""
        return WordIndex.of([path for path, _name in self.categories.values()])


@dataclass(kw_only=True, eq=False)
class Snapshot:
    """What answers of one moment are made of; immutable in effect: answers of the same snapshot are alike. The model is
    None before the first run of the loop.
    """

    stock: Stock
    model: Model | None
    placements: Mapping[str, ServedPlacement] = field(default_factory=dict)
    pages: Mapping[str, Sequence[ServedSlot]] = field(default_factory=dict)  # enabled placements of each, in order
    weights: Mapping[WeightsKey, ServedWeights] = field(default_factory=dict)
    rules: ServedRules
    names: Names
    customers: KnownCustomers = field(default_factory=KnownCustomers)  # by pseudonym
    layers: int = 1  # generation of these pseudonyms
    gone: frozenset[int] = frozenset()  # keys of all whose erasure this process heard of: they are nobody's
    objectors: frozenset[int] = frozenset()  # customers who do not want personal answers
    resumed: Mapping[int, float] = field(default_factory=dict)  # customer → Unix time of the yes after a no
    unmeasured: frozenset[int] = frozenset()  # customers whose answers are nobody's
    audiences: ServedAudiences = field(default_factory=ServedAudiences)
    changed: Mapping[str, str] | None = None
    read_at: datetime
    experiments: Sequence[ServedExperiment] = ()
    under_arms: dict[tuple[int, ...], Self] = field(init=False, repr=False, default_factory=dict)  # by keys of arms
    stock_rows: IntArray = field(init=False, repr=False)  # of each item row of the model, −1 = gone

    def __post_init__(self) -> None:
        items = np.empty(0, np.int64) if self.model is None else self.model.items.ids
        self.stock_rows = self.stock.ids.rows(items)

    def sellable(self, at: datetime) -> BoolArray:
        """Mask of what is for sale, by row of the stock; all is where the model ends before the present."""
        if self.model is not None and self.model.cut is not Cut.LIVE:
            return np.ones(len(self.stock), np.bool_)
        return self.stock.sellable(at)

    @cached_property
    def tiring(self) -> frozenset[str]:
        """Names of the placements where what was ignored goes down, whether for all or under an arm."""
        arms = (arm.placements for experiment in self.experiments for arm in experiment.arms)
        every = (row for each in (self.placements, *arms) for row in each.values())
        return frozenset(row.name for row in every if row.fatigue)

    def row_of(self, customer: int | None, *, anew: bool = False) -> int:
        """Row of a customer in the model; −1 of whom it does not know, or not by what is to stay out.

        Who agrees again is known by what they do from then on, so not by a model of before; ``anew``: the live state
        says that they did, which is newer than what was read here.
        """
        if customer is None or self.model is None or customer in self.objectors:
            return -1
        if anew and customer not in self.resumed:
            return -1
        if self.resumed.get(customer, -math.inf) > self.model.as_of.timestamp():
            return -1
        return self.model.users.row(customer)

    @property
    def remembers_showings(self) -> bool:
        """Whether what people are shown is remembered: for a placement, or as a request asked for rotation."""
        return bool(self.tiring) or ROTATION in (self.changed or ())

    def tires(self, placement: str, *, page: str | None = None) -> bool:
        """Whether an answer may depend on what its customer was shown: of the placement, or of a slot of the page."""
        if not self.tiring:
            return False
        if page is None:
            return placement in self.tiring
        return any(slot.placement in self.tiring for slot in self.pages.get(page, ()))

    @cached_property
    def likeness(self) -> Likeness:
        """Likeness by row of the stock, as the what-if panel has it by row of the model."""
        traits = np.full((len(self.stock), 1), -1, np.int32)
        if self.model is not None:
            there = self.stock_rows >= 0
            traits[self.stock_rows[there]] = _traits(self.model)[there]
        return Likeness(traits=traits)

    @cached_property
    def lifts(self) -> Lifts:
        """Lifts by row of the stock; 1 for what the model does not know."""
        return {} if self.model is None else {name: self._lift(values) for name, values in self.model.lifts.items()}

    def _lift(self, values: FloatArray) -> FloatArray:
        lift, there = np.ones(len(self.stock), np.float32), self.stock_rows >= 0
        lift[self.stock_rows[there]] = values[there]
        return lift

    def weights_for(self, blend: BlendName, *, segment: int, audiences: Sequence[int] = ()) -> ServedWeights | None:
        """Weights of the first of a customer's audiences that has any, else those of the segment, else everybody's."""
        keys = (*(WeightsKey(blend, audience=key) for key in audiences), WeightsKey(blend, segment=segment))
        return next((self.weights[key] for key in keys if key in self.weights), self.weights.get(WeightsKey(blend)))

    def under(self, arms: Sequence[ServedArm]) -> Self:
        """The snapshot as these arms have it, of the same stock and model; the same object for the same arms."""
        if not arms:
            return self
        key = tuple(arm.key for arm in arms)
        other = self.under_arms.get(key)
        if other is None:
            parts: dict[str, Any] = {
                name: {**getattr(self, name), **_joined(getattr(arm, name) for arm in arms)}
                for name in ("weights", "placements", "pages")
            }
            for number, frozen in (arm.book for arm in arms if arm.book):
                parts["rules"] = self.rules.with_book(frozen, version=number)
            _ = self.likeness, self.lifts  # worked out once for all arms
            other = self.under_arms[key] = self.with_parts(**parts)
        return other

    def with_rules(self, frozen: Sequence[FrozenRule]) -> Self:
        """The snapshot as if this book were served, which has no number yet."""
        return self.with_parts(rules=self.rules.with_book(frozen), audiences=self._audiences_of(frozen))

    def with_audiences_of(self, frozen: Sequence[FrozenRule]) -> Self:
        """The snapshot with the members of all audiences that these rules are for, saved or not."""
        return self.with_parts(audiences=self._audiences_of(frozen))

    def _audiences_of(self, frozen: Sequence[FrozenRule]) -> ServedAudiences:
        return self.audiences.holding({key for rule in frozen if (key := rule.get("audience")) is not None})

    def with_weights(self, key: WeightsKey, weights: ServedWeights) -> Self:
        """The snapshot as if these weights were the default of the blend and the group, with the group's members."""
        audiences = self.audiences.holding(set() if key.audience is None else {key.audience})
        return self.with_parts(weights={**self.weights, key: weights}, audiences=audiences)

    def with_parts(self, **parts: Any) -> Self:
        """A copy with other parts beside the same stock and model; what was worked out of these stays."""
        other = copy(self)
        for name, value in {**parts, "under_arms": {}}.items():
            setattr(other, name, value)
        return other


def _joined(parts: Iterable[Mapping[Any, Any]]) -> dict[Any, Any]:
    return {key: value for part in parts for key, value in part.items()}


@held_by_model
def _traits(model: Model) -> IntArray:
    return likeness(model.training.catalogue).traits
