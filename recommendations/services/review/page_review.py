"""Review of a whole page: what a customer, or somebody new, would see in its lists, live or with draft rules."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from django.utils import timezone

from recommendations.models import Item
from recommendations.serving.arms import arms_of_customer
from recommendations.serving.page import UnknownPageError, prepare_page, requests_of, share_out
from recommendations.serving.types import Answer, PageRequest, Request, ResolvedRequest
from recommendations.simulation.live_sample import in_view
from recommendations.store.live import fetch
from recommendations.store.rules.conditions import FrozenRule
from recommendations.store.serving.snapshot_holder import NotLoadedError, current_snapshot
from recommendations.wording.reasons import reason_text

__all__ = ["NotLoadedError", "PageCard", "PageList", "UnknownPageError", "item_in_view", "review_page"]


@dataclass(frozen=True, kw_only=True)
class PageCard:
    """An item in a list of a page."""

    item: Item
    rank: int
    reason: str  # the first, in the active language
    rules: tuple[str, ...]  # names of those that acted on it


@dataclass(frozen=True, kw_only=True)
class PageList:
    """What a placement of the page shows; ``places`` are those that it has, filled or not."""

    placement: str
    places: int
    cards: list[PageCard]


def review_page(
    *, page: str, customer: int | None, context_items: Sequence[int] = (), rules: Sequence[FrozenRule] | None = None
) -> list[PageList]:
    """Lists of a page as the shop would get them now, under the served rules or under ``rules``. Nothing is noted.

    They are under the arms of the experiments that the customer is in; the order of the page is everybody's.

    Raises UnknownPageError and NotLoadedError.
    """
    snapshot, now = current_snapshot(), timezone.now()
    since = snapshot.model.as_of if snapshot.model else None
    requests = [
        ResolvedRequest(
            placement=request.placement, customer=customer, context_items=tuple(context_items), n=request.n,
            explore=False,
        )
        for request in requests_of(PageRequest(name=page, shared=Request(placement="")), snapshot)
    ]  # fmt: skip
    state = fetch.state_of(customer, since=since, showings=bool(snapshot.tiring)).state
    placements = [request.placement for request in requests]
    arms = arms_of_customer(customer, placements, snapshot=snapshot, state=state, now=now)
    snapshots = [snapshot.under(own) for own in arms]
    if rules is not None:
        snapshots = [under.with_rules(rules) for under in snapshots]
    slots = prepare_page(requests, snapshots=snapshots, state=state, now=now)
    answers = share_out(slots)
    items = Item.objects.in_bulk([shown.item for answer in answers for shown in answer.shown])
    pairs = zip(answers, slots, strict=True)
    return [
        PageList(placement=answer.placement, places=prepared.params.n, cards=_cards(answer, items))
        for answer, prepared in pairs
    ]


def item_in_view(*, page: str, customer: int | None) -> int | None:
    """The item (primary key) that a page about an item is looked at with where nobody names one.

    What the customer bought last, else the one most asked for; None where the page is about none.
    """
    snapshot = current_snapshot()
    slots = snapshot.pages.get(page, ())
    if snapshot.model is None or not any(snapshot.placements[slot.placement].needs_context for slot in slots):
        return None
    row = snapshot.row_of(customer)
    bought = in_view(snapshot, row) if row >= 0 else ()
    seen = bought or in_view(snapshot, 0, np.ones(len(snapshot.stock), np.bool_))
    return seen[0] if seen else None


def _cards(answer: Answer, items: dict[int, Item]) -> list[PageCard]:
    return [
        PageCard(
            item=items[shown.item],
            rank=shown.rank,
            reason=reason_text(shown.reasons[0].code, shown.reasons[0].evidence) if shown.reasons else "",
            rules=tuple(answer.rule_names[key] for key in shown.rules),
        )
        for shown in answer.shown
        if shown.item in items
    ]
