"""The split check: whether units fall to the arms as they were meant to (sample ratio mismatch)."""

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import gammaln

CONCENTRATION = 1000.0
"""Of the Dirichlet prior around the planned shares: departures of a few per cent are looked for."""
ALARM = 1000.0  # evidence that a right split ever reaches with probability ≤ .001


def log_evidence(counts: Sequence[float], shares: Sequence[float], k: float = CONCENTRATION) -> float:
    """Natural logarithm of the evidence that the split is not as planned: ln B(kθ + n) − ln B(kθ) − Σ n_j ln θ_j.

    ``counts`` are units to date, ``shares`` the planned ones, > 0 with sum 1. Under the planned split the evidence is
    a martingale with mean 1, so it may be looked at after every unit (Lindon and Malek 2020). Raises ValueError.
    """
    n, theta = np.asarray(counts, np.float64), np.asarray(shares, np.float64)
    if n.shape != theta.shape or not (theta > 0).all() or abs(theta.sum() - 1) > 1e-9:
        raise ValueError("shares are positive, sum to 1 and belong to counts")
    prior = k * theta
    return float(_log_beta(prior + n) - _log_beta(prior) - n @ np.log(theta))


def is_mismatch(counts: Sequence[float], shares: Sequence[float], *, parts: int = 1) -> bool:
    """Whether the evidence is such that a right split shows it at most once in 1,000 experiments.

    ``parts`` is the number of parts (segments, placements) that are looked at beside this one, itself included.
    """
    return log_evidence(counts, shares) >= math.log(ALARM * parts)


def _log_beta(parts: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    return float(gammaln(parts).sum() - gammaln(parts.sum()))
