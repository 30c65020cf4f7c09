"""Look at one customer's answer as staff: live, or as the version was tested, with what was bought afterwards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from django.utils import timezone

from recommendations.engine.ranking.second_stage import NAME
from recommendations.loop.answer import Answer, Ask, ShownReason
from recommendations.loop.breakdown import broken_down
from recommendations.loop.pools import pools_of
from recommendations.loop.recommend import UnknownPlacementError, recommend
from recommendations.models import Customer, Event, Item, ModelVersion
from recommendations.store import live
from recommendations.store.model import Model
from recommendations.store.serving import NotLoadedError, Snapshot, keeper
from recommendations.terms import Cut
from recommendations.wording import reason_text

__all__ = ["Card", "NotLoadedError", "Review", "UnknownPlacementError", "review"]


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
    bought_later: bool | None  # in the window after the cut; None where nothing came after it


@dataclass(frozen=True, kw_only=True)
class Review:
    """``window`` is the time after the cut in which purchases count as later ones; None on the live cut."""

    answer: Answer
    cards: list[Card]
    as_of: datetime | None  # the end of the history that the model knows; None without a model
    window: tuple[datetime, datetime] | None


def review(
    *, customer: int, placement: str, cut: Cut = Cut.LIVE, context_items: Sequence[int] = (), n: int | None = None
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
            bought_later=None if later is None else shown.item in later,
        )
        for shown in answer.shown
        if shown.item in items
    ]
    return Review(answer=answer, cards=cards, as_of=snapshot.model.as_of if snapshot.model else None, window=window)


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
