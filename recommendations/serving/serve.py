"""Serving the shop: the customer and the live state of a request, the answer to it, and a note of its slate."""

import secrets
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain, islice
from typing import NamedTuple

import msgspec

from recommendations.engine.ranking.exploration import may_explore
from recommendations.serving.answer_cache import CachedAnswer, ServingState, answer_cache
from recommendations.serving.answer_record import page_ids, slate_of
from recommendations.serving.arms import Arms, UnknownArmError, arms_of, joined, unit_of
from recommendations.serving.cursor import unpacked
from recommendations.serving.page import UnknownPageError, UnknownSlotError, prepare_page, requests_of, share_out
from recommendations.serving.pipeline import Prepared, UnknownPlacementError, complete, draw_of, prepare
from recommendations.serving.request_filter import conditions_of
from recommendations.serving.scope import MOST
from recommendations.serving.types import Answer, PageRequest, Request, ResolvedRequest
from recommendations.store.events.known_customers import customer_keys
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.live import fetch
from recommendations.store.live.state import LiveState
from recommendations.store.live.writes import remember_showings
from recommendations.store.serving import slates
from recommendations.store.serving.slates import ServedSlate
from recommendations.store.serving.snapshot import Snapshot
from recommendations.store.serving.snapshot_holder import NotLoadedError, snapshot_holder
from recommendations.store.serving.stock import Stock
from recommendations.terms import CatalogueScope, CustomerKind

__all__ = [
    "NotLoadedError", "Served", "UnknownArmError", "UnknownPageError", "UnknownPlacementError", "UnknownSlotError",
    "Write", "has_item", "knows", "looks_up", "most_items", "serve", "serve_all", "serve_page", "serve_written",
]  # fmt: skip

type Write = Callable[[Answer], bytes]
"""Serialiser of an answer without its id; two that are equal write the same."""


class Served(NamedTuple):
    recommendation_id: str
    content: bytes


def knows(placement: str) -> bool:
    """Whether this process serves such a placement, as far as it has looked."""
    held = snapshot_holder().snapshot
    return held is not None and placement in held.placements


def looks_up(request: Request) -> bool:
    """Whether an answer asks PostgreSQL which items have some tags or attributes, as this process does not hold it."""
    held = snapshot_holder().snapshot
    filters = [boost.filter for boost in request.boosts]
    if request.filter is not None:
        filters.append(request.filter)
    return held is not None and not held.rules.lookup.holds(conditions_of(filters))


def most_items(request: Request) -> int:
    """The most items that an answer may have, as far as this process knows the placement."""
    held = snapshot_holder().any()
    placement = held.placements.get(request.placement)
    if request.n is not None or placement is None:
        return request.n or 0
    return (
        max(placement.n, min(len(request.item_ids), MOST)) if placement.scope is CatalogueScope.FOUND else placement.n
    )


def serve(request: Request, *, now: datetime) -> Answer:
    """Answer a request. Raises UnknownPlacementError; NotLoadedError where this process never reached PostgreSQL."""
    return _answered(_state(request, now=now))


def serve_written(request: Request, *, write: Write, now: datetime) -> Served:
    """Serialise an answer for the shop, from the cache where it is still valid. Raises as ``serve``."""
    state = _state(request, now=now)
    key = _cache_key(state, write)
    entry = answer_cache().get(key, state)
    if entry is None or _may_explore(state, entry):
        prepared = _prepared(state)
        answer = _with_missing(state, complete(prepared))
        slate = _slate(answer, state, prepared)
        entry = CachedAnswer.of(prepared, state, content=write(answer), slate=slate, nameless=answer.nameless)
        if not _may_explore(state, entry):
            answer_cache().put(key, entry)
    if not request.dry_run:
        _note(state, entry.slate, nameless=entry.nameless)
    return Served(state.recommendation_id, entry.content)


def _cache_key(state: ServingState, write: Write) -> Hashable:
    """What is asked, and by whom: whoever is not known here gets the answer of all who are not, under the same arms."""
    if state.customer is not None:
        return state.request, write
    return replace(state.request, user_id=None, anonymous_id=None), tuple(arm.key for arm in _arms(state)), write


def serve_all(requests: Sequence[Request], *, write: Write, now: datetime) -> list[Served]:
    """Serialise an answer to each request, under one model, one set of weights and one book. Raises as ``serve``."""
    return [Served(state.recommendation_id, write(_answered(state))) for state in _states(requests, now=now)]


