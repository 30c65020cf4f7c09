"""Lists of messages for many customers, without reasons: who gets nothing is not worth the words.

What selects is what serves. One snapshot answers all of them, so a sending is made of one model, one set of weights and
one book of rules.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

import numpy as np

from recommendations.engine.push.cases import CaseItems
from recommendations.engine.push.relevance import RelevanceModel
from recommendations.models import Customer
from recommendations.push_terms import Channel
from recommendations.serving.arms import Arms, arms_of, named_again, unit_of
from recommendations.serving.customer_context import is_unmeasured, objects
from recommendations.serving.pipeline import Prepared, complete, prepare, select_candidates
from recommendations.serving.types import Filter, Request, ResolvedRequest
from recommendations.store.live import fetch
from recommendations.store.live.state import LiveState
from recommendations.store.serving.snapshot import Snapshot
from recommendations.store.serving.snapshot_holder import snapshot_holder
from recommendations.terms import BlendName, CatalogueScope

OF_MESSAGES = frozenset(channel.value for channel in Channel)
"""Placements of messages alone: what is tested on them is tested in messages, and nowhere else."""
CHUNK = 1_000  # customers whose states are in memory at once
TINY = 1e-12  # a least chance that every item has, and for which chances are asked


class ListBlock(NamedTuple):
    """A list of a placement in a message; ``context`` are keys of the items that it is about."""

    placement: str
    n: int
    context: tuple[int, ...] = ()
    filter: Filter | None = None


@dataclass(frozen=True, kw_only=True)
class MessageLists:
    """The lists of one message, in their order; ``but`` are keys of items that it must not show.

    ``everybody``: what is popular, nothing of the customer's own. An item is good from a ``least_chance`` that it is
    bought on.
    """

    customer: int
    blocks: tuple[ListBlock, ...]
    but: frozenset[int] = frozenset()
    everybody: bool = False
    least_chance: float = 0.0


@dataclass(frozen=True, kw_only=True)
class _PreparedList:
    """A list of a message before its reasons, with the keys of its items, and how many of them are good.

    ``said`` are their chances, where a model says one of each.
    """

    prepared: Prepared
    items: Sequence[int]
    good: int
    said: Sequence[float] | None = None


def current_snapshot() -> Snapshot:
    """The snapshot that answers now. Raises NotLoadedError."""
    return snapshot_holder().current(fetch.marks_of(fetch.fetch_raw(None)))


def items_of_many(
    wanted: Sequence[MessageLists],
    *,
    snapshot: Snapshot,
    now: datetime,
    relevance: Mapping[BlendName, RelevanceModel] | None = None,
) -> Iterator[CaseItems]:
    """Keys of the items of each message, list by list, no item twice; without its ``relevance`` an item is good.

    Raises UnknownPlacementError.
    """
    for lists in _lists_of_many(wanted, snapshot=snapshot, now=now, relevance=relevance or {}):
        yield CaseItems(tuple(item for one in lists for item in one.items), sum(one.good for one in lists))


def chances_of_many(
    wanted: Sequence[MessageLists], *, snapshot: Snapshot, now: datetime, relevance: Mapping[BlendName, RelevanceModel]
) -> Iterator[list[float]]:
    """The chance of each item of each message that it is bought; 1 where nobody knows. Raises UnknownPlacementError."""
    asked = [replace(each, least_chance=each.least_chance or TINY) for each in wanted]
    for lists in _lists_of_many(asked, snapshot=snapshot, now=now, relevance=relevance):
        yield [chance for one in lists for chance in one.said or [1.0] * len(one.items)]


def _lists_of_many(
    wanted: Sequence[MessageLists], *, snapshot: Snapshot, now: datetime, relevance: Mapping[BlendName, RelevanceModel]
) -> Iterator[list[_PreparedList]]:
    since = snapshot.model.as_of if snapshot.model else None
    for first in range(0, len(wanted), CHUNK):
        part = wanted[first : first + CHUNK]
        showings = any(snapshot.tires(block.placement) for each in part for block in each.blocks)
        raw = fetch.fetch_raw_of_all([each.customer for each in part], showings=showings)
        people = _people(part, snapshot)
        readings = fetch.decode_all(raw, [each.customer for each in part], since=since)
        for each, reading in zip(part, readings, strict=True):
            yield list(
                _prepared(
                    each, snapshot=snapshot, state=reading.state, now=now, ranks_one=False, relevance=relevance,
                    person=people.get(each.customer),
                )
            )  # fmt: skip


def prepared_lists(
    wanted: MessageLists, *, snapshot: Snapshot, state: LiveState, now: datetime, ranks_one: bool = True
) -> Iterator[tuple[Prepared, Sequence[int]]]:
    """The lists of a message with the keys of their items, each but for the items of those before it.

    Without ``ranks_one`` a list of one given item is not scored, which only its reasons need.
    """
    person = _people([wanted], snapshot).get(wanted.customer)
    for each in _prepared(
        wanted, snapshot=snapshot, state=state, now=now, ranks_one=ranks_one, relevance={}, person=person
    ):
        yield each.prepared, each.items


def _prepared(
    wanted: MessageLists,
    *,
    snapshot: Snapshot,
    state: LiveState,
    now: datetime,
    ranks_one: bool,
    relevance: Mapping[BlendName, RelevanceModel],
    person: Customer | None,
) -> Iterator[_PreparedList]:
    """The lists of a message, those of messages alone as the arms of experiments have them for the ``person``.

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
        arms = _arms(block, person, wanted=wanted, snapshot=snapshot, state=state, now=now)
        prepared = prepare(request, snapshot=snapshot.under(arms), state=state, now=now, arms=arms)
        one = _listed(prepared, least=wanted.least_chance, relevance=relevance)
        yield one
        taken.update(one.items)


