"""An answer for the shop: who asks, in what state; the answer; and a note of what was shown."""

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain, islice
from typing import NamedTuple

import msgspec

from recommendations.engine.ranking.exploration import may_explore
from recommendations.serving.answer_cache import Basis, Kept, kept
from recommendations.serving.pipeline import Ready, UnknownPlacementError, answered, draw_of, ready
from recommendations.serving.types import Answer, Ask, Request
from recommendations.store.events.known_customers import customer_key, customer_keys
from recommendations.store.live import fetch
from recommendations.store.serving import slates
from recommendations.store.serving.slates import ServedSlate
from recommendations.store.serving.snapshot import Snapshot
from recommendations.store.serving.snapshot_holder import NotLoadedError, keeper
from recommendations.store.serving.stock import Stock
from recommendations.terms import CustomerKind

__all__ = [
    "NotLoadedError", "Served", "UnknownPlacementError", "Write", "has_item", "knows", "serve", "serve_all",
    "serve_written",
]  # fmt: skip

type Write = Callable[[Answer], bytes]
"""How an answer is written down, without its id. Two that are equal write the same."""


class Served(NamedTuple):
    recommendation_id: str
    content: bytes


class _Asking(NamedTuple):
    """A request, and what everything is made of at this moment."""

    request: Request
    basis: Basis
    recommendation_id: str
    started: int  # ns

    @classmethod
    def of(cls, request: Request, *, now: datetime) -> "_Asking":
        started = time.perf_counter_ns()
        held = keeper().held or keeper().current(None)
        seen, customer = held.changed, _customer(held, request)
        told = fetch.told_of(customer)
        snapshot = keeper().current(fetch.marks_of(told))
        if snapshot.changed is not seen and (other := _customer(snapshot, request)) != customer:
            customer, told = other, fetch.told_of(other)  # merged meanwhile, or parted
        basis = Basis(snapshot=snapshot, customer=customer, told=told, now=now)
        return cls(request, basis, _new_id(now), started)

    @classmethod
    def of_all(cls, requests: Sequence[Request], *, now: datetime) -> "Iterator[_Asking]":
        """All under the snapshot of one moment; the time of each begins when its turn comes."""
        held = keeper().held or keeper().current(None)
        customers = _customers(held, requests)
        told = fetch.told_of_all(customers)
        snapshot = keeper().current(fetch.marks_of(told[0]))
        for request, customer, one in zip(requests, customers, told, strict=True):
            basis = Basis(snapshot=snapshot, customer=customer, told=one, now=now)
            yield cls(request, basis, _new_id(now), time.perf_counter_ns())


def _new_id(now: datetime) -> str:
    return f"r-{int(now.timestamp() * 1000):012x}{secrets.token_hex(10)}"


def knows(placement: str) -> bool:
    """Whether this process serves such a placement, as far as it has looked."""
    held = keeper().held
    return held is not None and placement in held.placements


def serve(request: Request, *, now: datetime) -> Answer:
    """Raises UnknownPlacementError, and NotLoadedError where this process has never reached PostgreSQL."""
    asking = _Asking.of(request, now=now)
    answer = _answer(asking, _ready(asking))
    if not request.dry_run:
        _note(asking, _slate(answer, customer=asking.basis.customer))
    return answer


def serve_written(request: Request, *, write: Write, now: datetime) -> Served:
    """As ``serve``, written down; what was written a moment ago is given again while it stands."""
    asking = _Asking.of(request, now=now)
    key = (request, write)
    found = kept().find(key, asking.basis)
    if found is None or _explores(asking, found):
        ready = _ready(asking)
        answer = _answer(asking, ready)
        slate = _slate(answer, customer=asking.basis.customer)
        found = Kept.of(ready, asking.basis, content=write(answer), slate=slate)
        if not _explores(asking, found):
            kept().keep(key, found)
    if not request.dry_run:
        _note(asking, found.slate)
    return Served(asking.recommendation_id, found.content)


def serve_all(requests: Sequence[Request], *, write: Write, now: datetime) -> list[Served]:
    """As ``serve_written`` of each, under one model, one set of weights and one book of rules. Raises as ``serve``."""
    served = []
    for asking in _Asking.of_all(requests, now=now):
        answer = _answer(asking, _ready(asking))
        if not asking.request.dry_run:
            _note(asking, _slate(answer, customer=asking.basis.customer))
        served.append(Served(asking.recommendation_id, write(answer)))
    return served


