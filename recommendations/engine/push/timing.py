"""Quiet hours where somebody lives, also where clocks jump: the earliest moment that is allowed."""

from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)


class QuietHours(NamedTuple):
    """Hours of the wall clock in which nothing is sent, the end not included; they may span midnight.

    None are quiet where both are the same.
    """

    start: time
    end: time

    def hold(self, wall: time) -> bool:
        """Whether it is quiet when a clock shows this."""
        if self.start <= self.end:
            return self.start <= wall < self.end
        return wall >= self.start or wall < self.end


def allowed_from(at: datetime, zone: ZoneInfo, quiet: QuietHours) -> datetime:
    """The earliest moment (UTC) at or after ``at`` that is not quiet in the zone; ``at`` itself where it is not.

    It is where the wall clock shows the end of the quiet hours, or a jump of the clock that lands outside of them,
    whichever comes first. After a jump back it is looked at again.
    """
    while quiet.hold(at.astimezone(zone).time()):
        wall = at.astimezone(zone)
        day = wall.date() if wall.time() < quiet.end else wall.date() + DAY
        # Two moments where the hour comes twice.
        ends = [datetime.combine(day, quiet.end, zone).replace(fold=fold).astimezone(UTC) for fold in (0, 1)]
        until = min(moment for moment in (*ends, at + DAY) if moment > at)
        jump = first_jump(at, until, zone)
        if jump is not None and not quiet.hold(jump.astimezone(zone).time()):
            return jump
        at = until
    return at


def first_jump(after: datetime, until: datetime, zone: ZoneInfo) -> datetime | None:
    """The second at which the offset of the zone changes in (after, until]; None where it is the same at both ends."""
    offset = after.astimezone(zone).utcoffset()
    if until.astimezone(zone).utcoffset() == offset:
        return None
    low, high = int(after.timestamp()), int(until.timestamp()) + 1
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return datetime.fromtimestamp(high, UTC)
