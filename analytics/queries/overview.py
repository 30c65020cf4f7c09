"""Is it any good, what came in, what was answered, what is missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max, Min, Q
from django.db.models.functions import TruncDate
from django.utils import timezone

from analytics.charts.overview import DayCount, Dot
from analytics.queries.percentile import Percentile
from analytics.queries.words import label, measured_label
from recommendations import wording
from recommendations.models import ApiKey, Event, Measurement, Slate
from recommendations.terms import Cut, MeasuredKind, Task

MAIN_METRIC = "ndcg@10"
COVERAGE = "coverage@10"
HYBRID = "hybrid"
AGAINST = ("personal_frequency", "popular")
PERIODS = (7, 28, 91)  # days


@dataclass(frozen=True, kw_only=True)
class Row:
    """A recommender, the hybrid or a baseline, with everything that was measured of it."""

    name: str
    words: str
    kind: MeasuredKind
    metrics: Mapping[str, Mapping[str, float]]
    fit_seconds: float | None

    @property
    def main(self) -> Mapping[str, float]:
        return self.metrics[MAIN_METRIC]

    @property
    def ours(self) -> bool:
        return self.kind is MeasuredKind.HYBRID


@dataclass(frozen=True, kw_only=True)
class Quality:
    """The table of one task on the test window of the live model, the best first."""

    task: Task
    words: str
    users: int
    split_at: datetime
    days: int
    rows: Sequence[Row]

    @property
    def hybrid(self) -> Row | None:
        return self._named(HYBRID)

    @property
    def personal(self) -> Row | None:
        return self._named(AGAINST[0])

    @property
    def popular(self) -> Row | None:
        return self._named(AGAINST[1])

    @property
    def dots(self) -> list[Dot]:
        """The hybrid against what needs no model."""
        chosen = [row for row in (self.hybrid, self.personal, self.popular) if row]
        return [
            Dot(words=row.words, value=row.main["value"], low=row.main["low"], high=row.main["high"], ours=row.ours)
            for row in chosen
        ]

    def gain(self, other: Row | None) -> float | None:
        """How much better the hybrid is, as a share of the other."""
        if other is None or self.hybrid is None or not other.main["value"]:
            return None
        return self.hybrid.main["value"] / other.main["value"] - 1

    @property
    def over_popular(self) -> float | None:
        return self.gain(self.popular)

    @property
    def over_personal(self) -> float | None:
        return self.gain(self.personal)

    def _named(self, name: str) -> Row | None:
        return next((row for row in self.rows if row.name == name), None)


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
    reason: str
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


def qualities() -> dict[Task, Quality]:
    """What the live model's turn measured on its test window; empty before the first turn has finished."""
    measured = Measurement.objects.filter(run__cut=Cut.TEST, run__version__is_live=True).select_related("run")
    by_task: dict[Task, list[Measurement]] = {}
    for row in measured:
        by_task.setdefault(Task(row.run.task), []).append(row)
    return {task: _quality(task, by_task[task]) for task in Task if task in by_task}


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


def _quality(task: Task, measured: list[Measurement]) -> Quality:
    run = measured[0].run
    rows = [
        Row(
            name=row.name,
            words=measured_label(row.name),
            kind=MeasuredKind(row.kind),
            metrics=row.metrics,
            fit_seconds=row.fit_seconds,
        )
        for row in measured
    ]
    return Quality(
        task=task,
        words=label(wording.TASKS, task),
        users=run.users,
        split_at=run.window_start,
        days=(run.window_end - run.window_start).days,
        rows=sorted(rows, key=lambda row: -row.main["value"]),
    )
