"""What came in, what was answered, what is missing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max, Min, Q
from django.db.models.functions import TruncDate
from django.utils import timezone

from analytics.charts.overview import DayCount
from analytics.queries.percentile import Percentile
from analytics.queries.words import label
from recommendations import wording
from recommendations.models import ApiKey, Event, Slate

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


@dataclass(frozen=True, kw_only=True)
class AnswerGroup:
    source: str
    source_code: str
    reason: str
    reason_code: str
    answers: int
    share: float
    is_fallback: bool


@dataclass(frozen=True, kw_only=True)
class Answers:
    total: int
    personalised: float
    fallback: float
    p50_ms: float | None
    p95_ms: float | None
    groups: Sequence[AnswerGroup]


@dataclass(frozen=True, kw_only=True)
class Checklist:
    """The way to a working installation."""

    data: bool
    run: bool
    weights: bool
    key: bool

    @property
    def done(self) -> bool:
        return self.data and self.run and self.weights and self.key


def arrivals(*, newest: datetime, days: int) -> Arrivals:
    """Whole days of the shop, the last of them that of the newest event."""
    last = timezone.localtime(newest).replace(hour=0, minute=0, second=0, microsecond=0)
    end = last + timedelta(days=1)
    start, before = end - timedelta(days=days), end - timedelta(days=2 * days)
    both = Event.objects.between(before, end)
    by_day = (
        both.annotate(day=TruncDate("occurred_at")).values("day", "name").annotate(count=Count("*")).order_by("day")
    )
    counts = [(row["day"], row["name"], row["count"]) for row in by_day]
    spans = both.exclude(customer=None).values("customer").annotate(first=Min("occurred_at"), last=Max("occurred_at"))
    active = spans.aggregate(
        now=Count("customer", filter=Q(last__gte=start)), before=Count("customer", filter=Q(first__lt=start))
    )
    return Arrivals(
        start=start,
        end=last,
        days=[
            DayCount(day=day, name=name, words=label(wording.EVENT_NAMES, name), count=count)
            for day, name, count in counts
            if day >= start.date()
        ],
        events=sum(count for day, _, count in counts if day >= start.date()),
        events_before=sum(count for day, _, count in counts if day < start.date()),
        customers=active["now"],
        customers_before=active["before"],
    )


def answers(*, since: datetime) -> Answers:
    served = Slate.objects.filter(served_at__gte=since)
    grouped = (
        served.values("source", "fallback_reason")
        .annotate(answers=Count("*"), personal=Count("recommendation_id", filter=Q(personalised=True)))
        .order_by("-answers")
    )
    rows = list(grouped)
    total = sum(row["answers"] for row in rows)
    speed = served.aggregate(p50=Percentile("latency_us", share=0.5), p95=Percentile("latency_us", share=0.95))
    return Answers(
        total=total,
        personalised=sum(row["personal"] for row in rows) / total if total else 0,
        fallback=sum(row["answers"] for row in rows if row["fallback_reason"]) / total if total else 0,
        p50_ms=None if speed["p50"] is None else speed["p50"] / 1000,
        p95_ms=None if speed["p95"] is None else speed["p95"] / 1000,
        groups=[
            AnswerGroup(
                source=label(wording.SOURCES, row["source"]),
                source_code=row["source"],
                reason_code=row["fallback_reason"],
                reason=label(wording.FALLBACKS, row["fallback_reason"]) if row["fallback_reason"] else "",
                answers=row["answers"],
                share=row["answers"] / total,
                is_fallback=bool(row["fallback_reason"]),
            )
            for row in rows
        ],
    )


def checklist(*, newest: datetime | None, model: int | None, weights: bool) -> Checklist:
    return Checklist(
        data=newest is not None, run=model is not None, weights=weights, key=ApiKey.objects.valid().exists()
    )
