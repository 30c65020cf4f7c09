"""An answer for the shop: who asks, in what state; the answer; and a note of what was shown."""

import secrets
import time
from dataclasses import replace
from datetime import datetime

from recommendations.loop.answer import Answer, Ask, Request
from recommendations.loop.recommend import UnknownPlacementError, recommend
from recommendations.store import live, slates
from recommendations.store.serving import NotLoadedError, Snapshot, customer_key, keeper
from recommendations.store.stock import Stock
from recommendations.terms import CustomerKind, Fallback

__all__ = ["NotLoadedError", "UnknownPlacementError", "serve"]


def serve(request: Request, *, now: datetime) -> Answer:
    """Raises UnknownPlacementError, and NotLoadedError where this process has never reached PostgreSQL."""
    started = time.perf_counter_ns()
    held = keeper().held or keeper().current(None)
    customer = _customer(held, request)
    reading = live.state_of(customer, since=held.model.as_of if held.model else None)
    snapshot = keeper().current(reading.changed)
    if snapshot is not held and (other := _customer(snapshot, request)) != customer:  # merged meanwhile, or parted
        customer, reading = other, live.state_of(other, since=snapshot.model.as_of if snapshot.model else None)
    ask, missing = _ask(request, snapshot.stock, customer=customer, now=now)
    answer = replace(recommend(ask, snapshot=snapshot, state=reading.state, now=now), missing_item_ids=missing)
    if not request.dry_run:
        took = (time.perf_counter_ns() - started) // 1_000
        slates.append(_slate(answer, customer=customer, now=now, took=took))
    return answer


def _customer(held: Snapshot, request: Request) -> int | None:
    """The signed-in one if the shop names both."""
    for shop_id, kind in (
        (request.user_id, CustomerKind.SIGNED_IN),
        (request.anonymous_id, CustomerKind.ANONYMOUS),
    ):
        key = customer_key(held, shop_id, kind=kind) if shop_id else None
        if key is not None:
            return key
    return None


def _ask(request: Request, stock: Stock, *, customer: int | None, now: datetime) -> tuple[Ask, tuple[str, ...]]:
    """In our own keys, and the ids that name no item."""
    named = (request.item_ids, request.basket, request.exclude_item_ids)
    missing = tuple(dict.fromkeys(shop_id for ids in named[:2] for shop_id in ids if shop_id not in stock.row_of))
    context, basket, excluded = (
        tuple(stock.products[stock.row_of[shop_id]].item for shop_id in ids if shop_id in stock.row_of) for ids in named
    )
    ask = Ask(
        placement=request.placement,
        customer=customer,
        context_items=context,
        basket=basket,
        exclude_items=excluded,
        n=request.n,
        personalise=request.personalise,
        filter=request.filter,
        diversity=request.diversity,
        explore=not request.dry_run,
        recommendation_id=f"r-{int(now.timestamp() * 1000):012x}{secrets.token_hex(10)}",
    )
    return ask, missing


def _slate(answer: Answer, *, customer: int | None, now: datetime, took: int) -> slates.ServedSlate:
    return slates.ServedSlate(
        served_at=now.isoformat(),
        recommendation_id=answer.recommendation_id,
        customer_id=None if answer.fallback_reason is Fallback.NOT_PERSONALISED else customer,
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
        latency_us=took,
    )
