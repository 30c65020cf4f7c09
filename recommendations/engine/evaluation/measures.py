"""The columns of every quality table: which metric at which cut-off, for batch and panel alike."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.evaluation.accuracy import (
    Judged,
    PerUser,
    hit_rate,
    mean_average_precision,
    ndcg,
    recall,
    reciprocal_rank,
    revenue_ndcg,
)
from recommendations.engine.evaluation.breadth import Assortment, coverage, diversity, novelty
from recommendations.engine.evaluation.intervals import Measure, measures
from recommendations.engine.frames import FloatArray, IntArray

MAIN = "ndcg@10"
"""Metric that weights are tuned for."""

COVERAGE = "coverage@10"

ACCURACY: Mapping[str, tuple[Callable[[Judged, int], PerUser], int]] = {
    MAIN: (ndcg, 10),
    "ndcg@20": (ndcg, 20),
    "recall@10": (recall, 10),
    "recall@20": (recall, 20),
    "hit_rate@10": (hit_rate, 10),
    "map@10": (mean_average_precision, 10),
    "mrr@10": (reciprocal_rank, 10),
    "revenue_ndcg@10": (revenue_ndcg, 10),
}
BREADTH: Mapping[str, tuple[Callable[[IntArray, Assortment, int], PerUser], int]] = {
    "novelty@10": (novelty, 10),
    "diversity@10": (diversity, 10),
}
PER_USER: Sequence[str] = (*ACCURACY, *BREADTH)


def per_user_table(ranked: IntArray, lists: Judged, shop: Assortment) -> NDArray[np.float64]:
    """Table of the metrics: one row per user, one column per name in ``PER_USER``."""
    columns = [metric(lists, k) for metric, k in ACCURACY.values()]
    columns += [metric(ranked, shop, k) for metric, k in BREADTH.values()]
    return np.stack(columns, axis=1)


def summary(table: NDArray[np.float64], covered: float, drawn: FloatArray) -> dict[str, Measure]:
    """Every metric with its interval. Coverage counts over everybody, so it has no sampling interval: low = high."""
    metrics = dict(zip(PER_USER, measures(table, drawn), strict=True))
    return metrics | {COVERAGE: Measure(covered, covered, covered)}


def covered_share(ranked: IntArray, shop: Assortment) -> float:
    return coverage(ranked, shop, 10)
