"""Alarms on hourly rates: an e-detector on how far each hour departs from the same hour of the four weeks before.

Evidence for a rise and for a fall is gathered apart, e_t = max(e_{t−1}, 1) · exp(± λ z_t − λ² / 2). Under no change
each factor has mean 1 at most, so that an e-detector reaches A after A hours on average at the earliest: with
A = 17,520 the two sides give at most one false alarm in a year of independent hours (Shin, Ramdas and Rinaldo 2024).
"""

import math
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

WEEK = 168
"""Hours after which a rate's rhythm begins again."""

REFERENCE = 4 * WEEK
"""Hours that say what is usual."""

ENOUGH = 5 * WEEK
"""Hours of data under which nothing is watched."""

LAMBDA = 0.3
"""λ: the change in standard deviations of an hour that is found soonest."""

THRESHOLD = 2 * 365 * 24
UNLIKE_DAYS = 0.05
"""Standard deviation of a rate, as a share of it, for what makes days differ without anybody's doing."""


class AlarmDirection(StrEnum):
    """The way that a rate goes."""

    RISE = "rise"
    FALL = "fall"


@dataclass(frozen=True)
class RunningEvidence:
    """Evidence for a change one way, as it stands after an hour."""

    log: float = 0.0  # ln max(e, 1)
    hours: int = 0  # since e was 1

    def after(self, z: float) -> "RunningEvidence":
        """Evidence one hour on, for a rise; −z for a fall. An hour that is unknown (NaN) leaves e as it is."""
        log = self.log if math.isnan(z) else self.log + LAMBDA * z - LAMBDA**2 / 2
        return RunningEvidence(log, self.hours + 1) if log > 0 else RunningEvidence()


NO_EVIDENCE = RunningEvidence()


@dataclass(frozen=True, kw_only=True)
class Detection:
    """What watching a rate came to: the first alarm, if any, and the evidence with which to watch on.

    After an alarm both sides begin anew.
    """

    direction: AlarmDirection | None = None  # None: no alarm
    alarm: int | None = None  # hour of the alarm
    onset: int | None = None  # first hour after e was last 1; below 0 before the hours that were given
    change: float | None = None  # rate from onset to alarm over what is usual in these hours, − 1
    rise: RunningEvidence = NO_EVIDENCE
    fall: RunningEvidence = NO_EVIDENCE
    silent: bool = False  # fewer than five weeks of data: nothing was watched


def usual(counts: NDArray[np.integer], tries: NDArray[np.integer]) -> NDArray[np.float64]:
    """Usual rate of each hour: that of the same hour of the four weeks before, shape [hours], NaN where unknown.

    ``counts`` of ``tries`` each hour, without a gap. Unknown is an hour without four weeks before it, or without tries
    in these. ``ValueError`` where there are more counts than tries.
    """
    if (counts > tries).any():
        raise ValueError("more counts than tries")
    rate, past = np.full(len(tries), np.nan), _same_hours(tries)
    rate[REFERENCE:][past > 0] = _same_hours(counts)[past > 0] / past[past > 0]
    return rate


def residuals(counts: NDArray[np.integer], tries: NDArray[np.integer]) -> NDArray[np.float64]:
    """Departure z of each hour's rate from what is usual, in standard deviations, [hours]; NaN where unknown.

    The variance is binomial, of this hour and of the four before, with the rate p of all five, and 5 % of p for days
    that differ. With the rate of the four alone, hours with few counts would look as if they had risen: where by chance
    the four have fewest, the departure is largest and its variance smallest. Unknown is also an hour without tries, and
    one where all five have no count, or nothing else.
    """
    expected, z = usual(counts, tries), np.full(len(tries), np.nan)
    hours = np.flatnonzero(~np.isnan(expected) & (tries > 0))
    c, n, past = counts[hours], tries[hours], _same_hours(tries)[hours - REFERENCE]
    p = (c + _same_hours(counts)[hours - REFERENCE]) / (n + past)
    variance = p * (1 - p) * (1 / n + 1 / past) + (UNLIKE_DAYS * p) ** 2
    apart = (p > 0) & (p < 1)
    z[hours[apart]] = (c / n - expected[hours])[apart] / np.sqrt(variance[apart])
    return z


def detect(
    z: NDArray[np.float64], rise: RunningEvidence = NO_EVIDENCE, fall: RunningEvidence = NO_EVIDENCE
) -> Detection:
    """Watch the residuals hour by hour up to the first alarm, from the evidence that there was before them."""
    for hour, value in enumerate(z.tolist()):
        rise, fall = rise.after(value), fall.after(-value)
        for direction, side in ((AlarmDirection.RISE, rise), (AlarmDirection.FALL, fall)):
            if side.log >= math.log(THRESHOLD):
                return Detection(direction=direction, alarm=hour, onset=hour + 1 - side.hours)
    return Detection(rise=rise, fall=fall)


def watch(
    counts: NDArray[np.integer], tries: NDArray[np.integer], *, since: int = REFERENCE,
    rise: RunningEvidence = NO_EVIDENCE, fall: RunningEvidence = NO_EVIDENCE,
) -> Detection:  # fmt: skip
    """Watch an hourly rate from the hour ``since`` on; alarm and onset are hours of the arrays.

    ``rise`` and ``fall`` are the evidence before that hour. The data begin with the first hour that has tries; where
    that is less than five weeks before the end, nothing is watched and the detection is *silent*.
    """
    begun = int(np.argmax(tries > 0)) if tries.any() else len(tries)
    if len(tries) - begun < ENOUGH:
        return Detection(rise=rise, fall=fall, silent=True)
    seen = detect(residuals(counts, tries)[since:], rise, fall)
    if seen.alarm is None or seen.onset is None:
        return seen
    alarm, onset = seen.alarm + since, seen.onset + since
    return replace(seen, alarm=alarm, onset=onset, change=_change(counts, tries, slice(max(onset, 0), alarm + 1)))


def _change(counts: NDArray[np.integer], tries: NDArray[np.integer], hours: slice) -> float | None:
    """Counts of these hours over those that are usual in them, − 1; None where nothing is usual."""
    expected = usual(counts, tries)[hours] * tries[hours]
    known = ~np.isnan(expected)
    total = float(expected[known].sum())
    return float(counts[hours][known].sum()) / total - 1 if total else None


def _same_hours(values: NDArray[np.integer]) -> NDArray[np.integer]:
    """Sum over the same hour of the four weeks before, for each hour that has them."""
    length = max(len(values) - REFERENCE, 0)
    return np.sum([values[start : start + length] for start in range(0, REFERENCE, WEEK)], axis=0)
