"""Movers, whose lists are shown under live and under a draft: customers of many and few baskets, and most changed."""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import lru_cache, partial

import numpy as np
from django.utils import timezone

from recommendations.engine.evaluation.panel import PanelResult
from recommendations.engine.frames import IntArray
from recommendations.event_types import EventName
from recommendations.models import Group
from recommendations.services.weights.panels import HeldPanel
from recommendations.services.weights.values import Values
from recommendations.serving.pipeline import recommend
from recommendations.serving.types import ResolvedRequest
from recommendations.store.audiences.groups import edition, of_group
from recommendations.store.live import fetch
from recommendations.store.live.state import Act, LiveState
from recommendations.store.models.held_by_model import held_by_model
from recommendations.store.models.model import Model
from recommendations.store.serving.snapshot import ServedWeights, Snapshot, WeightsKey
from recommendations.store.serving.snapshot_holder import NotLoadedError, current_snapshot
from recommendations.terms import BlendName

SHOWN = 10
COMPARED = 20
SHARES = (0.98, 0.75, 0.5, 0.1)
"""Places of the customers who are always shown, as shares of their order by baskets."""

MOVERS = 6
GROUPS_HELD = 8
CONTEXT_SHARES = (0.98, 0.85, 0.7, 0.5, 0.3, 0.1)
IN_VIEW: Mapping[BlendName, int] = {BlendName.ITEM: 1, BlendName.CART: 3, BlendName.SESSION: 3}
"""How many items of the last basket are the context, or what a visitor saw."""


@dataclass(frozen=True, kw_only=True)
class ListPlace:
    """Places of an item in two lists, from 1; None: it is not in that one, or below what is compared."""

    item: int
    was: int | None
    now: int | None


@dataclass(frozen=True, kw_only=True)
class Mover:
    """A customer's first ten under live and under the draft, items by primary key.

    ``context`` are the items in view, for blends that answer for them; ``replaced`` counts those of the draft's ten
    that are not among live's ten.
    """

    customer: int
    baskets: int  # before the window
    segment: int | None  # number
    context: tuple[int, ...] = ()
    live: Sequence[ListPlace] = ()
    draft: Sequence[ListPlace] = ()
    replaced: int = 0

    @property
    def left(self) -> list[ListPlace]:
        """Places of live's ten whose items are not among the draft's."""
        listed = {place.item for place in self.draft}
        return [place for place in self.live if place.item not in listed]


def panel_movers(held: HeldPanel, now: PanelResult, then: PanelResult) -> list[Mover]:
    """Customers of the tuning panel: four by their baskets, then those whose first ten change most."""
    replaced = _replaced(now.ranked[:, :SHOWN], then.ranked[:, :SHOWN])
    changed = np.argsort(-replaced, kind="stable")[:MOVERS].tolist()
    unknown = _objectors()
    chosen = dict.fromkeys([*_spread(held.baskets, SHARES), *changed])
    rows = [row for row in chosen if int(held.customers[row]) not in unknown][:MOVERS]
    return [
        between(
            *([int(held.items[item]) for item in one.ranked[row] if item >= 0] for one in (then, now)),
            mover=Mover(
                customer=int(held.customers[row]), baskets=int(held.baskets[row]), segment=_number(held.segments[row])
            ),
        )
        for row in rows
    ]


def context_movers(blend: BlendName, draft: Values, *, group: Group) -> list[Mover]:
    """Customers of the live model with items of their last basket in view, answered as the API would by live and draft.

    For the blend of visits they are answered as visitors of whom no more is known than that they saw these items.
    Empty without a model, or where no placement asks for the blend.
    """
    try:
        held = current_snapshot()
    except NotLoadedError:
        return []
    serving = BlendName.HOME if blend is BlendName.SESSION else blend
    placement = next((each.name for each in held.placements.values() if each.blend is serving), None)
    if held.model is None or placement is None:
        return []
    served = ServedWeights(version=0, **replace(draft, exploration=0.0, cards=0.0).as_fields())
    pair = held, held.with_weights(WeightsKey.of(blend, group), served)
    shoppers = _shoppers_of(held.model)(group, edition(group), in_view=IN_VIEW[blend])
    return [
        _context_mover(pair, placement, shopper, visiting=blend is BlendName.SESSION)
        for shopper in shoppers
        if shopper.customer not in held.objectors
    ]