def has_item(shop_id: str) -> bool:
    """Whether the catalogue has such an item, retired or not. Raises NotLoadedError as ``serve``."""
    held = keeper().held
    if held is None or shop_id not in held.stock.row_of:
        held = keeper().current(fetch.marks_of(fetch.told_of(None)))
    return shop_id in held.stock.row_of


def _explores(asking: _Asking, found: Kept) -> bool:
    """Whether this very answer may show what others do not."""
    return bool(found.exploration) and may_explore(draw_of(asking.recommendation_id), found.exploration)


def _ready(asking: _Asking) -> Ready:
    snapshot = asking.basis.snapshot
    since = snapshot.model.as_of if snapshot.model else None
    reading = fetch.understood(asking.basis.told, asking.basis.customer, since=since)
    return ready(_ask(asking), snapshot=snapshot, state=reading.state, now=asking.basis.now)


def _answer(asking: _Asking, ready: Ready) -> Answer:
    request, known = asking.request, asking.basis.snapshot.stock.row_of
    named = (*request.item_ids, *request.basket)
    missing = dict.fromkeys(shop_id for shop_id in named if shop_id not in known)
    return replace(answered(ready), missing_item_ids=tuple(missing))


def _customer(held: Snapshot, request: Request) -> int | None:
    """The signed-in one if the shop names both."""
    for shop_id, kind in _named(request):
        key = customer_key(held.customers, shop_id, kind=kind)
        if key is not None:
            return key
    return None


def _customers(held: Snapshot, requests: Sequence[Request]) -> list[int | None]:
    """As ``_customer`` of each."""
    named = [_named(request) for request in requests]
    keys = iter(customer_keys(held.customers, list(chain.from_iterable(named))))
    found = [list(islice(keys, len(ids))) for ids in named]
    return [next((key for key in own if key is not None), None) for own in found]


def _named(request: Request) -> list[tuple[str, CustomerKind]]:
    named = ((request.user_id, CustomerKind.SIGNED_IN), (request.anonymous_id, CustomerKind.ANONYMOUS))
    return [(shop_id, kind) for shop_id, kind in named if shop_id]


def _ask(asking: _Asking) -> Ask:
    """In our own keys."""
    request, stock = asking.request, asking.basis.snapshot.stock
    return Ask(
        placement=request.placement,
        customer=asking.basis.customer,
        context_items=_keys(request.item_ids, stock),
        basket=_keys(request.basket, stock),
        exclude_items=_keys(request.exclude_item_ids, stock),
        categories=request.categories,
        search_term=request.search_term,
        n=request.n,
        personalise=request.personalise,
        fill=request.fill,
        explain=request.explain,
        filter=request.filter,
        diversity=request.diversity,
        explore=not request.dry_run,
        recommendation_id=asking.recommendation_id,
    )


def _keys(shop_ids: Sequence[str], stock: Stock) -> tuple[int, ...]:
    """Of the items that exist."""
    return tuple(stock.products[stock.row_of[shop_id]].item for shop_id in shop_ids if shop_id in stock.row_of)


def _slate(answer: Answer, *, customer: int | None) -> ServedSlate:
    """Its time, id and latency are those of each asking."""
    return ServedSlate(
        served_at="",
        recommendation_id="",
        customer_id=None if answer.nameless else customer,
        placement=answer.placement,
        source=answer.source,
        personalised=answer.personalised,
        fallback_reason=answer.fallback_reason or "",
        model_version=answer.model_version,
        weights_version=answer.weights_version,
        rules_version=answer.rules_version,
        items=[shown.item for shown in answer.shown],
        scores=[shown.score for shown in answer.shown],
        propensities=[shown.propensity for shown in answer.shown],
        latency_us=0,
    )


def _note(asking: _Asking, slate: ServedSlate) -> None:
    slates.append(
        msgspec.structs.replace(
            slate,
            served_at=asking.basis.now.isoformat(),
            recommendation_id=asking.recommendation_id,
            latency_us=(time.perf_counter_ns() - asking.started) // 1_000,
        )
    )
