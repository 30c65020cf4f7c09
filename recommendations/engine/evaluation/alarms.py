"""Alarms on rates: an e-detector on how far each hour departs from the same hour of the four weeks before.

Evidence for a rise and for a fall is gathered apart, e_t = max(e_{t−1}, 1) · exp(± λ z_t − λ² / 2). Under no change
each factor has mean 1 at most, so that an e-detector reaches A after A steps on average at the earliest: with
A = 17,520 the two sides give at most one false alarm in a year of independent hours (Shin, Ramdas and Rinaldo 2024),
with A = 730 in a year of independent days, by which a rate with few counts is watched.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recommendations.watch_terms import AlarmDirection

__all__ = ["AlarmDirection", "Cadence", "Detection", "RunningEvidence", "detect", "residuals", "usual", "watch"]


@dataclass(frozen=True, kw_only=True)
class Cadence:
    """How often a rate is looked at; a step is an hour or a day."""

    week: int  # steps after which a rate's rhythm begins again
    threshold: float  # of the evidence, at which there is an alarm
    steepness: float  # λ: the change in standard deviations of a step that is found soonest
    recent: int  # steps that say whether a rate is as usual again

    @property
    def reference(self) -> int:
        """Steps that say what is usual."""
        return 4 * self.week

    @property
    def enough(self) -> int:
        """Steps of data under which nothing is watched."""
        return 5 * self.week


BY_HOUR = Cadence(week=168, threshold=2 * 365 * 24, steepness=0.3, recent=24)
BY_DAY = Cadence(week=7, threshold=2 * 365, steepness=0.8, recent=7)

WEEK, REFERENCE, ENOUGH = BY_HOUR.week, BY_HOUR.reference, BY_HOUR.enough
LAMBDA, THRESHOLD = BY_HOUR.steepness, BY_HOUR.threshold

UNLIKE_DAYS = 0.05
"""Standard deviation of a rate, as a share of it, for what makes days differ without anybody's doing."""


@dataclass(frozen=True)
class RunningEvidence:
    """Evidence for a change one way, as it stands after a step."""

    log: float = 0.0  # ln max(e, 1)
    steps: int = 0  # since e was 1

    def after(self, z: float, steepness: float = LAMBDA) -> "RunningEvidence":
        """Evidence one step on, for a rise; −z for a fall. A step that is unknown (NaN) leaves e as it is."""
        log = self.log if math.isnan(z) else self.log + steepness * z - steepness**2 / 2
        return RunningEvidence(log, self.steps + 1) if log > 0 else RunningEvidence()


NO_EVIDENCE = RunningEvidence()


@dataclass(frozen=True, kw_only=True)
class Detection:
    """What watching a rate came to: the first alarm, if any, and the evidence with which to watch on.

    After an alarm both sides begin anew.
    """

    direction: AlarmDirection | None = None  # None: no alarm
    alarm: int | None = None  # step of the alarm
    onset: int | None = None  # first step after e was last 1; below 0 before the steps that were given
    change: float | None = None  # rate from onset to alarm over what is usual in these steps, − 1
    rise: RunningEvidence = NO_EVIDENCE
    fall: RunningEvidence = NO_EVIDENCE
    silent: bool = False  # fewer than five weeks of data: nothing was watched


def usual(counts: NDArray[np.number], tries: NDArray[np.integer], *, cadence: Cadence = BY_HOUR) -> NDArray[np.float64]:
    """Usual rate of each step: that of the same one of the four weeks before, shape [steps], NaN where unknown.

    ``counts`` of ``tries`` each step, without a gap. Unknown is a step without four weeks before it, or without tries
    in these.
    """
    rate, past = np.full(len(tries), np.nan), _four_weeks(tries, cadence)
    rate[cadence.reference :][past > 0] = _four_weeks(counts, cadence)[past > 0] / past[past > 0]
    return rate


def deviations(
    counts: NDArray[np.number], tries: NDArray[np.integer], *, squares: NDArray[np.floating] | None = None,
    cadence: Cadence = BY_HOUR, unlike: float = UNLIKE_DAYS,
) -> NDArray[np.float64]:  # fmt: skip
    """Standard deviation of each step's rate around what is usual, [steps]; NaN where unknown.

    The variance is that of the mean of the tries, of this step and of the four before, with the rate p and the mean
    square of all five, and the share ``unlike`` of p for days that differ. ``squares`` are the sums of the squares of
    what each try brought; without them a try brings 1 or nothing, and the variance is binomial. With the rate of the
    four alone, steps with few counts would look as if they had risen: where by chance the four have fewest, the
    departure is largest and its variance smallest. Unknown is also a step without tries, and one where all tries of all
    five brought the same. ``ValueError`` where there are more counts than tries.
    """
    if squares is None and (counts > tries).any():
        raise ValueError("more counts than tries")
    second: NDArray[np.number] = counts if squares is None else squares
    deviation = np.full(len(tries), np.nan)
    steps = np.flatnonzero(~np.isnan(usual(counts, tries, cadence=cadence)) & (tries > 0))
    before = steps - cadence.reference
    n, past = tries[steps], _four_weeks(tries, cadence)[before]
    p = (counts[steps] + _four_weeks(counts, cadence)[before]) / (n + past)
    scatter = (second[steps] + _four_weeks(second, cadence)[before]) / (n + past) - p**2
    apart = (p > 0) & (scatter > 1e-12 * p)
    variance = scatter * (1 / n + 1 / past) + (unlike * p) ** 2
    deviation[steps[apart]] = np.sqrt(variance[apart])
    return deviation