def serve_page(page: PageRequest, *, write: Write, now: datetime) -> list[Served]:
    """Serialise an answer of each slot of a page, no item in two of them; the customer is read once.

    Raises UnknownPageError, UnknownSlotError and NotLoadedError.
    """
    whole = _state(page.shared, now=now, page=page.name)
    ordering = _arms(whole, page=page.name)
    requests = requests_of(page, whole.snapshot.under(ordering))
    ids = page_ids(_new_id(now), len(requests))
    states = [
        replace(whole, request=request, recommendation_id=own) for request, own in zip(requests, ids, strict=True)
    ]
    entries = _page_of_cache(page, states, write) or _page_anew(page, states, write, ordering=ordering)
    for state, entry in zip(states, entries, strict=True):
        if not state.request.dry_run:
            _note(state, entry.slate, nameless=entry.nameless)
    pairs = zip(states, entries, strict=True)
    return [Served(state.recommendation_id, entry.content) for state, entry in pairs]


def _page_of_cache(page: PageRequest, states: Sequence[ServingState], write: Write) -> list[CachedAnswer]:
    """Answers of a page from the cache; none where one slot has to be answered anew, as the others depend on it."""
    entries = []
    for state in states:
        entry = answer_cache().get((page, state.request.placement, write), state)
        if entry is None or _may_explore(state, entry):
            return []
        entries.append(entry)
    return entries


def _page_anew(
    page: PageRequest, states: Sequence[ServingState], write: Write, *, ordering: Arms
) -> list[CachedAnswer]:
    """Answer the slots of a page; ``ordering`` are the arms that its order is of."""
    if not states:
        return []
    first, live = states[0], _live_state(states[0])
    arms = [joined(ordering, _arms(state, live)) for state in states]
    slots = prepare_page(
        [_resolved(state) for state in states], snapshots=[first.snapshot.under(own) for own in arms], state=live,
        now=first.now, arms=arms,
    )  # fmt: skip
    entries = []
    for state, prepared, answer in zip(states, slots, share_out(slots), strict=True):
        whole = _with_missing(state, answer)
        slate = _slate(whole, state, prepared, page=(page.name, states))
        entries.append(CachedAnswer.of(prepared, state, content=write(whole), slate=slate, nameless=whole.nameless))
    if not any(map(_may_explore, states, entries)):
        for state, entry in zip(states, entries, strict=True):
            answer_cache().put((page, state.request.placement, write), entry)
    return entries


def has_item(shop_id: str) -> bool:
    """Whether the catalogue has such an item, retired or not. Raises NotLoadedError as ``serve``."""
    held = snapshot_holder().snapshot
    if held is None or shop_id not in held.stock.row_of:
        held = snapshot_holder().current(fetch.marks_of(fetch.fetch_raw(None)))
    return shop_id in held.stock.row_of


def _state(request: Request, *, now: datetime, page: str | None = None) -> ServingState:
    started = time.perf_counter_ns()
    held = snapshot_holder().any()
    named = _named(request)
    seen, customer, showings = held.changed, _customer(held, named), _tires(request, held, page=page)
    raw = fetch.fetch_raw(customer, showings=showings)
    snapshot = snapshot_holder().current(fetch.marks_of(raw))
    if snapshot.changed is not seen:
        other, tires = _customer(snapshot, named), _tires(request, snapshot, page=page)
        if (other, tires) != (customer, showings):  # merged meanwhile, or parted; or what was shown counts now
            customer, raw = other, fetch.fetch_raw(other, showings=tires)
    return ServingState(
        request=request, recommendation_id=_new_id(now), started=started, snapshot=snapshot, unit=unit_of(named),
        customer=customer, raw=raw, now=now,
    )  # fmt: skip


def _states(requests: Sequence[Request], *, now: datetime) -> Iterator[ServingState]:
    """Requests under the snapshot of one moment; the time of each begins when it is reached."""
    held = snapshot_holder().any()
    named = [_named(request) for request in requests]
    customers = _customers(held, named)
    showings = any(_tires(request, held) for request in requests)
    raw = fetch.fetch_raw_of_all(customers, showings=showings)
    snapshot = snapshot_holder().current(fetch.marks_of(raw[0]))
    for request, own, customer, one in zip(requests, named, customers, raw, strict=True):
        yield ServingState(
            request=request, recommendation_id=_new_id(now), started=time.perf_counter_ns(), snapshot=snapshot,
            unit=unit_of(own), customer=customer, raw=one, now=now,
        )  # fmt: skip


def _tires(request: Request, held: Snapshot, *, page: str | None = None) -> bool:
    """Whether an answer may depend on what its customer was shown."""
    if not request.rotation:
        return request.rotation is None and held.tires(request.placement, page=page)
    if not held.remembers_showings:
        remember_showings()
    return True


def _new_id(now: datetime) -> str:
    return f"r-{int(now.timestamp() * 1000):012x}{secrets.token_hex(10)}"


