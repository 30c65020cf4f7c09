"""What an answer is asked of: a snapshot, a customer and their live state, read for a request at its moment."""

import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice

from recommendations.serving.arms import Arms, arms_of, unit_of
from recommendations.serving.cursor import unpacked
from recommendations.serving.pipeline import TICK
from recommendations.serving.types import Request, ResolvedRequest
from recommendations.store.events.known_customers import customer_keys
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.live import fetch
from recommendations.store.live.fetch import RawState
from recommendations.store.live.state import LiveState
from recommendations.store.live.writes import remember_showings
from recommendations.store.serving.snapshot import Snapshot
from recommendations.store.serving.snapshot_holder import snapshot_holder
from recommendations.store.serving.stock import Stock
from recommendations.terms import CustomerKind


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class ServingState:
    """A request, with what its answer is made of: a snapshot, a customer in a live state, a moment."""

    request: Request
    recommendation_id: str
    started: int  # ns, of the process's clock
    snapshot: Snapshot
    unit: int | None  # ``arms.unit_of``
    customer: int | None
    raw: RawState
    now: datetime

    @property
    def tick(self) -> float:
        return self.now.timestamp() // TICK

    @property
    def repeatable(self) -> bool:
        """Whether all of the live state came from Valkey: ``raw`` would not show a change of what PostgreSQL told."""
        return self.raw.complete


def serving_state(request: Request, *, now: datetime, page: str | None = None) -> ServingState:
    """Read what the answer to a request is made of; ``page`` is the name of the page that it is a slot of.

    Raises NotLoadedError where this process never reached PostgreSQL.
    """
    started = time.perf_counter_ns()
    held = snapshot_holder().any()
    named = _named(request, held)
    seen, customer, showings = held.changed, _customer(held, named), _tires(request, held, page=page)
    raw = fetch.fetch_raw(customer, showings=showings)
    snapshot = snapshot_holder().current(fetch.marks_of(raw))
    if snapshot.changed is not seen:
        named = _named(request, snapshot)
        other, tires = _customer(snapshot, named), _tires(request, snapshot, page=page)
        if (other, tires) != (customer, showings):  # merged meanwhile, parted or erased; or what was shown counts
            customer, raw = other, fetch.fetch_raw(other, showings=tires)
    return ServingState(
        request=request, recommendation_id=new_id(now), started=started, snapshot=snapshot, unit=unit_of(named),
        customer=customer, raw=raw, now=now,
    )  # fmt: skip


def serving_states(requests: Sequence[Request], *, now: datetime) -> Iterator[ServingState]:
    """Requests under the snapshot of one moment; the time of each begins when it is reached."""
    held = snapshot_holder().any()
    named = [_named(request, held) for request in requests]
    seen, customers = held.changed, _customers(held, named)
    showings = any(_tires(request, held) for request in requests)
    raw = fetch.fetch_raw_of_all(customers, showings=showings)
    snapshot = snapshot_holder().current(fetch.marks_of(raw[0]))
    if snapshot.changed is not seen:
        named = [_named(request, snapshot) for request in requests]
        if (others := _customers(snapshot, named)) != customers:  # merged meanwhile, parted or erased
            customers, raw = others, fetch.fetch_raw_of_all(others, showings=showings)
    for request, own, customer, one in zip(requests, named, customers, raw, strict=True):
        yield ServingState(
            request=request, recommendation_id=new_id(now), started=time.perf_counter_ns(), snapshot=snapshot,
            unit=unit_of(own), customer=customer, raw=one, now=now,
        )  # fmt: skip


def arms_under(state: ServingState, live: LiveState | None = None, *, page: str | None = None) -> Arms:
    """The arms of a request, or of the order of a page."""
    if not state.snapshot.experiments and state.request.experiment is None:
        return ()
    return arms_of(
        state.request, snapshot=state.snapshot, unit=state.unit, customer=state.customer,
        state=live or live_state(state), now=state.now, page=page,
    )  # fmt: skip


def live_state(state: ServingState) -> LiveState:
    since = state.snapshot.model.as_of if state.snapshot.model else None
    return fetch.decode(state.raw, state.customer, since=since).state


def resolved_request(state: ServingState) -> ResolvedRequest:
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


def _tires(request: Request, held: Snapshot, *, page: str | None = None) -> bool:
    """Whether an answer may depend on what its customer was shown."""
    if not request.rotation:
        return request.rotation is None and held.tires(request.placement, page=page)
    if not held.remembers_showings:
        remember_showings()
    return True


def new_id(now: datetime) -> str:
    return f"r-{int(now.timestamp() * 1000):012x}{secrets.token_hex(10)}"


def _customer(held: Snapshot, named: Sequence[bytes]) -> int | None:
    """Key of the customer of these pseudonyms: of the first that there is one for."""
    for value in named:
        (key,) = customer_keys(held.customers, [value], gone=held.gone)
        if key is not None:
            return key
    return None


def _customers(held: Snapshot, named: Sequence[Sequence[bytes]]) -> list[int | None]:
    """Key of each request's customer, as ``_customer`` gives it."""
    keys = iter(customer_keys(held.customers, list(chain.from_iterable(named)), gone=held.gone))
    by_request = [list(islice(keys, len(values))) for values in named]
    return [next((key for key in own if key is not None), None) for own in by_request]


def _named(request: Request, held: Snapshot) -> list[bytes]:
    """Pseudonyms of the request's ids as the snapshot has them, the signed-in one first if the shop names both."""
    named = ((request.user_id, CustomerKind.SIGNED_IN), (request.anonymous_id, CustomerKind.ANONYMOUS))
    return [pseudonym(shop_id, kind=kind, layers=held.layers) for shop_id, kind in named if shop_id]


def _keys(shop_ids: Sequence[str], stock: Stock) -> tuple[int, ...]:
    """Keys of the items that exist."""
    return tuple(stock.products[stock.row_of[shop_id]].item for shop_id in shop_ids if shop_id in stock.row_of)
