"""Runs with their stages, and the change of each against the run before it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from analytics.queries.runs import history as query
from analytics.templatetags.words import stage_label, stage_seconds
from recommendations.models import Run, RunLogLine, RunStage
from recommendations.terms import MeasuredKind, RunStatus, Stage, Task
from tests.analytics import records

pytestmark = pytest.mark.django_db


def reached(value: float, *, days_ago: float, baseline: float) -> None:
    """A run whose hybrid and baseline reach these, ± .01 of their difference."""
    run = records.run(created=records.NOW - timedelta(days=days_ago))
    kinds = {("hybrid", MeasuredKind.HYBRID): value, ("personal_frequency", MeasuredKind.BASELINE): baseline}
    records.compared(
        records.measured(records.version(run, live=False), Task.HOME, kinds), {"personal_frequency": baseline - value}
    )


def test_runs_are_newest_first_by_their_distance_to_the_best_simple_list() -> None:
    reached(0.44, days_ago=3, baseline=0.40)
    records.run(created=records.NOW - timedelta(days=2), status=RunStatus.FAILED, done=2)
    reached(0.33, days_ago=1, baseline=0.30)  # harder weeks for both: as far ahead as before
    _page, runs = query.runs(page=1)
    assert [run.record.status for run in runs] == ["succeeded", "failed", "succeeded"]
    assert [run.home and run.home.words for run in runs] == [
        "10.0% more accurate than what they always buy", None, "10.0% more accurate than what they always buy",
    ]  # fmt: skip
    assert [run.home and run.home.before_words for run in runs] == [
        "10.0% more accurate than what they always buy",
        None,
        "",
    ]
    assert [run.discover for run in runs] == [None] * 3
    newest = query.run(runs[0].record.pk)
    assert newest is not None
    assert newest.home is not None
    assert newest.home.before_words == "10.0% more accurate than what they always buy"
    assert (newest.home.ours, newest.home.theirs) == (pytest.approx(0.33 / 0.44 - 1), pytest.approx(0.30 / 0.40 - 1))
    assert newest.home.interval_words == "95% interval: +6.7% to +13.3%."  # ± .01 of .30


def test_a_run_without_a_list_to_compare_with_claims_nothing() -> None:
    run = records.run()
    records.measured(records.version(run), Task.HOME, {("hybrid", MeasuredKind.HYBRID): 0.4})
    _page, [view] = query.runs(page=1)
    assert view.home is None


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


def test_the_time_for_which_a_run_rested_does_not_count() -> None:
    """Cancelled after three stages and resumed a quarter of an hour later, or not resumed yet."""
    now = timezone.now()
    row = records.run(created=now - timedelta(minutes=20), status=RunStatus.RUNNING, done=3)
    went_on = row.stages.get(position=4)
    RunStage.objects.filter(pk=went_on.pk).update(started_at=now - timedelta(seconds=40))
    run = query.run(row.pk)
    assert run is not None
    assert run.took is not None
    assert run.took.total_seconds() == pytest.approx(70, abs=5)  # three stages of ten seconds, and forty
    RunStage.objects.filter(pk=went_on.pk).update(started_at=None, status=RunStatus.QUEUED)
    Run.objects.filter(pk=row.pk).update(status=RunStatus.QUEUED)
    run = query.run(row.pk)
    assert run is not None
    assert run.took is not None
    assert run.took.total_seconds() == pytest.approx(30, abs=5)
