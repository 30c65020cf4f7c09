"""Watched rates: how each stands, and one of them over the last weeks in the band that is usual."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from django.db.models import Min, Q

from analytics.charts.stability import RatePoint
from analytics.templatetags.words import label
from recommendations.engine.evaluation.alarms import BY_HOUR
from recommendations.models import Alarm, PlacementHour, RateWatch
from recommendations.services.watches.pictures import counted_until, first_count_at, rate_picture
from recommendations.services.watches.rates import PER_HOUR, RateSteps
from recommendations.watch_terms import WatchedRate
from recommendations.wording import watch_labels

HOURS_SHOWN, DAYS_SHOWN = 14 * 24, 28
WIDE = 2.0  # standard deviations of the band
HOURS_A_DAY = 24


@dataclass(frozen=True, kw_only=True)
class RateLine:
    """A watched rate with the alarm that lasts, if any."""

    watch: RateWatch
    words: str
    alarm: Alarm | None


@dataclass(frozen=True, kw_only=True)
class RatePicture:
    line: RateLine
    points: Sequence[RatePoint]
    by_day: bool


@dataclass(frozen=True, kw_only=True)
class RateTable:
    """Watched rates by placement, "" the whole shop, and since when there are data."""

    placements: Sequence[tuple[str, Sequence[RateLine]]]
    until: datetime | None
    counted_at: datetime | None = None  # when the first count comes; None where there are counts, or nothing to count
    judged_from: datetime | None = None  # from when, at the earliest, one more rate is watched

    @property
    def lines(self) -> list[RateLine]:
        return [line for _placement, lines in self.placements for line in lines]

    @property
    def is_silent(self) -> bool:
        """Whether nothing is watched: fewer than five weeks of data."""
        return not self.watched

    @property
    def watched(self) -> Sequence[RateLine]:
        return [line for line in self.lines if not line.watch.silent]


def rate_table(*, now: datetime) -> RateTable:
    alarms = {(alarm.rate, alarm.placement): alarm for alarm in Alarm.objects.lasting()}
    order = list(WatchedRate)
    rows = sorted(RateWatch.objects.all(), key=lambda row: order.index(WatchedRate(row.rate)))
    watches = sorted(rows, key=lambda row: (row.placement == "", row.placement))
    by_placement: dict[str, list[RateLine]] = {}
    for row in watches:
        line = RateLine(
            watch=row, words=label(watch_labels.RATES, row.rate), alarm=alarms.get((row.rate, row.placement))
        )
        by_placement.setdefault(row.placement, []).append(line)
    return RateTable(
        placements=list(by_placement.items()),
        until=counted_until() if watches else None,
        counted_at=None if watches else first_count_at(now),
        judged_from=_judged_from([row for row in watches if row.silent]),
    )


def _judged_from(silent: Sequence[RateWatch]) -> datetime | None:
    """When the first of the rates that are not watched yet has enough data, at the earliest."""
    hours = PlacementHour.objects.filter(placement__in={row.placement for row in silent})
    first = hours.filter(Q(slates__gt=0) | Q(placement="")).aggregate(at=Min("hour"))["at"] if silent else None
    return first + timedelta(hours=BY_HOUR.enough) if first else None


def chosen_line(table: RateTable, *, rate: str, placement: str) -> RateLine | None:
    """The line that is asked for, else the first with an alarm, else the first."""
    asked = [line for line in table.lines if (line.watch.rate, line.watch.placement) == (rate, placement)]
    ringing = [line for line in table.lines if line.alarm is not None]
    return next(iter([*asked, *ringing, *table.lines]), None)


def picture(line: RateLine, *, now: datetime) -> RatePicture | None:
    """The last two weeks of a rate by the hour, or four by the day."""
    steps = rate_picture(line.watch, now=now)
    if steps is None or not len(steps):
        return None
    shown = min(len(steps), DAYS_SHOWN if steps.by_day else HOURS_SHOWN)
    return RatePicture(line=line, points=_points(steps, first=len(steps) - shown), by_day=steps.by_day)


def _points(steps: RateSteps, *, first: int) -> list[RatePoint]:
    unit = PER_HOUR * HOURS_A_DAY if steps.rate is WatchedRate.EVENTS else 1
    values = np.where(steps.tries > 0, steps.counts / np.maximum(steps.tries, 1), np.nan) * unit
    expected, reach = steps.usual() * unit, WIDE * steps.deviations() * unit
    low, high = np.maximum(expected - reach, 0), expected + reach
    return [
        RatePoint(at=steps.moment(at), value=float(values[at]), low=float(low[at]), high=float(high[at]))
        for at in range(first, len(steps))
    ]
