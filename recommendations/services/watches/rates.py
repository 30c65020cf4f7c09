"""Rates of a placement as the detector takes them: hour by hour, or day by day where there are few counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.evaluation.alarms import (
    BY_DAY,
    BY_HOUR,
    UNLIKE_DAYS,
    Cadence,
    change_in,
    deviations,
    is_usual_again,
    scatter_of_days,
    usual,
)
from recommendations.store.watches.hours import HOURS_A_DAY, WHOLE_SHOP, ClockHours, moment_of
from recommendations.watch_terms import WatchedRate

AT_PLACEMENTS: Sequence[WatchedRate] = (
    WatchedRate.CLICKS,
    WatchedRate.PURCHASES,
    WatchedRate.REVENUE,
    WatchedRate.FALLBACK,
    WatchedRate.SLOW,
)
THIN, FULL = 10.0, 12.0
"""Counts in a middling hour below which a rate is watched by the day, and from which by the hour again."""
SLOWEST = 0.05
PER_HOUR = 1_000_000_000
"""Tries of an hour of events, which have none: so many that their scatter is that of a Poisson number."""


@dataclass(frozen=True, kw_only=True)
class RateSteps:
    """A rate step by step from the first day with data on: ``counts`` of ``tries``, [steps].

    ``squares`` are those of what each try brought, where that is an amount; ``unlike`` as in the detector.
    """

    rate: WatchedRate
    placement: str
    cadence: Cadence
    first: int  # number of the first hour
    counts: NDArray[np.float64]
    tries: NDArray[np.int64]
    squares: NDArray[np.float64] | None = None
    unlike: float = UNLIKE_DAYS

    @property
    def by_day(self) -> bool:
        return self.cadence is BY_DAY

    @property
    def hours_a_step(self) -> int:
        return HOURS_A_DAY if self.by_day else 1

    def __len__(self) -> int:
        return len(self.tries)

    def moment(self, step: int) -> datetime:
        """Begin of a step by the shop's clock."""
        return moment_of(self.first + step * self.hours_a_step)

    def step(self, ordinal: int) -> int:
        """The first step that has not ended at an hour by the shop's clock."""
        return (ordinal - self.first) // self.hours_a_step

    def usual(self) -> NDArray[np.float64]:
        return usual(self.counts, self.tries, cadence=self.cadence)

    def deviations(self) -> NDArray[np.float64]:
        return deviations(self.counts, self.tries, squares=self.squares, cadence=self.cadence, unlike=self.unlike)

    def change_since(self, step: int) -> float | None:
        """Share by which the rate differs from what is usual since a step."""
        return change_in(self.counts, self.tries, slice(max(step, 0), None), cadence=self.cadence)

    def is_usual_again(self, *, since: int, change: float) -> bool:
        return is_usual_again(self.counts, self.tries, since=since, change=change, cadence=self.cadence)


def watched_rates(placements: Mapping[str, ClockHours]) -> list[tuple[WatchedRate, str]]:
    """Every rate that is watched, with its placement, "" for the whole shop."""
    of_placements = [(rate, name) for name in sorted(placements) if name != WHOLE_SHOP for rate in AT_PLACEMENTS]
    return of_placements + [(WatchedRate.EVENTS, WHOLE_SHOP)] * (WHOLE_SHOP in placements)


def rate_steps(rate: WatchedRate, placement: str, hours: ClockHours, *, was_by_day: bool = False) -> RateSteps:
    """The rate by the hour, or by the day where it has few counts; of the last day only where it is whole."""
    first = hours.first.toordinal() * HOURS_A_DAY
    steps = RateSteps(rate=rate, placement=placement, cadence=BY_HOUR, first=first, **_arrays(rate, hours))
    return _by_day(steps) if rate is WatchedRate.EVENTS or _is_thin(steps, hours, was_by_day=was_by_day) else steps


def _arrays(rate: WatchedRate, hours: ClockHours) -> dict[str, Any]:
    columns = hours.columns
    slates = columns["slates"].astype(np.int64)
    match rate:
        case WatchedRate.CLICKS | WatchedRate.PURCHASES:
            name = "clicked" if rate is WatchedRate.CLICKS else "bought"
            return {"counts": np.minimum(columns[name], slates), "tries": slates}
        case WatchedRate.REVENUE:
            return {"counts": columns["revenue"], "tries": slates, "squares": columns["squares"]}
        case WatchedRate.FALLBACK:
            return {"counts": columns["fallback"], "tries": slates}
        case WatchedRate.SLOW:
            return {"counts": _slow(hours.times), "tries": hours.times.sum(axis=1)}
        case WatchedRate.EVENTS:
            return {"counts": columns["events"], "tries": hours.clocked * PER_HOUR}
    raise ValueError(f"{rate} is not counted by the hour")


def _slow(times: NDArray[np.int64]) -> NDArray[np.float64]:
    """Answers beyond the bucket in which 95 % of all but the last week's lie."""
    before = times[: -BY_HOUR.week].sum(axis=0) if len(times) > BY_HOUR.week else times.sum(axis=0)
    within = np.cumsum(before) / max(int(before.sum()), 1)
    edge = int(np.argmax(within >= 1 - SLOWEST))
    return np.asarray(times[:, edge + 1 :].sum(axis=1), np.float64)


def _is_thin(steps: RateSteps, hours: ClockHours, *, was_by_day: bool) -> bool:
    """Whether a middling hour of the last four weeks has too few counts; of answers, too few answers."""
    column = {WatchedRate.CLICKS: "clicked", WatchedRate.PURCHASES: "bought", WatchedRate.REVENUE: "bought"}.get(
        steps.rate, "slates"
    )
    lately = hours.columns[column][-BY_HOUR.reference :]
    return float(lately.mean()) < (FULL if was_by_day else THIN) if len(lately) else True


def _by_day(steps: RateSteps) -> RateSteps:
    days = len(steps) // HOURS_A_DAY

    def summed[T: np.number](values: NDArray[T]) -> NDArray[T]:
        sums: NDArray[T] = values[: days * HOURS_A_DAY].reshape(days, HOURS_A_DAY).sum(axis=1)
        return sums

    counts = summed(steps.counts)
    own_scatter = steps.rate is WatchedRate.EVENTS and days >= BY_DAY.enough
    return replace(
        steps, cadence=BY_DAY, counts=counts, tries=summed(steps.tries),
        squares=None if steps.squares is None else summed(steps.squares),
        unlike=scatter_of_days(counts[: -BY_DAY.week]) if own_scatter else UNLIKE_DAYS,
    )  # fmt: skip
