"""Serving the shop: the customer and the live state of a request, the answer to it, and a note of its slate."""

import threading
import time
from collections.abc import Callable, Hashable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

import msgspec

from recommendations.engine.ranking.exploration import may_explore
from recommendations.serving.answer_cache import CachedAnswer, WrittenAnswer, answer_cache
from recommendations.serving.answer_record import page_ids, slate_of
from recommendations.serving.arms import Arms, UnknownArmError, joined
from recommendations.serving.page import UnknownPageError, UnknownSlotError, prepare_page, requests_of, share_out
from recommendations.serving.pipeline import Prepared, UnknownPlacementError, complete, draw_of, prepare
from recommendations.serving.promised import promise_draw
from recommendations.serving.request_filter import conditions_of
from recommendations.serving.scope import MOST
from recommendations.serving.serving_state import (
    ServingState,
    arms_under,
    live_state,
    new_id,
    resolved_request,
    serving_state,
    serving_states,
)
from recommendations.serving.types import Answer, PageRequest, Request
from recommendations.store.live import fetch
from recommendations.store.serving import slates
from recommendations.store.serving.slates import ServedSlate
from recommendations.store.serving.snapshot_holder import NotLoadedError, snapshot_holder
from recommendations.terms import CatalogueScope

__all__ = [
    "NotLoadedError", "Served", "UnknownArmError", "UnknownPageError", "UnknownPlacementError", "UnknownSlotError",
    "Write", "has_item", "knows", "looks_up", "most_items", "serve", "serve_all", "serve_page", "serve_written",
]  # fmt: skip

_TURN = threading.Lock()

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
    return _answered(serving_state(request, now=now))


def serve_written(request: Request, *, write: Write, now: datetime) -> Served:
    """Serialise an answer for the shop, from the cache where it is still valid. Raises as ``serve``."""
    state = serving_state(request, now=now)
    key = _cache_key(state, write)
    cached = answer_cache().get(key, state)
    written = None if cached is None or _may_explore(state, cached.prepared) else cached.written
    if written is None:
        with _turn(state):
            written = _make(key, state, cached, write)
    if not request.dry_run:
        _note(state, written.slate, nameless=written.nameless)
    return Served(state.recommendation_id, written.content)


def _make(key: Hashable, state: ServingState, cached: CachedAnswer | None, write: Write) -> WrittenAnswer:
    """Make an answer, of what was prepared where that is known, and keep what others may get, too."""
    prepared = cached.prepared if cached else _prepared(state)
    explores = _may_explore(state, prepared)
    written = _written(complete(_named_as(state, prepared)), state, prepared, write)
    if cached is None or not explores:
        _cache(key, state, prepared, None if explores else written)
    return written


def _turn(state: ServingState) -> AbstractContextManager[object]:
    """Wait until no other thread makes an answer: numpy lets the interpreter go at every step, and threads that hand it
    to one another all the while cost half as much again. An answer that asks PostgreSQL waits for nobody.
    """
    return _TURN if state.repeatable and not looks_up(state.request) else nullcontext()


def _cache_key(state: ServingState, write: Write) -> Hashable:
    """What is asked, and by whom: whoever is not known here gets the answer of all who are not, under the same arms."""
    if state.customer is not None:
        return state.request, write
    return replace(state.request, user_id=None, anonymous_id=None), tuple(arm.key for arm in arms_under(state)), write


def serve_all(requests: Sequence[Request], *, write: Write, now: datetime) -> list[Served]:
    """Serialise an answer to each request, under one model, one set of weights and one book. Raises as ``serve``."""
    return [Served(state.recommendation_id, write(_answered(state))) for state in serving_states(requests, now=now)]


def serve_page(page: PageRequest, *, write: Write, now: datetime) -> list[Served]:
    """Serialise an answer of each slot of a page, no item in two of them; the customer is read once.

    Raises UnknownPageError, UnknownSlotError and NotLoadedError.
    """
    whole = serving_state(page.shared, now=now, page=page.name)
    ordering = arms_under(whole, page=page.name)
    requests = requests_of(page, whole.snapshot.under(ordering))
    ids = page_ids(new_id(now), len(requests))
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
    first, live = states[0], live_state(states[0])
    arms = [joined(ordering, arms_under(state, live)) for state in states]
    requests, snapshots = map(resolved_request, states), [first.snapshot.under(own) for own in arms]
    return prepare_page([*requests], snapshots=snapshots, state=live, now=first.now, arms=arms)


def has_item(shop_id: str) -> bool:
    """Whether the catalogue has such an item, retired or not. Raises NotLoadedError as ``serve``."""
    held = snapshot_holder().snapshot
    if held is None or shop_id not in held.stock.row_of:
        held = snapshot_holder().current(fetch.marks_of(fetch.fetch_raw(None)))
    return shop_id in held.stock.row_of


def _may_explore(state: ServingState, prepared: Prepared) -> bool:
    """Whether this very answer may show what others do not."""
    params = prepared.params
    if prepared.offer and promise_draw(state.recommendation_id).random() < prepared.offer.budget.share:
        return True
    if not (params.exploration or params.cards):
        return False
    return may_explore(draw_of(state.recommendation_id), shuffled=params.exploration, cards=params.cards)


def _named_as(state: ServingState, prepared: Prepared) -> Prepared:
    """What was prepared for one answer, for another: its id settles what it explores."""
    if prepared.request.recommendation_id == state.recommendation_id:
        return prepared
    return replace(prepared, request=replace(prepared.request, recommendation_id=state.recommendation_id))


def _prepared(state: ServingState) -> Prepared:
    live = live_state(state)
    arms = arms_under(state, live)
    return prepare(resolved_request(state), snapshot=state.snapshot.under(arms), state=live, now=state.now, arms=arms)


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
            layers=state.snapshot.layers,
            latency_us=(time.perf_counter_ns() - state.started) // 1_000,
        )
    )
