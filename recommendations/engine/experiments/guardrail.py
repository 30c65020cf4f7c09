"""Guardrail of a bandit: an arm that is worse than the control for certain is paused, though shares move every day."""

import math

from recommendations.engine.experiments.bandit import FEWEST, DailyArms
from recommendations.engine.experiments.effects import TreatmentEffect
from recommendations.engine.experiments.sequences import half_width, mixture_scale

ALPHA = 0.05
PLANNED_DAYS = 7  # of even shares, after which the interval is narrowest: harm should show early


def daily_differences(days: DailyArms) -> list[TreatmentEffect]:
    """Effect of each arm after the first against the control, compared within days and joined.

    D = Σ_p W_p (m_pa − m_p0) / Σ W_p with W_p = n_p, so that a day's season falls on both alike; its variance is
    Σ W_p² v (1/n_pa + 1/n_p0) / (Σ W_p)² with one v for all arms, as days with few units tell little of their own.
    Days without units in either are left out.
    """
    variance = _unit_variance(days)
    return [_difference(days, arm, variance=variance) for arm in range(1, days.n.shape[1])]


def planned_scale(days: DailyArms, *, alpha: float = ALPHA) -> float | None:
    """τ² for seven days of even shares, by the first days' units and scatter; None while nothing scatters.

    It is settled once, when the guardrail first speaks, and stays.
    """
    variance, arms = _unit_variance(days), days.n.shape[1]
    per_day = float(days.n.sum(axis=1).mean())
    if not (variance > 0 and per_day > 0):
        return None
    share = alpha / (arms - 1)
    return mixture_scale(math.sqrt(2 * variance * arms / (per_day * PLANNED_DAYS)), share)


def harmed(days: DailyArms, tau2: float, *, tolerance: float = 0.0, alpha: float = ALPHA, sign: int = -1) -> list[int]:
    """Arms whose whole always-valid interval at α/(arms − 1) lies beyond the tolerance, to be paused for good.

    ``sign`` is −1 where less is worse (who converts), +1 where more is (refunds); ``tolerance`` is a share of what the
    control has. Nothing is said as long as fewer than 100 successes came: of all arms, where less is worse, else of the
    arm and the control, as a few can look like many by chance, but not like less than none.
    """
    share, arms = alpha / (days.n.shape[1] - 1), []
    came = days.successes.sum(axis=0)
    for arm, effect in enumerate(daily_differences(days), start=1):
        worse = sign * effect.value - half_width(effect.se, tau2, share)
        enough = came.sum() if sign < 0 else came[arm] + came[0]
        if enough >= FEWEST and worse > tolerance * abs(effect.base):
            arms.append(arm)
    return arms


def _unit_variance(days: DailyArms) -> float:
    """Variance of a unit around the mean of all."""
    n = float(days.n.sum())
    if n < 2:
        return 0.0
    return max(float(days.yy.sum()) / n - (float(days.y.sum()) / n) ** 2, 0.0) * n / (n - 1)


def _difference(days: DailyArms, arm: int, *, variance: float) -> TreatmentEffect:
    both = (days.n[:, arm] > 0) & (days.n[:, 0] > 0)
    weight = days.n.sum(axis=1)[both]
    if not len(weight) or not variance > 0:
        return TreatmentEffect(float("nan"), math.inf, float("nan"))
    mine, control = days.n[both, arm], days.n[both, 0]
    total = weight.sum()
    value = float(weight @ (days.means[both, arm] - days.means[both, 0]) / total)
    spread = float((weight**2 * variance * (1 / mine + 1 / control)).sum() / total**2)
    return TreatmentEffect(value, math.sqrt(spread), float(weight @ days.means[both, 0] / total))
