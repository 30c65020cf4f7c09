"""What the first items of an answer are taken from: whose candidates, under which weights, or why there are none."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from recommendations.engine.frames import IntArray
from recommendations.engine.recommenders.popularity import Popularity
from recommendations.serving.candidates import TRENDING, Pool, Pools
from recommendations.serving.customer_context import Person
from recommendations.serving.session import mixed, visits_of
from recommendations.serving.types import Ask
from recommendations.store.serving.snapshot import ServedPlacement, ServedWeights
from recommendations.terms import BlendName, Fallback, Part, Repeat, Source

OF_CONTEXT = frozenset({BlendName.ITEM, BlendName.CART})


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """What the first items of an answer are taken from; no pool: the fallbacks have all of it."""

    pool: Pool | None
    weights: Mapping[str, float]
    source: Source
    why: Fallback | None = None
    version: int | None = None  # of the weights, where they count


def ranking_of(
    ask: Ask,
    placement: ServedPlacement,
    *,
    pools: Pools | None,
    person: Person,
    weights: ServedWeights | None,
    session: ServedWeights | None,
    part: Part,
    within: IntArray | None,
) -> Ranking:
    """``session`` are the weights of a visit, where there is one; ``part`` of the shop that the answer is of, and the
    rows of the model ``within`` it; None: all of them.
    """
    if pools is None:
        return Ranking(pool=None, weights={}, source=Source.NEWEST, why=Fallback.NO_MODEL)
    if placement.blend is None:
        if part is Part.NEWEST:
            return Ranking(pool=None, weights={}, source=Source.NEWEST)
        return Ranking(pool=pools.trending, weights={TRENDING: 1.0}, source=Source.POPULAR)
    if placement.blend in OF_CONTEXT:
        found = _of_context(ask, placement.blend, pools, person)
    else:
        visitor = person if session else replace(person, visit=())
        found = _of_person(placement, placement.blend, pools, visitor, within)
    if isinstance(found, Fallback):
        return _stand_in(ask, placement.blend, pools, part=part, why=found)
    pool, source = found
    vector = weights.weights if weights else {}
    if session and pool.visiting:
        vector = mixed(pool, vector, session.weights)
    telling = {name for name in pool.heard if vector.get(name, 0) > 0}
    if not telling - _popularities(pools):
        return _stand_in(ask, placement.blend, pools, part=part, why=Fallback.SILENT)
    return Ranking(pool=pool, weights=vector, source=source, version=weights.version if weights else None)


def by_visit(placement: ServedPlacement, person: Person) -> bool:
    """Whether the visit makes all of the answer: of somebody new, where they may be shown what they do not know yet."""
    own = placement.blend is not None and placement.blend not in OF_CONTEXT and placement.repeat is not Repeat.ONLY
    return own and bool(person.visit) and not person.known


def _of_person(
    placement: ServedPlacement, blend: BlendName, pools: Pools, person: Person, within: IntArray | None
) -> tuple[Pool, Source] | Fallback:
    if person.past is None:
        return person.why_not or Fallback.NO_HISTORY
    if within is not None:
        source = Source.SESSION if person.record < 0 else Source.MODEL
        return pools.scored(blend, person.past, (), within.tobytes()), source
    if by_visit(placement, person):
        return visits_of(pools).alone(person.visit), Source.SESSION
    record = pools.record(blend, person.record) if person.record >= 0 else None
    if record is not None:
        joined = visits_of(pools).joined(blend, person.record, person.visit) if person.visit else None
        return joined or record, Source.MODEL
    return pools.scored(blend, person.past, ()), Source.SESSION


def _of_context(ask: Ask, blend: BlendName, pools: Pools, person: Person) -> tuple[Pool, Source] | Fallback:
    keys = np.array([*ask.context_items, *ask.basket], np.int64)
    rows = pools.model.items.rows(keys)
    context = tuple(sorted(set(rows[rows >= 0].tolist())))
    if not context:
        return Fallback.NO_CONTEXT
    return pools.scored(blend, person.past or pools.nobody, context), Source.MODEL


def _stand_in(ask: Ask, blend: BlendName, pools: Pools, *, part: Part, why: Fallback) -> Ranking:
    """What everybody would get, where the request takes it."""
    if part is Part.NEWEST:
        return Ranking(pool=None, weights={}, source=Source.NEWEST, why=why)
    if not ask.fill and part is not Part.FOUND:
        return Ranking(pool=None, weights={}, source=Source.NONE, why=why)
    return _popular(blend, pools, why=why)


def _popular(blend: BlendName, pools: Pools, *, why: Fallback) -> Ranking:
    """What the stranger's record says of what everybody buys."""
    record = BlendName.HOME if blend in OF_CONTEXT else blend
    pool = pools.record(record, pools.model.stranger)
    speaking = sorted(pool.heard & _popularities(pools)) if pool else []
    if not speaking:
        return Ranking(pool=None, weights={}, source=Source.POPULAR, why=why)
    return Ranking(pool=pool, weights={speaking[0]: 1.0}, source=Source.POPULAR, why=why)


def _popularities(pools: Pools) -> frozenset[str]:
    recommenders = pools.model.recommenders.items()
    return frozenset(name for name, recommender in recommenders if isinstance(recommender, Popularity))
