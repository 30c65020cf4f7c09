"""Stage 4b: a customer and a placement → an answer: candidates, blend, eligibility, diversity, reasons.

A function of what it is given; ``serve.py`` reads and writes around it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
from numpy.random import Generator

from recommendations.engine.frames import BoolArray
from recommendations.engine.ranking.candidates import weight_vector
from recommendations.engine.ranking.diversity import Likeness
from recommendations.engine.ranking.rules import Rule, of_kind
from recommendations.engine.ranking.selection import NOTHING, Selection, Shelf, Wish, select
from recommendations.engine.rng import generator
from recommendations.serving.assemble import Chosen, shown_items
from recommendations.serving.candidate_choice import Ranking, by_visit, ranking_of
from recommendations.serving.candidates import Pools, pools_of
from recommendations.serving.customer_context import NOBODY, Person, person_of
from recommendations.serving.explain import Explainer
from recommendations.serving.fallback import Rung
from recommendations.serving.scope import WHOLE, Section, keys_under, narrowed, rungs_of, section_of, understood
from recommendations.serving.types import Answer, Ask, Filter, Shown, Trace
from recommendations.store.live.state import LiveState
from recommendations.store.serving.snapshot import ServedPlacement, ServedWeights, Snapshot
from recommendations.store.serving.stock import of_brands, of_categories
from recommendations.terms import BlendName, Fallback, Part, RuleAction, Source

NO_Z, NO_WEIGHTS = np.empty((0, 0), np.float32), np.empty(0, np.float32)
TICK = 300.0  # seconds: ages count back from the last full tick, so that an answer stands for a while
NO_LIKENESS = Likeness(traits=np.empty((0, 0), np.int32))


class UnknownPlacementError(Exception):
    """There is no such placement, or it is switched off."""

    def __init__(self, name: str) -> None:
        super().__init__(f"no placement {name}")
        self.name = name


@dataclass(frozen=True, kw_only=True)
class Ready:
    """All that an answer is made of, before anything is chosen; rows of wish and shelf are those of the stock."""

    ask: Ask
    snapshot: Snapshot
    state: LiveState
    now: datetime  # a full tick
    pools: Pools | None
    person: Person
    ranking: Ranking
    wish: Wish
    shelf: Shelf
    section: Section

    def rungs(self) -> Iterable[Rung]:
        """What stands in for the pool."""
        return rungs_of(self.section, ask=self.ask, snapshot=self.snapshot, pools=self.pools, person=self.person)


def recommend(ask: Ask, *, snapshot: Snapshot, state: LiveState, now: datetime) -> Answer:
    """Raises UnknownPlacementError."""
    return answered(ready(ask, snapshot=snapshot, state=state, now=now))


def ready(ask: Ask, *, snapshot: Snapshot, state: LiveState, now: datetime) -> Ready:
    """Raises UnknownPlacementError."""
    placement = snapshot.placements.get(ask.placement)
    if placement is None:
        raise UnknownPlacementError(ask.placement)
    ask = understood(ask, placement)
    pools = pools_of(snapshot.model) if snapshot.model else None
    tick = datetime.fromtimestamp(now.timestamp() // TICK * TICK, UTC)
    person = person_of(ask, placement, snapshot=snapshot, pools=pools, state=state, now=tick)
    weights = snapshot.weights_for(placement.blend, person.segment) if placement.blend else None
    session = None
    if person.visit and placement.part is Part.WHOLE:
        session = snapshot.weights_for(BlendName.SESSION, person.segment)
    if session and by_visit(placement, person):
        weights = session
    wish = _wish(ask, placement, snapshot=snapshot, person=person, weights=weights)
    sellable = snapshot.sellable(now)
    section = WHOLE
    if placement.part is not Part.WHOLE:
        open_ = sellable if wish.allowed is None else sellable & wish.allowed
        section = section_of(ask, placement, snapshot=snapshot, open_=open_)
        wish = narrowed(wish, section, ask=ask, stock=snapshot.stock)
    within = section.of_model(snapshot.model, snapshot.stock) if snapshot.model else None
    ranking = ranking_of(
        ask, placement, pools=pools, person=person, weights=weights, session=session, part=section.part, within=within
    )
    wish = replace(wish, rules=rules_for(ask, snapshot, person, now))
    if weights and ranking.version is not None:
        wish = replace(wish, promotion=weights.promotion)
    shelf = Shelf(
        sellable=sellable,
        likeness=snapshot.likeness if wish.diversity else NO_LIKENESS,
        lift=snapshot.lift if wish.promotion else None,
    )
    return Ready(
        ask=ask, snapshot=snapshot, state=state, now=tick, pools=pools, person=person, ranking=ranking, wish=wish,
        shelf=shelf, section=section,
    )  # fmt: skip


def answered(ready: Ready) -> Answer:
    explainer = Explainer(
        snapshot=ready.snapshot, pools=ready.pools, person=ready.person, state=ready.state, now=ready.now,
        asked=ready.ask.explain,
    )  # fmt: skip
    selection, ranking = picked(ready), ready.ranking
    chosen = Chosen(selection=selection, pool=ranking.pool, source=ranking.source) if selection else None
    shown, counts = shown_items(chosen, explainer=explainer, shelf=ready.shelf, wish=ready.wish, rungs=ready.rungs())
    return _answer(ready, selection, shown, counts)


def _wish(
    ask: Ask, placement: ServedPlacement, *, snapshot: Snapshot, person: Person, weights: ServedWeights | None
) -> Wish:
    stock = snapshot.stock
    own = stock.ids.rows(np.array([*ask.exclude_items, *ask.context_items, *ask.basket], np.int64))
    explores = ask.explore and placement.explores
    return Wish(
        n=ask.n or placement.n,
        repeat=placement.repeat,
        diversity=placement.diversity_with(weights) if ask.diversity is None else ask.diversity,
        exploration=weights.exploration if weights and explores else 0.0,
        bought=person.bought,
        resting=person.resting,
        excluded=np.union1d(own[own >= 0], person.disliked).astype(np.int32),
        allowed=_allowed(ask.filter, snapshot) if ask.filter else None,
    )


def rules_for(ask: Ask, snapshot: Snapshot, person: Person, now: datetime) -> tuple[Rule, ...]:
    """Those that apply; none about this customer where nothing that is known of them may be used."""
    if not snapshot.rules.rules:
        return ()
    context = snapshot.stock.ids.rows(np.array([*ask.context_items, *ask.basket], np.int64))
    return snapshot.rules.applying(
        placement=ask.placement,
        segment=None if person.segment == NOBODY else person.segment,
        customer=ask.customer if person.why_not in {None, Fallback.NO_HISTORY} else None,
        context=context[context >= 0],
        now=now,
    )


def _allowed(wanted: Filter, snapshot: Snapshot) -> BoolArray:
    stock = snapshot.stock
    allowed = np.ones(len(stock), np.bool_)
    price = stock.column("price")
    if wanted.price_from is not None:
        allowed &= price >= float(wanted.price_from)
    if wanted.price_to is not None:
        allowed &= price <= float(wanted.price_to)
    if wanted.in_stock is not None:
        allowed &= stock.column("in_stock") == wanted.in_stock
    if wanted.brands is not None:
        allowed &= of_brands(stock, wanted.brands)
    if wanted.categories is not None:
        allowed &= of_categories(stock, keys_under(snapshot, wanted.categories))
    return allowed


def picked(ready: Ready) -> Selection | None:
    """What is chosen of the pool, or pinned; the selection's items are rows of the stock. None without both."""
    pool, wish = ready.ranking.pool, ready.wish
    if pool is None:
        if not of_kind(wish.rules, RuleAction.PIN):
            return None
        return select(NOTHING, NO_Z, NO_WEIGHTS, shelf=ready.shelf, wish=replace(wish, exploration=0))
    rows = ready.snapshot.stock_rows[pool.items]
    there = rows >= 0
    return select(
        rows[there],
        pool.z[:, there],
        weight_vector(pool.instances, ready.ranking.weights),
        shelf=ready.shelf,
        wish=wish,
        draw=draw_of(ready.ask.recommendation_id) if wish.exploration else None,
    )


