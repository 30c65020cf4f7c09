"""Runs with their stages, and the change of each against the run before it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from analytics.queries.runs import history as query
from analytics.templatetags.words import stage_label, stage_seconds
from recommendations.models import RunLogLine
from recommendations.terms import MeasuredKind, RunStatus, Stage, Task
from tests.analytics import records

pytestmark = pytest.mark.django_db


def reached(value: float, *, days_ago: float) -> None:
    run = records.run(created=records.NOW - timedelta(days=days_ago))
    records.measured(records.version(run, live=False), Task.HOME, {("hybrid", MeasuredKind.HYBRID): value})


def test_runs_are_newest_first_with_the_change_against_the_run_before() -> None:
    reached(0.40, days_ago=3)
    records.run(created=records.NOW - timedelta(days=2), status=RunStatus.FAILED, done=2)
    reached(0.43, days_ago=1)
    _page, runs = query.runs(page=1)
    assert [run.record.status for run in runs] == ["succeeded", "failed", "succeeded"]
    assert [run.home and run.home["change"] for run in runs] == [pytest.approx(0.03), None, None]
    assert [run.discover for run in runs] == [None] * 3
    newest = query.run(runs[0].record.pk)
    assert newest is not None
    assert newest.home is not None
    assert newest.home["change"] == pytest.approx(0.03)
    assert (newest.home["low"], newest.home["high"]) == pytest.approx((0.42, 0.44))


def test_stages_of_a_run_that_failed() -> None:
    record = records.run(status=RunStatus.FAILED, done=4, message="It broke.")
    run = query.run(record.pk)
    assert run is not None
    assert [stage_label(stage) for stage in run.stages[3:6]] == [
        "Recommend · Tuning",
        "Recommend · Test",
        "Recommend · Live",
    ]
    assert run.current is not None
    assert (stage_label(run.current), run.current.status) == ("Recommend · Test", RunStatus.FAILED)
    assert (run.unfinished, run.may_resume) == (False, True)
    assert run.took == timedelta(seconds=90)
    assert [part.width for part in run.bar] == [20] * 5  # five stages of ten seconds


def test_the_strip_takes_the_cuts_of_a_stage_together() -> None:
    record = records.run(status=RunStatus.RUNNING, done=4, started_by=None)
    run = query.run(record.pk)
    assert run is not None
    strip = {stage.stage: (stage, seconds, headline) for stage, seconds, headline in run.strip}
    assert list(strip) == list(Stage)
    train = strip[Stage.TRAIN][0]
    assert (train.status, train.get_stage_display()) == (RunStatus.RUNNING, "Recommend")
    assert strip[Stage.COLLECT][1:] == (10, ("12", "new events"))
    assert strip[Stage.EVALUATE][1] is None
    assert run.unfinished
    assert not run.may_resume


def test_a_running_stage_is_timed_until_now() -> None:
    begun = timezone.now() - timedelta(seconds=30)
    run = query.run(records.run(created=begun, status=RunStatus.RUNNING, done=0).pk)
    assert run is not None
    assert stage_seconds(run.stages[0]) == pytest.approx(30, abs=5)
    assert run.took is not None
    assert run.took.total_seconds() == pytest.approx(30, abs=5)


def test_a_run_that_waits_has_taken_no_time() -> None:
    run = query.run(records.run(status=RunStatus.QUEUED, done=0).pk)
    assert run is not None
    assert (run.took, run.bar, run.spans) == (None, [], [])


def test_the_log_ends_with_the_newest_line() -> None:
    run = records.run()
    RunLogLine.objects.bulk_create(RunLogLine(run=run, text=f"line {n}") for n in range(query.LOG_LINES + 5))
    lines = [text for _at, text in query.log_tail(run)]
    assert (lines[0], lines[-1], len(lines)) == ("line 5", f"line {query.LOG_LINES + 4}", query.LOG_LINES)


def test_before_the_first_run_the_history_is_empty() -> None:
    page, runs = query.runs(page=1)
    assert (runs, page.paginator.count, query.last_run()) == ([], 0, None)
