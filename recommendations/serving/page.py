"""A page: its slots share one customer and one moment, and no item stands in two of them.

The slots choose in their order on the page, as what stands higher is seen by more. A later slot keeps what only it can
show: where few items are left to it, such as to *Buy again* of somebody who bought little, those above take so many of
them as it can do without. ``docs/benchmarks.md`` has the figures of this order and of others.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np

from recommendations.engine.frames import IntArray
from recommendations.engine.ranking.rules import of_kind
from recommendations.engine.ranking.selection import NOTHING, eligibility
from recommendations.engine.ranking.variants import siblings
from recommendations.serving.arms import Arms
from recommendations.serving.cursor import packed
from recommendations.serving.customer_context import CustomerContext
from recommendations.serving.pipeline import Prepared, complete, prepare, select_candidates
from recommendations.serving.types import Answer, PageRequest, Request, ResolvedRequest
from recommendations.store.live.state import LiveState
from recommendations.store.serving.snapshot import Snapshot
from recommendations.terms import Repeat, RuleAction


class UnknownPageError(Exception):
    """There is no such page."""

    def __init__(self, name: str) -> None:
        super().__init__(f"no page {name}")
        self.name = name


class UnknownSlotError(Exception):
    """A request asks for items of a placement that does not stand on the page."""

    def __init__(self, placement: str) -> None:
        super().__init__(f"no placement {placement} on the page")
        self.placement = placement


def requests_of(page: PageRequest, snapshot: Snapshot) -> list[Request]:
    """Requests of the slots of a page, in order. Raises UnknownPageError and UnknownSlotError."""
    slots = snapshot.pages.get(page.name)
    if slots is None:
        raise UnknownPageError(page.name)
    placed = {slot.placement for slot in slots}
    for placement, n in page.counts:
        if n != 0 and placement not in placed:
            raise UnknownSlotError(placement)
    counts = {placement: n for placement, n in page.counts if n is not None}
    named = {placement for placement, _n in page.counts}
    numbers = [
        (slot.placement, counts.get(slot.placement, slot.n))
        for slot in slots
        if not page.only or slot.placement in named
    ]
    return [replace(page.shared, placement=placement, n=n) for placement, n in numbers if n != 0]


def prepare_page(
    requests: Sequence[ResolvedRequest],
    *,
    snapshots: Sequence[Snapshot],
    state: LiveState,
    now: datetime,
    arms: Sequence[Arms] = (),
) -> list[Prepared]:
    """Gather what the slots of a page are made of: each has its snapshot, as its arms of experiments have it, and what
    is known of the customer is worked out once. Raises UnknownPlacementError.
    """
    contexts: dict[float, CustomerContext] = {}  # by cool-down, on which it depends what rests
    page = []
    for request, snapshot, own in zip(requests, snapshots, arms or [()] * len(requests), strict=True):
        placement = snapshot.placements.get(request.placement)
        context = contexts.get(placement.cool_down) if placement else None
        prepared = prepare(request, snapshot=snapshot, state=state, now=now, customer=context, arms=own)
        contexts[snapshot.placements[request.placement].cool_down] = prepared.customer
        page.append(prepared)
    return page


def share_out(page: Sequence[Prepared]) -> list[Answer]:
    """Answers of the slots of a page, no item in two of them. A pinned item stands where the first rule pins it."""
    return [answer for _prepared, answer in shares_of(page)]


def shares_of(page: Sequence[Prepared]) -> list[tuple[Prepared, Answer]]:
    """The answer of each slot of a page, and what it is made of once what the other slots have is barred.

    Slots share out products where one of them has one tile for each (``variants``), else items: their numbers are those
    of the array ``families``, without it rows of the stock.
    """
    families = next((own for prepared in page if (own := prepared.catalogue.families) is not None), None)
    pins, supplies = _pinned(page, families), [_products(_supply(prepared), families) for prepared in page]
    shares: list[tuple[Prepared, Answer]] = []
    given = NOTHING
    for place, prepared in enumerate(page):
        elsewhere = _union(given, *pins[:place], *pins[place + 1 :])
        barred = elsewhere
        for later in range(place + 1, len(page)):
            own, left = (_without(supplies[at], barred) for at in (place, later))
            spare = len(left) - page[later].params.n
            if spare < prepared.params.n:
                needed = prepared.params.n - len(_without(own, left))  # a slot is not left short for those below
                reserved = _reserved(_barring(prepared, barred, families), left, families, take=max(spare, needed, 0))
                barred = _union(barred, reserved)
        barred = _union(elsewhere, _without(barred, pins[place]))
        share = _barring(prepared, barred, families)
        shares.append((share, complete(share)))
        given = _union(given, _products(_rows(shares[-1][1], prepared.snapshot), families))
    every = [shown.item for _prepared, answer in shares for shown in answer.shown]
    return [(share, _leading_on(answer, every)) for share, answer in shares]


def _leading_on(answer: Answer, every: Sequence[int]) -> Answer:
    """The answer of a slot, the next page of which is without anything that stands on this page."""
    return replace(answer, next_cursor=packed(every)) if answer.next_cursor else answer


def _products(rows: IntArray, families: IntArray | None) -> IntArray:
    return rows if families is None else np.unique(families[rows]).astype(np.int32)


def _pinned(page: Sequence[Prepared], families: IntArray | None) -> list[IntArray]:
    """Products that rules pin in each slot of the page; what is pinned in two stands in the first."""
    pins: list[IntArray] = []
    for prepared in page:
        keys = [rule.key for rule in of_kind(prepared.params.rules, RuleAction.PIN)]
        selection = select_candidates(_barring(prepared, _union(*pins), families)) if keys else None
        touched = [selection.touched[key] for key in keys if key in selection.touched] if selection else []
        rows = selection.items[np.logical_or.reduce(touched)] if selection and touched else NOTHING
        pins.append(_products(rows, families))
    return pins


def _supply(prepared: Prepared) -> IntArray:
    """Rows of the stock that a slot may show of its own, without what would fill it up."""
    params, pool = prepared.params, prepared.chosen.pool
    if params.repeat is Repeat.ONLY:
        rows = params.bought
    elif prepared.scope.rows is not None:
        rows = prepared.scope.rows
    else:
        rows = NOTHING if pool is None else prepared.snapshot.stock_rows[pool.items]
    rows = rows[rows >= 0]
    return rows[eligibility(rows, catalogue=prepared.catalogue, params=params)[0]]


def _reserved(prepared: Prepared, left: IntArray, families: IntArray | None, *, take: int) -> IntArray:
    """Products that a slot leaves to a later one: all of ``left`` but the first ``take`` that it would show itself."""
    selection = select_candidates(prepared)
    shown = NOTHING if selection is None else selection.items
    shown = shown if families is None else families[shown]
    return _without(left, shown[np.isin(shown, left)][:take])


def _barring(prepared: Prepared, products: IntArray, families: IntArray | None) -> Prepared:
    params = prepared.params
    rows = products if families is None else siblings(products, families)
    return replace(prepared, params=replace(params, excluded=_union(params.excluded, rows)))


def _rows(answer: Answer, snapshot: Snapshot) -> IntArray:
    return snapshot.stock.ids.rows(np.array([shown.item for shown in answer.shown], np.int64))


def _union(*rows: IntArray) -> IntArray:
    return np.unique(np.concatenate([NOTHING, *rows])).astype(np.int32)


def _without(rows: IntArray, others: IntArray) -> IntArray:
    return rows[~np.isin(rows, others)]
