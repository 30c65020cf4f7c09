"""Map of the segments: those of like interests lie near one another, and each customer among those they resemble.

The centres are laid out by metric scaling (SMACOF: de Leeuw 1977) of the distances √(2 − 2 cos). A customer lies at the
mean of the centres, weighted with softmax(κ · cos): near one centre, or between the two that they are torn between.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import orthogonal_procrustes

from recommendations.engine.frames import FloatArray, IntArray, Sparse
from recommendations.engine.interests.profile import interest_weights, unit_length
from recommendations.engine.interests.segment import Segmentation, reduced

SHARPNESS = 14.0  # κ: at 14 a customer whose cosines to two centres differ by .1 lies four times as near to the first
ROUNDS = 300
DRAWN = 3_000

type Points = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Projection:
    """Coordinates without unit; the farthest centre is at distance 1 from the middle (0, 0)."""

    centres: FloatArray  # [segments, 2]
    users: IntArray  # the rows of the users that are drawn
    points: FloatArray  # [drawn, 2]


def project(
    segmentation: Segmentation, weights: Sparse, categories: Sparse, *, like: FloatArray | None = None
) -> Projection:
    """Project the segments, and at most 3,000 of the users who have interests, evenly spread over their rows.

    ``like`` [segments, 2] are the centres of an earlier picture, NaN for a segment that was not in it: the new one is
    turned (and mirrored) so that it resembles the earlier one most.
    """
    centres = turned(laid_out(segmentation.centres), like=like)
    active = np.flatnonzero(np.diff(weights.indptr))
    drawn = active[np.linspace(0, len(active) - 1, min(DRAWN, len(active))).astype(np.int64)]
    interests = interest_weights(weights[drawn], categories)
    valid = interests.sum(axis=1) > 0
    points = _among(centres, segmentation, interests[valid]) if valid.any() else np.empty((0, 2))
    return Projection(
        centres=centres.astype(np.float32), users=drawn[valid].astype(np.int32), points=points.astype(np.float32)
    )


def _among(centres: Points, segmentation: Segmentation, interests: FloatArray) -> Points:
    cosines = unit_length(reduced(segmentation, interests)) @ segmentation.centres.T
    pull = np.exp(SHARPNESS * (cosines - 1))
    return np.asarray((pull / pull.sum(axis=1, keepdims=True)) @ centres, np.float64)


def laid_out(directions: FloatArray) -> Points:
    """Lay out unit vectors [n, dimensions] as points [n, 2] whose distances are as much like √(2 − 2 cos) as can be."""
    distances = np.sqrt(np.maximum(2 - 2 * directions.astype(np.float64) @ directions.T.astype(np.float64), 0))
    points = _classical(distances)
    for _ in range(ROUNDS):  # Guttman transform, all weights 1
        gaps = np.sqrt(((points[:, None] - points[None]) ** 2).sum(axis=2))
        ratio = np.divide(distances, gaps, out=np.zeros_like(gaps), where=gaps > 1e-12)
        pull = np.diag(ratio.sum(axis=1)) - ratio
        points = pull @ points / max(len(points), 1)
    reach = np.sqrt((points**2).sum(axis=1)).max(initial=0)
    return points / reach if reach > 0 else points


def turned(points: Points, *, like: FloatArray | None) -> Points:
    """Rotate or mirror the points towards those of ``like`` that are known; unchanged where fewer than two are."""
    valid = np.zeros(len(points), np.bool_) if like is None else ~np.isnan(like).any(axis=1)
    if like is None or np.count_nonzero(valid) < 2:
        return points
    rotation, _ = orthogonal_procrustes(points[valid], like[valid].astype(np.float64))
    return np.asarray(points @ rotation)


def _classical(distances: Points) -> Points:
    """Torgerson's solution: the two strongest axes of the doubly centred squared distances."""
    n = len(distances)
    centring = np.eye(n) - 1 / max(n, 1)
    values, vectors = np.linalg.eigh(-0.5 * centring @ distances**2 @ centring)
    axes = vectors[:, ::-1][:, :2] * np.sqrt(np.maximum(values[::-1][:2], 0))
    largest = np.abs(axes).argmax(axis=0) if n else np.empty(0, np.int64)
    signs = np.sign(axes[largest, np.arange(axes.shape[1])]) if n else np.empty(0)
    points = np.zeros((n, 2))
    points[:, : axes.shape[1]] = axes * np.where(signs == 0, 1, signs)  # an axis may come either way round
    return points
