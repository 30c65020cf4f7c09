"""Stages of a run of the loop, what they report, and the version that it makes."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone

from recommendations.models import ModelVersion, Run, RunLogLine, RunStage
from recommendations.store import jobs
from recommendations.terms import Cut, RunStatus, Stage


def add_stages(run: Run, plan: Sequence[tuple[Stage, Cut | None]]) -> None:
    RunStage.objects.bulk_create(
        RunStage(run=run, stage=stage, cut=cut or "", position=position)
        for position, (stage, cut) in enumerate(plan, start=1)
    )


def interrupt_stages(run: Run) -> None:
    """Mark stages as interrupted that were running when their worker went."""
    run.stages.filter(status=RunStatus.RUNNING).update(status=RunStatus.INTERRUPTED)


def interrupted_runs(*, now: datetime) -> list[Run]:
    """Runs for the next worker (``jobs.interrupted``), their stages marked as well."""
    runs = list(jobs.interrupted(Run, now=now))
    for run in runs:
        interrupt_stages(run)
    return runs


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
    report: jobs.Reporter
    share: float = 0.0  # of the stage that is done
    counts: dict[str, Any] = field(default_factory=dict)  # what can be told before it is

    def __call__(self, share: float, *, text: str = "") -> None:
        """Report that ``share`` of the stage is done. Raises JobCancelledError where staff asked the run to stop."""
        self.share = share
        if text:
            log(self.run, text)
        if text or self.report.is_due:
            share = min(max(share, 0.0), 1.0)
            told = {"counts": self.counts} if self.counts else {}
            RunStage.objects.filter(pk=self.row.pk).update(progress=share, **told)
            self.report((self.row.position - 1 + share) / self.n_stages)

    def beat(self) -> None:
        """Report that the work goes on, where nothing can be said of its end. Raises JobCancelledError."""
        self(self.share)


@contextmanager
def stage(run: Run, row: RunStage) -> Iterator[StageReport]:
    """Mark the row as running while the block runs, and as it ends: finished, cancelled or failed."""
    _mark(row, RunStatus.RUNNING, started_at=timezone.now(), progress=0, finished_at=None)
    report = StageReport(run=run, row=row, n_stages=run.stages.count(), report=jobs.Reporter(run))
    try:
        report(0)
        yield report
    except jobs.JobCancelledError:
        _mark(row, RunStatus.CANCELLED, finished_at=timezone.now())
        raise
    except Exception:
        _mark(row, RunStatus.FAILED, finished_at=timezone.now())
        raise
    _mark(row, RunStatus.SUCCEEDED, finished_at=timezone.now(), progress=1, counts=row.counts)


def _mark(row: RunStage, status: RunStatus, **fields: Any) -> None:
    RunStage.objects.filter(pk=row.pk).update(status=status, **fields)
