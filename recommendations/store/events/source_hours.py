"""What each API key sent, hour by hour, in the record; and what is usual for it at an hour of the week."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from statistics import median

from django.db import connection
from django.db.models import Max

from recommendations.models import SourceHour
from recommendations.store.live.source_counts import HOUR, SourceCount, sent_in
from recommendations.store.valkey_keys import SOURCES

WEEKS = 4
_FIELDS = tuple(SourceCount)
# Counts only grow. Where Valkey was emptied within the hour, what the record has already stays.
_WRITE = f"""
INSERT INTO recommendations_sourcehour (key_id, hour, {", ".join(_FIELDS)})
SELECT key.id, %s, {", ".join(f"sent.{name}" for name in _FIELDS)}
FROM unnest(%s::bigint[], {", ".join(["%s::int[]"] * len(_FIELDS))}) AS sent(key, {", ".join(_FIELDS)})
JOIN recommendations_apikey key ON key.id = sent.key
ON CONFLICT (key_id, hour) DO UPDATE SET
{", ".join(f"{name} = greatest(recommendations_sourcehour.{name}, excluded.{name})" for name in _FIELDS)}
"""  # noqa: S608 - names of our own


def write_source_hours(*, now: datetime) -> int:
    """Write what Valkey has of the hours since the last that was written; how many hours of keys."""
    this = int(now.timestamp()) // HOUR * HOUR
    last = SourceHour.objects.aggregate(Max("hour"))["hour__max"]
    since = max(this - SOURCES.seconds, int(last.timestamp()) - HOUR if last else 0)
    return sum(_write(hour, sent) for hour, sent in sent_in(range(since, this + HOUR, HOUR)).items())


def usual_hours(hour: datetime) -> list[datetime]:
    """Hours that are usual for this one: the same of the week, in the weeks before."""
    return [hour - timedelta(weeks=week) for week in range(1, WEEKS + 1)]


class UsualNewcomers:
    """New people that a key usually brings in an hour, asked once an hour and kept."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[int, float]] = {}

    def at(self, key: int, moment: float) -> float:
        """Median of this hour of the week over four weeks, as far as the key sent anything; 0 where it never did."""
        hour = int(moment) // HOUR
        known = self._known.get(key)
        if known is None or known[0] != hour:
            hours = usual_hours(datetime.fromtimestamp(hour * HOUR, UTC))
            counts = SourceHour.objects.filter(key=key, hour__in=hours).values_list("new_people", flat=True)
            known = self._known[key] = hour, median(counts or [0])
        return known[1]


def _write(hour: int, sent: Mapping[int, Mapping[str, int]]) -> int:
    columns = [[counts.get(name, 0) for counts in sent.values()] for name in _FIELDS]
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, [datetime.fromtimestamp(hour, UTC), list(sent), *columns])
        return int(cursor.rowcount)
