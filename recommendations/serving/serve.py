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
from recommendations.serving.answer_cache import CachedAnswer, ServingState, WrittenAnswer, answer_cache
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
    cached = answer_cache().get(key, state)
    prepared = cached.prepared if cached else _prepared(state)
    explores = _may_explore(state, prepared)
    written = None if cached is None or explores else cached.written
    if written is None:
        written = _written(complete(_named_as(state, prepared)), state, prepared, write)
        if cached is None or not explores:
            _cache(key, state, prepared, None if explores else written)
    if not request.dry_run:
        _note(state, written.slate, nameless=written.nameless)
    return Served(state.recommendation_id, written.content)


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
    answers = _page_written(page, states, write, ordering=ordering) if states else []
    for state, written in zip(states, answers, strict=True):
        if not state.request.dry_run:
            _note(state, written.slate, nameless=written.nameless)
    pairs = zip(states, answers, strict=True)
    return [Served(state.recommendation_id, written.content) for state, written in pairs]


def _page_written(
    page: PageRequest, states: Sequence[ServingState], write: Write, *, ordering: Arms
) -> list[WrittenAnswer]:
    """Serialise the slots of a page, all anew where one has to be, as the others depend on it; ``ordering`` are the
    arms that its order is of.
    """
    keys = [(page, state.request.placement, write) for state in states]
    cached = [one for one in map(answer_cache().get, keys, states) if one is not None]
    whole = len(cached) == len(states)
    slots = [one.prepared for one in cached] if whole else _page_prepared(states, ordering=ordering)
    explores = any(map(_may_explore, states, slots))
    answers = [] if explores else [one.written for one in cached if one.written is not None]
    if len(answers) == len(states):
        return answers
    shares = share_out(list(map(_named_as, states, slots)))
    answers = [
        _written(answer, state, prepared, write, page=(page.name, states))
        for state, prepared, answer in zip(states, slots, shares, strict=True)
    ]
    if not (whole and explores):
        for key, state, prepared, written in zip(keys, states, slots, answers, strict=True):
            _cache(key, state, prepared, None if explores else written)
    return answers


def _page_prepared(states: Sequence[ServingState], *, ordering: Arms) -> list[Prepared]:
    first, live = states[0], _live_state(states[0])
    arms = [joined(ordering, _arms(state, live)) for state in states]
    return prepare_page(
        [_resolved(state) for state in states], snapshots=[first.snapshot.under(own) for own in arms], state=live,
        now=first.now, arms=arms,
    )  # fmt: skip


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


def _may_explore(state: ServingState, prepared: Prepared) -> bool:
    """Whether this very answer may show what others do not."""
    params = prepared.params
    if not (params.exploration or params.cards):
        return False
    return may_explore(draw_of(state.recommendation_id), shuffled=params.exploration, cards=params.cards)


def _named_as(state: ServingState, prepared: Prepared) -> Prepared:
    """What was prepared for one answer, for another: its id settles what it explores."""
    if prepared.request.recommendation_id == state.recommendation_id:
        return prepared
    return replace(prepared, request=replace(prepared.request, recommendation_id=state.recommendation_id))


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


def _written(
    answer: Answer,
    state: ServingState,
    prepared: Prepared,
    write: Write,
    *,
    page: tuple[str, Sequence[ServingState]] | None = None,
) -> WrittenAnswer:
    answer = _with_missing(state, answer)
    return WrittenAnswer(write(answer), _slate(answer, state, prepared, page=page), answer.nameless)


def _cache(key: Hashable, state: ServingState, prepared: Prepared, written: WrittenAnswer | None) -> None:
    answer_cache().put(key, CachedAnswer(state=state, prepared=prepared, written=written))


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
