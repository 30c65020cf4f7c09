"""The state of jobs. Every change is conditional on the state before it, so that two workers never both act."""

import resource
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import batched
from pathlib import Path
from typing import Any

import structlog
from celery import current_app
from django.db import DatabaseError
from django.db.models import F, Q
from django.utils import timezone
from kombu.exceptions import OperationalError

from recommendations.models.jobs import RESUMABLE, Job, JobQuerySet
from recommendations.store.advisory_lock import advisory_lock, advisory_locks
from recommendations.terms import RunStatus

BETWEEN_REPORTS = timedelta(milliseconds=500)
AT_ONCE = 500  # jobs whose locks one connection takes together
CLEAR_REFS = Path("/proc/self/clear_refs")
LOST_AFTER = timedelta(minutes=1)
"""A job that has waited for so long though no worker was at its kind: its message was lost."""

logger = structlog.get_logger(__name__)


class JobCancelledError(Exception):
    """Staff asked for the job to stop."""


def run_job[J: Job](
    job: J | None,
    step: Callable[[J], None],
    *,
    clock: Callable[[], datetime],
    refusals: tuple[type[Exception], ...] = (),
) -> RunStatus | None:
    """Run or resume the job; None where there is none, another process is at it, or it is over.

    ``step`` does the work, and goes on where it was left. An error of ``refusals`` fails the job with its text; any
    other fails it as well and is raised, as it is a bug.
    """
    if job is None:
        return None
    with advisory_lock(job.lock) as alone:
        if not alone or not take_up(job, now=clock()):
            return None
        try:
            step(job)
        except JobCancelledError:
            return _ended(job, RunStatus.CANCELLED, clock)
        except refusals as error:
            return _ended(job, RunStatus.FAILED, clock, message=text_of(error))
        except Exception as error:  # the outermost boundary: the row must say what happened, then it is everybody's
            _ended(job, RunStatus.FAILED, clock, message=f"{type(error).__name__}: {text_of(error)}")
            raise
        return _ended(job, RunStatus.SUCCEEDED, clock)


def text_of(error: Exception) -> str:
    """What an error says; of the database's the first line, as the next ones hold the row that it was about."""
    return str(error).partition("\n")[0] if isinstance(error, DatabaseError) else str(error)


def take_up(job: Job, *, now: datetime) -> bool:
    """Take up a job, which runs now; False where it is over, or was given up after too many tries."""
    job.refresh_from_db()
    if not job.unfinished:
        return False
    if job.MOST_TRIES is not None and job.tries >= job.MOST_TRIES:
        finish(job, RunStatus.FAILED, now=now, message=f"Given up after {job.tries} tries that did not end.")
        return False
    changed = _row(job).unfinished().filter(tries=job.tries).update(
        status=RunStatus.RUNNING, tries=F("tries") + 1, heartbeat_at=now, started_at=job.started_at or now, message=""
    )  # fmt: skip
    job.refresh_from_db()
    forget_peak()
    return bool(changed)


def finish(job: Job, status: RunStatus, *, now: datetime, message: str = "") -> bool:
    """End the job if it has not ended yet."""
    progress = {"progress": 1} if status is RunStatus.SUCCEEDED else {}
    changed = _row(job).unfinished().update(
        status=status, finished_at=now, message=message, peak_mb=peak_mb(), **progress
    )  # fmt: skip
    return bool(changed)


def request_cancel(job: Job, *, now: datetime) -> bool:
    """Ask the job to stop; one that no worker is at ends at once. False where it is over, or was asked before."""
    changed = _row(job).unfinished().filter(cancel_requested_at=None).update(cancel_requested_at=now)
    if changed:
        _row(job).waiting().update(status=RunStatus.CANCELLED, finished_at=now)
    job.refresh_from_db()
    return bool(changed)


def requeue(job: Job) -> bool:
    """Let a failed, cancelled or interrupted job go on; False where it is none of these."""
    changed = _row(job).filter(status__in=RESUMABLE).update(
        status=RunStatus.QUEUED, tries=0, cancel_requested_at=None, finished_at=None, message=""
    )  # fmt: skip
    job.refresh_from_db()
    return bool(changed)


def interrupted[J: Job](kind: type[J], *, now: datetime) -> list[J]:
    """Jobs whose worker is gone: they say that they run, and nobody holds their lock. They are marked interrupted.

    Also jobs that have waited for a minute though nobody holds their lock: their message to the worker was lost.
    """
    lost, jobs = list[Any](), kind.objects
    doubted = jobs.unfinished().filter(Q(status=RunStatus.RUNNING) | Q(created_at__lt=now - LOST_AFTER))
    for part in batched(doubted, AT_ONCE):
        with advisory_locks({job.lock for job in part}) as free:
            theirs = jobs.filter(pk__in=[job.pk for job in part if job.lock in free])
            gone = set(theirs.filter(status=RunStatus.RUNNING).values_list("pk", flat=True))
            jobs.filter(pk__in=gone, status=RunStatus.RUNNING).update(status=RunStatus.INTERRUPTED)
            unheard = set(theirs.waiting().filter(created_at__lt=now - LOST_AFTER).values_list("pk", flat=True))
        lost += jobs.filter(pk__in=gone | unheard)
    return lost


def enqueue(job: Job, *, expires: int | None = None) -> None:
    """Send a job to a worker, for so many seconds; where Valkey is away it waits until it is found lost."""
    try:
        current_app.send_task(job.TASK, args=[str(job.pk)], queue=job.QUEUE, expires=expires)
    except OperationalError as error:
        logger.warning("job not sent to a worker", task=job.TASK, job=str(job.pk), error=type(error).__name__)


def forget_peak() -> None:
    """Let ``peak_mb`` count from here: a worker's process does many jobs. Linux can, other systems go on counting."""
    with suppress(OSError):
        CLEAR_REFS.write_text("5", encoding="ascii")  # proc_pid_clear_refs(5): resets the peak alone


def peak_mb() -> int:
    """The most memory that this process has taken since ``forget_peak``, or ever."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


@dataclass
class Reporter:
    """Progress report of a running job, which hears in return whether it should stop."""

    job: Job
    between: timedelta = BETWEEN_REPORTS
    reported_at: datetime | None = None

    @property
    def is_due(self) -> bool:
        return self.reported_at is None or timezone.now() - self.reported_at >= self.between

    def __call__(self, share: float, **fields: Any) -> None:
        """Store that ``share`` of the job is done, with fields of its kind. Raises JobCancelledError."""
        self.reported_at = timezone.now()
        _row(self.job).filter(status=RunStatus.RUNNING).update(
            progress=min(max(share, 0.0), 1.0), heartbeat_at=self.reported_at, **fields
        )
        if _row(self.job).filter(cancel_requested_at__isnull=False).exists():
            raise JobCancelledError


def _row(job: Job) -> JobQuerySet[Any]:
    """The job as a query, which is changed only where its state is the one that is asked for."""
    rows: JobQuerySet[Any] = type(job).objects.filter(pk=job.pk)
    return rows


def _ended(job: Job, status: RunStatus, clock: Callable[[], datetime], *, message: str = "") -> RunStatus | None:
    return status if finish(job, status, now=clock(), message=message) else None
