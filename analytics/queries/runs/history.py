"""Runs of the loop with their stages, and what each reached on its test window."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.db.models import Prefetch, QuerySet
from django.utils import timezone

from analytics.charts.runs import Span, StageSpan, stage_bar
from analytics.templatetags.words import counts_in_words, headline, label
from recommendations.models import Measurement, ModelVersion, Run, RunStage
from recommendations.terms import GateOutcome, MeasuredKind, RunStatus, Stage, Task, VersionStatus
from recommendations.wording import labels

PER_PAGE = 50
LOG_LINES = 200
MAIN_METRIC = "ndcg@10"
HYBRID = "hybrid"
UNFINISHED = {RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.INTERRUPTED}
ENDED_EARLY = {RunStatus.FAILED, RunStatus.CANCELLED, RunStatus.INTERRUPTED}


@dataclass(frozen=True, kw_only=True)
class StageState:
    stage: Stage
    words: str
    cut: str
    status: RunStatus
    status_words: str
    progress: float
    seconds: float | None
    finished_at: datetime | None
    counts: list[tuple[str, str]]
    headline: tuple[str, str] | None


@dataclass(frozen=True, kw_only=True)
class HybridFigure:
    """What the hybrid reached, and the change against the run before."""

    value: float
    low: float
    high: float
    change: float | None = None


@dataclass(frozen=True, kw_only=True)
class RunView:
    record: Run
    stages: list[StageState]
    figures: Mapping[Task, HybridFigure] = field(default_factory=dict)

    @property
    def unfinished(self) -> bool:
        return self.record.status in UNFINISHED

    @property
    def may_resume(self) -> bool:
        return self.record.status in ENDED_EARLY

    @property
    def took(self) -> timedelta | None:
        """Duration from the start to the end, or to now; None before the start."""
        if self.record.started_at is None:
            return None
        return (self.record.finished_at or timezone.now()) - self.record.started_at

    @property
    def current(self) -> StageState | None:
        """The stage that runs, or that the run stopped at."""
        return next((stage for stage in self.stages if stage.status is not RunStatus.SUCCEEDED), None)

    @property
    def strip(self) -> list[StageState]:
        """The six stages, those of several cuts taken together."""
        return [
            _together(of_stage) for stage in Stage if (of_stage := [row for row in self.stages if row.stage is stage])
        ]

    @property
    def spans(self) -> list[Span]:
        return [
            Span(stage=stage.stage, words=stage.words, seconds=stage.seconds)
            for stage in self.stages
            if stage.seconds is not None
        ]

    @property
    def bar(self) -> list[StageSpan]:
        return stage_bar(self.spans)

    @property
    def percent(self) -> int:
        return round(100 * self.record.progress)

    @property
    def home(self) -> HybridFigure | None:
        return self.figures.get(Task.HOME)

    @property
    def discover(self) -> HybridFigure | None:
        return self.figures.get(Task.DISCOVER)

    @property
    def held_back(self) -> list[str]:
        """Why the version did not go live although the run finished, a sentence per task; empty where it did."""
        version = self.version
        if version is None or version.is_live or version.live_since or version.status != VersionStatus.READY:
            return []
        return [
            f"{label(labels.TASKS, task)}: {labels.gate_text(gate)}"
            for task, gate in version.gate.items()
            if gate["outcome"] == GateOutcome.WORSE
        ]

    @property
    def version(self) -> ModelVersion | None:
        return getattr(self.record, "model_version", None)


def _runs() -> QuerySet[Run]:
    stages = Prefetch("stages", RunStage.objects.order_by("position"))
    return Run.objects.select_related("started_by", "model_version").prefetch_related(stages)


def runs(*, page: int) -> tuple[Page[Run], list[RunView]]:
    """Runs of a page, the newest first, each with its change against the run before it that has figures."""
    run_page = Paginator(_runs().order_by("-created_at"), PER_PAGE).get_page(page)
    runs = list(run_page)
    return run_page, [_run(run, figures) for run, figures in _with_changes(runs)]


def run(pk: UUID) -> RunView | None:
    run = _runs().filter(pk=pk).first()
    if run is None:
        return None
    before = Run.objects.filter(created_at__lt=run.created_at, model_version__evaluations__isnull=False)
    previous = before.order_by("-created_at").first()
    [(_, figures), *_rest] = _with_changes([run, *([previous] if previous else [])])
    return _run(run, figures)


def last_run() -> RunView | None:
    run = _runs().order_by("-created_at").first()
    return _run(run, {}) if run else None


def log_tail(run: Run) -> list[tuple[datetime, str]]:
    """The newest lines, oldest of them first."""
    newest = run.log.order_by("-pk").values_list("at", "text")[:LOG_LINES]
    return list(reversed(newest))


def _with_changes(runs: list[Run]) -> Iterable[tuple[Run, dict[Task, HybridFigure]]]:
    """Runs with their figures, and the change of each against the run before it; ``runs`` newest first."""
    measured = Measurement.objects.filter(
        evaluation__version__run__in=runs, evaluation__cut="test", kind=MeasuredKind.HYBRID, name=HYBRID
    ).select_related("evaluation__version")
    reached: dict[tuple[UUID, str], dict[str, float]] = {
        (row.evaluation.version.run_id, row.evaluation.task): row.metrics[MAIN_METRIC] for row in measured
    }
    for number, run in enumerate(runs):
        figures = {}
        for task in Task:
            now = reached.get((run.pk, task))
            then = next((reached[key] for older in runs[number + 1 :] if (key := (older.pk, task)) in reached), None)
            if now:
                change = now["value"] - then["value"] if then else None
                figures[task] = HybridFigure(value=now["value"], low=now["low"], high=now["high"], change=change)
        yield run, figures


def _run(run: Run, figures: Mapping[Task, HybridFigure]) -> RunView:
    return RunView(record=run, stages=[_stage(row) for row in run.stages.all()], figures=figures)


def _together(rows: list[StageState]) -> StageState:
    """One state for all cuts of a stage: the first that is not finished decides, else the last."""
    telling = next((row for row in rows if row.status is not RunStatus.SUCCEEDED), rows[-1])
    seconds = [row.seconds for row in rows if row.seconds is not None]
    return replace(
        telling,
        words=label(labels.STAGES, telling.stage),
        seconds=sum(seconds) if seconds else None,
        headline=next((row.headline for row in reversed(rows) if row.headline), None),
    )


def _stage(row: RunStage) -> StageState:
    stage = Stage(row.stage)
    cut = label(labels.CUTS, row.cut) if row.cut else ""
    words = label(labels.STAGES, stage)
    end = row.finished_at or (timezone.now() if row.status == RunStatus.RUNNING else None)
    return StageState(
        stage=stage,
        words=f"{words} · {cut}" if cut else words,
        cut=row.cut,
        status=RunStatus(row.status),
        status_words=label(labels.RUN_STATUSES, row.status),
        progress=row.progress,
        seconds=(end - row.started_at).total_seconds() if row.started_at and end else None,
        finished_at=row.finished_at,
        counts=counts_in_words(row.counts),
        headline=headline(stage, row.counts),
    )
