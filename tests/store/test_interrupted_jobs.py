"""Jobs whose worker is gone are seen by their locks, all of them over one connection."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.backends.postgresql.base import DatabaseWrapper
from django.utils import timezone

from recommendations.models import PrivacyRequest
from recommendations.privacy_terms import RequestKind
from recommendations.store import jobs
from recommendations.store.advisory_lock import advisory_lock
from recommendations.terms import RunStatus

pytestmark = pytest.mark.django_db
NOW = timezone.now()
LONG_AGO = NOW - 2 * jobs.LOST_AFTER


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[DatabaseWrapper]:
    """Connections that are opened for locks."""
    made, copy = list[DatabaseWrapper](), DatabaseWrapper.copy

    def counted(self: DatabaseWrapper, *args: Any, **kwargs: Any) -> DatabaseWrapper:
        made.append(copy(self, *args, **kwargs))
        return made[-1]

    monkeypatch.setattr(DatabaseWrapper, "copy", counted)
    return made


def job(status: RunStatus, *, old: bool = True) -> PrivacyRequest:
    stored = PrivacyRequest.objects.create(
        kind=RequestKind.ERASE, status=status, subject=b"s" * 32, asked_for=b"a" * 32, due_at=NOW
    )
    PrivacyRequest.objects.filter(pk=stored.pk).update(created_at=LONG_AGO if old else NOW - timedelta(seconds=1))
    return stored


def test_those_whose_worker_is_gone_or_whose_message_was_lost_are_found(
    opened: list[DatabaseWrapper], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "AT_ONCE", 10)
    gone, lost = job(RunStatus.RUNNING, old=False), [job(RunStatus.QUEUED), job(RunStatus.INTERRUPTED)]
    alive, new = job(RunStatus.RUNNING), job(RunStatus.QUEUED, old=False)
    for status in (RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.CANCELLED):
        job(status)
    lost += [job(RunStatus.QUEUED) for _ in range(20)]
    with advisory_lock(alive.lock) as mine:
        assert mine
        opened.clear()
        found = jobs.interrupted(PrivacyRequest, now=NOW)
    assert {each.pk for each in found} == {each.pk for each in (gone, *lost)}
    assert len(found) == 23
    assert len(opened) == 3
    states = dict(PrivacyRequest.objects.values_list("pk", "status"))
    assert (states[gone.pk], states[alive.pk], states[new.pk]) == (
        RunStatus.INTERRUPTED, RunStatus.RUNNING, RunStatus.QUEUED,
    )  # fmt: skip
    with advisory_lock(gone.lock) as free:
        assert free


def test_where_nothing_is_open_nothing_is_opened(opened: list[DatabaseWrapper]) -> None:
    job(RunStatus.SUCCEEDED)
    assert jobs.interrupted(PrivacyRequest, now=NOW) == []
    assert opened == []
