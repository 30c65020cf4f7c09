"""Alerts name what is wrong and where to look."""

import pytest

from analytics.queries.layout import read_frame
from analytics.queries.overview.alerts import alerts
from analytics.queries.overview.summary import Answers
from demo.models import Replay
from recommendations.models import Evaluation, Measurement, ModelVersion
from recommendations.terms import Cut, MeasuredKind, RunStatus, Task
from tests.analytics import records

pytestmark = pytest.mark.django_db
NOBODY = Answers(total=0, personalised=0, fallback=0, p50_ms=None, p95_ms=None, groups=[], replayed=0, lengths={})


def measured(*, coverage: float) -> None:
    version = ModelVersion.objects.create(run=records.run())
    run = Evaluation.objects.create(
        version=version,
        cut=Cut.TEST,
        task=Task.HOME,
        window_start=records.SPLIT,
        window_end=records.NOW,
        users=9,
        seed=1,
    )
    figures = {"coverage@10": {"value": coverage, "low": coverage, "high": coverage}}
    Measurement.objects.create(evaluation=run, name="hybrid", kind=MeasuredKind.HYBRID, metrics=figures)


def told(answers: Answers = NOBODY) -> list[tuple[str, str, str]]:
    return [(a.level, a.text, a.address) for a in alerts(read_frame(), None, answers, now=records.NOW)]


def test_falling_coverage() -> None:
    measured(coverage=0.10)
    assert told() == []  # nothing to compare with
    measured(coverage=0.09)
    assert told() == []  # within what is usual
    measured(coverage=0.05)
    assert told() == [
        ("warning", "Coverage fell from 9.0% to 5.0% of the catalogue with the last run. See Quality.", "/quality/")
    ]


def test_stale_events_and_fallbacks() -> None:
    records.event(records.customer("u"), records.item("tea"), days_ago=5)
    answers = Answers(total=10, personalised=0.5, fallback=0.5, p50_ms=1, p95_ms=2, groups=[], replayed=0, lengths={})
    assert told(answers) == [
        ("warning", "No event for 5 days. Is the shop still sending?", "/events/"),
        ("warning", "50% of the answers did not come from the model. The reasons stand below.", ""),
    ]


def test_a_replay_that_goes_on_raises_no_alert_of_stale_events() -> None:
    records.event(records.customer("u"), records.item("tea"), days_ago=5)
    replay = Replay.objects.create(starts_at=records.NOW, shift_weeks=0, status=RunStatus.RUNNING)
    assert told() == []
    replay.status = RunStatus.SUCCEEDED
    replay.save()
    assert [text for _, text, _ in told()] == ["No event for 5 days. Is the shop still sending?"]
