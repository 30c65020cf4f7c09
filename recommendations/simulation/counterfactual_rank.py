"""Rank that an item would have which is no candidate: scored by the model on demand, on the scale of the pool."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import FloatArray
from recommendations.engine.ranking.candidates import weight_vector
from recommendations.engine.ranking.scores import blend
from recommendations.engine.recommenders.registry import EVERY
from recommendations.serving.candidate_choice import ChosenCandidates
from recommendations.serving.candidates import CandidatePool, CandidateSource

TREND_OF = {instance.name: instance.trend for instance in EVERY}


class WouldRank(NamedTuple):
    """An item's ``place`` among the candidates, had it been one; if nothing tells, among all items by popularity."""

    place: int
    of: int
    by_model: bool


def would_rank(candidates: CandidateSource, chosen: ChosenCandidates, item: int) -> WouldRank:
    """Rank of ``item``, a row of the model that is not in the pool, had it been a candidate."""
    pool = chosen.pool
    z = _z(candidates, pool, chosen.weights, item) if pool is not None else np.empty(0, np.float32)
    if pool is None or np.isnan(z).all():
        place = int(np.count_nonzero(candidates.popularity > candidates.popularity[item])) + 1
        return WouldRank(place, len(candidates.popularity), by_model=False)
    weights = weight_vector(pool.instances, chosen.weights)
    scores, own = blend(pool.z, weights), float(blend(z[:, None], weights)[0])
    return WouldRank(int(np.count_nonzero(scores >= own)) + 1, len(scores) + 1, by_model=True)


def _z(candidates: CandidateSource, pool: CandidatePool, weights: Mapping[str, float], item: int) -> FloatArray:
    """[instances]: what each instance that counts says of the item; NaN where it cannot know, or does not count.

    z is linear in the raw score within a pool, so two candidates with different scores give the scale.
    """
    z = np.full(len(pool.instances), np.nan, np.float32)
    for m, name in enumerate(pool.instances):
        recommender = candidates.model.recommenders.get(name)
        if recommender is None or not weights.get(name):
            continue
        raw = np.asarray(recommender.score(pool.history_for(name).query)[0], np.float64)
        if exponent := TREND_OF.get(name, 0.0):
            raw = np.maximum(raw, 0) * candidates.sums.trend.astype(np.float64) ** exponent
        z[m] = _on_scale(raw[pool.items], np.asarray(pool.z[m], np.float64), raw[item])
    return z


def _on_scale(raw: NDArray[np.float64], z: NDArray[np.float64], value: float) -> float:
    scored = np.flatnonzero(~np.isnan(raw) & ~np.isnan(z))
    if not len(scored) or np.isnan(value):
        return np.nan
    low, high = scored[np.argmin(raw[scored])], scored[np.argmax(raw[scored])]
    if raw[high] == raw[low]:
        return 0.0
    return float(z[low] + (value - raw[low]) * (z[high] - z[low]) / (raw[high] - raw[low]))
