"""A promise to a new item: so many first impressions in so many days, at a price that is bounded (``maths.md`` §5).

Two rules keep it. *Admission*: a promise is given while all open ones fit into what the placement can show; what does
not fit waits, and a promise that cannot be kept is not given. *The guard*: the fuller the budget, the more the oldest
promises go before those that fit the customer best. By age, not by what is left a day: that would keep all items level,
and under load none would arrive.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FASTER = 1.2  # than what is needed: visitors do not come evenly
SOONEST = 0.25  # days: what is left is not hurried more than this
HOTTEST = 0.97  # of the ages: at least the oldest of thirty may be shown
TEMPERATURE = 0.3  # of the draw among those that may be shown, in standard deviations of how well they fit


@dataclass(frozen=True, kw_only=True)
class Promise:
    """What a placement promises to each new item."""

    impressions: int = 30  # N
    days: float = 7.0  # D
    highest_share: float = 0.35  # ε̂: of the requests may give their last slot
    planned: float = 0.65  # of the days: by then it is to be kept, the rest is slack
    reserve: float = 0.6  # of what D days can show may be promised at once

    def room(self, rate: float) -> float:
        """Impressions that may be promised at once, at so many requests a day."""
        return self.reserve * rate * self.highest_share * self.days

    def a_day(self, rate: float) -> float:
        """New items a day that so many requests a day carry for good."""
        return self.highest_share * rate / self.impressions


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What part of the requests is given to new items now, and how full the budget is; both 0 … 1."""

    share: float  # ε
    load: float


def admitted(waiting: int, *, promised: float, rate: float, promise: Promise) -> int:
    """Number of the waiting items, the first ones, that get a promise beside those of ``promised`` open impressions."""
    free = promise.room(rate) - promised
    return int(np.clip(np.floor(free / promise.impressions + 1e-9), 0, waiting))


def budget(left: NDArray[np.floating], age: NDArray[np.floating], *, rate: float, promise: Promise) -> Budget:
    """Budget for open promises with so many impressions left and of so many days' age."""
    if not len(left) or rate <= 0:
        return Budget(share=0.0, load=0.0)
    time = np.maximum(promise.planned * promise.days - age, SOONEST)
    need = FASTER * float((left / (time * rate)).sum())
    return Budget(
        share=min(promise.highest_share, need),
        load=min(1.0, need / promise.highest_share) if promise.highest_share else 1.0,
    )


def chances(age: NDArray[np.floating], fit: NDArray[np.floating], *, load: float) -> NDArray[np.float64]:
    """Chance of each open promise to be the one that is shown, adding up to 1.

    Of the oldest ones, the fewer the fuller the budget, each with exp(z / .3) of how well it fits the customer; what
    nobody can say of (NaN) fits as well as the average. Nothing is open: an empty array.
    """
    if not len(age):
        return np.empty(0)
    fit = fit.astype(np.float64)
    spread = fit[~np.isnan(fit)]
    sd = spread.std() if len(spread) else 0.0
    z = np.nan_to_num((fit - spread.mean()) / sd) if sd > 0 else np.zeros(len(fit))
    may = age >= np.quantile(age, min(load, HOTTEST))
    weight = np.where(may, np.exp((z - z[may].max()) / TEMPERATURE), 0.0)
    return np.asarray(weight / weight.sum(), np.float64)
