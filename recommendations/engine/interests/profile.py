"""Interest profiles: u_i = Σ_j w_ij c_j and its shares (``maths.md`` §2)."""

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import FloatArray, Sparse

HALF_LIVES = (90, 7)  # days: taste, and what is new in it
SHRINKAGE = {90: 50.0, 7: 5.0}  # τ: a week holds about a tenth of the acts


def interest_weights(weights: Sparse, categories: Sparse) -> FloatArray:
    """U = W C, users × categories: each act counts towards the categories of its item by membership."""
    return (weights @ categories).toarray().astype(np.float32, copy=False)


USERS_AT_ONCE = 65_536  # the interest vectors of so many are held at a time where only their sum is asked for


def overall_interest(weights: Sparse, categories: Sparse, *, at_once: int = USERS_AT_ONCE) -> NDArray[np.float64]:
    """Sum the interest of all users, [categories], without the interest vectors of all of them at once."""
    starts = range(0, max(weights.shape[0], 1), at_once)
    sums = [
        interest_weights(weights[start : start + at_once], categories).sum(axis=0, dtype=np.float64) for start in starts
    ]
    return np.asarray(np.sum(sums, axis=0), np.float64)


def global_share(interests: FloatArray) -> FloatArray:
    """g_c: the part of all interest that goes to each category; all zero where there is no interest at all."""
    return shares_of(interests.sum(axis=0, dtype=np.float64))


def shares_of(sums: NDArray[np.float64]) -> FloatArray:
    """The part that each number is of their sum; all zero where that is."""
    total = sums.sum()
    return (sums / total if total > 0 else sums).astype(np.float32)


def interest_shares(interests: FloatArray, *, prior: FloatArray, strength: float) -> FloatArray:
    """θ_ic = (U_ic + τ g_c) / (Σ_c U_ic + τ): Dirichlet shrinkage to the global share ``prior`` with τ = ``strength``.

    A row sums to 1. Without interest and without prior (τ = 0) a share cannot be known: NaN.
    """
    totals = interests.sum(axis=1, keepdims=True) + np.float32(strength)
    with np.errstate(invalid="ignore"):  # 0 / 0 is the NaN that is meant
        return np.asarray((interests + np.float32(strength) * prior) / totals, np.float32)


def unit_length[T: np.floating](vectors: NDArray[T]) -> NDArray[T]:
    """Each row divided by its Euclidean length; a row of zeros stays."""
    return _divided(vectors, np.sqrt(np.einsum("ij,ij->i", vectors, vectors)))


def unit_sum[T: np.floating](vectors: NDArray[T]) -> NDArray[T]:
    """Each row divided by the sum of its absolute values; a row of zeros stays."""
    return _divided(vectors, np.abs(vectors).sum(axis=1))


def _divided[T: np.floating](vectors: NDArray[T], by: NDArray[T]) -> NDArray[T]:
    return np.asarray(vectors / np.where(by == 0, 1, by).astype(vectors.dtype)[:, None])