def _may_explore(state: ServingState, entry: CachedAnswer) -> bool:
    """Whether this very answer may show what others do not."""
    if not (entry.exploration or entry.cards):
        return False
    return may_explore(draw_of(state.recommendation_id), shuffled=entry.exploration, cards=entry.cards)


def _prepared(state: ServingState) -> Prepared:
    live = _live_state(state)
    arms = _arms(state, live)
    return prepare(_resolved(state), snapshot=state.snapshot.under(arms), state=live, now=state.now, arms=arms)


def _arms(state: ServingState, live: LiveState | None = None, *, page: str | None = None) -> Arms:
    """The arms of a request, or of the order of a page."""
    if not state.snapshot.experiments and state.request.experiment is None:
        return ()
    return arms_of(
        state.request, snapshot=state.snapshot, unit=state.unit, customer=state.customer,
        state=live or _live_state(state), now=state.now, page=page,
    )  # fmt: skip


def _live_state(state: ServingState) -> LiveState:
    since = state.snapshot.model.as_of if state.snapshot.model else None
    return fetch.decode(state.raw, state.customer, since=since).state


def _answered(state: ServingState) -> Answer:
    """Make the answer anew, and note it unless it is a dry run."""
    prepared = _prepared(state)
    answer = _with_missing(state, complete(prepared))
    if not state.request.dry_run:
        _note(state, _slate(answer, state, prepared), nameless=answer.nameless)
    return answer


def _with_missing(state: ServingState, answer: Answer) -> Answer:
    """The answer, with the ids in the request that the catalogue does not have."""
    request, row_of = state.request, state.snapshot.stock.row_of
    named = (*request.item_ids, *request.basket)
    missing = dict.fromkeys(shop_id for shop_id in named if shop_id not in row_of)
    return replace(answer, missing_item_ids=tuple(missing))


def _customer(held: Snapshot, named: Sequence[bytes]) -> int | None:
    """Key of the customer of these pseudonyms: of the first that there is one for."""
    for value in named:
        (key,) = customer_keys(held.customers, [value])
        if key is not None:
            return key
    return None


def _customers(held: Snapshot, named: Sequence[Sequence[bytes]]) -> list[int | None]:
    """Key of each request's customer, as ``_customer`` gives it."""
    keys = iter(customer_keys(held.customers, list(chain.from_iterable(named))))
    by_request = [list(islice(keys, len(values))) for values in named]
    return [next((key for key in own if key is not None), None) for own in by_request]


def _named(request: Request) -> list[bytes]:
    """Pseudonyms of the request's ids, the signed-in one first if the shop names both."""
    named = ((request.user_id, CustomerKind.SIGNED_IN), (request.anonymous_id, CustomerKind.ANONYMOUS))
    return [pseudonym(shop_id, kind=kind) for shop_id, kind in named if shop_id]


def _resolved(state: ServingState) -> ResolvedRequest:
    return resolve(
        state.request, stock=state.snapshot.stock, customer=state.customer, recommendation_id=state.recommendation_id
    )


def resolve(request: Request, *, stock: Stock, customer: int | None, recommendation_id: str) -> ResolvedRequest:
    """The request in our own keys."""
    return ResolvedRequest(
        placement=request.placement,
        customer=customer,
        context_items=_keys(request.item_ids, stock),
        basket=_keys(request.basket, stock),
        exclude_items=_keys(request.exclude_item_ids, stock),
        before=unpacked(request.cursor) if request.cursor else (),
        categories=request.categories,
        search_term=request.search_term,
        n=request.n,
        personalise=request.personalise,
        fill=request.fill,
        explain=request.explain,
        filter=request.filter,
        boosts=request.boosts,
        diversity=request.diversity,
        rotation=request.rotation,
        explore=not request.dry_run,
        recommendation_id=recommendation_id,
    )


def _keys(shop_ids: Sequence[str], stock: Stock) -> tuple[int, ...]:
    """Keys of the items that exist."""
    return tuple(stock.products[stock.row_of[shop_id]].item for shop_id in shop_ids if shop_id in stock.row_of)


def _slate(
    answer: Answer, state: ServingState, prepared: Prepared, *, page: tuple[str, Sequence[ServingState]] | None = None
) -> ServedSlate:
    """The slate of an answer, of a slot of a ``page`` where it is one; time, id, latency and whose it is are those of
    each request (``_note``).
    """
    slots = None if page is None else (page[0], [other.request for other in page[1]])
    return slate_of(answer, prepared, request=state.request, raw=state.raw, page=slots)


def _note(state: ServingState, slate: ServedSlate, *, nameless: bool) -> None:
    slates.append(
        msgspec.structs.replace(
            slate,
            served_at=state.now.isoformat(),
            recommendation_id=state.recommendation_id,
            unit=None if nameless else state.unit,
            latency_us=(time.perf_counter_ns() - state.started) // 1_000,
        )
    )
