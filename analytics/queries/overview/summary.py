"""Figures of the overview: events that came in, answers, and what is missing."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max, Min, Q
from django.db.models.functions import TruncDate
from django.utils import timezone

from analytics.charts.overview import DayCount
from analytics.queries.percentile import Percentile
from analytics.templatetags.words import label
from recommendations.models import Event, Slate
from recommendations.wording import labels

PERIODS = (7, 28, 91)  # days


@dataclass(frozen=True, kw_only=True)
class Arrivals:
    """What came in during the period, against the one before it."""

    start: datetime
    end: datetime
    days: Sequence[DayCount]
    events: int
    events_before: int
    customers: int
    customers_before: int
    replayed: int  # of the events


@dataclass(frozen=True, kw_only=True)
class Answers:
    total: int
    personalised: float
    fallback: float
    groups: Sequence[tuple[tuple[str, str], int]]  # source and fallback reason, answers
    replayed: int  # of the total
    lengths: Mapping[str, Mapping[int, int]]  # placement → number of items → the shop's answers, without the replay's


def arrivals(*, newest: datetime, days: int) -> Arrivals:
    """Events of whole days of the shop, the last of them that of the newest event."""
    last = timezone.localtime(newest).replace(hour=0, minute=0, second=0, microsecond=0)
    end = last + timedelta(days=1)
    start, before = end - timedelta(days=days), end - timedelta(days=2 * days)
    both = Event.objects.between(before, end)
    by_day = (
        both.annotate(day=TruncDate("occurred_at"))
        .values("day", "name")
        .annotate(count=Count("*"), replayed=Count("name", filter=Q(source="replay")))
        .order_by("day", "name")
    )
    replayed = sum(row["replayed"] for row in by_day if row["day"] >= start.date())
    counts = [(row["day"], row["name"], row["count"]) for row in by_day]
    spans = both.exclude(customer=None).values("customer").annotate(first=Min("occurred_at"), last=Max("occurred_at"))
    active = spans.aggregate(
        now=Count("customer", filter=Q(last__gte=start)), before=Count("customer", filter=Q(first__lt=start))
    )
    return Arrivals(
        start=start,
        end=last,
        days=[
            DayCount(day=day, name=name, words=label(labels.EVENT_NAMES, name), count=count)
            for day, name, count in counts
            if day >= start.date()
        ],
        events=sum(count for day, _, count in counts if day >= start.date()),
        events_before=sum(count for day, _, count in counts if day < start.date()),
        customers=active["now"],
        customers_before=active["before"],
        replayed=replayed,
    )


def answers(*, since: datetime) -> Answers:
    rows = (
        Slate.objects.filter(served_at__gte=since)
        .values("source", "fallback_reason", "placement", "replay", "items__len")
        .annotate(answers=Count("*"), personal=Count("recommendation_id", filter=Q(personalised=True)))
        .order_by()
    )
    groups: Counter[tuple[str, str]] = Counter()
    lengths: dict[str, Counter[int]] = {}
    personal = replayed = 0
    for row in rows:
        groups[row["source"], row["fallback_reason"]] += row["answers"]
        personal += row["personal"]
        if row["replay"]:
            replayed += row["answers"]
        else:
            lengths.setdefault(row["placement"], Counter())[row["items__len"] or 0] += row["answers"]
    total = groups.total()
    return Answers(
        total=total,
        personalised=personal / total if total else 0,
        fallback=sum(count for (_, reason), count in groups.items() if reason) / total if total else 0,
        groups=groups.most_common(),
        replayed=replayed,
        lengths=lengths,
    )


def speed(*, since: datetime) -> tuple[float, float] | None:
    """Milliseconds within which half and 95 % of the answers were made; None without answers."""
    within = {name: Percentile("latency_us", share=share) for name, share in (("half", 0.5), ("most", 0.95))}
    taken = Slate.objects.filter(served_at__gte=since).aggregate(**within)
    return None if taken["half"] is None else (taken["half"] / 1000, taken["most"] / 1000)
