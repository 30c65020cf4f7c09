"""Review of one customer's answer: live, or as the version was tested, with what was bought afterwards."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from django.db.models import OuterRef, Subquery
from django.utils import timezone

from recommendations.engine.ranking.second_stage import NAME
from recommendations.event_types import EventName
from recommendations.models import BlendWeights, Category, Customer, Event, Item, ModelVersion
from recommendations.services.review.acts import taking
from recommendations.services.review.answer_funnel import Step, steps
from recommendations.services.review.waterfall import Term, waterfall
from recommendations.services.weights.movers import ListPlace
from recommendations.serving.arms import Arms, arms_of_customer
from recommendations.serving.candidates import CandidatePool, candidate_source
from recommendations.serving.pipeline import Prepared, complete, prepare
from recommendations.serving.types import Answer, ResolvedRequest, ShownReason
from recommendations.simulation.second_stage_terms import broken_down
from recommendations.store.live import fetch, record
from recommendations.store.live.state import NOTHING, Act, LiveState
from recommendations.store.models.held_by_model import held_by_model
from recommendations.store.models.model import Model
from recommendations.store.rules.conditions import FrozenRule
from recommendations.store.serving.snapshot import ServedWeights, Snapshot, WeightsKey
from recommendations.store.serving.snapshot_holder import snapshot_holder
from recommendations.terms import BlendName, Cut
from recommendations.wording.reasons import reason_text

LATER = timedelta(days=28)
"""How long purchases after a past moment count as later ones: as long as a test window."""


class Making(StrEnum):
    """What an answer under review was made from."""

    LIVE = "live"  # as the shop gets it now
    TESTED = "tested"  # as the version's model said before its test window
    FOLDED = "folded"  # the history up to a moment, and simulated events, scored anew by the live model


@dataclass(frozen=True, kw_only=True)
class Simulated:
    """An event of the customer that might happen now; it is never stored."""

    name: EventName  # view_item, add_to_cart or purchase
    item: int


@dataclass(frozen=True, kw_only=True)
class Draft:
    """Weights and rules to answer with instead of those served; None: as served."""

    weights: BlendWeights | None = None
    rules: Sequence[FrozenRule] | None = None


@dataclass(frozen=True, kw_only=True)
class Look:
    """Settings of a review; the default is the answer as it is served now."""

    cut: Cut = Cut.LIVE
    as_of: datetime | None = None
    simulated: Sequence[Simulated] = ()
    draft: Draft | None = None

    @property
    def history(self) -> tuple[Cut, datetime | None, tuple[Simulated, ...]]:
        """Cut, moment and simulated events that the answer is made from, whatever the draft."""
        return self.cut, self.as_of, tuple(self.simulated)


@dataclass(frozen=True, kw_only=True)
class Card:
    """An item of the answer with all that is known of why it is there."""

    item: Item
    category: str  # name of its first by path; empty where it has none
    rank: int
    score: float
    final: float
    contributions: list[tuple[str, float]]  # instance and part of the score, the largest |part| first
    terms: list[tuple[str, float]]  # of the second stage's contribution (``broken_down``); empty where it has none
    reasons: list[str]  # in the active language
    evidence: list[ShownReason]
    waterfall: list[Term]  # the values add up to ``final``; a pin or cap has none
    bought_later: bool | None  # in the window after the cut; None where nothing came after it


class Confidence(NamedTuple):
    """Confidence of a list: of how many acts it is made, how far these are believed, the part of the
    rest that goes to what the customer says they like, and whether people whom they follow have what is left.
    """

    acts: int
    sure: float
    stated: float
    follows: bool


@dataclass(frozen=True, kw_only=True)
class Review:
    """A reviewed answer; purchases in the ``window`` after it count as later ones; None where the answer is of now."""

    making: Making
    steps: list[Step]
    answer: Answer
    cards: list[Card]
    as_of: datetime | None  # the end of the history that it is made from; None without a model
    window: tuple[datetime, datetime] | None
    confidence: Confidence | None  # None where the list does not lean on others


def compare(live: Review, draft: Review) -> list[ListPlace]:
    """Places of the items in two answers of one customer, in the order of the second; items that left come last."""
    was = {card.item.pk: card.rank for card in live.cards}
    now = {card.item.pk: card.rank for card in draft.cards}
    both = [ListPlace(item=item, was=was.get(item), now=rank) for item, rank in now.items()]
    return both + [ListPlace(item=item, was=rank, now=None) for item, rank in was.items() if item not in now]


def reviews(
    looks: Sequence[Look], *, customer: int, placement: str, context_items: Sequence[int] = (), n: int | None = None
) -> list[Review]:
    """Review one answer under several looks, from one reading of what is live.

    It is the answer that the shop would get now, under the arms of the experiments that the customer is in, or (test
    cut) the one of the version's history before its test window, under none.

    With ``as_of`` or ``simulated`` the history up to that moment, and the acts, are folded into the live model: what it
    learned of items and of other customers counts, what it learned of this customer does not, and neither does anything
    that the customer did later. A look with ``as_of=<now>`` is what to compare a simulated act with. Stock, prices and,
    but for a draft, weights and rules are today's. Nothing is logged, stored or explored.

    Raises UnknownPlacementError and NotLoadedError; ValueError where the test cut is asked for as of another time.
    """
    request = ResolvedRequest(
        placement=placement, customer=customer, context_items=tuple(context_items), n=n, explore=False
    )
    now, reading = timezone.now(), _reading(customer)
    histories = {look.history: look for look in looks}
    bases = {key: _basis(look, customer, placement, reading=reading, now=now) for key, look in histories.items()}
    answers = [_make(look, request, bases[look.history]) for look in looks]
    items = _items({entry.item for each in answers for entry in each.answer.shown})
    later = {window: _bought_in(customer, window, items) for window in {each.window for each in answers}}
    return [_review(each, items, later[each.window], customer=customer) for each in answers]


@dataclass(frozen=True, kw_only=True)
class _Basis:
    """Snapshot, live state and moment that an answer is made from."""

    snapshot: Snapshot
    state: LiveState
    now: datetime
    making: Making
    arms: Arms = ()  # that the snapshot is as


@dataclass(frozen=True, kw_only=True)
class _Made:
    """An answer, before its items are read."""

    basis: _Basis
    answer: Answer
    confidence: Confidence | None
    window: tuple[datetime, datetime] | None  # in which purchases count as later ones


def _make(look: Look, request: ResolvedRequest, basis: _Basis) -> _Made:
    if look.draft is not None:
        basis = replace(basis, snapshot=drafted(basis.snapshot, look.draft))
    request = replace(request, cut=look.cut, folded=basis.making is Making.FOLDED)
    prepared = prepare(request, snapshot=basis.snapshot, state=basis.state, now=basis.now, arms=basis.arms)
    window = _window(basis.snapshot.model) if look.as_of is None else (look.as_of, look.as_of + LATER)
    return _Made(basis=basis, answer=complete(prepared), confidence=_confidence(prepared.chosen.pool), window=window)


def _confidence(pool: CandidatePool | None) -> Confidence | None:
    if pool is None or pool.leaning is None:
        return None
    links = pool.history.query.links
    follows = links is not None and links.nnz > 0
    return Confidence(acts=pool.history.n_acts, sure=pool.sure, stated=pool.leaning.stated, follows=follows)


def _review(made: _Made, items: Mapping[int, Item], later: frozenset[int] | None, *, customer: int) -> Review:
    basis, model = made.basis, made.basis.snapshot.model
    return Review(
        making=basis.making,
        steps=steps(made.answer, rules=basis.snapshot.rules),
        answer=made.answer,
        cards=_cards(made, items, later, customer=customer),
        as_of=basis.now if basis.making is Making.FOLDED else model.as_of if model else None,
        window=made.window,
        confidence=made.confidence,
    )


def live_ready(*, customer: int, placement: str, context_items: Sequence[int] = (), n: int | None = None) -> Prepared:
    """Prepare the customer's answer as it would be served now. Raises UnknownPlacementError and NotLoadedError."""
    request = ResolvedRequest(
        placement=placement, customer=customer, context_items=tuple(context_items), n=n, explore=False
    )
    basis = _basis(Look(), customer, placement, reading=_reading(customer), now=timezone.now())
    return prepare(request, snapshot=basis.snapshot, state=basis.state, now=basis.now, arms=basis.arms)


