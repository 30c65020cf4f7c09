"""Sources of events: what each API key sent in the last four weeks, and the hours in which it sent far more than usual.

Usual is the median of the same hour of the week over the four weeks before, as far as the key was in use.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import ceil
from statistics import median
from typing import NamedTuple

from django.core.cache import cache
from django.db.models import Count, Exists, FilteredRelation, OuterRef, Q
from django.utils import timezone

from recommendations.event_types import EventName
from recommendations.models import ApiKey, Event, SourceHour
from recommendations.terms import Trust

PERIOD = timedelta(days=28)
WEEKS = 4
TIMES = 5  # what is usual: beyond it an hour is unusual
QUIET = 600  # lines; an hour with fewer is never unusual
LEVELS = 4
STRIP_DAYS = 7
NAMED = 5  # unusual hours that are named
CONFIRMED_KEPT = 60  # seconds


class SentHour(NamedTuple):
    """What a key sent in an hour, as ``SourceHour`` has it."""

    hour: datetime
    lines: int
    people: int
    new_people: int
    purchases: int
    not_kept: int
    crawled: int
    unproven: int
    ignored: int
    waiting: int
    refused: int

    @property
    def new_share(self) -> float:
        return min(1.0, self.new_people / self.people) if self.people else 0.0


class UnusualHour(NamedTuple):
    """An hour with far more lines than usual."""

    sent: SentHour
    usual: float

    @property
    def times(self) -> float | None:
        """How many times what is usual; None where usually nothing comes."""
        return self.sent.lines / self.usual if self.usual else None


@dataclass(frozen=True)
class StripCell:
    """An hour of the strip; ``level`` 0: nothing came, ``LEVELS``: as much as in the busiest of the usual hours."""

    hour: int
    at: datetime
    lines: int
    level: int
    unusual: bool


@dataclass(frozen=True)
class KeySource:
    """A key, what it sent in the period, and a strip of its last seven days, the oldest first."""

    key: ApiKey
    sent: Sequence[SentHour]
    confirmed: float | None  # share of the purchases; None where there are none
    unusual: Sequence[UnusualHour]  # the newest first
    is_young: bool  # too young to tell what is usual
    strip: Sequence[tuple[date, Sequence[StripCell]]]

    @property
    def totals(self) -> dict[str, int]:
        """Sums of the counts over the period."""
        return {name: sum(getattr(hour, name) for hour in self.sent) for name in _COUNTS}

    @property
    def most_people(self) -> int:
        return max((hour.people for hour in self.sent), default=0)


class KeyDay(NamedTuple):
    """The last day of a key, for alerts."""

    key: ApiKey
    worst: UnusualHour | None
    nameless: int  # events taken without a name, as too many new people came
    unproven: int  # events that named a customer without a valid proof


_COUNTS = (
    "lines", "people", "new_people", "purchases", "not_kept", "crawled", "unproven", "ignored", "waiting", "refused",
)  # fmt: skip
_FIELDS = ("hour", *_COUNTS)


def key_days(*, now: datetime) -> Iterator[KeyDay]:
    """The last day of every valid key, in one query."""
    recent = [_hour_of(now) - timedelta(hours=ago) for ago in range(24)]
    asked = [hour - timedelta(weeks=week) for hour in recent for week in range(WEEKS + 1)]
    rows = (
        ApiKey.objects.valid()
        .annotate(sent=FilteredRelation("hours", condition=Q(hours__hour__in=asked)))
        .order_by("pk", "sent__hour")
        .values_list("pk", "name", "prefix", "seen_in_page_at", "created_at", *(f"sent__{name}" for name in _FIELDS))
    )
    keys: dict[int, tuple[ApiKey, list[SentHour]]] = {}
    for pk, name, prefix, seen, created, *sent in rows:
        key = ApiKey(pk=pk, name=name, prefix=prefix, seen_in_page_at=seen, created_at=created)
        hours = keys.setdefault(pk, (key, []))[1]
        if sent[0] is not None:
            hours.append(SentHour(*sent))
    for key, hours in keys.values():
        day = [hour for hour in hours if hour.hour >= recent[-1]]
        worst = max(unusual_hours(key, hours, among=day), key=lambda each: each.sent.lines, default=None)
        yield KeyDay(key, worst, sum(hour.not_kept for hour in day), sum(hour.unproven for hour in day))


def unusual_hours(key: ApiKey, hours: Sequence[SentHour], *, among: Sequence[SentHour]) -> list[UnusualHour]:
    """Hours ``among`` those given with far more than the weeks before; none where the key is too young to tell."""
    lines = {each.hour: each.lines for each in hours}
    far = []
    for each in among:
        weeks = [each.hour - timedelta(weeks=week) for week in range(1, WEEKS + 1)]
        known = [lines.get(week, 0) for week in weeks if week >= _hour_of(key.created_at)]
        if known and each.lines >= max(QUIET, TIMES * median(known)):
            far.append(UnusualHour(each, median(known)))
    return far


def sources(*, now: datetime) -> list[KeySource]:
    """Every key that is valid or sent something in the period, the busiest first."""
    sent: dict[int, list[SentHour]] = {}
    rows = SourceHour.objects.filter(hour__gt=now - 2 * PERIOD).order_by("hour").values_list("key", *_FIELDS)
    for key, *hour in rows:
        sent.setdefault(key, []).append(SentHour(*hour))
    keys = ApiKey.objects.valid() | ApiKey.objects.filter(pk__in=sent)
    shares = confirmed_shares(now=now)
    every = [_source(key, sent.get(key.pk, ()), shares.get(key.pk), now=now) for key in keys.distinct()]
    return sorted(every, key=lambda source: -source.totals["lines"])


def confirmed_shares(*, now: datetime) -> Mapping[int, float]:
    """Share of the lines of purchases of each key of which a server told as well; what a server sends is confirmed."""
    shares: Mapping[int, float] = cache.get_or_set("sources/confirmed", lambda: _shares(now), CONFIRMED_KEPT) or {}
    return shares


def _shares(now: datetime) -> dict[int, float]:
    bought = Event.objects.filter(name=EventName.PURCHASE, occurred_at__gt=now - PERIOD)
    same = bought.filter(trust__gte=Trust.SERVER, transaction_id=OuterRef("transaction_id"), item=OuterRef("item"))
    confirmed = Q(Q(trust__gte=Trust.SERVER) | Q(Exists(same)))
    rows = bought.filter(key_id__isnull=False).order_by().values("key_id").annotate(lines=Count("*"))
    counted = rows.annotate(sure=Count("event_id", filter=confirmed)).values_list("key_id", "lines", "sure")
    return {key: sure / lines for key, lines, sure in counted if key is not None}


def _source(key: ApiKey, hours: Sequence[SentHour], confirmed: float | None, *, now: datetime) -> KeySource:
    recent = [hour for hour in hours if hour.hour > now - PERIOD]
    unusual = unusual_hours(key, hours, among=recent)[::-1]
    strip = _strip(recent, {each.sent.hour for each in unusual}, now=now)
    return KeySource(key, recent, confirmed, unusual, key.created_at > now - timedelta(weeks=1), strip)


def _strip(hours: Sequence[SentHour], unusual: set[datetime], *, now: datetime) -> list[tuple[date, list[StripCell]]]:
    today = timezone.localdate(now)
    days: dict[date, list[StripCell]] = {today - timedelta(days=ago): [] for ago in reversed(range(STRIP_DAYS))}
    shown = [(timezone.localtime(each.hour), each) for each in hours]
    shown = [(local, each) for local, each in shown if local.date() in days]
    most = max((each.lines for _local, each in shown if each.hour not in unusual), default=0)
    for local, each in shown:
        level = min(LEVELS, ceil(LEVELS * each.lines / most)) if most else 0
        days[local.date()].append(StripCell(local.hour, each.hour, each.lines, level, each.hour in unusual))
    return list(days.items())


def _hour_of(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)
