"""Start and resume a run of the loop."""

from datetime import datetime

from django.db import transaction

from recommendations.loop.run import plan
from recommendations.models import Run, Staff
from recommendations.services.access import audit
from recommendations.services.operations.jobs import resume_job
from recommendations.store import jobs
from recommendations.store.models import runs


class RunInProgressError(Exception):
    """Only one run is in progress at a time; ``run`` is that one."""

    def __init__(self, run: Run) -> None:
        super().__init__(f"run {run} is not over yet")
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
        transaction.on_commit(lambda: jobs.enqueue(run))
    return run


@transaction.atomic
def resume_run(*, run: Run, by: Staff | None, now: datetime) -> None:
    """Let a run go on from its last finished stage. Raises RunInProgressError, and JobIsOverError as ``resume_job``."""
    other = Run.objects.unfinished().exclude(pk=run.pk).first()
    if other:
        raise RunInProgressError(other)
    resume_job(run, by=by, now=now)


def start_daily_run(*, now: datetime) -> Run | None:
    """Start the run of the schedule; None where one is still in progress."""
    try:
        return start_run(by=None, now=now)
    except RunInProgressError:
        return None