def _people(wanted: Sequence[MessageLists], snapshot: Snapshot) -> Mapping[int, Customer]:
    """Customers whom experiments on lists of messages may give another one; nobody where there is none."""
    tested = {placement for experiment in snapshot.experiments for placement in experiment.placements}
    keys = [
        each.customer
        for each in wanted
        if not each.everybody and any(block.placement in tested & OF_MESSAGES for block in each.blocks)
    ]
    return Customer.objects.only("pseudonym", "kind").in_bulk(keys) if keys else {}


def _arms(
    block: ListBlock,
    person: Customer | None,
    *,
    wanted: MessageLists,
    snapshot: Snapshot,
    state: LiveState,
    now: datetime,
) -> Arms:
    """The arms that somebody is in, of experiments on a placement of messages."""
    if person is None or wanted.everybody or block.placement not in OF_MESSAGES:
        return ()
    return arms_of(
        named_again(Request(placement=block.placement), person), snapshot=snapshot,
        unit=unit_of([bytes(person.pseudonym)]), customer=wanted.customer, state=state, now=now,
    )  # fmt: skip


def _of_nobody(customer: int, state: LiveState, snapshot: Snapshot) -> LiveState:
    """The state of somebody who did nothing: all that counts of the customer is whether their name may be stored."""
    return LiveState(objected=objects(customer, snapshot, state), unmeasured=is_unmeasured(customer, snapshot, state))


def _is_of_one(block: ListBlock, snapshot: Snapshot) -> bool:
    """Whether a list shows one given item, if it may be shown."""
    placement = snapshot.placements.get(block.placement)
    return placement is not None and placement.scope is CatalogueScope.FOUND and len(set(block.context)) == 1


def _listed(prepared: Prepared, *, least: float, relevance: Mapping[BlendName, RelevanceModel]) -> _PreparedList:
    """The items of a list; everybody's is filled up with what is popular, and what was given is shown."""
    if prepared.request.fill or prepared.scope.scope is CatalogueScope.FOUND:
        given = [shown.item for shown in complete(prepared).shown]
        return _PreparedList(prepared=prepared, items=given, good=len(given))
    selection, products = select_candidates(prepared), prepared.snapshot.stock.products
    if selection is None:
        return _PreparedList(prepared=prepared, items=[], good=0)
    items = [products[row].item for row in selection.items.tolist()]
    blend = prepared.snapshot.placements[prepared.request.placement].blend
    model = relevance.get(blend) if least and blend else None
    if model is None:
        return _PreparedList(prepared=prepared, items=items, good=len(items))
    said = model.chances(selection.score, np.arange(len(items)))
    return _PreparedList(prepared=prepared, items=items, good=int((said >= least).sum()), said=said.tolist())
