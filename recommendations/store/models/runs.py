"""The state of a run. Every change is conditional on the state before it, so that two workers never both act."""

import resource
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from recommendations.models import ModelVersion, Run, RunLogLine, RunStage
from recommendations.store.advisory_lock import advisory_lock
from recommendations.terms import Cut, RunStatus, Stage

LOCK = 7_264_101  # one run of the loop at a time in this database
MOST_TRIES = 3
BETWEEN_REPORTS = timedelta(milliseconds=500)


class RunCancelledError(Exception):
    """Staff asked for the run to stop."""


def run_lock() -> AbstractContextManager[bool]:
    """True while this process alone may go round the loop."""
    return advisory_lock(LOCK)


def add_stages(run: Run, plan: Sequence[tuple[Stage, Cut | None]]) -> None:
    RunStage.objects.bulk_create(
        RunStage(run=run, stage=stage, cut=cut or "", position=position)
        for position, (stage, cut) in enumerate(plan, start=1)
    )


def take_up(run_id: UUID, *, now: datetime) -> Run | None:
    """Take up a run, which runs now; None where it is over, or was given up after three tries."""
    waiting = Run.objects.unfinished().filter(pk=run_id)
    run = waiting.first()
    if run is None:
        return None
    if run.tries >= MOST_TRIES:
        finish(run, RunStatus.FAILED, now=now, message=f"Given up after {run.tries} tries that did not end.")
        return None
    changed = waiting.filter(tries=run.tries).update(
        status=RunStatus.RUNNING,
        tries=run.tries + 1,
        heartbeat_at=now,
        started_at=run.started_at or now,
        message="",
    )
    if not changed:
        return None
    run.stages.filter(status=RunStatus.RUNNING).update(status=RunStatus.INTERRUPTED)
    run.refresh_from_db()
    return run


def finish(run: Run, status: RunStatus, *, now: datetime, message: str = "") -> bool:
    """End the run if it has not ended yet."""
    changed = (
        Run.objects.unfinished()
        .filter(pk=run.pk)
        .update(
            status=status,
            finished_at=now,
            message=message,
            peak_mb=peak_mb(),
            **({"progress": 1} if status is RunStatus.SUCCEEDED else {}),
        )
    )
    run.stages.filter(status=RunStatus.RUNNING).update(status=status, finished_at=now)
    return bool(changed)


def peak_mb() -> int:
    """The most memory that this process has taken so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def interrupted_runs(*, now: datetime) -> list[UUID]:
    """Runs whose worker is gone: they say that they run, and nobody holds the lock. They are marked interrupted.

    Also runs that have waited for a minute though no other runs: their message to the worker was lost.
    """
    with run_lock() as free:
        if not free:
            return []
        dead = Run.objects.filter(status=RunStatus.RUNNING)
        gone = list(dead.values_list("pk", flat=True))
        dead.update(status=RunStatus.INTERRUPTED)
        RunStage.objects.filter(run__in=gone, status=RunStatus.RUNNING).update(status=RunStatus.INTERRUPTED)
        lost = Run.objects.filter(status__in=[RunStatus.QUEUED, RunStatus.INTERRUPTED])
        waited = lost.filter(created_at__lt=now - timedelta(minutes=1)).exclude(pk__in=gone)
        return gone + list(waited.values_list("pk", flat=True))


def log(run: Run, text: str) -> None:
    RunLogLine.objects.create(run=run, text=text)


def version_of(run: Run) -> ModelVersion:
    """The version that the run makes; the same one when the run is resumed."""
    return ModelVersion.objects.get_or_create(run=run)[0]


def stage_counts(run: Run, stage_name: Stage, cut: Cut) -> dict[str, Any]:
    """What a finished stage of this run counted; empty where it has not finished."""
    row = run.stages.filter(stage=stage_name, cut=cut, status=RunStatus.SUCCEEDED).first()
    return dict(row.counts) if row else {}


@dataclass(kw_only=True)
class StageReport:
    """Progress report of a running stage, which hears in return whether it should stop."""

    run: Run
    row: RunStage
    n_stages: int
    reported_at: datetime | None = None

    def __call__(self, share: float, *, text: str = "") -> None:
        """Report that ``share`` of the stage is done. Raises RunCancelledError where staff asked the run to stop."""
        now = timezone.now()
        if text:
            log(self.run, text)
        if not text and self.reported_at and now - self.reported_at < BETWEEN_REPORTS:
            return
        self.reported_at = now
        share = min(max(share, 0.0), 1.0)
        RunStage.objects.filter(pk=self.row.pk).update(progress=share)
        Run.objects.filter(pk=self.run.pk, status=RunStatus.RUNNING).update(
            progress=(self.row.position - 1 + share) / self.n_stages, heartbeat_at=now
        )
        if Run.objects.filter(pk=self.run.pk, cancel_requested_at__isnull=False).exists():
            raise RunCancelledError


@contextmanager
def stage(run: Run, row: RunStage) -> Iterator[StageReport]:
    """Mark the row as running while the block runs, and as finished if the block ends without an error."""
    RunStage.objects.filter(pk=row.pk).update(
        status=RunStatus.RUNNING, started_at=timezone.now(), progress=0, finished_at=None
    )
    report = StageReport(run=run, row=row, n_stages=run.stages.count())
    report(0)
    yield report
    RunStage.objects.filter(pk=row.pk).update(
        status=RunStatus.SUCCEEDED, finished_at=timezone.now(), progress=1, counts=row.counts
    )
