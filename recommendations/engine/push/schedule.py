"""When a campaign comes: once, on its days of the week, or whenever something happens."""

from collections.abc import Collection, Iterator
from datetime import date, datetime, time
from typing import NamedTuple
from zoneinfo import ZoneInfo

from recommendations.engine.push.timing import DAY
from recommendations.push_terms import CampaignKind

ONCE = "1"


class Moment(NamedTuple):
    """A time that a campaign comes, and the name by which it comes but once."""

    key: str
    at: datetime


def moments(
    kind: CampaignKind,
    *,
    starts_at: datetime,
    ends_at: datetime | None,
    weekdays: Collection[int],
    hour: time | None,
    zone: ZoneInfo,
    after: datetime,
    until: datetime,
) -> Iterator[Moment]:
    """Moments of a campaign in (after, until], in order; a day begins with midnight where the shop is.

    A campaign that comes again is decided when its day begins, which may be its first day unless its ``hour`` is over
    there, and one with a trigger on every day on which it runs. ``weekdays`` are 1 = Monday … 7 = Sunday.
    """
    if kind is CampaignKind.ONCE:
        if after < starts_at <= until:
            yield Moment(ONCE, starts_at)
        return
    day = max(after, starts_at).astimezone(zone).date()
    while (midnight := begin_of(day, zone)) <= until:
        at = max(midnight, starts_at)
        in_time = hour is None or at.astimezone(zone).time() <= hour
        is_day = kind is CampaignKind.TRIGGERED or (day.isoweekday() in weekdays and in_time)
        if is_day and after < at <= until and (ends_at is None or at < ends_at):
            yield Moment(day.isoformat(), at)
        day += DAY


def begin_of(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)
