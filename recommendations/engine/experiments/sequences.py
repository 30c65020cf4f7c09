"""Intervals that may be looked at every day: they hold at all looks together.

A normal mixture N(0, τ²) over the effect, in information time 1/s² (Robbins 1970; Howard et al. 2021; Johari et al.
2022). τ is settled before the start: chosen with the data in view it would undo the promise.
"""

import math
from typing import NamedTuple

from recommendations.engine.experiments.effects import TreatmentEffect


class AnytimeInterval(NamedTuple):
    """Effect and the ends of its always-valid interval, with the p of this look; all in one unit."""

    value: float
    low: float
    high: float
    p: float


def mixture_scale(se: float, alpha: float) -> float:
    """τ² that makes the interval narrowest at the planned standard error: (−2 ln α + ln(1 − 2 ln α)) s².

    Waudby-Smith et al. 2021, equation 161; 7.94 s² at α = .05. Raises ValueError where s is not positive and finite.
    """
    if not 0 < se < math.inf:
        raise ValueError(f"the planned standard error is {se}")
    return (-2 * math.log(alpha) + math.log1p(-2 * math.log(alpha))) * se * se


def half_width(se: float, tau2: float, alpha: float) -> float:
    """Half of the interval: s √((1 + s²/τ²)(2 ln(1/α) + ln(1 + τ²/s²))); infinite where s is.

    At the planned s it is 3.03 s at α = .05, against 1.96 s of an interval that is looked at once.
    """
    if not 0 < se < math.inf:
        return math.inf
    variance = se * se
    return se * math.sqrt((1 + variance / tau2) * (-2 * math.log(alpha) + math.log1p(tau2 / variance)))


def p_value(effect: TreatmentEffect, tau2: float) -> float:
    """Always-valid p of "no difference": √(1 + τ²/s²) · exp(−τ²D² / (2 s² (s² + τ²))), at most 1.

    It is one over the mixture's likelihood ratio. The smallest so far may be quoted.
    """
    if not 0 < effect.se < math.inf:
        return 1.0
    variance = effect.se * effect.se
    exponent = tau2 * effect.value**2 / (2 * variance * (variance + tau2))
    return min(1.0, math.exp(0.5 * math.log1p(tau2 / variance) - exponent))


def anytime_interval(effect: TreatmentEffect, tau2: float, alpha: float) -> AnytimeInterval:
    """Interval of an effect that holds at all looks with probability 1 − α."""
    half = half_width(effect.se, tau2, alpha)
    return AnytimeInterval(effect.value, effect.value - half, effect.value + half, p_value(effect, tau2))
