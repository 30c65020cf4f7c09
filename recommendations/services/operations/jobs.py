"""Cancel and resume any job, and give those that were lost to the next worker."""

from datetime import datetime
from itertools import chain

from django.db import transaction

from recommendations.models import (
    AgentPractice,
    CatalogueFile,
    DraftEstimate,
    PracticeRun,
    Release,
    SendPlan,
    Staff,
    WeightSearch,
)
from recommendations.models.jobs import Job
from recommendations.services.access import audit
from recommendations.store import jobs
from recommendations.store.models import runs


class JobIsOverError(Exception):
    """The job has ended, or goes on already, so that it cannot be cancelled or resumed."""

    def __init__(self, job: Job) -> None:
        super().__init__(f"{job._meta.verbose_name} {job} is {job.status}")
        self.job = job


@transaction.atomic
def cancel_job(job: Job, *, by: Staff | None, now: datetime) -> None:
    """Ask the job to stop; one that no worker is at ends at once. What it did before stays."""
    if not jobs.request_cancel(job, now=now):
        raise JobIsOverError(job)
    audit.record(by=by, verb="cancel", subject=job)


@transaction.atomic
def resume_job(job: Job, *, by: Staff | None, now: datetime) -> None:
    """Let a failed, cancelled or interrupted job go on where it was left."""
    if not jobs.requeue(job):
        raise JobIsOverError(job)
    audit.record(by=by, verb="resume", subject=job, after={"at": now.isoformat()})
    transaction.on_commit(lambda: jobs.enqueue(job))


def watch_jobs(*, now: datetime) -> list[Job]:
    """Give jobs whose worker died, or whose message was lost, to the next worker; returns them."""
    kinds = (WeightSearch, DraftEstimate, PracticeRun, CatalogueFile, SendPlan, AgentPractice, Release)
    others = (jobs.interrupted(kind, now=now) for kind in kinds)
    lost: list[Job] = list(chain(runs.interrupted_runs(now=now), *others))
    for job in lost:
        jobs.enqueue(job)
    return lost