def draw_of(recommendation_id: str) -> Generator:
    """What an answer explores is settled by its id."""
    return generator(0, recommendation_id)


def _answer(ready: Ready, selection: Selection | None, shown: list[Shown], counts: Mapping[Source, int]) -> Answer:
    ask, snapshot, ranking = ready.ask, ready.snapshot, ready.ranking
    short = counts or (len(shown) < ready.wish.n and not ask.fill)
    why = ready.section.why or ranking.why or (Fallback.SHORT if short else None)
    if why is None and ask.customer is not None and not ready.state.known:
        why = Fallback.NO_LIVE_STATE
    source = shown[0].source if shown else Source.NONE
    personal = source in {Source.MODEL, Source.SESSION, Source.SEGMENT} and ready.person.past is not None
    acting = {key for one in shown for key in one.rules}
    return Answer(
        recommendation_id=ask.recommendation_id,
        placement=ask.placement,
        model_version=snapshot.model.version_id if snapshot.model else None,
        weights_version=ranking.version,
        rules_version=snapshot.rules.version,
        personalised=personal,
        source=source,
        fallback_reason=why,
        shown=tuple(shown),
        trace=_trace(ranking, selection, counts),
        nameless=ready.person.why_not is Fallback.NOT_PERSONALISED,
        rule_names={key: name for key, name in snapshot.rules.names.items() if key in acting},
    )


def _trace(ranking: Ranking, selection: Selection | None, counts: Mapping[Source, int]) -> Trace:
    if selection is None:
        return Trace(filled=counts)
    pool, trace = ranking.pool, selection.trace
    instances, heard = (pool.instances, pool.heard) if pool else ((), frozenset[str]())
    return Trace(
        candidates=trace.candidates,
        eligible=trace.eligible,
        lost=trace.lost,
        ruled=trace.ruled,
        diversified=trace.diversified,
        explored=trace.explored,
        filled=counts,
        silent=tuple(name for name in instances if name not in heard),
        missing=tuple(name for name, weight in ranking.weights.items() if weight and name not in instances),
    )
