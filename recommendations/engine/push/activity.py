"""Activity: at which hours of the week somebody acts, and the best of some hours for a message to them.

An hour of buying is not an hour of reading, which no split of the data cures: the page says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import IdArray, IntArray
from recommendations.engine.push.figures import LEARNED, ModelFigures, Weighted, compared

DAYS, HOURS = 7, 24
WEEK = DAYS * HOURS  # hours; 0 is Monday's first, where the shop is
PRIOR = 20.0  # acts of everybody that each histogram begins with
CLICK = 5.0  # acts that a click on a message counts for
WINDOW = 3  # hours from the hand-over on in which somebody may see it
SHIFTS = np.arange(-3, 4)
KERNEL = np.exp(-0.5 * SHIFTS**2.0) / np.exp(-0.5 * SHIFTS**2.0).sum()
EARLIEST, LATEST = 8, 18  # hours of a day at which a window of the figures may begin: none is in the usual quiet hours
EVERYBODY, OWN_ALONE = "everybody", "own_alone"


@dataclass(frozen=True, kw_only=True, eq=False)
class HourHistograms:
    """Acts by hour of the week: everybody's shares [168], and the counts of each user [users, 168]."""

    everybody: NDArray[np.float64]
    counts: NDArray[np.float32]

    def of(self, row: int | None, clicks: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """Chances of the hours of the week, [168], of the user of a row; None is somebody who has not acted yet.

        ``clicks`` on messages, [168], count more than acts.
        """
        own = np.zeros(WEEK) if row is None else self.counts[row].astype(np.float64)
        if clicks is not None:
            own = own + CLICK * clicks
        return np.asarray(hour_chances(own[None], self.everybody)[0])


def activity_of(user: IntArray, hour: IntArray, *, n_users: int) -> HourHistograms:
    """Histograms of acts, one row each; whatever somebody does within an hour of a day is to be there once."""
    counts = np.bincount(user.astype(np.int64) * WEEK + hour, minlength=n_users * WEEK)
    table = counts.astype(np.float32).reshape(n_users, WEEK)
    return HourHistograms(everybody=shares_of(table), counts=table)


def shares_of(counts: NDArray[np.float32]) -> NDArray[np.float64]:
    """Everybody's shares of the hours, none of them 0."""
    total = counts.sum(axis=0, dtype=np.float64)
    return np.asarray((total + 1.0) / (total.sum() + WEEK))


def hour_chances(counts: NDArray[np.float64], everybody: NDArray[np.float64]) -> NDArray[np.float64]:
    """Chances by hour of the week, [users, 168]: everybody's times how much the own hours and own days differ.

    p ∝ p_all × (own hours + k p_all) / (n + k) / p_all of the hour × the same of the day; hours are smoothed by one.
    """
    grid, all_of = counts.reshape(-1, DAYS, HOURS), everybody.reshape(DAYS, HOURS)
    all_hours, all_days = all_of.sum(axis=0), all_of.sum(axis=1)
    rolled = np.stack([np.roll(grid.sum(axis=1), shift, axis=-1) for shift in SHIFTS.tolist()])
    by_hour = np.tensordot(KERNEL, rolled, axes=1)
    total = grid.sum(axis=(1, 2))[:, None] + PRIOR
    hours, days = (by_hour + PRIOR * all_hours) / total, (grid.sum(axis=2) + PRIOR * all_days) / total
    chance = all_of * (hours / all_hours)[:, None, :] * (days / all_days)[:, :, None]
    return np.asarray((chance / chance.sum(axis=(1, 2), keepdims=True)).reshape(-1, WEEK))


def best_of(chances: NDArray[np.float64], hours: Sequence[int]) -> int:
    """The place, among hours of the week, whose three hours from then on hold the most; the first of equals."""
    windows = [float(sum(chances[(hour + step) % WEEK] for step in range(WINDOW))) for hour in hours]
    return int(np.argmax(np.round(windows, 12)))


def judged(earlier: HourHistograms, user: IdArray, hour: IntArray, *, seed: int) -> ModelFigures:
    """How often an act falls within the said three hours of its day, of acts after those that taught; by user.

    Acts of users who taught nothing are left out: there is nothing of their own to compare.
    """
    known = earlier.counts.sum(axis=1) > 0
    kept = known[user]
    users, group = np.unique(user[kept], return_inverse=True)
    at = hour[kept]
    own = earlier.counts[users].astype(np.float64)
    said = {
        LEARNED: hour_chances(own, earlier.everybody),
        EVERYBODY: np.broadcast_to(earlier.everybody, own.shape),
        OWN_ALONE: (own + 1.0) / (own.sum(axis=1, keepdims=True) + WEEK),
    }
    within = {name: _within(chances, group, at) for name, chances in said.items()}
    table, gains = compared(within, lambda hits: {"within": _mean(hits)}, group=group.astype(np.int64), seed=seed)
    return ModelFigures(table=table, gains=gains, counts={"users": len(users), "acts": len(at)})


def _within(chances: NDArray[np.float64], group: NDArray[np.intp], hour: IntArray) -> NDArray[np.float64]:
    """Whether each act falls within the best window of its day, as its user's chances have it."""
    days = chances.reshape(-1, DAYS, HOURS)
    windows = np.stack([np.roll(days, -step, axis=2) for step in range(WINDOW)]).sum(axis=0)[
        :, :, EARLIEST : LATEST + 1
    ]
    starts = np.argmax(windows, axis=2) + EARLIEST
    start = starts[group, hour // HOURS]
    return np.asarray((hour % HOURS >= start) & (hour % HOURS < start + WINDOW), np.float64)


def _mean(hits: NDArray[np.float64]) -> Weighted:
    return lambda weights: float(weights @ hits / weights.sum()) if weights.any() else float("nan")