def residuals(
    counts: NDArray[np.number], tries: NDArray[np.integer], *, squares: NDArray[np.floating] | None = None,
    cadence: Cadence = BY_HOUR, unlike: float = UNLIKE_DAYS,
) -> NDArray[np.float64]:  # fmt: skip
    """Departure z of each step's rate from what is usual, in its ``deviations``, [steps]; NaN where unknown."""
    deviation = deviations(counts, tries, squares=squares, cadence=cadence, unlike=unlike)
    expected = usual(counts, tries, cadence=cadence)
    return np.asarray((counts / np.maximum(tries, 1) - expected) / deviation)


def detect(
    z: NDArray[np.float64], rise: RunningEvidence = NO_EVIDENCE, fall: RunningEvidence = NO_EVIDENCE,
    *, cadence: Cadence = BY_HOUR,
) -> Detection:  # fmt: skip
    """Watch the residuals step by step up to the first alarm, from the evidence that there was before them."""
    for step, value in enumerate(z.tolist()):
        rise, fall = rise.after(value, cadence.steepness), fall.after(-value, cadence.steepness)
        for direction, side in ((AlarmDirection.RISE, rise), (AlarmDirection.FALL, fall)):
            if side.log >= math.log(cadence.threshold):
                return Detection(direction=direction, alarm=step, onset=step + 1 - side.steps)
    return Detection(rise=rise, fall=fall)


def watch(
    counts: NDArray[np.number], tries: NDArray[np.integer], *, squares: NDArray[np.floating] | None = None,
    since: int | None = None, rise: RunningEvidence = NO_EVIDENCE, fall: RunningEvidence = NO_EVIDENCE,
    cadence: Cadence = BY_HOUR, unlike: float = UNLIKE_DAYS,
) -> Detection:  # fmt: skip
    """Watch a rate from the step ``since`` on, else from the first that can be; steps are those of the arrays.

    ``rise`` and ``fall`` are the evidence before that step. The data begin with the first step that has tries; where
    that is less than five weeks before the end, nothing is watched and the detection is *silent*.
    """
    begun = int(np.argmax(tries > 0)) if tries.any() else len(tries)
    if len(tries) - begun < cadence.enough:
        return Detection(rise=rise, fall=fall, silent=True)
    since = cadence.reference if since is None else since
    z = residuals(counts, tries, squares=squares, cadence=cadence, unlike=unlike)[since:]
    seen = detect(z, rise, fall, cadence=cadence)
    if seen.alarm is None or seen.onset is None:
        return seen
    alarm, onset = seen.alarm + since, seen.onset + since
    change = change_in(counts, tries, slice(max(onset, 0), alarm + 1), cadence=cadence)
    return replace(seen, alarm=alarm, onset=onset, change=change)


def change_in(
    counts: NDArray[np.number], tries: NDArray[np.integer], steps: slice, *, cadence: Cadence = BY_HOUR
) -> float | None:
    """Counts of these steps over those that are usual in them, − 1; None where nothing is usual."""
    expected = usual(counts, tries, cadence=cadence)[steps] * tries[steps]
    known = ~np.isnan(expected)
    total = float(expected[known].sum())
    return float(counts[steps][known].sum()) / total - 1 if total else None


def is_usual_again(
    counts: NDArray[np.number], tries: NDArray[np.integer], *, since: int, change: float, cadence: Cadence = BY_HOUR
) -> bool:
    """Whether the last ``cadence.recent`` steps, all from ``since`` on, lie near what is usual again.

    Near is less than half as far away as ``change`` was, or on the other side; where nothing is usual: not.
    """
    first = len(tries) - cadence.recent
    if first < since:
        return False
    now = change_in(counts, tries, slice(first, len(tries)), cadence=cadence)
    return now is not None and now * math.copysign(1, change) <= abs(change) / 2


def scatter_of_days(counts: NDArray[np.number]) -> float:
    """Relative standard deviation of the last four weeks of days around their weekday's mean, at least 5 %.

    ``counts`` by day; for what has no tries, such as events, whose days differ by more than chance and 5 %.
    """
    weeks = counts[-BY_DAY.reference :].reshape(4, BY_DAY.week)
    means = weeks.mean(axis=0)
    level = float(means.mean())
    if not level:
        return UNLIKE_DAYS
    return max(UNLIKE_DAYS, math.sqrt(float(((weeks - means) ** 2).sum()) / (3 * BY_DAY.week)) / level)


def _four_weeks[T: np.number](values: NDArray[T], cadence: Cadence) -> NDArray[T]:
    """Sum over the same step of the four weeks before, for each step that has them."""
    length = max(len(values) - cadence.reference, 0)
    return np.sum([values[start : start + length] for start in range(0, cadence.reference, cadence.week)], axis=0)
