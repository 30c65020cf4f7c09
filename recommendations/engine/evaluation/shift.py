"""Shift of a distribution between two runs: shares of interest by category, or of popularity by item."""

import numpy as np
from numpy.typing import NDArray

FLOOR = 0.01
"""Part of an even share that an empty one counts for in ``psi``."""


def psi(p: NDArray[np.floating], q: NDArray[np.floating]) -> float:
    """Population stability index Σ (p − q) ln(p / q): 0 the same, from .1 on a shift worth a look, .25 a large one.

    ``p`` and ``q`` are amounts ≥ 0 of the same parts; each is divided by its sum. The logarithm knows no empty share,
    so no share counts for less than a hundredth of 1 / n, n the number of parts: one that is empty on both sides adds
    nothing, one that comes from nothing adds a finite amount, and every term stays ≥ 0. NaN where one side is empty as
    a whole. ``ValueError`` for amounts below 0, or of other parts (Siddiqi 2006; Jeffreys 1946).
    """
    sides = _shares(p, q)
    if sides is None:
        return float("nan")
    one, other = (np.maximum(side, FLOOR / len(side)) for side in sides)
    return float(((one - other) * np.log(one / other)).sum())


def js(p: NDArray[np.floating], q: NDArray[np.floating]) -> float:
    """Jensen–Shannon divergence in bits: 0 the same, 1 nothing in common.

    It is the mean of Σ p log2(p / m) and Σ q log2(q / m) with m = (p + q) / 2. Amounts and errors as in ``psi``. An
    empty share adds nothing on its own side, as x log x goes to 0 with x, and m is empty only where both are: no floor
    is needed (Lin 1991).
    """
    sides = _shares(p, q)
    if sides is None:
        return float("nan")
    middle = (sides[0] + sides[1]) / 2
    return sum(_divergence(side, middle) for side in sides) / 2


def _divergence(p: NDArray[np.float64], m: NDArray[np.float64]) -> float:
    """Kullback–Leibler divergence Σ p log2(p / m) in bits over the shares of p that are not empty."""
    filled = p > 0
    return float((p[filled] * np.log2(p[filled] / m[filled])).sum())


def _shares(p: NDArray[np.floating], q: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Both as shares that sum to 1, in double precision; None where a side has nothing to share."""
    if p.shape != q.shape or (p < 0).any() or (q < 0).any():
        raise ValueError("shifts are measured between amounts ≥ 0 of the same parts")
    one, other = (np.asarray(side, np.float64) for side in (p, q))
    totals = one.sum(), other.sum()
    return (one / totals[0], other / totals[1]) if all(totals) else None