def _objectors() -> Set[int]:
    """Customers who do not want to be known, whom nobody is shown."""
    try:
        return current_snapshot().objectors
    except NotLoadedError:
        return frozenset()


@held_by_model
def _shoppers_of(model: Model) -> Callable[..., Sequence[Mover]]:
    """Customers by group, its edition and the items in view; of the groups that were asked about last."""
    return lru_cache(GROUPS_HELD)(partial(_shoppers, model))


def _shoppers(model: Model, group: Group, _edition: int, *, in_view: int) -> Sequence[Mover]:
    """Customers before they are asked, with items of their last basket as context."""
    acts = model.training.interactions
    bought = acts.where(acts.bought)
    inside = of_group(group, model.users.ids, segments=model.segments)
    rows = np.flatnonzero((bought.n_baskets > 0) & inside)
    if not len(rows):
        return ()
    baskets = bought.n_baskets[rows]
    newest = bought.where(bought.basket_rank == 0)
    return [
        Mover(
            customer=int(model.users.ids[rows[place]]), baskets=int(baskets[place]),
            segment=_number(model.segments[rows[place]]),
            context=tuple(model.items.ids[np.unique(newest.item[newest.user == rows[place]])[:in_view]].tolist()),
        )
        for place in dict.fromkeys(_spread(baskets, CONTEXT_SHARES))
    ]  # fmt: skip


def _context_mover(pair: tuple[Snapshot, Snapshot], placement: str, shopper: Mover, *, visiting: bool) -> Mover:
    model, now = pair[0].model, timezone.now()
    request = ResolvedRequest(placement=placement, n=COMPARED, explore=False)
    if visiting:
        state = LiveState(recent=tuple(Act(item, EventName.VIEW_ITEM, now.timestamp()) for item in shopper.context))
    else:
        state = fetch.state_of(shopper.customer, since=model.as_of if model else None).state
        request = replace(request, customer=shopper.customer, context_items=shopper.context)
    lists = [[one.item for one in recommend(request, snapshot=each, state=state, now=now).shown] for each in pair]
    return between(*lists, mover=shopper)


def _spread(baskets: IntArray, shares: Sequence[float]) -> list[int]:
    """Rows of the customers at these shares of the order by baskets."""
    order = np.argsort(baskets, kind="stable")
    return [int(order[round(share * (len(order) - 1))]) for share in shares]


def changed_lists(now: PanelResult, then: PanelResult) -> int:
    """How many customers have another list, as long as it is measured."""
    shown = slice(now.length)
    return int(np.count_nonzero((now.ranked[:, shown] != then.ranked[:, shown]).any(axis=1)))


def _replaced(now: IntArray, then: IntArray) -> IntArray:
    """Count the items of each first ten that were not in the other one."""
    unchanged = (now[:, :, None] == then[:, None, :]).any(axis=2) | (now < 0)
    return np.asarray(np.count_nonzero(~unchanged, axis=1), np.int32)


def _number(segment: np.int32) -> int | None:
    return int(segment) if segment >= 0 else None


def between(then: Sequence[int], now: Sequence[int], *, mover: Mover) -> Mover:
    """The mover with the lists under live (``then``) and under the draft."""
    was, is_ = ({item: place for place, item in enumerate(items, start=1)} for items in (then, now))
    live, draft = (
        [ListPlace(item=item, was=was.get(item), now=is_.get(item)) for item in one[:SHOWN]] for one in (then, now)
    )
    return replace(mover, live=live, draft=draft, replaced=len({*now[:SHOWN]} - {*then[:SHOWN]}))
