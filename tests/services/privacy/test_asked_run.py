"""A run that is to learn without somebody begins, also where one is under way that read its events before."""

from datetime import timedelta

import pytest
from django.test import TestCase
from django.utils import timezone

from recommendations import tasks
from recommendations.models import ModelVersion, PrivacyRequest, Run, Staff
from recommendations.services.operations import runs
from recommendations.services.operations.jobs import watch_jobs
from recommendations.services.privacy import closing
from recommendations.store import jobs
from recommendations.store.jobs import LOST_AFTER
from recommendations.terms import Role, RunStatus, Stage, VersionStatus
from tests.analytics.pages.privacy.asking import erased

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture
def admin() -> Staff:
    return Staff.objects.create_user("ada@example.com", "a long password", role=Role.ADMIN)


@pytest.fixture(autouse=True)
def live() -> ModelVersion:
    """The model that serves has learned of everybody."""
    run = Run.objects.create(now=NOW, status=RunStatus.SUCCEEDED, started_at=NOW - timedelta(days=1), finished_at=NOW)
    return ModelVersion.objects.create(run=run, is_live=True, status=VersionStatus.READY)


def run_under_way(*, read: bool = True) -> Run:
    """A run that a worker is at, which has ``read`` its events or has yet to."""
    run = runs.start_run(by=None, now=NOW, in_worker=False)
    Run.objects.filter(pk=run.pk).update(status=RunStatus.RUNNING, started_at=timezone.now())
    if read:
        run.stages.filter(stage=Stage.PREPROCESS).update(started_at=timezone.now(), status=RunStatus.SUCCEEDED)
    ModelVersion.objects.create(run=run)
    run.refresh_from_db()
    return run


def begun() -> list[Run]:
    """What the watch of every minute begins."""
    before = set(Run.objects.values_list("pk", flat=True))
    closing.close_erasures(timezone.now())
    return list(Run.objects.exclude(pk__in=before))


def test_one_begins_at_once_where_none_is_under_way(admin: Staff) -> None:
    request = erased()
    run = closing.ask_for_run(request, by=admin, now=timezone.now())
    assert run is not None
    assert (run.status, run.started_by) == (RunStatus.QUEUED, admin)
    assert closing.ask_for_run(request, by=admin, now=timezone.now()) == run  # which has yet to read
    assert begun() == []


def test_one_follows_that_which_read_before_the_erasure(admin: Staff) -> None:
    before, request = run_under_way(), erased()
    assert closing.ask_for_run(request, by=admin, now=timezone.now()) is None
    assert closing.ask_for_run(request, by=None, now=timezone.now()) is None  # asked twice
    assert begun() == []  # only one runs at a time

    jobs.finish(before, RunStatus.FAILED, now=timezone.now())
    [run] = begun()
    assert (run.status, run.started_by) == (RunStatus.QUEUED, admin)
    assert begun() == []
    jobs.finish(run, RunStatus.FAILED, now=timezone.now())
    assert begun() == []  # it was asked for once


def test_another_that_began_since_is_enough(admin: Staff) -> None:
    before, request = run_under_way(), erased()
    closing.ask_for_run(request, by=admin, now=timezone.now())
    jobs.finish(before, RunStatus.CANCELLED, now=timezone.now())
    another = run_under_way()
    assert begun() == []
    jobs.finish(another, RunStatus.FAILED, now=timezone.now())
    assert begun() == []


def test_it_serves_all_who_wait_for_it(admin: Staff) -> None:
    before, both = run_under_way(), [erased(), erased()]
    for request in both:
        closing.ask_for_run(request, by=admin, now=timezone.now())
    jobs.finish(before, RunStatus.FAILED, now=timezone.now())
    assert [len(begun()), len(begun())] == [1, 0]


def test_it_is_begun_and_noted_or_neither(admin: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    before, request = run_under_way(), erased()
    closing.ask_for_run(request, by=admin, now=timezone.now())
    jobs.finish(before, RunStatus.FAILED, now=timezone.now())
    with monkeypatch.context() as killed:
        killed.setattr(PrivacyRequest.objects, "bulk_update", lambda *_args: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            begun()
    assert not Run.objects.unfinished().exists()
    [run] = begun()
    assert run in watch_jobs(now=timezone.now() + 2 * LOST_AFTER)  # where its message was lost


def test_the_run_of_the_night_follows_where_it_could_not_begin() -> None:
    before, request = run_under_way(), erased()
    with TestCase.captureOnCommitCallbacks():
        tasks.start_daily_run()
    jobs.finish(before, RunStatus.FAILED, now=timezone.now())
    [run] = begun()
    assert run.started_by is None
    assert "run_by" not in PrivacyRequest.objects.get(pk=request.pk).options


def test_the_run_of_the_night_is_one_where_nothing_is_under_way() -> None:
    erased()
    tasks.start_daily_run()
    assert Run.objects.unfinished().count() == 1
    assert begun() == []
