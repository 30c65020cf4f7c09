"""The pipeline of an answer: prepare, candidates, blend, eligibility, diversity, reasons.

A function of what it is given; ``serve.py`` reads and writes around it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial

import numpy as np
from numpy.random import Generator

from recommendations.engine.frames import BoolArray
from recommendations.engine.ranking.candidates import weight_vector
from recommendations.engine.ranking.diversity import Likeness
from recommendations.engine.ranking.offers import PromiseOffer, with_promise
from recommendations.engine.ranking.rules import Rule, of_kind
from recommendations.engine.ranking.selection import NOTHING, CatalogueState, Selection, SelectionParams, select
from recommendations.engine.ranking.variants import siblings
from recommendations.engine.rng import generator
from recommendations.serving.arms import Arms
from recommendations.serving.assemble import shown_items
from recommendations.serving.candidate_choice import ChosenCandidates, by_visit, choose_candidates
from recommendations.serving.candidates import CandidateSource, candidate_source
from recommendations.serving.cursor import packed
from recommendations.serving.customer_context import NOBODY, CustomerContext, context_of, is_unmeasured
from recommendations.serving.explain import Explainer
from recommendations.serving.fallback import FallbackSource
from recommendations.serving.history import SESSION_GAP
from recommendations.serving.ignored_showings import ignored_showings
from recommendations.serving.promised import offer_of, promise_draw
from recommendations.serving.request_filter import asked_boosts, boost_names, matching_items
from recommendations.serving.scope import WHOLE, ScopedItems, fallbacks_of, narrowed, resolved, scope_of
from recommendations.serving.types import Answer, ResolvedRequest, Shown, ShownReason, Trace
from recommendations.store.domain import shop_domain
from recommendations.store.live.state import LiveState
from recommendations.store.serving.snapshot import ServedPlacement, ServedWeights, Snapshot
from recommendations.terms import BlendName, CatalogueScope, Fallback, Repeat, RuleAction, Source, Way

NO_Z, NO_WEIGHTS = np.empty((0, 0), np.float32), np.empty(0, np.float32)
TICK = SESSION_GAP
"""Seconds: ages count back from the last full tick, so that an answer is valid for a while. Were it longer than the gap
between two sessions, both could be of one age.
"""
LIVE = frozenset({None, Fallback.NOTHING_BEGUN, Fallback.NOTHING_FOLLOWED})
"""Why an answer is as it is, as far as that is known where nobody can say what the customer did lately."""
NO_LIKENESS = Likeness(traits=np.empty((0, 0), np.int32))


class UnknownPlacementError(Exception):
    """There is no such placement, or it is switched off."""

    def __init__(self, name: str) -> None:
        super().__init__(f"no placement {name}")
        self.name = name


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """All that an answer is made of before the selection; rows in ``params`` and ``catalogue`` are the stock's."""

    request: ResolvedRequest
    snapshot: Snapshot
    state: LiveState
    now: datetime  # a full tick
    candidates: CandidateSource | None
    customer: CustomerContext
    chosen: ChosenCandidates
    params: SelectionParams
    catalogue: CatalogueState
    scope: ScopedItems
    weights: ServedWeights | None  # of the blend, or of a visit that makes all of the answer; they may not count
    session: ServedWeights | None  # of a visit beside a record
    arms: Arms = ()  # of experiments; the snapshot is as they have it
    offer: PromiseOffer | None = None  # to new items; None: no slot goes to one
    reasons: dict[int, tuple[ShownReason, ...]] = field(default_factory=dict)  # ``Explainer.given``

    def fallbacks(self) -> Iterable[FallbackSource]:
        """Sources of fillers where the pool is not enough."""
        return fallbacks_of(
            self.scope, request=self.request, snapshot=self.snapshot, candidates=self.candidates, customer=self.customer
        )


def recommend(
    request: ResolvedRequest, *, snapshot: Snapshot, state: LiveState, now: datetime, arms: Arms = ()
) -> Answer:
    """Answer a request from a snapshot and a live state. Raises UnknownPlacementError."""
    return complete(prepare(request, snapshot=snapshot, state=state, now=now, arms=arms))


