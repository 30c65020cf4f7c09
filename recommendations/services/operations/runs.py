"""Start, cancel and resume a run of the loop."""

from datetime import datetime
from uuid import UUID

import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from recommendations.loop.run import plan
from recommendations.models import Run, Staff
from recommendations.services.access import audit
from recommendations.store.models import runs
from recommendations.terms import RunStatus

RUN_LOOP = "recommendations.tasks.run_loop"

log = structlog.get_logger(__name__)


class RunInProgressError(Exception):
    """Only one run is in progress at a time; ``run`` is that one."""

    def __init__(self, run: Run) -> None:
        super().__init__(f"run {run} is not over yet")
        self.run = run


class RunIsOverError(Exception):
    """The run has ended, so that it cannot be cancelled or resumed."""

    def __init__(self, run: Run) -> None:
        super().__init__(f"run {run} is over: {run.status}")
        self.run = run


@transaction.atomic
def start_run(*, by: Staff | None, now: datetime, seed: int = 0, in_worker: bool = True) -> Run:
    """Create a run as of now, which waits for a worker unless the caller runs it in its own process."""
    unfinished = Run.objects.unfinished().select_for_update().first()
    if unfinished:
        raise RunInProgressError(unfinished)
    run = Run.objects.create(now=now, seed=seed, started_by=by)
    runs.add_stages(run, plan())
    audit.record(by=by, verb="start", subject=run, after={"now": now.isoformat(), "seed": seed})
    if in_worker:
        transaction.on_commit(lambda: enqueue(run.pk))
    return run


@transaction.atomic
def cancel_run(*, run: Run, by: Staff | None, now: datetime) -> None:
    """Ask the run to stop; one that no worker has taken up ends at once. What is live stays as it is."""
    changed = Run.objects.unfinished().filter(pk=run.pk, cancel_requested_at=None).update(cancel_requested_at=now)
    if not changed:
        run.refresh_from_db()
        raise RunIsOverError(run)
    Run.objects.filter(pk=run.pk, status__in=[RunStatus.QUEUED, RunStatus.INTERRUPTED]).update(
        status=RunStatus.CANCELLED, finished_at=now
    )
    audit.record(by=by, verb="cancel", subject=run)


@transaction.atomic
def resume_run(*, run: Run, by: Staff | None, now: datetime) -> None:
    """Let a failed, cancelled or interrupted run go on from its last finished stage."""
    other = Run.objects.unfinished().exclude(pk=run.pk).first()
    if other:
        raise RunInProgressError(other)
    ended = [RunStatus.FAILED, RunStatus.CANCELLED, RunStatus.INTERRUPTED]
    changed = Run.objects.filter(pk=run.pk, status__in=ended).update(
        status=RunStatus.QUEUED, tries=0, cancel_requested_at=None, finished_at=None, message=""
    )
    if not changed:
        run.refresh_from_db()
        raise RunIsOverError(run)
    audit.record(by=by, verb="resume", subject=run, after={"at": now.isoformat()})
    transaction.on_commit(lambda: enqueue(run.pk))


def start_daily_run(*, now: datetime) -> Run | None:
    """Start the run of the schedule; None where one is still in progress."""
    try:
        return start_run(by=None, now=now)
    except RunInProgressError:
        return None


def watch_runs(*, now: datetime) -> list[UUID]:
    """Give runs whose worker died to the next worker; returns their ids."""
    interrupted = runs.interrupted_runs(now=now)
    for run_id in interrupted:
        enqueue(run_id)
    return interrupted


def enqueue(run_id: UUID) -> None:
    """Send a run to a worker; where Valkey is away it waits for ``watch_runs``, which finds it after a minute."""
    try:
        current_app.send_task(RUN_LOOP, args=[str(run_id)], queue="loop")
    except OperationalError as error:
        log.warning("run not sent to a worker", run=str(run_id), error=type(error).__name__)
