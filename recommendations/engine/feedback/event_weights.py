"""Event weights from outcomes: how many points an act deserves by what the people who did it bought afterwards."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.evaluation.intervals import NORMAL, Measure
from recommendations.engine.frames import BoolArray, FloatArray, IntArray
from recommendations.event_types import EventName

ACTS = (EventName.VIEW_ITEM, EventName.ADD_TO_WISHLIST, EventName.ADD_TO_CART, EventName.PURCHASE)
"""Acts from the weakest to the strongest; a stronger one never gets fewer points."""

ENOUGH_PAIRS = 500
STRATA = 20
"""Groups of popularity within which pairs are alike."""


@dataclass(frozen=True, kw_only=True)
class ActOutcomes:
    """Pairs of a customer and an item at a cut, and what became of them in the 28 days after it, one row a pair.

    Of the pairs without an act a sample is enough, if within a popularity it is drawn evenly.
    """

    customer: IntArray
    act: IntArray  # the strongest before the cut: place in ``ACTS``, −1 = none
    popularity: FloatArray  # of the item, in any unit
    bought: BoolArray  # within the 28 days


@dataclass(frozen=True, kw_only=True)
class LearnedPoints:
    """Points of an act, and what they come from."""

    points: Measure  # α, of which a purchase has ``EventName.PURCHASE.facts.points``
    pairs: int
    bought: float  # share of the pairs with this act
    expected: float  # share of pairs without an act that are as popular


def learn_points(outcomes: ActOutcomes) -> Mapping[EventName, LearnedPoints]:
    """Points of the acts with 500 pairs or more; empty where purchases themselves cannot be told from no act.

    λ_e = logit P(bought | strongest act e) − logit P(bought | no act, as popular); α_e = 5 λ_e / λ_purchase, pulled to
    0 ≤ view ≤ wish ≤ cart ≤ purchase by isotonic regression with the pairs as weights (Barlow et al. 1972), and both
    ends of the 95 % interval alike. The interval is by the delta method, clustered by customer.
    """
    counts = np.bincount(outcomes.act + 1, minlength=len(ACTS) + 1)
    measured = [act for act in range(len(ACTS)) if counts[act + 1] >= ENOUGH_PAIRS]
    unit = len(ACTS) - 1
    if counts[0] < ENOUGH_PAIRS or unit not in measured:
        return {}
    effects = [_effect(outcomes, act) for act in measured]
    value = np.array([effect.value for effect in effects])
    influence = np.stack([np.bincount(outcomes.customer, effect.influence) for effect in effects])
    covariance = influence @ influence.T
    if value[-1] <= NORMAL * np.sqrt(covariance[-1, -1]):
        return {}
    ratio = value / value[-1]
    variance = np.diag(covariance) - 2 * ratio * covariance[-1] + ratio**2 * covariance[-1, -1]
    half = NORMAL * np.sqrt(np.maximum(variance, 0)) / value[-1]
    weights = counts[np.array(measured) + 1].astype(np.float64)
    middle, low, high = (_in_order(ends, weights) for ends in (ratio, ratio - half, ratio + half))
    return {
        ACTS[act]: LearnedPoints(
            points=Measure(float(middle[row]), float(low[row]), float(high[row])), pairs=int(weights[row]),
            bought=effects[row].bought, expected=effects[row].expected,
        )
        for row, act in enumerate(measured)
    }  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class _ActEffect:
    """λ of an act, and by how much each pair moves it."""

    value: float
    influence: NDArray[np.float64]  # [pairs]
    bought: float
    expected: float


def _effect(outcomes: ActOutcomes, act: int) -> _ActEffect:
    """λ of an act against the pairs without one in the same strata of popularity, weighted as the act's own pairs.

    Counts are half a purchase up, a stratum's share is drawn to that of all pairs without an act by one pair: no share
    is 0 or 1, and a stratum without such a pair has theirs.
    """
    own, none, bought = outcomes.act == act, outcomes.act < 0, outcomes.bought.astype(np.float64)
    edges = np.unique(np.quantile(outcomes.popularity[own], np.linspace(0, 1, STRATA + 1)[1:-1]))
    stratum = np.searchsorted(edges, outcomes.popularity, side="right")
    n, n_strata = int(own.sum()), len(edges) + 1
    share = (bought[own].sum() + 0.5) / (n + 1)
    level = (bought[none].sum() + 0.5) / (none.sum() + 1)
    others = np.bincount(stratum[none], minlength=n_strata)
    usual = (np.bincount(stratum[none], bought[none], minlength=n_strata) + level) / (others + 1)
    mix = np.bincount(stratum[own], minlength=n_strata) / n
    expected = float(mix @ usual)
    influence = np.zeros(len(bought))
    influence[own] = (bought[own] - share) / (n * share * (1 - share))
    slope = 1 / (expected * (1 - expected))
    influence[own] -= slope * (usual[stratum[own]] - expected) / n
    at = stratum[none]
    influence[none] = -slope * (mix[at] / (others[at] + 1)) * (bought[none] - usual[at])
    value = np.log(share / (1 - share)) - np.log(expected / (1 - expected))
    return _ActEffect(value=float(value), influence=influence, bought=float(share), expected=expected)


def _in_order(ratio: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points for λ_e / λ_purchase, in ascending order between 0 and those of a purchase, which keeps its own."""
    from scipy.optimize import isotonic_regression  # noqa: PLC0415 - slow to load

    unit = ACTS[-1].facts.points
    weaker = isotonic_regression(ratio[:-1], weights=weights[:-1]).x if len(ratio) > 1 else ratio[:-1]
    return unit * np.append(np.clip(weaker, 0, 1), 1.0)
