"""Patience: after how many looks without a click an item is believed to interest its customer by half."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, expit, logit

ENOUGH_PAIRS, MOST_PAIRS = 2_000, 30_000
USUAL = 20.0
"""κ where it cannot be measured."""

LEAST, MOST = 0.5, 10_000.0
"""Ends of κ. At the upper one interests do not differ, and a look without a click tells nothing."""

RARE, OFTEN = 1e-6, 0.999
"""Ends of the mean interest."""

CELLS = 256
"""Parts of 0 … 1 over which the likelihood is added up, of even width in the logit."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """The measured patience of a shop's customers."""

    kappa: float  # looks
    chance: float | None  # of a click at the first look; None: nothing was measured
    pairs: int


def fit_patience(clicks: NDArray[np.integer], ignored: NDArray[np.integer], *, eta: float) -> Patience:
    """κ = a + b of the distribution Beta(a, b) of interests r that makes these clicks likeliest.

    One row a pair of a customer and an item that was shown to them at least twice: how often it was clicked, [pairs],
    and how often it was shown at each slot and not clicked, [pairs, slots]. At slot k there is a look with chance
    k^−η, and a click with chance k^−η r, so that a pair has the likelihood

        ∫ r^clicks Π_k (1 − k^−η r)^ignored_k  dBeta(a, b)(r)

    which is the Beta–Binomial's for η = 0 (Skellam 1948). After e looks without a click the interest is a / (κ + e),
    half of what it was at e = κ. Of more than 30,000 pairs, as many evenly spread ones are read.

    Fewer than 2,000 pairs, or none that was clicked, measure nothing: κ = 20.
    """
    if len(clicks) < ENOUGH_PAIRS or not clicks.any():
        return Patience(kappa=USUAL, chance=None, pairs=len(clicks))
    from scipy.optimize import minimize  # noqa: PLC0415 - slow to load

    rows = np.linspace(0, len(clicks) - 1, min(len(clicks), MOST_PAIRS)).astype(np.int64)
    attention = np.arange(1, ignored.shape[1] + 1) ** -eta
    looks = float(clicks[rows].sum() + (ignored[rows] @ attention).sum())
    chance = np.clip(clicks[rows].sum() / looks, RARE, OFTEN)
    edges = np.linspace(logit(RARE / 10), -logit(RARE / 10), CELLS + 1)
    likelihood = _likelihood(clicks[rows], ignored[rows], attention, interest=expit((edges[:-1] + edges[1:]) / 2))

    def surprise(place: NDArray[np.float64]) -> float:
        chance, kappa = expit(place[0]), np.exp(place[1])
        mass = np.diff(betainc(chance * kappa, (1 - chance) * kappa, expit(edges[1:-1])), prepend=0, append=1)
        return -float(np.log(np.maximum(likelihood @ mass, np.finfo(float).tiny)).mean())

    ends = [(logit(RARE), logit(OFTEN)), (np.log(LEAST), np.log(MOST))]
    best = minimize(surprise, [logit(chance), np.log(USUAL)], method="L-BFGS-B", bounds=ends)
    return Patience(kappa=float(np.exp(best.x[1])), chance=float(expit(best.x[0])), pairs=len(clicks))


def _likelihood(
    clicks: NDArray[np.integer], ignored: NDArray[np.integer], attention: NDArray[np.float64],
    *, interest: NDArray[np.float64],
) -> NDArray[np.float64]:  # fmt: skip
    """Likelihood of each pair at each interest over its largest one, [pairs, interests]."""
    log = clicks[:, None] * np.log(interest) + ignored @ np.log1p(-attention[:, None] * interest)
    return np.asarray(np.exp(log - log.max(axis=1, keepdims=True)))
