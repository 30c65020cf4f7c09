"""95 % intervals by resampling users, and comparisons that are paired by user."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import FloatArray
from recommendations.engine.rng import generator

RESAMPLES = 1000
TAIL = 2.5  # per cent on either side
NORMAL = 1.959964  # standard deviations that leave as much on either side


class Measure(NamedTuple):
    """A mean over users and its interval."""

    value: float
    low: float
    high: float


def resamples(n_users: int, *, seed: int, n: int = RESAMPLES) -> FloatArray:
    """How often each user is drawn in each bootstrap resample, shape [resamples, users], rows sum to ``n_users``.

    Draw it once and use it for everything that is to be compared.
    """
    if not n_users:
        return np.zeros((n, 0), np.float32)
    draw = generator(seed, "bootstrap")
    return draw.multinomial(n_users, np.full(n_users, 1 / n_users), size=n).astype(np.float32)


def measures(per_user: NDArray[np.float64], drawn: FloatArray) -> list[Measure]:
    """Mean and percentile interval of each column of [users, metrics]; all 0 without users.

    For a part of the users, ``drawn`` are their columns of everybody's resamples: how many of them a resample has, then
    varies as it does between samples of customers, and each mean is over those it has.
    """
    n_users, n_metrics = per_user.shape
    if not n_users:
        return [Measure(0.0, 0.0, 0.0)] * n_metrics
    means = per_user.mean(axis=0)
    # Float32 is enough for how the resamples scatter around the mean, and four times as fast as float64.
    spread = drawn @ (per_user - means).astype(np.float32) / np.maximum(drawn.sum(axis=1, keepdims=True), 1)
    low, high = np.percentile(spread, [TAIL, 100 - TAIL], axis=0)
    return [
        Measure(float(mean), float(mean + below), float(mean + above))
        for mean, below, above in zip(means, low, high, strict=True)
    ]


def differences(candidate: NDArray[np.float64], reference: NDArray[np.float64], drawn: FloatArray) -> list[Measure]:
    """Candidate minus reference per column, paired: the same users are drawn for both."""
    return measures(candidate - reference, drawn)


def wilson(count: int, total: int) -> Measure:
    """A share and its 95 % interval (Wilson 1927), which stays within 0 … 1 and holds for few, too; of none 0 … 1."""
    if not total:
        return Measure(0.0, 0.0, 1.0)
    share, square = count / total, NORMAL**2
    middle = (share + square / (2 * total)) / (1 + square / total)
    half = NORMAL * math.sqrt(share * (1 - share) / total + square / (4 * total**2)) / (1 + square / total)
    return Measure(share, max(0.0, middle - half), min(1.0, middle + half))


def ratio(counts: NDArray[np.float64], tries: NDArray[np.float64]) -> Measure:
    """Sum of counts over sum of tries, drawn in clusters, and its 95 % interval by the clusters' scatter.

    Where nothing was counted the interval is Wilson's over the clusters.
    """
    total = float(tries.sum())
    if not total or not counts.any():
        return wilson(0, int((tries > 0).sum()))
    value = float(counts.sum()) / total
    half = NORMAL * math.sqrt(float(((counts - value * tries) ** 2).sum())) / total
    return Measure(value, max(0.0, value - half), min(1.0, value + half))


def relative_change(after: NDArray[np.float64], before: NDArray[np.float64]) -> Measure | None:
    """Change of a mean between two samples as a share of the earlier, with its interval by the delta method.

    None where the earlier mean is 0, or a sample has fewer than two.
    """
    if min(len(after), len(before)) < 2 or not before.any():
        return None
    late, early = float(after.mean()), float(before.mean())
    scatter = after.var(ddof=1) / len(after) + (late / early) ** 2 * before.var(ddof=1) / len(before)
    value, half = late / early - 1, NORMAL * math.sqrt(float(scatter)) / early
    return Measure(value, value - half, value + half)
