"""Look at one customer's answer as staff: live, or as the version was tested, with what was bought afterwards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from django.utils import timezone

from recommendations.engine.ranking.second_stage import NAME
from recommendations.loop.answer import Answer, Ask, ShownReason
from recommendations.loop.breakdown import broken_down
from recommendations.loop.pools import pools_of
from recommendations.loop.recommend import UnknownPlacementError, recommend
from recommendations.models import BlendWeights, Customer, Event, Item, ModelVersion
from recommendations.services.waterfall import Term, waterfall
from recommendations.store import live
from recommendations.store.model import Model
from recommendations.store.serving import NotLoadedError, Snapshot, keeper
from recommendations.terms import AnswerStage, Cut, EventName, Making
from recommendations.wording import reason_text

__all__ = [
    "Card",
    "Draft",
    "Movement",
    "NotLoadedError",
    "Review",
    "Simulated",
    "Step",
    "UnknownPlacementError",
    "compare",
    "review",
]

type FrozenRule = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Simulated:
    """An act that the customer might do now; it is never stored."""

    name: EventName  # view_item, add_to_cart or purchase
    item: int


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What to answer with instead of what is served; None: as it is served."""

    weights: BlendWeights | None = None
    rules: Sequence[FrozenRule] | None = None


@dataclass(frozen=True, kw_only=True)
class Step:
    """A stage of an answer: how many items it left, which it took (in words) and which it brought in."""

    stage: AnswerStage
    left: int
    lost: list[tuple[str, int]] = field(default_factory=list)
    gained: list[tuple[str, int]] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Card:
    """An item of the answer with all that is known of why it is there."""

    item: Item  # with its categories
    rank: int
    score: float
    final: float
    contributions: list[tuple[str, float]]  # instance and part of the score, the largest |part| first
    terms: list[tuple[str, float]]  # of the second stage's contribution (``loop.breakdown``); empty where it has none
    reasons: list[str]  # in the active language
    evidence: list[ShownReason]
    waterfall: list[Term]  # the values add up to ``final``; a pin or cap has none
    bought_later: bool | None  # in the window after the cut; None where nothing came after it


@dataclass(frozen=True, kw_only=True)
class Review:
    """``window`` is the time after the cut in which purchases count as later ones; None on the live cut."""

    making: Making
    steps: list[Step]
    answer: Answer
    cards: list[Card]
    as_of: datetime | None  # the end of the history that the model knows; None without a model
    window: tuple[datetime, datetime] | None


@dataclass(frozen=True, kw_only=True)
class Movement:
    """Where an item stands in two answers; None: it is not in that one."""

    item: int
    was: int | None
    now: int | None


def compare(live: Review, draft: Review) -> list[Movement]:
    """What of two answers of one customer stands elsewhere, in the order of the second; what left comes last."""
    was = {card.item.pk: card.rank for card in live.cards}
    now = {card.item.pk: card.rank for card in draft.cards}
    both = [Movement(item=item, was=was.get(item), now=rank) for item, rank in now.items()]
    return both + [Movement(item=item, was=rank, now=None) for item, rank in was.items() if item not in now]


def review(
    *,
    customer: int,
    placement: str,
    cut: Cut = Cut.LIVE,
    context_items: Sequence[int] = (),
    n: int | None = None,
    as_of: datetime | None = None,
    simulated: Sequence[Simulated] = (),
    draft: Draft | None = None,
) -> Review:
    """The answer that the shop would get now, or (test cut) the one of the version's history before its test window.

    Nothing is logged and nothing is explored. Raises UnknownPlacementError and NotLoadedError.
    """
    ask = Ask(placement=placement, customer=customer, context_items=tuple(context_items), n=n, cut=cut, explore=False)
    snapshot, state = _as_of(cut, customer)
    answer = recommend(ask, snapshot=snapshot, state=state, now=timezone.now())
    window = _window(snapshot.model)
    items = Item.objects.prefetch_related("categories").in_bulk([shown.item for shown in answer.shown])
    later, terms = _bought_in(customer, window, items), _terms(answer, snapshot, customer=customer)
    cards = [
        Card(
            item=items[shown.item],
            rank=shown.rank,
            score=shown.score,
            final=shown.final,
            contributions=sorted(shown.contributions.items(), key=lambda part: -abs(part[1])),
            terms=terms.get(shown.item, []),
            reasons=[reason_text(reason.code, reason.evidence) for reason in shown.reasons],
            evidence=list(shown.reasons),
            waterfall=waterfall(shown),
            bought_later=None if later is None else shown.item in later,
        )
        for shown in answer.shown
        if shown.item in items
    ]
    return Review(
        making=Making.LIVE if cut is Cut.LIVE else Making.TESTED,
        steps=[
            Step(stage=AnswerStage.CANDIDATES, left=answer.trace.candidates),
            Step(stage=AnswerStage.SHOWN, left=len(answer.shown)),
        ],
        answer=answer,
        cards=cards,
        as_of=snapshot.model.as_of if snapshot.model else None,
        window=window,
    )


def _terms(answer: Answer, snapshot: Snapshot, *, customer: int) -> dict[int, list[tuple[str, float]]]:
    """By item key."""
    parts = {shown.item: shown.contributions[NAME] for shown in answer.shown if NAME in shown.contributions}
    blend = snapshot.placements[answer.placement].blend
    if not parts or snapshot.model is None or blend is None:
        return {}
    row = int(snapshot.model.users.rows(np.array([customer]))[0])
    rows = dict(zip(parts, snapshot.model.items.rows(np.array(list(parts))).tolist(), strict=True))
    found = broken_down(pools_of(snapshot.model), blend, row, {rows[item]: part for item, part in parts.items()})
    return {item: found[at] for item, at in rows.items() if at in found}


def _as_of(cut: Cut, customer: int) -> tuple[Snapshot, live.LiveState]:
    """The test cut knows nothing of what came after it."""
    if cut is not Cut.LIVE:
        return keeper().as_tested(), live.NOTHING
    held = keeper().held or keeper().current(None)
    reading = live.state_of(customer, since=held.model.as_of if held.model else None)
    return keeper().current(reading.changed), reading.state


def _window(model: Model | None) -> tuple[datetime, datetime] | None:
    """From the end of the tested history to the end of the data."""
    if model is None or model.cut is Cut.LIVE:
        return None
    windows = ModelVersion.objects.values_list("windows", flat=True).get(pk=model.version_id)
    return model.as_of, datetime.fromisoformat(windows["end"])


def _bought_in(
    customer: int, window: tuple[datetime, datetime] | None, items: Mapping[int, Item]
) -> frozenset[int] | None:
    """Which of the items the customer bought in the window, under any of their keys."""
    if window is None:
        return None
    acts = Event.objects.of_customer(Customer(pk=customer))
    bought = acts.purchases().between(*window).filter(item__in=list(items))
    return frozenset(bought.values_list("item", flat=True))
