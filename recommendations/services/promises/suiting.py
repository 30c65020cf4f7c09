"""Whom an item suits by what is written of it: customers, and segments beside everybody."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recommendations.serving.candidates import candidate_source
from recommendations.store.live.array_cache import Arrays, cached
from recommendations.store.models.model import Model
from recommendations.store.serving.snapshot_holder import NotLoadedError, current_snapshot

MOST = 10
FEWEST = 5  # customers of a segment that a mean is told of
CLEARLY = 1.05  # times everybody's mean: less than that reads as no more


@dataclass(frozen=True, kw_only=True)
class Suited:
    customers: Sequence[int]  # keys, the best first
    segments: Mapping[int, float]  # number → mean score beside everybody's, where it is clearly more; the largest first


def suited(item: int) -> Suited | None:
    """Whom an item suits; None where the live model does not know it, or nothing is written of it.

    Who does not want to be known is not among them.
    """
    try:
        snapshot = current_snapshot()
    except NotLoadedError:
        return None
    model = snapshot.model
    row = -1 if model is None else model.items.row(item)
    if model is None or row < 0:
        return None
    arrays = cached(f"suits:{model.mark}:{item}", lambda: _arrays(model, row), of_people=True)
    if not len(arrays["customers"]):
        return None
    beside = dict(zip(arrays["segments"].tolist(), arrays["beside"].tolist(), strict=True))
    known = [key for key in arrays["customers"].tolist() if key not in snapshot.objectors]
    return Suited(customers=known, segments=beside)


def _arrays(model: Model, row: int) -> Arrays:
    nobody = {"customers": np.empty(0, np.int64), "segments": np.empty(0, np.int64), "beside": np.empty(0)}
    descriptions = candidate_source(model).descriptions
    if descriptions is None:
        return nobody
    scores = descriptions.scores_of_users(model.training.queries(np.arange(model.training.n_users)), row)
    told = np.flatnonzero(~np.isnan(scores))
    if not len(told) or scores[told].mean() <= 0:
        return nobody
    numbers, place, sizes = np.unique(model.segments[told], return_inverse=True, return_counts=True)
    beside = np.bincount(place, scores[told]) / sizes / scores[told].mean()
    shown = np.flatnonzero((numbers >= 0) & (sizes >= FEWEST) & (beside >= CLEARLY))
    shown = shown[np.argsort(-beside[shown], kind="stable")]
    best = told[np.argsort(-scores[told], kind="stable")[:MOST]]
    return {"customers": model.users.ids[best], "segments": numbers[shown].astype(np.int64), "beside": beside[shown]}
