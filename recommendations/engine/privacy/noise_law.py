"""The law of a release's noise, and what it leaves of the truth: judged by the noisy counts, which alone are public."""

import math

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import IdArray

type Floats = NDArray[np.float64]

ROUNDS = 200
"""Rounds of the estimate; more change the expected share by less than .01."""
EXACT, MORE = 200, 1_000
"""Up to so many every count is a candidate for what stands behind a noisy one; above it are those that were seen."""
LEVEL = 0.95
"""Share of the cases in which a number is off by no more than the error that is told with it."""
TINY = 1e-300


def mass(difference: IdArray, *, scale: float) -> Floats:
    """Probability of each value of the noise: discrete Laplace, (1 − a) / (1 + a) · a^|z| with a = e^(−1 / scale)."""
    a = math.exp(-1 / scale)
    return (1 - a) / (1 + a) * a ** np.abs(difference).astype(np.float64)


def reach(level: float, *, scale: float) -> int:
    """The smallest r such that the noise is at most r, up or down, with probability ``level``."""
    a = math.exp(-1 / scale)  # P(|z| > r) = 2 a^(r + 1) / (1 + a)
    return max(0, math.ceil(math.log((1 - level) * (1 + a) / 2) / math.log(a) - 1 - 1e-12))


def expected_share(noisy: IdArray, *, scale: float, top: int) -> float:
    """Share of the true ``top`` values that is to be expected among the ``top`` of the noisy ones.

    The counts that stand behind the noisy ones are estimated by their likelihood (Robbins' empirical Bayes, by EM).
    """
    seen, times = np.unique(noisy, return_counts=True)
    true = _candidates(seen)
    law = np.maximum(mass(seen[:, None] - true, scale=scale), TINY)
    weight = np.full(len(true), 1 / len(true))
    for _ in range(ROUNDS):
        weight *= law.T @ (times / (law @ weight)) / len(noisy)
    wanted = top / len(noisy)
    return float((weight * _chosen(weight, wanted)) @ _selected(true, weight, wanted, scale=scale) / wanted)


def _candidates(seen: IdArray) -> IdArray:
    """True counts that are thought of, ascending."""
    above = seen[seen > EXACT]
    thinned = above[:: -max(1, math.ceil(len(above) / MORE))]  # from the largest on
    return np.union1d(np.arange(max(0, min(int(seen[-1]), EXACT)) + 1, dtype=np.int64), thinned)


def _chosen(weight: Floats, wanted: float) -> Floats:
    """How much of each true count stands among the first: a share ``wanted`` of all, the highest."""
    above = np.cumsum(weight[::-1])[::-1] - weight
    return np.clip((wanted - above) / np.maximum(weight, TINY), 0, 1)


def _selected(true: IdArray, weight: Floats, wanted: float, *, scale: float) -> Floats:
    """Probability of each true count to stand among the first with its noise; of all it is a share ``wanted``."""
    low, high = int(true[0]) - 40 * math.ceil(scale) - 1, int(true[-1]) + 40 * math.ceil(scale) + 1
    while high - low > 1:  # the smallest threshold that fewer than wanted exceed
        middle = (low + high) // 2
        low, high = (middle, high) if weight @ _above(middle, true, scale=scale) > wanted else (low, middle)
    over, at = _above(high, true, scale=scale), mass(high - true, scale=scale)
    admitted = (wanted - float(weight @ over)) / max(float(weight @ at), TINY)
    return over + at * min(max(admitted, 0.0), 1.0)


def _above(threshold: int, true: IdArray, *, scale: float) -> Floats:
    """Probability of each true count to be above the threshold with its noise."""
    a, gap = math.exp(-1 / scale), (threshold - true).astype(np.float64)
    return np.where(gap >= 0, a ** np.maximum(gap + 1, 0), 1 + a - a ** np.maximum(-gap, 0)) / (1 + a)
