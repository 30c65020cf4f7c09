"""``manage.py run_loop``: what it says of a version that went live, of one held back, of a run that is not its own."""

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from io import StringIO
from pathlib import Path
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from psycopg_pool import PoolTimeout

from recommendations.management.commands import run_loop as command
from recommendations.models import Import, ModelVersion, Run, RunLogLine
from recommendations.services.operations.patience import PATIENCE, patient_connections
from recommendations.services.operations.runs import start_run
from recommendations.store.advisory_lock import advisory_lock
from recommendations.terms import RunStatus, VersionStatus


def test_a_run_waits_longer_for_a_connection_than_a_request(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = []

    def ended(run_id: UUID, *, clock: Callable[[], datetime]) -> RunStatus:
        waits.append(connection.pool.timeout)
        Run.objects.filter(pk=run_id).update(status=RunStatus.FAILED, finished_at=clock())
        return RunStatus.FAILED

    monkeypatch.setattr(command, "run_loop", ended)
    before = connection.pool.timeout
    with pytest.raises(CommandError):
        call_command("run_loop")
    assert waits == [PATIENCE]
    assert connection.pool.timeout == before < 1


def test_a_run_waits_for_a_connection_that_is_free_later(transactional_db: None) -> None:
    """All connections of the process are taken for longer than a request would wait."""
    connection.close()
    pool, taken = connection.pool, []
    with suppress(PoolTimeout):
        while True:
            taken.append(pool.getconn(timeout=0.2))
    timer = threading.Timer(2 * pool.timeout, lambda: [pool.putconn(each) for each in taken])
    timer.start()
    try:
        with patient_connections(), connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        timer.join()


@pytest.mark.parametrize("name", ["import_items", "import_events", "import_promotions", "run_loop"])
def test_before_migrate_it_is_what_is_asked_for(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    file = tmp_path / "file.csv"
    file.write_text(
        "item_id,title,name,timestamp,user_id,week,display\nA1,Shoe,search,2026-08-01T12:00:00Z,u1,2026-08-03,1\n"
    )
    with monkeypatch.context() as patch:
        for model in (Import, Run):
            patch.setattr(model._meta, "db_table", "a_table_that_migrate_would_make")
        with pytest.raises(CommandError, match=r"Run first: manage\.py migrate"):
            call_command(name, *([] if name == "run_loop" else [str(file)]))


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
