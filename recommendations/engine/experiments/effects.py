"""What an arm changes against the control: the difference of two means, or of two ratios, with its standard error."""

import math
from dataclasses import dataclass

from recommendations.engine.experiments.moments import Moments


@dataclass(frozen=True)
class TreatmentEffect:
    """Difference of an arm to the control, its standard error, and what the control has (``base``), in one unit.

    The standard error is infinite where the units cannot tell it.
    """

    value: float
    se: float
    base: float

    @property
    def relative(self) -> float:
        """Difference as a share of what the control has; NaN where that is not positive."""
        return self.share(self.value)

    def share(self, amount: float) -> float:
        """An amount, such as an end of the interval, as a share of the control's; NaN where that is not positive."""
        return amount / self.base if self.base > 0 else float("nan")


def mean_difference(arm: Moments, control: Moments, *, theta: float = 0.0) -> TreatmentEffect:
    """Difference of the means of y − θ(x − x̄), x̄ that of both arms: D = ȳ_B − ȳ_A − θ(x̄_B − x̄_A).

    s² = v_B/n_B + v_A/n_A, v = Var(y) − 2θ Cov(y, x) + θ² Var(x). With θ = 0 the plain difference; θ of
    ``moments.theta`` makes s smallest and, as x is older than the arms, moves D by chance alone (Deng et al. 2013).
    """
    if min(arm.n, control.n) < 1:
        return TreatmentEffect(float("nan"), math.inf, float("nan"))
    overall = (arm.x + control.x) / (arm.n + control.n)
    means = [side.mean - theta * (side.mean_x - overall) for side in (arm, control)]
    spreads = [adjusted_spread(side, theta) for side in (arm, control)]
    return TreatmentEffect(means[0] - means[1], _standard_error(spreads), means[1])


def adjusted_spread(side: Moments, theta: float) -> float:
    """Variance of the mean of y − θx of one arm; NaN with fewer than two units."""
    return max(side.variance - 2 * theta * side.covariance + theta * theta * side.variance_x, 0.0) / side.n


def ratio_difference(arm: Moments, control: Moments) -> TreatmentEffect:
    """Difference of Σy/Σx, R_B − R_A, by the delta method (Deng, Knoblich and Lu 2018).

    Of each arm s² = Σu² / (n (n − 1)) with u = (y − R x)/x̄: units that come often carry both sums, so that the rows
    below the line do not count as independent.
    """
    if min(arm.x, control.x) <= 0:
        return TreatmentEffect(float("nan"), math.inf, float("nan"))
    ratios = [side.y / side.x for side in (arm, control)]
    spreads = [_ratio_variance(side, ratio) for side, ratio in zip((arm, control), ratios, strict=True)]
    return TreatmentEffect(ratios[0] - ratios[1], _standard_error(spreads), ratios[1])


def ratio_spread(side: Moments) -> float:
    """Standard deviation of the unit u = (y − R x)/x̄ of a ratio, to plan with; NaN with fewer than two units."""
    return math.sqrt(_ratio_variance(side, side.y / side.x) * side.n) if side.x > 0 else float("nan")


def _ratio_variance(side: Moments, ratio: float) -> float:
    if side.n < 2:
        return float("nan")
    squares = side.yy - 2 * ratio * side.xy + ratio * ratio * side.xx
    return max(squares, 0.0) / side.mean_x**2 / (side.n * (side.n - 1))


def _standard_error(variances: list[float]) -> float:
    """Root of the sum; infinite where an arm has too few units, or nothing varies: then nothing is learned of it."""
    total = sum(variances)
    return math.sqrt(total) if total > 0 else math.inf
