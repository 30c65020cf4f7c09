"""Changes that bring an item into an answer, as drafts: each is tried with ``recommend`` itself beforehand."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from recommendations.models import BlendWeights, Customer, Item, Rule
from recommendations.services.review.review import Draft, drafted
from recommendations.services.review.why_words import change_text
from recommendations.services.rules.books import BookBasis, book_with, present_order
from recommendations.services.rules.card_rules import boost_values, pin_values
from recommendations.services.weights.values import shares
from recommendations.serving.pipeline import Prepared, recommend
from recommendations.simulation.counterfactuals import Counterfactual, CounterfactualKind, changes, side_effect
from recommendations.simulation.diagnosis import Diagnosis
from recommendations.store.rules.conditions import FrozenRule, frozen
from recommendations.terms import Operator, WeightsStatus

ORDER = (
    CounterfactualKind.LIMIT,
    CounterfactualKind.WEIGHT,
    CounterfactualKind.DIVERSITY,
    CounterfactualKind.BOOST,
    CounterfactualKind.END,
    CounterfactualKind.PIN,
    CounterfactualKind.OWN_PIN,
)
"""Order of changes that disturb as much, the smaller ones first: a pin asks no score at all."""

UNSAVED = 0


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """A change that brings the item in; as a draft it changes nothing that is served."""

    change: Counterfactual
    disturbs: float  # share of the slots of other customers that would show another item, 0 … 1 (``side_effect``)
    words: str
    rank: int  # of the item after the change
    draft: Draft
    rule: FrozenRule | None  # the rule that the draft adds or changes; id 0: a new one

    @property
    def key(self) -> str:
        """Key of the change when it is asked for again, such as ``weight:als``."""
        return self.change.key

    @property
    def kind(self) -> CounterfactualKind:
        return self.change.kind


@dataclass(frozen=True, kw_only=True, eq=False)
class _Served:
    """Book and weights of an answer, from which the drafts begin; each is read when it is needed, and once."""

    asked: Prepared

    @cached_property
    def book(self) -> BookBasis:
        return BookBasis(self.asked.snapshot.rules.book, present_order())

    @cached_property
    def weights(self) -> BlendWeights:
        served = self.asked.chosen.served
        rows = BlendWeights.objects.select_related("blend", "segment", "audience")
        return rows.get(pk=served.key if served and served.key else 0)


def suggestions(asked: Prepared, stands: Diagnosis, item: Item) -> list[Suggestion]:
    """Suggestions for an item, the one that disturbs the lists of others least first."""
    working, served = [], _Served(asked=asked)
    for change in changes(asked, stands):
        rule = _rule(change, served, item)
        if rule:
            draft = Draft(rules=book_with([rule], basis=served.book))
        else:
            draft = Draft(weights=_weights(change, served.weights))
        rank = _rank(asked, draft, item.pk)
        if rank is not None:
            working.append(
                Suggestion(
                    change=change,
                    disturbs=side_effect(asked, change, stands.row),
                    words=change_text(change, asked),
                    rank=rank,
                    draft=draft,
                    rule=rule,
                )
            )
    return sorted(working, key=lambda one: (one.disturbs, ORDER.index(one.kind)))


def _rank(asked: Prepared, draft: Draft, item: int) -> int | None:
    snapshot = drafted(asked.snapshot, draft)
    answer = recommend(asked.request, snapshot=snapshot, state=asked.state, now=asked.now)
    return next((entry.rank for entry in answer.shown if entry.item == item), None)


def _weights(change: Counterfactual, served: BlendWeights) -> BlendWeights:
    """Weights as they would stand in the draft, unsaved."""
    return BlendWeights(
        blend=served.blend,
        segment=served.segment,
        audience=served.audience,
        number=UNSAVED,
        weights=shares(change.weights) if change.weights else served.weights,
        diversity=served.diversity if change.diversity is None else change.diversity,
        exploration=served.exploration,
        cards=served.cards,
        **served.exponents,
        status=WeightsStatus.DRAFT,
    )


def _rule(change: Counterfactual, served: _Served, item: Item) -> FrozenRule | None:
    """Rule that the change adds or amends; None for a change of weights."""
    prepared = served.asked
    match change.kind:
        case CounterfactualKind.BOOST:
            return _new(boost_values(item, strength=change.strength, placement=prepared.request.placement))
        case CounterfactualKind.PIN:
            return _new(pin_values(item, slot=change.slot, placement=prepared.request.placement))
        case CounterfactualKind.OWN_PIN:
            who = Customer(pk=prepared.request.customer)
            return _new(pin_values(item, slot=change.slot, placement=prepared.request.placement, customer=who))
        case CounterfactualKind.LIMIT | CounterfactualKind.END:
            before = next(rule for rule in served.book.rules if rule["id"] == change.rule)
            return _amended(before, change, prepared, item)
        case _:
            return None


def _amended(served: FrozenRule, change: Counterfactual, asked: Prepared, item: Item) -> FrozenRule:
    if change.kind is CounterfactualKind.END:
        return {**served, "ends_at": asked.now.isoformat()}
    return {**served, "items": [*served["items"], all_but(item)]}


def all_but(item: Item) -> dict[str, Any]:
    """The condition that every other item meets."""
    return {"attribute": "item", "operator": Operator.IS_NOT, "values": [item.shop_id]}


def _new(values: dict[str, Any]) -> FrozenRule:
    return cast("FrozenRule", {**frozen(Rule()), **values, "id": UNSAVED})
