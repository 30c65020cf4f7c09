"""What messages change: people who were written to beside those held out who would have been.

The difference is adjusted by what each person did before (CUPED, Deng et al. 2013). It comes with an interval for one
look, one that holds however often it is looked at, and the smallest effect that would have been seen.
"""

import math
from dataclasses import dataclass

from recommendations.engine.experiments.effects import TreatmentEffect, adjusted_spread, mean_difference
from recommendations.engine.experiments.moments import Moments, explained, theta
from recommendations.engine.experiments.sequences import half_width, mixture_scale

ALPHA = 0.05
Z = 1.96  # of an interval at 95 %
Z_VISIBLE = 2.8  # standard errors of the smallest effect that is seen four times of five
PLANNED = 0.05  # of what people spend: the effect for which the interval of all looks is narrowest


@dataclass(frozen=True, kw_only=True)
class PushLift:
    """Difference a person between sent and held out, in money, and its scale for many looks.

    ``relative_se`` is of the difference as a share of what the held out have; ``explained`` the part of the scatter
    that what people did before speaks for, 0 … 1.
    """

    effect: TreatmentEffect
    relative_se: float
    explained: float
    tau2: float

    @property
    def low(self) -> float:
        return self.effect.value - Z * self.effect.se

    @property
    def high(self) -> float:
        return self.effect.value + Z * self.effect.se

    @property
    def always_low(self) -> float:
        """The lower end of the interval that holds at all looks together."""
        return self.effect.value - half_width(self.effect.se, self.tau2, ALPHA)

    @property
    def always_high(self) -> float:
        return self.effect.value + half_width(self.effect.se, self.tau2, ALPHA)

    @property
    def is_shown(self) -> bool:
        """Whether an effect is claimed: zero lies outside of the interval of all looks."""
        return self.always_low > 0 or self.always_high < 0

    @property
    def smallest(self) -> float:
        """The smallest effect that would have been seen."""
        return Z_VISIBLE * self.effect.se

    @property
    def relative(self) -> float:
        """The difference as a share of what the held out have; NaN where they have nothing, as the next three."""
        return self.effect.relative

    @property
    def relative_low(self) -> float:
        return self.relative - Z * self.relative_se

    @property
    def relative_high(self) -> float:
        return self.relative + Z * self.relative_se

    @property
    def relative_smallest(self) -> float:
        return self.effect.share(self.smallest)


def lift_of(sent: Moments, held: Moments, *, typical: float) -> PushLift | None:
    """The lift of y, adjusted by x; None where it cannot be told: a side has no two people, or nothing varies.

    ``typical`` is what a person spends in such a time, known before the first message: it settles the scale of the
    interval of all looks, which must not be chosen with the outcome in view.
    """
    slope = theta((sent, held))
    effect = mean_difference(sent, held, theta=slope)
    if not math.isfinite(effect.se):
        return None
    planned = PLANNED * typical / Z_VISIBLE if typical > 0 else effect.se
    return PushLift(
        effect=effect, relative_se=_relative_se(effect, sent, held, slope), explained=explained((sent, held)),
        tau2=mixture_scale(planned, ALPHA),
    )  # fmt: skip


def _relative_se(effect: TreatmentEffect, sent: Moments, held: Moments, slope: float) -> float:
    """Standard error of s̄/h̄ − 1 by the delta method: v_s/h̄² + s̄² v_h/h̄⁴; NaN where the held out have nothing."""
    if not effect.base > 0:
        return math.nan
    ratio = 1 + effect.relative
    spread = adjusted_spread(sent, slope) + ratio * ratio * adjusted_spread(held, slope)
    return math.sqrt(spread) / effect.base
