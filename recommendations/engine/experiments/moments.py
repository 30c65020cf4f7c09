"""Sums over the units of an arm, from which every effect is computed: they can be joined, stored and made anew."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Self

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True, kw_only=True)
class Moments:
    """Number of units and sums of y, y², x, x² and x·y over them.

    y is what is measured of a unit; x is what it did before (CUPED), or the denominator of a ratio, or 0.
    """

    n: float
    y: float
    yy: float
    x: float = 0.0
    xx: float = 0.0
    xy: float = 0.0

    @classmethod
    def of(cls, y: ArrayLike, x: ArrayLike | None = None) -> Self:
        """Sums of one value per unit, and of another one beside it."""
        ys = np.asarray(y, np.float64)
        xs = np.zeros_like(ys) if x is None else np.asarray(x, np.float64)
        return cls(
            n=float(len(ys)), y=float(ys.sum()), yy=float(ys @ ys),
            x=float(xs.sum()), xx=float(xs @ xs), xy=float(xs @ ys),
        )  # fmt: skip

    def __add__(self, other: "Moments") -> "Moments":
        return Moments(
            n=self.n + other.n, y=self.y + other.y, yy=self.yy + other.yy,
            x=self.x + other.x, xx=self.xx + other.xx, xy=self.xy + other.xy,
        )  # fmt: skip

    @property
    def mean(self) -> float:
        """Mean of y; NaN without units."""
        return self.y / self.n if self.n else float("nan")

    @property
    def mean_x(self) -> float:
        """Mean of x; NaN without units."""
        return self.x / self.n if self.n else float("nan")

    @property
    def variance(self) -> float:
        """Sample variance of y; NaN with fewer than two units, as the next two."""
        return _spread(self.n, self.yy - self.y * self.y / self.n) if self.n else float("nan")

    @property
    def variance_x(self) -> float:
        """Sample variance of x."""
        return _spread(self.n, self.xx - self.x * self.x / self.n) if self.n else float("nan")

    @property
    def covariance(self) -> float:
        """Sample covariance of x and y."""
        return (self.xy - self.x * self.y / self.n) / (self.n - 1) if self.n > 1 else float("nan")


def joined(*parts: Moments) -> Moments:
    """Moments of all units of the parts, which share none."""
    return reduce(Moments.__add__, parts, Moments(n=0.0, y=0.0, yy=0.0))


def theta(arms: Sequence[Moments]) -> float:
    """Slope of y on x within the arms, Σ Cov(y, x) / Σ Var(x), by which CUPED takes out what was so before.

    Deng, Xu, Kohavi and Walker 2013. 0 where x does not vary, or an arm has fewer than two units.
    """
    spread = sum(arm.variance_x for arm in arms)
    return sum(arm.covariance for arm in arms) / spread if spread > 0 else 0.0


def explained(arms: Sequence[Moments]) -> float:
    """Part of the scatter of y within the arms that x speaks for, 0 … 1: 1/(1 − it) times the units it is worth."""
    spread, slope = sum(arm.variance for arm in arms), theta(arms)
    return min(max(slope * sum(arm.covariance for arm in arms) / spread, 0.0), 1.0) if slope and spread > 0 else 0.0


def _spread(n: float, deviations: float) -> float:
    return max(deviations, 0.0) / (n - 1) if n > 1 else float("nan")
