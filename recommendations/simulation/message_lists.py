"""Lists of messages for many customers, without reasons: who gets nothing is not worth the words.

What selects is what serves. One snapshot answers all of them, so a sending is made of one model, one set of weights and
one book of rules.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from recommendations.serving.pipeline import Prepared, complete, prepare, select_candidates
from recommendations.serving.types import Filter, ResolvedRequest
from recommendations.store.live import fetch
from recommendations.store.live.state import LiveState
from recommendations.store.serving.snapshot import Snapshot
from recommendations.store.serving.snapshot_holder import snapshot_holder
from recommendations.terms import CatalogueScope

CHUNK = 1_000  # customers whose states are in memory at once


class ListBlock(NamedTuple):
    """A list of a placement in a message; ``context`` are keys of the items that it is about."""

    placement: str
    n: int
    context: tuple[int, ...] = ()
    filter: Filter | None = None


@dataclass(frozen=True, kw_only=True)
class MessageLists:
    """The lists of one message, in their order; ``but`` are keys of items that it must not show.

    ``everybody``: what is popular, nothing of the customer's own.
    """

    customer: int
    blocks: tuple[ListBlock, ...]
    but: frozenset[int] = frozenset()
    everybody: bool = False


def current_snapshot() -> Snapshot:
    """The snapshot that answers now. Raises NotLoadedError."""
    return snapshot_holder().current(fetch.marks_of(fetch.fetch_raw(None)))


def items_of_many(wanted: Sequence[MessageLists], *, snapshot: Snapshot, now: datetime) -> Iterator[tuple[int, ...]]:
    """Keys of the items of each message, list by list, no item twice. Raises UnknownPlacementError."""
    since = snapshot.model.as_of if snapshot.model else None
    for first in range(0, len(wanted), CHUNK):
        part = wanted[first : first + CHUNK]
        showings = any(snapshot.tires(block.placement) for each in part for block in each.blocks)
        raw = fetch.fetch_raw_of_all([each.customer for each in part], showings=showings)
        for each, told in zip(part, raw, strict=True):
            state = fetch.decode(told, each.customer, since=since).state
            lists = prepared_lists(each, snapshot=snapshot, state=state, now=now, ranks_one=False)
            yield tuple(item for _prepared, items in lists for item in items)


def prepared_lists(
    wanted: MessageLists, *, snapshot: Snapshot, state: LiveState, now: datetime, ranks_one: bool = True
) -> Iterator[tuple[Prepared, Sequence[int]]]:
    """The lists of a message with the keys of their items, each but for the items of those before it.

    Without ``ranks_one`` a list of one given item is not scored, which only its reasons need.
    """
    taken = set(wanted.but)
    if wanted.everybody:
        state = _of_nobody(wanted.customer, state, snapshot)
    for block in wanted.blocks:
        request = ResolvedRequest(
            placement=block.placement,
            customer=None if wanted.everybody else wanted.customer,
            context_items=block.context,
            exclude_items=tuple(sorted(taken)),
            n=block.n,
            fill=wanted.everybody,
            filter=block.filter,
            explore=False,
            ranks=ranks_one or not _is_of_one(block, snapshot),
        )
        prepared = prepare(request, snapshot=snapshot, state=state, now=now)
        items = _items(prepared)
        yield prepared, items
        taken.update(items)


def _of_nobody(customer: int, state: LiveState, snapshot: Snapshot) -> LiveState:
    """The state of somebody who did nothing: all that counts of the customer is whether their name may be stored."""
    objects = customer in snapshot.objectors if state.objected is None else state.objected
    return LiveState(objected=objects)


def _is_of_one(block: ListBlock, snapshot: Snapshot) -> bool:
    """Whether a list shows one given item, if it may be shown."""
    placement = snapshot.placements.get(block.placement)
    return placement is not None and placement.scope is CatalogueScope.FOUND and len(set(block.context)) == 1


def _items(prepared: Prepared) -> list[int]:
    """Keys of the items of a list; everybody's is filled up with what is popular, and what was given is shown."""
    if prepared.request.fill or prepared.scope.scope is CatalogueScope.FOUND:
        return [shown.item for shown in complete(prepared).shown]
    selection, products = select_candidates(prepared), prepared.snapshot.stock.products
    return [] if selection is None else [products[row].item for row in selection.items.tolist()]