def prepare(
    request: ResolvedRequest,
    *,
    snapshot: Snapshot,
    state: LiveState,
    now: datetime,
    customer: CustomerContext | None = None,
    arms: Arms = (),
) -> Prepared:
    """Gather all that the answer to a request is made of; ``customer`` is given where another slot of the page has it,
    and ``arms`` are the experiments' that the snapshot is as.

    Raises UnknownPlacementError.
    """
    placement = snapshot.placements.get(request.placement)
    if placement is None:
        raise UnknownPlacementError(request.placement)
    request = resolved(request, placement)
    candidates = candidate_source(snapshot.model) if snapshot.model else None
    tick = datetime.fromtimestamp(now.timestamp() // TICK * TICK, UTC)
    if customer is None:
        customer = context_of(request, placement, snapshot=snapshot, candidates=candidates, state=state, now=tick)
    weights, session = _weights_of(placement, customer, snapshot)
    sellable = snapshot.sellable(now)
    params = _params(request, placement, snapshot=snapshot, customer=customer, weights=weights, sellable=sellable)
    scope = WHOLE
    if placement.scope is not CatalogueScope.WHOLE:
        open_ = sellable if params.allowed is None else sellable & params.allowed
        scope = scope_of(request, placement, snapshot=snapshot, customer=customer, open_=open_, sellable=sellable)
        params = narrowed(params, scope, request=request, stock=snapshot.stock)
    within = scope.of_model(snapshot.model, snapshot.stock) if snapshot.model else None
    chosen = choose_candidates(
        request,
        placement,
        candidates=candidates,
        customer=customer,
        weights=weights,
        session=session,
        scope=scope.scope,
        within=within,
    )
    params = replace(params, rules=_rules_of(request, snapshot, customer, now))
    beta = placement.fatigue if request.rotation is None else request.rotation
    if beta and candidates is not None:
        ignored = ignored_showings(customer, beta=beta, snapshot=snapshot, candidates=candidates, state=state, now=tick)
        params = replace(params, ignored=ignored)
    if chosen.served:
        params = replace(params, exponents=chosen.served.exponents)
    catalogue = CatalogueState(
        sellable=sellable,
        likeness=snapshot.likeness if params.diversity else NO_LIKENESS,
        lifts={name: lift for name, lift in snapshot.lifts.items() if params.exponents.get(name)},
        families=placement.families_of(snapshot.stock),
    )
    return Prepared(
        request=request, snapshot=snapshot, state=state, now=tick, candidates=candidates, customer=customer,
        chosen=chosen, params=params, catalogue=catalogue, scope=scope,
        weights=weights, session=None if session is weights else session, arms=arms,
        offer=offer_of(placement, snapshot=snapshot, candidates=candidates, customer=customer, now=tick)
        if request.explore else None,
    )  # fmt: skip


def _weights_of(
    placement: ServedPlacement, customer: CustomerContext, snapshot: Snapshot
) -> tuple[ServedWeights | None, ServedWeights | None]:
    """Weights that rank, and those of the visit where there is one; the same where the visit decides."""
    weights_of = partial(snapshot.weights_for, segment=customer.segment, audiences=customer.audiences)
    weights = weights_of(placement.blend) if placement.blend else None
    whole = placement.scope is CatalogueScope.WHOLE
    session = weights_of(BlendName.SESSION) if customer.visit and whole else None
    return (session if session and by_visit(placement, customer) else weights), session


def complete(prepared: Prepared) -> Answer:
    explainer = Explainer(
        snapshot=prepared.snapshot, candidates=prepared.candidates, customer=prepared.customer, state=prepared.state,
        now=prepared.now, asked=prepared.request.explain, given=prepared.reasons,
        scope=prepared.scope,
    )  # fmt: skip
    selection, chosen = _with_promise(prepared, select_candidates(prepared)), prepared.chosen
    shown, counts = shown_items(
        selection,
        chosen,
        explainer=explainer,
        catalogue=prepared.catalogue,
        params=prepared.params,
        fallbacks=prepared.fallbacks(),
    )
    return _answer(prepared, selection, shown, counts)


def _params(
    request: ResolvedRequest,
    placement: ServedPlacement,
    *,
    snapshot: Snapshot,
    customer: CustomerContext,
    weights: ServedWeights | None,
    sellable: BoolArray,
) -> SelectionParams:
    stock, excluded = snapshot.stock, customer.disliked
    if placement.repeat is Repeat.EXCLUDE and placement.scope is not CatalogueScope.BEGUN and shop_domain().goes_on:
        excluded = np.union1d(customer.watched.out_of_turn(stock, sellable=sellable), excluded).astype(np.int32)
    if request.exclude_items:
        excluded = np.union1d(stock.rows_of(request.exclude_items), excluded).astype(np.int32)
    if in_view := (*request.context_items, *request.basket, *request.before):
        own, families = stock.rows_of(in_view), placement.families_of(stock)
        if families is not None:  # a product does not recommend itself, nor come twice
            own = siblings(own, families)
        excluded = np.union1d(own, excluded).astype(np.int32)
    explores = request.explore and placement.explores
    return SelectionParams(
        n=request.n or placement.n,
        repeat=placement.repeat,
        diversity=placement.diversity_with(weights) if request.diversity is None else request.diversity,
        exploration=weights.exploration if weights and explores else 0.0,
        cards=weights.cards if weights and explores else 0.0,
        bought=customer.bought,
        resting=customer.resting,
        excluded=excluded,
        allowed=matching_items(request.filter, snapshot) if request.filter else None,
    )


def _rules_of(
    request: ResolvedRequest, snapshot: Snapshot, customer: CustomerContext, now: datetime
) -> tuple[Rule, ...]:
    """The rules of the book that apply, and the boosts that the request asks for."""
    rules = rules_for(request, snapshot, customer, now)
    return (*rules, *asked_boosts(request.boosts, snapshot)) if request.boosts else rules


def rules_for(
    request: ResolvedRequest, snapshot: Snapshot, customer: CustomerContext, now: datetime
) -> tuple[Rule, ...]:
    """The rules that apply; none about this customer where nothing that is known of them may be used."""
    if not snapshot.rules.rules:
        return ()
    context = snapshot.stock.ids.rows(np.array([*request.context_items, *request.basket], np.int64))
    return snapshot.rules.applying(
        placement=request.placement,
        segment=None if customer.segment == NOBODY else customer.segment,
        audiences=customer.audiences,
        customer=request.customer if customer.why_not in {None, Fallback.NO_HISTORY} else None,
        context=context[context >= 0],
        now=now,
    )


def select_candidates(prepared: Prepared) -> Selection | None:
    """Select from the pool, or what is pinned; the selection's items are rows of the stock. None without both."""
    pool, params = prepared.chosen.pool, prepared.params
    if pool is None:
        if not of_kind(params.rules, RuleAction.PIN):
            return None
        plain = replace(params, exploration=0, cards=0)
        return select(NOTHING, NO_Z, NO_WEIGHTS, catalogue=prepared.catalogue, params=plain)
    rows, z = prepared.snapshot.stock_rows[pool.items], pool.z
    there = rows >= 0
    if not there.all():
        rows, z = rows[there], z[:, there]
    return select(
        rows,
        z,
        weight_vector(pool.instances, prepared.chosen.weights),
        catalogue=prepared.catalogue,
        params=params,
        draw=draw_of(prepared.request.recommendation_id) if params.exploration or params.cards else None,
    )


def _with_promise(prepared: Prepared, selection: Selection | None) -> Selection | None:
    """The selection, with a new item in a slot where the draw of the answer says so."""
    if selection is None or prepared.offer is None:
        return selection
    return with_promise(
        selection, prepared.offer, catalogue=prepared.catalogue, params=prepared.params,
        draw=promise_draw(prepared.request.recommendation_id),
    )  # fmt: skip


def draw_of(recommendation_id: str) -> Generator:
    """The random generator of an answer: what it explores is settled by its id."""
    return generator(0, recommendation_id)


def _answer(
    prepared: Prepared, selection: Selection | None, shown: list[Shown], counts: Mapping[Source, int]
) -> Answer:
    request, snapshot, chosen = prepared.request, prepared.snapshot, prepared.chosen
    own = prepared.scope.is_own
    lacks = len(shown) < prepared.params.n
    short = lacks if own else counts or (lacks and not request.fill)
    why = prepared.scope.why or chosen.why or (Fallback.SHORT if short else None)
    if why in LIVE and request.customer is not None and not prepared.state.known:
        why = Fallback.NO_LIVE_STATE
    source = shown[0].source if shown else Source.NONE
    by_history = source in {Source.MODEL, Source.SESSION, Source.SEGMENT} and prepared.customer.history is not None
    acting, names = {key for one in shown for key in one.rules}, snapshot.rules.names
    if request.boosts:
        names = {**names, **boost_names(request.boosts)}
    stranger = prepared.customer.why_not is Fallback.NOT_PERSONALISED
    return Answer(
        recommendation_id=request.recommendation_id,
        placement=request.placement,
        model_version=snapshot.model.version_id if snapshot.model else None,
        weights=chosen.served,
        rules_version=snapshot.rules.version,
        personalised=by_history or (own and bool(shown)),
        source=source,
        fallback_reason=why,
        shown=tuple(shown),
        way=selection.way if selection else Way.AS_RANKED,
        arms=prepared.arms,
        trace=_trace(chosen, selection, counts),
        nameless=stranger or is_unmeasured(request.customer, snapshot, prepared.state),
        customer=None if stranger else request.customer,
        rule_names={key: name for key, name in names.items() if key in acting},
        next_cursor=None if len(shown) < prepared.params.n else packed([*request.before, *(one.item for one in shown)]),
    )


def _trace(chosen: ChosenCandidates, selection: Selection | None, counts: Mapping[Source, int]) -> Trace:
    if selection is None:
        return Trace(filled=counts)
    pool, trace = chosen.pool, selection.trace
    instances, heard = (pool.instances, pool.heard) if pool else ((), frozenset[str]())
    return Trace(
        candidates=trace.candidates,
        eligible=trace.eligible,
        lost=trace.lost,
        ruled=trace.ruled,
        tired=trace.tired,
        diversified=trace.diversified,
        explored=trace.explored,
        filled=counts,
        silent=tuple(name for name in instances if name not in heard),
        missing=tuple(name for name, weight in chosen.weights.items() if weight and name not in instances),
    )
