"""``manage.py run_loop``: what it says of a version that went live, of one held back, of a run that is not its own."""

from collections.abc import Callable
from datetime import datetime
from io import StringIO
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from recommendations.management.commands import run_loop as command
from recommendations.models import ModelVersion, Run, RunLogLine
from recommendations.services.operations.runs import start_run
from recommendations.store.advisory_lock import advisory_lock
from recommendations.terms import RunStatus, VersionStatus


def test_a_run_of_another_process_is_left_alone_and_its_log_is_not_told(transactional_db: None) -> None:
    run, said = start_run(by=None, now=timezone.now(), in_worker=False), StringIO()
    RunLogLine.objects.create(run=run, text="1,000 events read")
    Run.objects.filter(pk=run.pk).update(status=RunStatus.RUNNING)
    with advisory_lock(run.lock), pytest.raises(CommandError, match="runs elsewhere"):
        call_command("run_loop", stdout=said)
    assert said.getvalue() == ""


@pytest.mark.parametrize(("live", "words"), [(True, "is live."), (False, "is ready, and not live: ")])
def test_a_version_that_was_held_back_is_not_called_live(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch, live: bool, words: str
) -> None:
    """The loop itself is in the place of one that ends so, which the tests of its gate bring about."""

    def ended(run_id: UUID, *, clock: Callable[[], datetime]) -> RunStatus:
        run = Run.objects.get(pk=run_id)
        ModelVersion.objects.create(run=run, status=VersionStatus.READY, is_live=live)
        RunLogLine.objects.create(run=run, text="1,000 events read")
        Run.objects.filter(pk=run_id).update(status=RunStatus.SUCCEEDED, finished_at=clock())
        return RunStatus.SUCCEEDED

    monkeypatch.setattr(command, "run_loop", ended)
    said = StringIO()
    call_command("run_loop", stdout=said)
    version = ModelVersion.objects.get()
    assert "    1,000 events read\n" in said.getvalue()
    assert f"Model {version} {words}" in said.getvalue()


def test_stages_and_log_are_told_in_the_order_of_their_time(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended(run_id: UUID, *, clock: Callable[[], datetime]) -> RunStatus:
        run = Run.objects.get(pk=run_id)
        ModelVersion.objects.create(run=run, status=VersionStatus.READY, is_live=True)
        for number, stage in enumerate(run.stages.order_by("position")[:3]):
            RunLogLine.objects.create(run=run, text=f"said {number}")
            at = clock()
            run.stages.filter(pk=stage.pk).update(status=RunStatus.SUCCEEDED, started_at=at, finished_at=at)
        Run.objects.filter(pk=run_id).update(status=RunStatus.SUCCEEDED, finished_at=clock())
        return RunStatus.SUCCEEDED

    monkeypatch.setattr(command, "run_loop", ended)
    said = StringIO()
    call_command("run_loop", stdout=said)
    words = [line.split()[0] for line in said.getvalue().splitlines()]
    assert words == ["said", "Collect", "said", "Preprocess", "said", "Interests", "Model"]