def _items(keys: Iterable[int]) -> dict[int, Item]:
    first = Category.objects.filter(items=OuterRef("pk")).order_by("path").values("name")[:1]
    return Item.objects.annotate(category=Subquery(first)).in_bulk(list(keys))


def _cards(made: _Made, items: Mapping[int, Item], later: frozenset[int] | None, *, customer: int) -> list[Card]:
    answer, snapshot = made.answer, made.basis.snapshot
    terms = _terms(answer, snapshot, customer=customer)
    return [
        Card(
            item=items[entry.item],
            category=vars(items[entry.item])["category"] or "",
            rank=entry.rank,
            score=entry.score,
            final=entry.final,
            contributions=sorted(entry.contributions.items(), key=lambda part: -abs(part[1])),
            terms=terms.get(entry.item, []),
            reasons=[reason_text(reason.code, reason.evidence) for reason in entry.reasons],
            evidence=list(entry.reasons),
            waterfall=waterfall(entry, rules=answer.rule_names),
            bought_later=None if later is None else entry.item in later,
        )
        for entry in answer.shown
        if entry.item in items
    ]


def _terms(answer: Answer, snapshot: Snapshot, *, customer: int) -> dict[int, list[tuple[str, float]]]:
    """Terms of the second stage's contribution, by item key."""
    parts = {entry.item: entry.contributions[NAME] for entry in answer.shown if NAME in entry.contributions}
    blend = snapshot.placements[answer.placement].blend
    if not parts or snapshot.model is None or blend is None:
        return {}
    row = snapshot.row_of(customer)
    rows = dict(zip(parts, snapshot.model.items.rows(np.array(list(parts))).tolist(), strict=True))
    terms = broken_down(
        candidate_source(snapshot.model), blend, row, {rows[item]: part for item, part in parts.items()}
    )
    return {item: terms[at] for item, at in rows.items() if at in terms}


