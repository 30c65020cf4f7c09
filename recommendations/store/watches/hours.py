"""Hours of placements: counted once, a few minutes after their end, and read as arrays by the shop's own clock.

What arrives later than ``LATE`` counts in no hour, also where an hour is counted long after it because the workers were
away: so hours can be compared with one another. Clicks and purchases count in the hour in which they happened.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from django.conf import settings
from django.db.models import Max, Min
from numpy.typing import NDArray

from recommendations.models import Event, PlacementHour, Slate
from recommendations.store.attribution.statements import REPLAY, WORDS
from recommendations.store.live.counters import BOUNDS
from recommendations.store.temp_tables import run

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LATE = timedelta(minutes=7)
NEEDED = timedelta(weeks=5)
KEPT = timedelta(weeks=8)
WHOLE_SHOP = ""
COLUMNS = ("slates", "fallback", "clicked", "bought", "revenue", "squares", "events")
HOURS_A_DAY = 24

_HOUR = "date_trunc('hour', {0}, 'UTC')"
_ON_TIME = f"event.received_at < {_HOUR.format('event.occurred_at')} + interval '1 hour' + %(late)s"
_BETWEEN = "{0} >= %(start)s AND {0} < %(end)s"
_BUCKET = f"width_bucket(latency_us / 1e6, ARRAY[{', '.join(map(str, BOUNDS))}]::float8[])"
_TIMES = ", ".join(f"count(*) FILTER (WHERE {_BUCKET} = {place})" for place in range(len(BOUNDS) + 1))
_NO_TIMES = f"ARRAY[{', '.join('0' * (len(BOUNDS) + 1))}]"
_COUNT = f"""
WITH served AS (
  SELECT {_HOUR.format("served_at")} AS hour, placement, count(*) AS slates,
         count(*) FILTER (WHERE fallback_reason <> '') AS fallback, ARRAY[{_TIMES}] AS times
  FROM recommendations_slate WHERE {_BETWEEN.format("served_at")} AND NOT replay GROUP BY 1, 2
), click AS (
  SELECT {_HOUR.format("event.occurred_at")} AS hour, outcome.placement,
         count(DISTINCT event.recommendation_id) AS clicked
  FROM recommendations_event event
  JOIN recommendations_slateoutcome outcome ON outcome.recommendation_id = event.recommendation_id
  WHERE {_BETWEEN.format("event.occurred_at")} AND event.name = ANY(%(clicked)s) AND {_ON_TIME}
    AND outcome.clicked <> '{{}}' AND NOT outcome.replay
  GROUP BY 1, 2
), sale AS (
  SELECT {_HOUR.format("line.occurred_at")} AS hour, line.placement, line.recommendation_id, sum(line.amount) AS revenue
  FROM recommendations_attributedline line JOIN recommendations_event event USING (occurred_at, event_id, line)
  WHERE {_BETWEEN.format("line.occurred_at")} AND line.name = ANY(%(bought)s) AND {_ON_TIME} AND NOT line.replay
  GROUP BY 1, 2, 3
), sold AS (
  SELECT hour, placement, count(*) AS bought, sum(revenue) AS revenue, sum(revenue ^ 2) AS squares
  FROM sale GROUP BY 1, 2
), told AS (
  SELECT hour, '' AS placement, count(event.event_id) AS events
  FROM generate_series(%(start)s::timestamptz, %(end)s::timestamptz - interval '1 hour', interval '1 hour') AS hour
  LEFT JOIN recommendations_event event ON event.occurred_at >= hour AND event.occurred_at < hour + interval '1 hour'
    AND {_BETWEEN.format("event.occurred_at")} AND event.line = 0 AND event.source <> %(replay)s AND {_ON_TIME}
  GROUP BY 1
)
INSERT INTO recommendations_placementhour
  (hour, placement, slates, fallback, times, clicked, bought, revenue, squares, events)
SELECT hour, placement, coalesce(slates, 0), coalesce(fallback, 0), coalesce(times, {_NO_TIMES}), coalesce(clicked, 0),
       coalesce(bought, 0), coalesce(revenue, 0), coalesce(squares, 0), coalesce(events, 0)
