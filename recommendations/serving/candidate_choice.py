"""Choice of the candidates that the first items of an answer come from: whose, under which weights, or why none."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from recommendations.engine.frames import IntArray
from recommendations.engine.ranking.visit_share import SHARE, mixed
from recommendations.engine.recommenders.popularity import Popularity
from recommendations.serving.candidates import TRENDING, CandidatePool, CandidateSource
from recommendations.serving.customer_context import CustomerContext
from recommendations.serving.scope import BY_TIME
from recommendations.serving.types import ResolvedRequest
from recommendations.serving.visit import visits_of
from recommendations.store.serving.snapshot import ServedPlacement, ServedWeights
from recommendations.terms import BlendName, CatalogueScope, Fallback, Repeat, Source

OF_CONTEXT = frozenset({BlendName.ITEM, BlendName.CART})


@dataclass(frozen=True, kw_only=True)
class ChosenCandidates:
    """The candidates that the first items of an answer come from; no pool: the fallbacks have all of it."""

    pool: CandidatePool | None
    weights: Mapping[str, float]
    source: Source
    why: Fallback | None = None
    served: ServedWeights | None = None  # where they count


def choose_candidates(
    request: ResolvedRequest,
    placement: ServedPlacement,
    *,
    candidates: CandidateSource | None,
    customer: CustomerContext,
    weights: ServedWeights | None,
    session: ServedWeights | None,
    scope: CatalogueScope,
    within: IntArray | None,
) -> ChosenCandidates:
    """Choose the candidates of an answer. ``session`` are the weights of a visit, where there is one; ``scope`` is the
    part of the shop that the answer is of, ``within`` the rows of the model in it; None: all of them.
    """
    if candidates is None:
        needless = scope in {CatalogueScope.FOLLOWED, CatalogueScope.BEGUN}
        why = None if needless else Fallback.NO_MODEL
        return ChosenCandidates(pool=None, weights={}, source=Source.NEWEST, why=why)
    if not request.ranks and within is not None:
        return _unranked(candidates, within)
    if placement.blend is None:
        if scope in BY_TIME:
            return ChosenCandidates(pool=None, weights={}, source=Source.NEWEST)
        return ChosenCandidates(pool=candidates.trending, weights={TRENDING: 1.0}, source=Source.POPULAR)
    if placement.blend in OF_CONTEXT:
        choice = _of_context(request, placement.blend, candidates, customer)
    else:
        visitor = customer if session else replace(customer, visit=())
        choice = _of_person(placement, placement.blend, candidates, visitor, within)
    if isinstance(choice, Fallback):
        return _stand_in(request, placement.blend, candidates, scope=scope, why=choice)
    pool, source = choice
    vector = weights.weights if weights else {}
    if session and pool.visiting:
        learned = candidates.model.visit_shares.get(placement.blend)
        share = learned.share if learned else SHARE
        vector = mixed(vector, session.weights, visiting=pool.visiting, share=share)
    telling = {name for name in pool.heard if vector.get(name, 0) > 0}
    if not telling - _popularities(candidates):
        return _stand_in(request, placement.blend, candidates, scope=scope, why=Fallback.SILENT)
    return ChosenCandidates(pool=pool, weights=vector, source=source, served=weights)


def _unranked(candidates: CandidateSource, within: IntArray) -> ChosenCandidates:
    """These rows of the model as they are, none before another: where there is one, no score says anything."""
    scores = np.ones((1, len(within)), np.float32)
    pool = CandidatePool(instances=(TRENDING,), items=within, z=scores, history=candidates.nobody)
    return ChosenCandidates(pool=pool, weights={TRENDING: 1.0}, source=Source.MODEL)


def by_visit(placement: ServedPlacement, customer: CustomerContext) -> bool:
    """Whether the visit makes all of the answer: of somebody new, where they may be shown what they do not know yet."""
    own = placement.blend is not None and placement.blend not in OF_CONTEXT and placement.repeat is not Repeat.ONLY
    return own and bool(customer.visit) and not customer.known


def _of_person(
    placement: ServedPlacement,
    blend: BlendName,
    candidates: CandidateSource,
    customer: CustomerContext,
    within: IntArray | None,
) -> tuple[CandidatePool, Source] | Fallback:
    if customer.history is None:
        return customer.why_not or Fallback.NO_HISTORY
    if within is not None:
        source = Source.SESSION if customer.row < 0 else Source.MODEL
        return candidates.scored(blend, customer.history, (), within.tobytes()), source
    if by_visit(placement, customer):
        return visits_of(candidates.model).alone(customer.visit), Source.SESSION
    plain = customer.row >= 0 and customer.history.liked is None
    record = candidates.stored(blend, customer.row) if plain else None
    if record is not None:
        joined = visits_of(candidates.model).joined(blend, customer.row, customer.visit) if customer.visit else None
        return joined or record, Source.MODEL
    folded = len(customer.history.query.histories) and not plain  # not who only follows others, or has no record
    source = Source.SESSION if folded else Source.MODEL
    return candidates.scored(blend, customer.history, ()), source


def _of_context(
    request: ResolvedRequest, blend: BlendName, candidates: CandidateSource, customer: CustomerContext
) -> tuple[CandidatePool, Source] | Fallback:
    keys = np.array([*request.context_items, *request.basket], np.int64)
    rows = candidates.model.items.rows(keys)
    context = tuple(sorted(set(rows[rows >= 0].tolist())))
    if not context:
        return Fallback.NO_CONTEXT
    return candidates.scored(blend, customer.history or candidates.nobody, context), Source.MODEL


def _stand_in(
    request: ResolvedRequest, blend: BlendName, candidates: CandidateSource, *, scope: CatalogueScope, why: Fallback
) -> ChosenCandidates:
    """What everybody would get in place of the blend's candidates, where the request takes it."""
    if scope is CatalogueScope.NEWEST:
        return ChosenCandidates(pool=None, weights={}, source=Source.NEWEST, why=why)
    if not request.fill and scope is not CatalogueScope.FOUND:
        return ChosenCandidates(pool=None, weights={}, source=Source.NONE, why=why)
    return _popular(blend, candidates, why=why)


def _popular(blend: BlendName, candidates: CandidateSource, *, why: Fallback) -> ChosenCandidates:
    """The candidates of the stranger's record, by its popularity alone: what everybody buys."""
    record = BlendName.HOME if blend in OF_CONTEXT else blend
    pool = candidates.stored(record, candidates.model.stranger)
    speaking = sorted(pool.heard & _popularities(candidates)) if pool else []
    if not speaking:
        return ChosenCandidates(pool=None, weights={}, source=Source.POPULAR, why=why)
    return ChosenCandidates(pool=pool, weights={speaking[0]: 1.0}, source=Source.POPULAR, why=why)


def _popularities(candidates: CandidateSource) -> frozenset[str]:
    recommenders = candidates.model.recommenders.items()
    return frozenset(name for name, recommender in recommenders if isinstance(recommender, Popularity))