def _reading(customer: int) -> fetch.LiveReading:
    held = snapshot_holder().any()
    return fetch.state_of(customer, since=held.model.as_of if held.model else None, showings=bool(held.tiring))


def _basis(look: Look, customer: int, placement: str, *, reading: fetch.LiveReading, now: datetime) -> _Basis:
    """Choose what a look's answer is made from; the test cut knows nothing of what came after it."""
    folded = look.as_of is not None or bool(look.simulated)
    if look.cut is not Cut.LIVE:
        if folded:
            raise ValueError("the test cut is not looked at as of another time")
        tested = snapshot_holder().as_tested(reading.changed)
        return _Basis(snapshot=tested, state=NOTHING, now=now, making=Making.TESTED)
    snapshot, state, moment = snapshot_holder().current(reading.changed), reading.state, min(look.as_of or now, now)
    if moment < now:
        since, showings = snapshot.model.as_of if snapshot.model else None, bool(snapshot.tiring)
        liked = reading.state.liked
        state = record.state_at(customer, since=since, at=moment, showings=showings, liked=liked)
    [arms] = arms_of_customer(customer, [placement], snapshot=snapshot, state=state, now=moment)
    return _Basis(
        arms=arms,
        snapshot=snapshot.under(arms),
        state=_after(state, look.simulated, at=moment.timestamp()),
        now=moment,
        making=Making.FOLDED if folded else Making.LIVE,
    )


def _after(state: LiveState, simulated: Sequence[Simulated], *, at: float) -> LiveState:
    bought = {act.item: at for act in simulated if act.name == EventName.PURCHASE}
    looked = [Act(act.item, act.name, at) for act in simulated if act.name != EventName.PURCHASE]
    return replace(state, bought={**state.bought, **bought}, recent=(*reversed(looked), *state.recent))


def drafted(snapshot: Snapshot, draft: Draft) -> Snapshot:
    """Snapshot that would be served if the draft were published."""
    if draft.rules is not None:
        snapshot = snapshot.with_rules(draft.rules)
    row = draft.weights
    if row is None:
        return snapshot
    return snapshot.with_weights(WeightsKey.of(BlendName(row.blend.name), row.group), ServedWeights.of(row))


def _window(model: Model | None) -> tuple[datetime, datetime] | None:
    """Window from the end of the tested history to the end of the data; None for a live model."""
    if model is None or model.cut is Cut.LIVE:
        return None
    return model.as_of, _end_of_data(model)


@held_by_model
def _end_of_data(model: Model) -> datetime:
    """When the data end that a version was made of."""
    windows = ModelVersion.objects.values_list("windows", flat=True).get(pk=model.version_id)
    return datetime.fromisoformat(windows["end"])


def _bought_in(
    customer: int, window: tuple[datetime, datetime] | None, items: Mapping[int, Item]
) -> frozenset[int] | None:
    """Items that the customer bought in the window, under any of their keys."""
    if window is None:
        return None
    acts = Event.objects.of_customer(Customer(pk=customer))
    bought = taking(acts).between(*window).filter(item__in=list(items))
    return frozenset(bought.values_list("item", flat=True))
