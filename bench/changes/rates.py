"""Hourly rates with a rhythm of day and week and days that differ, which change after eight weeks of watching."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.evaluation.alarms import BY_DAY, BY_HOUR, REFERENCE, WEEK, AlarmDirection, watch

CHANGE = REFERENCE + 8 * WEEK
HOURS = CHANGE + 4 * WEEK
SOON = 72
FACTORS = (1.0, 0.9, 0.8, 0.6)
DAYS_DIFFER = 0.03

type Hours = NDArray[np.int64]


@dataclass(frozen=True)
class Traffic:
    """A placement: answers in a middling hour, and the share of them that is clicked."""

    name: str
    answers: float
    rate: float

    @property
    def is_thin(self) -> bool:
        """Whether there are too few clicks to be watched by the hour alone."""
        return self.answers * self.rate < 10


PLACEMENTS = (Traffic("busy", 360, 0.05), Traffic("seldom clicked", 360, 0.005), Traffic("thin", 18, 0.05))


@dataclass(frozen=True, kw_only=True)
class RateReading:
    """What the watch saw of a rate that became ``factor`` times as high, over all runs."""

    placement: str
    factor: float
    runs: int
    early: float  # share with an alarm in the eight weeks before the change
    found: float  # share whose first alarm is a fall after it
    soon: float  # … within 72 hours
    hours: float | None  # median from the change to that alarm
    onset: float | None  # median from the change to the onset that it names; below 0 before it


def readings(placements: Sequence[Traffic], *, runs: int, seed: int) -> list[RateReading]:
    """By the hour, and where few click by the day as well."""
    looks = [(placement, by_day) for placement in placements for by_day in (False, True)[: 1 + placement.is_thin]]
    return [
        reading(placement, factor, runs=runs, seed=seed, by_day=by_day)
        for placement, by_day in looks
        for factor in FACTORS
    ]


def reading(placement: Traffic, factor: float, *, runs: int, seed: int, by_day: bool = False) -> RateReading:
    """Watch the placement in so many runs, each from a generator of its own; a day is over at its last hour."""
    early, delays, onsets, step = 0, [], [], 24 if by_day else 1
    for run in range(runs):
        drawn = hours(np.random.default_rng([seed, run]), placement, factor)
        counts, tries = (each.reshape(-1, step).sum(axis=1) for each in drawn)
        seen = watch(counts, tries, cadence=BY_DAY if by_day else BY_HOUR)
        if seen.alarm is None or seen.onset is None:
            continue
        alarm = (seen.alarm + 1) * step - 1
        early += alarm < CHANGE
        if alarm >= CHANGE and seen.direction is AlarmDirection.FALL:
            delays.append(alarm - CHANGE)
            onsets.append(seen.onset * step - CHANGE)
    name = f"{placement.name}, by day" if by_day else placement.name
    return RateReading(
        placement=name, factor=factor, runs=runs, early=early / runs, found=len(delays) / runs,
        soon=sum(delay < SOON for delay in delays) / runs, hours=_median(delays), onset=_median(onsets),
    )  # fmt: skip


def hours(draw: np.random.Generator, placement: Traffic, factor: float) -> tuple[Hours, Hours]:
    """Draw clicks and answers of each hour; days differ by 3 % for reasons of their own."""
    hour = np.arange(HOURS)
    answers = draw.poisson(placement.answers * (1 + 2 / 3 * np.sin(2 * np.pi * (hour % 24 - 9) / 24)))
    rhythm = 1 + 0.2 * np.sin(2 * np.pi * (hour % 24 - 12) / 24) + 0.15 * (hour % WEEK >= 5 * 24)
    days = np.repeat(np.exp(draw.normal(0, DAYS_DIFFER, HOURS // 24)), 24)
    rate = placement.rate * rhythm * days * np.where(hour < CHANGE, 1.0, factor)
    return draw.binomial(answers, rate), answers


def _median(values: Sequence[int]) -> float | None:
    return float(np.median(values)) if values else None
