"""Made days of a bandit: units by daily shares, a season that all arms share, and outcomes that come in late."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.experiments.bandit import DailyArms

type Values = NDArray[np.float64]
DELAYS = (0.6, 0.3, 0.1)
"""Shares of outcomes that come in on the same day, the next and the one after."""


@dataclass(frozen=True, kw_only=True)
class DayModel:
    """Chances of a made day: a unit is a person on a day; some convert and spend lognormal amounts, up to the cap."""

    units: int = 2_000  # a day
    converts: float = 0.02
    amount: tuple[float, float] = (3.0, 1.0)  # mean and sd of the logarithm of the money
    cap: float = 200.0
    week: float = 0.25  # amplitude of the season of the week
    scatter: float = 0.1  # sd of the season of single days


@dataclass
class ArmDays:
    """A bandit's record as it grows: what each day gave to each arm, as far as it has come in.

    ``rate`` records whether a unit converted, else what it spent.
    """

    model: DayModel
    arms: int
    rate: bool = False
    _n: list[Values] = field(default_factory=list)
    _sums: list[Values] = field(default_factory=list)  # of each day what has come in: [y, yy, successes] × arms
    _waiting: list[tuple[int, Values]] = field(default_factory=list)  # outcomes of the newest three days, with the day

    def add(self, shares: Values, lifts: Sequence[float], *, draw: np.random.Generator) -> None:
        """Live through a day: shares deal out its units, ``lifts`` are the arms' true ones over ``converts``."""
        model, day = self.model, len(self._n)
        season = max(1 + model.week * np.sin(2 * np.pi * day / 7) + model.scatter * draw.normal(), 0.2)
        n = draw.multinomial(model.units, shares)
        chance = np.clip(model.converts * (1 + np.asarray(lifts)) * season, 0, 1)
        successes = draw.binomial(n, chance)
        arm = np.repeat(np.arange(self.arms), successes)
        spent = np.minimum(draw.lognormal(*model.amount, len(arm)), model.cap)
        worth = np.ones(len(arm)) if self.rate else spent
        wait = draw.choice(len(DELAYS), len(arm), p=DELAYS)
        place, size = wait * self.arms + arm, len(DELAYS) * self.arms
        sums = [np.bincount(place, weights=each, minlength=size) for each in (worth, worth**2, np.ones(len(arm)))]
        late = np.stack([each.reshape(len(DELAYS), self.arms) for each in sums], axis=1)  # [days waited, column, arm]
        self._n.append(n.astype(np.float64))
        self._sums.append(np.zeros(late.shape[1:]))
        self._waiting = [(day, late), *self._waiting[: len(DELAYS) - 1]]
        for since, outcomes in self._waiting:
            self._sums[since] += outcomes[day - since]

    def record(self) -> DailyArms:
        """What has come in by the end of the newest day."""
        y, yy, successes = np.stack(self._sums, axis=1)
        return DailyArms(n=np.array(self._n), y=y, yy=yy, successes=successes)
