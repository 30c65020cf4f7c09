"""Plans of experiments: how many units and days a lift needs, and whether the shop's own numbers behave."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.experiments.effects import mean_difference, ratio_difference, ratio_spread
from recommendations.engine.experiments.moments import Moments, explained
from recommendations.engine.experiments.sequences import half_width, mixture_scale
from recommendations.engine.frames import BoolArray
from recommendations.engine.preprocess.influence import drawn

ALPHA = 0.05
POWER = 0.8416212  # standard deviations that leave a fifth: the lift shows in four of five cases
SALTS = 500
MOST_FALSE = 0.07
"""Of splits by other salts that may say "different": .05, and what 500 splits scatter."""
BLOCK = 64  # salts at a time

type Values = NDArray[np.float64]


def standard_errors(arms: int = 2, *, alpha: float = ALPHA) -> float:
    """Planned standard errors that a lift must have: the half-width at the planned end and the power, 3.03 + .84.

    With more arms than two each is held against the control at α/(arms − 1).
    """
    share = alpha / (arms - 1)
    return half_width(1.0, mixture_scale(1.0, share), share) + POWER


def units_needed(sigma: float, lift: float, *, arms: int = 2, alpha: float = ALPHA) -> int:
    """Units of each arm that show a lift in four of five cases: 2 (3.03 + .84)² σ²/δ² = 30 σ²/δ² with two arms.

    ``sigma`` is the standard deviation of a unit after cap and CUPED, ``lift`` δ in the same unit. Raises ValueError
    where the lift is not positive.
    """
    if lift <= 0:
        raise ValueError("a plan needs a lift above 0")
    return max(2, math.ceil(2 * (standard_errors(arms, alpha=alpha) * sigma / lift) ** 2))


def smallest_lift(sigma: float, units: float, *, arms: int = 2, alpha: float = ALPHA) -> float:
    """Smallest lift that ``units`` of each arm show in four of five cases, in the unit of σ; infinite without units."""
    return standard_errors(arms, alpha=alpha) * sigma * math.sqrt(2 / units) if units > 0 else math.inf


def planned_error(sigma: float, units: float) -> float:
    """Standard error of a difference that is expected of ``units`` of each arm: σ √(2/n)."""
    return sigma * math.sqrt(2 / units)


def days_needed(curve: Sequence[float], units: float) -> int | None:
    """Days until so many different visitors came, those of all arms together; None where they never will.

    ``curve`` has the different visitors of the first 1, 2 … days. Beyond it they grow on by its last slope, the mean of
    its last week.
    """
    came = np.asarray(curve, np.float64)
    if not len(came) or not math.isfinite(units):
        return None
    if (came >= units).any():
        return int((came >= units).argmax()) + 1
    slope = last_slope(came)
    return len(came) + math.ceil((units - came[-1]) / slope) if slope > 0 else None


def units_after(curve: Sequence[float], days: int) -> float:
    """Different visitors of the first ``days`` days, by the same curve and its last slope."""
    came = np.asarray(curve, np.float64)
    if days <= len(came):
        return float(came[days - 1])
    return float(came[-1] + (days - len(came)) * last_slope(came))


@dataclass(frozen=True)
class PastVisitors:
    """Visitors of a month that is over, as an experiment begun on its first day would have seen them, by day.

    ``curve`` are different visitors, ``mean`` and ``sigma`` mean and standard deviation of what came of one to date,
    after CUPED, or a ratio and its linearised unit. Early in the month most have come once, so that it scatters far
    more beside its mean than at the end: days are planned by what visitors tell (``worth``), not by their number.
    """

    curve: Values
    mean: Values
    sigma: Values

    @property
    def worth(self) -> Values:
        """Visitors times (mean/σ)², what they tell: as many whose σ is their mean would tell the same."""
        usable = (self.mean > 0) & (self.sigma > 0)
        ratio = np.where(usable, self.mean, 0.0) / np.where(usable, self.sigma, 1.0)
        return np.asarray(self.curve * ratio**2, np.float64)

    def days_for(self, lift: float, *, arms: int = 2, traffic: float = 1.0) -> int | None:
        """Days that show a lift, a share of the mean, in four of five cases; None: never with this traffic.

        The variance of what is counted grows as its mean, so that the better arm scatters by 1 + lift more.
        """
        wanted = arms * (2 + lift) * (standard_errors(arms) / lift) ** 2
        return days_needed((traffic * self.worth).tolist(), wanted)

    def lift_after(self, days: int, *, arms: int = 2, traffic: float = 1.0) -> float:
        """Smallest lift, as a share of the mean, that so many days show in four of five cases: L² = c² (1 + L/2)."""
        plain = smallest_lift(1.0, traffic * units_after(self.worth.tolist(), days) / arms, arms=arms)
        return plain * (plain / 4 + math.sqrt(plain * plain / 16 + 1))

    def error_after(self, days: int, *, arms: int = 2, traffic: float = 1.0) -> float:
        """Standard error of the difference that is expected then; it settles τ². Raises ValueError without worth."""
        worth = traffic * units_after(self.worth.tolist(), days) / arms
        if worth <= 0:
            raise ValueError("past visitors tell nothing")
        return float(self.mean[min(days, len(self.mean)) - 1]) * planned_error(1.0, worth)


def past_visitors(
    values: Values, present: BoolArray, *, before: Values | None = None, per: Values | None = None
) -> PastVisitors:
    """Curve, mean and scatter by day of what came of past visitors to date, [units, days].

    ``present`` are those that had come by then; ``before`` [units] what CUPED takes out, ``per`` [units, days] the
    denominators of a ratio; only one of both.
    """
    x = per if per is not None else np.broadcast_to(0.0 if before is None else before[:, None], values.shape)
    rows = [
        (m.n, m.y / m.x if m.x > 0 else math.nan, ratio_spread(m))
        if per is not None
        else (m.n, m.mean, math.sqrt(max(m.variance, 0.0) * (1 - explained([m]))) if m.n > 1 else math.nan)
        for m in _moments(np.stack([column.sum(axis=0) for column in _columns(values, x, present)]))
    ]
    curve, mean, sigma = np.array(rows).T
    return PastVisitors(curve=curve, mean=mean, sigma=sigma)


def last_slope(came: Values) -> float:
    """New visitors a day over the last week of a curve, or over all of a shorter one."""
    week = min(7, len(came) - 1)
    return float(came[-1] - came[-1 - week]) / week if week else float(came[-1])


def false_alarms(
    values: Values,
    present: BoolArray,
    keys: NDArray[np.uint64],
    *,
    salts: NDArray[np.uint64],
    se: float,
    per: Values | None = None,
    alpha: float = ALPHA,
) -> float:
    """Share of splits by other salts that say "different" at some look although nothing is: an A/A on past visitors.

    ``values`` [units, looks] are what came of each unit to date, ``present`` those that had come by then, ``keys``
    [units] the units; ``per`` the denominators of a ratio. ``se`` is the planned standard error, which settles τ².
    Above ``MOST_FALSE`` spending is too uneven: the cap has to be lower.
    """
    tau2, alarms = mixture_scale(se, alpha), 0
    bottom = np.zeros_like(values) if per is None else per
    columns = _columns(values, bottom, present)
    totals = np.stack([column.sum(axis=0) for column in columns])
    effect = mean_difference if per is None else ratio_difference
    for start in range(0, len(salts), BLOCK):
        arms = (drawn(keys ^ drawn(salts[start : start + BLOCK, None])) >> np.uint64(63)).astype(np.float64)
        sums = np.stack([arms @ column for column in columns])  # [moment, salt, look]
        for salt in range(sums.shape[1]):
            sides = (_moments(sums[:, salt]), _moments(totals - sums[:, salt]))
            effects = (effect(arm, control) for arm, control in zip(*sides, strict=True))
            alarms += any(abs(each.value) > half_width(each.se, tau2, alpha) for each in effects)
    return alarms / len(salts) if len(salts) else 0.0


def _columns(y: Values, x: Values, present: BoolArray) -> list[Values]:
    """What the moments add up, each [units, looks], 0 for who had not come."""
    return [column * present for column in (np.ones_like(y), y, y**2, x, x**2, x * y)]


def _moments(sums: Values) -> list[Moments]:
    """Moments of each look, of [moment, look]."""
    return [Moments(n=n, y=y, yy=yy, x=x, xx=xx, xy=xy) for n, y, yy, x, xx, xy in sums.T.tolist()]
