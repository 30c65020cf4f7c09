"""Ready periods of a rule, in days of the shop, as fields of date and time write them."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

TODAY, WEEK, ALWAYS, CUSTOM = "today", "week", "always", "custom"


class Period(NamedTuple):
    """A choice; ``starts_at`` and ``ends_at`` are what it writes into the fields, None where it leaves them alone."""

    code: str
    words: Promise
    starts_at: str | None
    ends_at: str | None


def periods(today: date) -> Sequence[Period]:
    """All choices; the first whose fields are those of a rule is its own, and the last is that of every other rule."""
    begins, sunday = written(today, time.min), today + timedelta(days=6 - today.weekday())
    last_minute = time(23, 59)
    return (
        Period(TODAY, _("Today"), begins, written(today, last_minute)),
        Period(WEEK, _("This week"), begins, written(sunday, last_minute)),
        Period(ALWAYS, _("Until revoked"), "", ""),
        Period(CUSTOM, _("Custom"), None, None),
    )


def written(day: date, at: time) -> str:
    """A time of the day as a field writes it; one that the clocks skip is the first after it that there is."""
    there = timezone.make_aware(datetime.combine(day, at)).astimezone(UTC)
    return timezone.localtime(there).strftime("%Y-%m-%dT%H:%M")