FROM served FULL JOIN click USING (hour, placement) FULL JOIN sold USING (hour, placement)
FULL JOIN told USING (hour, placement)
ON CONFLICT (placement, hour) DO NOTHING
"""  # noqa: S608 - parts of our own


@dataclass(frozen=True, kw_only=True)
class ClockHours:
    """Hours of a placement by the shop's clock, 24 a day from ``first`` on, [hours].

    The hour that a short day lacks has nothing in it, the one that a long day has twice has both.
    """

    first: date
    columns: Mapping[str, NDArray[np.float64]]
    times: NDArray[np.int64]  # [hours, buckets]
    clocked: NDArray[np.int64]  # how many hours were counted in each: 0, 1, or 2

    def __len__(self) -> int:
        return len(self.times)


def whole_hours(now: datetime) -> datetime:
    """End of the last hour that can be counted."""
    return (now - LATE).replace(minute=0, second=0, microsecond=0)


def count_hours(until: datetime) -> int:
    """Count the hours before ``until`` that are not counted yet, five weeks back at most; how many hours."""
    known = counted_until()
    start = max(known, until - NEEDED) if known else first_hour(until)
    counted = 0
    while start is not None and start < until:
        end = min(start + DAY, until)
        run(_COUNT, start=start, end=end, late=LATE, **WORDS)
        counted += round((end - start) / HOUR)
        start = end
    PlacementHour.objects.filter(hour__lt=until - KEPT).delete()
    return counted


def counted_until() -> datetime | None:
    """End of the last hour that was counted; None before the first."""
    newest = PlacementHour.objects.filter(placement=WHOLE_SHOP).aggregate(newest=Max("hour"))["newest"]
    return newest + HOUR if newest else None


def load_hours(*, until: datetime, placements: Sequence[str] | None = None) -> dict[str, ClockHours]:
    """All hours that are stored up to ``until``, by placement, whole days of the shop; the last one may go on."""
    rows = PlacementHour.objects.filter(hour__lt=until)
    if placements is not None:
        rows = rows.filter(placement__in=placements)
    by_placement: dict[str, list[tuple[int, tuple[float, ...], list[int]]]] = {}
    for placement, hour, times, *values in rows.order_by("hour").values_list("placement", "hour", "times", *COLUMNS):
        by_placement.setdefault(placement, []).append((ordinal_hour(hour), tuple(values), times))
    last = ordinal_hour(until)
    return {placement: _arrays(hours, last=last) for placement, hours in by_placement.items()}


def ordinal_hour(moment: datetime) -> int:
    """Number of the hour that a moment lies in by the shop's clock, 24 for each day."""
    local = moment.astimezone(_zone())
    return local.date().toordinal() * HOURS_A_DAY + local.hour


def moment_of(ordinal: int) -> datetime:
    """Begin of an hour by the shop's clock; of one that a day has twice the first."""
    day, hour = divmod(ordinal, HOURS_A_DAY)
    return datetime.combine(date.fromordinal(day), time(hour), _zone())


def _arrays(hours: Sequence[tuple[int, tuple[float, ...], list[int]]], *, last: int) -> ClockHours:
    first = hours[0][0] // HOURS_A_DAY * HOURS_A_DAY
    table, clocked = np.zeros((last - first, len(COLUMNS))), np.zeros(last - first, np.int64)
    times = np.zeros((last - first, len(BOUNDS) + 1), np.int64)
    for ordinal, values, took in hours:
        if ordinal < last:
            table[ordinal - first] += values
            times[ordinal - first] += took
            clocked[ordinal - first] += 1
    columns = {name: table[:, place] for place, name in enumerate(COLUMNS)}
    return ClockHours(first=date.fromordinal(first // HOURS_A_DAY), columns=columns, times=times, clocked=clocked)


def first_hour(until: datetime) -> datetime | None:
    """First hour of the last five weeks in which a list was served or an event came; None where none was."""
    begin = until - NEEDED
    served = Slate.objects.filter(served_at__gte=begin, served_at__lt=until, replay=False).aggregate(
        at=Min("served_at")
    )["at"]
    told = Event.objects.between(begin, until).exclude(source=REPLAY).aggregate(at=Min("occurred_at"))["at"]
    first = min((at for at in (served, told) if at), default=None)
    return first.replace(minute=0, second=0, microsecond=0) if first else None


def _zone() -> ZoneInfo:
    return ZoneInfo(settings.SHOP_TIME_ZONE)
