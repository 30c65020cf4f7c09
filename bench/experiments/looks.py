"""What an experiment shows on each day: the effects of its metrics on made visitors, to date."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.experiments.effects import TreatmentEffect, mean_difference, ratio_difference
from recommendations.engine.experiments.moments import Moments, theta
from recommendations.engine.simulation.visitors import VisitorDays

type Values = NDArray[np.float64]
WINDOW = 28  # days that a visitor counts for
CAP = 0.99  # quantile of what buyers spent before


@dataclass(frozen=True)
class Looks:
    """Effects of a metric by day, and the number of units of the smaller arm in which it happened."""

    effects: Sequence[TreatmentEffect]
    successes: Sequence[int]


def to_date(daily: Values, first: NDArray[np.int64]) -> Values:
    """What came of each visitor from the first visit to each day, 28 days at most."""
    sums = daily.cumsum(axis=1)
    newest = np.minimum(np.arange(daily.shape[1]), first[:, None] + WINDOW - 1)
    return np.take_along_axis(sums, newest, axis=1)


def cap_of(past: Values) -> float:
    """Money above which spending does not count, by the spending of the period before."""
    return float(np.quantile(past[past > 0], CAP))


def sides(days: VisitorDays, y: Values, x: Values) -> list[list[Moments]]:
    """Moments of the control and the other arm by day; ``x`` [units, days]."""
    present = days.present
    columns = [column * present for column in (np.ones_like(y), y, y**2, x, x**2, x * y)]
    masks = np.stack([days.arm == arm for arm in (0, 1)]).astype(np.float64)
    sums = np.stack([masks @ column for column in columns])  # [moment, arm, day]
    return [
        [Moments(n=n, y=a, yy=aa, x=b, xx=bb, xy=ab) for n, a, aa, b, bb, ab in sums[:, arm].T.tolist()]
        for arm in (0, 1)
    ]


def mean_looks(days: VisitorDays, y: Values, past: Values | None = None) -> Looks:
    """Looks at a mean, with CUPED where the past is given."""
    x = np.zeros_like(y) if past is None else np.broadcast_to(past[:, None], y.shape)
    control, arm = sides(days, y, x)
    effects = [
        mean_difference(own, other, theta=0.0 if past is None else theta([own, other]))
        for own, other in zip(arm, control, strict=True)
    ]
    return Looks(effects, _successes(days, y))


def ratio_looks(days: VisitorDays, y: Values, x: Values) -> Looks:
    control, arm = sides(days, y, x)
    return Looks([ratio_difference(own, other) for own, other in zip(arm, control, strict=True)], _successes(days, y))


def _successes(days: VisitorDays, y: Values) -> list[int]:
    happened = y > 0
    smaller = np.minimum(happened[days.arm == 0].sum(axis=0), happened[days.arm == 1].sum(axis=0))
    return [int(count) for count in smaller]


METRICS: Mapping[str, Callable[[VisitorDays], Looks]] = {
    "revenue": lambda days: mean_looks(days, to_date(days.revenue, days.first)),
    "revenue, capped": lambda days: mean_looks(days, capped(days)),
    "capped, CUPED": lambda days: mean_looks(days, capped(days), np.minimum(days.past, cap_of(days.past))),
    "converted": lambda days: mean_looks(days, (to_date(days.orders, days.first) > 0).astype(np.float64)),
    "CTR": lambda days: ratio_looks(days, to_date(days.clicks, days.first), to_date(days.seen, days.first)),
}


def capped(days: VisitorDays) -> Values:
    return np.minimum(to_date(days.revenue, days.first), cap_of(days.past))
