"""Hours of placements by hand, for watches: what would have been counted, without the events behind it."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from recommendations.models import PlacementHour
from recommendations.store.live.counters import BOUNDS
from recommendations.store.watches.hours import LATE

HOUR = timedelta(hours=1)
QUICK = [0, 0, 0, 1] + [0] * (len(BOUNDS) - 3)

type Columns = Mapping[str, float]


def hours(start: datetime, end: datetime, columns: Callable[[datetime], Columns], *, placement: str = "home") -> None:
    """Every hour from ``start`` to before ``end``; answers are all quick."""
    rows = []
    for number in range(round((end - start) / HOUR)):
        at = start + number * HOUR
        own = dict(columns(at))
        slates = int(own.get("slates", 0))
        rows.append(PlacementHour(hour=at, placement=placement, times=[slates * part for part in QUICK], **own))
        rows.append(PlacementHour(hour=at, placement="", times=[0] * len(QUICK), events=1_000))
    PlacementHour.objects.bulk_create(rows, ignore_conflicts=True)


def after(end: datetime) -> datetime:
    """A moment at which the hours before ``end`` are judged."""
    return end + LATE
