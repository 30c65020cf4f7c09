"""Hours: the one of a message among those that are allowed, mostly the best, sometimes one at random.

Only what was sent at random hours can tell whether the hour matters.
"""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.push.activity import HOURS, best_of
from recommendations.engine.push.timing import QuietHours, allowed_from

AT_RANDOM = 0.1  # share of the messages whose hour is drawn at random
HOUR = timedelta(hours=1)


class DrawnHour(NamedTuple):
    """A moment, and the chance that it was this one; None where none was drawn, as all were quiet."""

    at: datetime
    propensity: float | None


def drawn_hour(
    chances: NDArray[np.float64],
    *,
    after: datetime,
    until: datetime,
    shop: ZoneInfo,
    zone: ZoneInfo,
    quiet: QuietHours,
    share: float,
) -> DrawnHour:
    """The hour between two moments whose next three hours hold the most, or for a tenth of the ``share`` any of them.

    ``chances`` are of the hours of the week by the shop's clock, [168]; quiet hours are those of the person's ``zone``.
    Once ``until`` is over it is the first moment that is not quiet.
    """
    moments = _moments(after, until, zone=zone, quiet=quiet)
    if not moments:
        return DrawnHour(allowed_from(after, zone, quiet), None)
    walls = [moment.astimezone(shop) for moment in moments]
    best = best_of(chances, [wall.weekday() * HOURS + wall.hour for wall in walls])
    place = int(share / AT_RANDOM * len(moments)) if share < AT_RANDOM else best
    propensity = AT_RANDOM / len(moments) + (1 - AT_RANDOM if place == best else 0.0)
    return DrawnHour(moments[place], propensity)


def _moments(after: datetime, until: datetime, *, zone: ZoneInfo, quiet: QuietHours) -> list[datetime]:
    """The first moment and the full hours after it, as far as they are not quiet."""
    moments, at = list[datetime](), after.astimezone(UTC)
    while at <= until:
        if not quiet.hold(at.astimezone(zone).time()):
            moments.append(at)
        at = at.replace(minute=0, second=0, microsecond=0) + HOUR
    return moments
