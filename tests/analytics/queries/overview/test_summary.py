"""Figures of the overview against rows made by hand."""

import uuid
from datetime import date, timedelta

import pytest

from analytics.queries.overview import summary as query
from analytics.templatetags.words import fallback_label, source_label
from recommendations.event_types import EventName
from recommendations.models import Slate
from recommendations.store.events.partitions import prepare_partitions
from recommendations.terms import Fallback, Source
from tests.analytics import records

pytestmark = pytest.mark.django_db


def test_arrivals_by_day_and_kind_against_the_period_before() -> None:
    one, two, thing = records.customer("a"), records.customer("b"), records.item("i")
    records.event(one, thing, days_ago=0)
    records.event(one, thing, days_ago=0, name=EventName.VIEW_ITEM)
    records.event(one, thing, days_ago=6)
    records.event(one, thing, days_ago=7)  # the period before begins here
    records.event(two, thing, days_ago=13)
    records.event(two, thing, days_ago=14)  # and ends here
    arrivals = query.arrivals(newest=records.NOW, days=7)
    assert [(day.day, day.name, day.count) for day in arrivals.days] == [
        (date(2026, 9, 9), "purchase", 1), (date(2026, 9, 15), "purchase", 1), (date(2026, 9, 15), "view_item", 1),
    ]  # fmt: skip
    assert (arrivals.events, arrivals.events_before) == (3, 2)
    assert (arrivals.customers, arrivals.customers_before) == (1, 2)
    assert arrivals.start.date() == date(2026, 9, 9)


def served(*, hours_ago: float, source: Source, reason: Fallback | None, personalised: bool, latency_us: int) -> None:
    at = records.NOW - timedelta(hours=hours_ago)
    prepare_partitions(at, at)
    Slate.objects.create(
        served_at=at, recommendation_id=uuid.uuid4().hex, placement="home", source=source, personalised=personalised,
        fallback_reason=reason or "", items=[], scores=[], propensities=[], latency_us=latency_us,
    )  # fmt: skip


def test_answers_with_fallbacks_and_latency() -> None:
    for latency in (1000, 2000, 3000):
        served(hours_ago=1, source=Source.MODEL, reason=None, personalised=True, latency_us=latency)
    served(hours_ago=1, source=Source.POPULAR, reason=Fallback.NO_HISTORY, personalised=False, latency_us=4000)
    served(hours_ago=30, source=Source.POPULAR, reason=Fallback.NO_MODEL, personalised=False, latency_us=9_000_000)
    answers = query.answers(since=records.NOW - timedelta(days=1))
    assert (answers.total, answers.personalised, answers.fallback) == (4, 0.75, 0.25)
    assert query.speed(since=records.NOW - timedelta(days=1)) == pytest.approx((2.5, 3.85))  # between those, by hand
    assert answers.groups == [((Source.MODEL, ""), 3), ((Source.POPULAR, Fallback.NO_HISTORY), 1)]
    assert [(source_label(source), reason and fallback_label(reason)) for (source, reason), _ in answers.groups] == [
        ("Model", ""), ("Popular items", "Nothing known about the customer"),
    ]  # fmt: skip


def test_no_answers_yet() -> None:
    empty = query.answers(since=records.NOW)
    assert (empty.total, empty.personalised, empty.fallback, empty.groups) == (0, 0, 0, [])
    assert query.speed(since=records.NOW) is None


def test_answers_of_the_shop_and_of_the_replay_are_told_apart() -> None:
    served(hours_ago=1, source=Source.MODEL, reason=None, personalised=True, latency_us=1000)
    served(hours_ago=1, source=Source.MODEL, reason=None, personalised=True, latency_us=1000)
    first = Slate.objects.first()
    assert first is not None
    Slate.objects.filter(pk=first.pk).update(replay=True)
    Slate.objects.filter(replay=False).update(items=[1, 2, 3])
    answers = query.answers(since=records.NOW - timedelta(days=1))
    assert (answers.total, answers.replayed, answers.lengths) == (2, 1, {"home": {3: 1}})
