"""Runs of the loop with their stages, and what each reached on its test window."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from analytics.charts.runs import Span, StageSpan, stage_bar
from analytics.queries.quality.headline import Gain, gain
from analytics.queries.quality.leader_table import HYBRID, main
from analytics.queries.quality.rivals import RIVALS, best_rival, better_words
from analytics.queries.runs.guard_words import sentence
from analytics.templatetags.display import signed_share
from analytics.templatetags.words import headline, label, stage_label, stage_seconds
from recommendations.models import Measurement, ModelVersion, Run, RunStage
from recommendations.terms import Cut, GateOutcome, RunStatus, Stage, Task, VersionStatus
from recommendations.wording import labels

PER_PAGE = 50
LOG_LINES = 200
REST = timedelta(seconds=20)  # between two stages: shorter ones are the stages' own
UNFINISHED = {RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.INTERRUPTED}
ENDED_EARLY = {RunStatus.FAILED, RunStatus.CANCELLED, RunStatus.INTERRUPTED}


@dataclass(frozen=True, kw_only=True)
class Distance:
    """How far the hybrid is ahead of the best list that needs no model, and how far the run ``before`` was of the same.

    Each run is tested on other weeks, which are harder or easier for every list; only distances can be compared.
    """

    rival: str
    gain: Gain
    before: Gain | None
    ours: float | None = None  # change of the hybrid's accuracy since the run before, as a share
    theirs: float | None = None  # and of the other list's

    @property
    def words(self) -> str:
        return better_words(self.gain, self.rival, decimals=1)

    @property
    def before_words(self) -> str:
        return better_words(self.before, self.rival, decimals=1) if self.before else ""

    @property
    def interval_words(self) -> str:
        if self.gain.interval is None:
            return ""
        ends = {"low": signed_share(self.gain.interval.low, 1), "high": signed_share(self.gain.interval.high, 1)}
        return _("95%% interval: %(low)s to %(high)s.") % ends


@dataclass(frozen=True, kw_only=True)
class RunView:
    record: Run
    stages: list[RunStage]
    figures: Mapping[Task, Distance] = field(default_factory=dict)

    @property
    def unfinished(self) -> bool:
        return self.record.status in UNFINISHED

    @property
    def may_resume(self) -> bool:
        return self.record.status in ENDED_EARLY

    @property
    def took(self) -> timedelta | None:
        """Duration from the start to the end, or to now, but for the time of rest; None before the start."""
        if self.record.started_at is None:
            return None
        end = self.record.finished_at or timezone.now()
        return end - self.record.started_at - self._rested(end)

    def _rested(self, end: datetime) -> timedelta:
        """How long no stage went on, since the run had been stopped or its worker was gone, until it went on."""
        resting, since = timedelta(), self.record.started_at
        for stage in self.stages:
            if since and stage.started_at and stage.started_at - since > REST:
                resting += stage.started_at - since
            since = stage.finished_at or (None if stage.status == RunStatus.RUNNING else since)
        if since and self.unfinished and self.record.status != RunStatus.RUNNING:
            resting += end - since
        return resting

    @property
    def current(self) -> RunStage | None:
        """The stage that runs, or that the run stopped at."""
        return next((stage for stage in self.stages if stage.status != RunStatus.SUCCEEDED), None)

    @property
    def strip(self) -> list[tuple[RunStage, float | None, tuple[str, str] | None]]:
        """The six stages with their seconds and headlines, those of several cuts taken together."""
        by_stage = {stage: [row for row in self.stages if row.stage == stage] for stage in Stage}
        return [_together(rows) for rows in by_stage.values() if rows]

    @property
    def spans(self) -> list[Span]:
        seconds = [(row, stage_seconds(row)) for row in self.stages]
        return [
            Span(stage=row.stage, words=stage_label(row), seconds=took) for row, took in seconds if took is not None
        ]

    @property
    def bar(self) -> list[StageSpan]:
        return stage_bar(self.spans)

    @property
    def percent(self) -> int:
        return round(100 * self.record.progress)

    @property
    def home(self) -> Distance | None:
        return self.figures.get(Task.HOME)

    @property
    def discover(self) -> Distance | None:
        return self.figures.get(Task.DISCOVER)

    @property
    def held_back(self) -> list[str]:
        """Why the version did not go live although the run finished, in sentences; empty where it did."""
        return [*self.worse, *self.unusual]

    @property
    def worse(self) -> list[str]:
        """What the gate held against a version that waits, a sentence per task."""
        return [
            f"{label(labels.TASKS, task)}: {labels.gate_text(gate)}"
            for task, gate in (self.version.gate.items() if self.version and self._waits else ())
            if gate["outcome"] == GateOutcome.WORSE
        ]

    @property
    def unusual(self) -> list[str]:
        """What the guard found unusual about a version that waits, a sentence per check."""
        return [sentence(each) for each in self.version.guard] if self.version and self._waits else []

    @property
    def _waits(self) -> bool:
        """Whether the version is ready and was never live."""
        version = self.version
        return version is not None and version.status == VersionStatus.READY and not version.live_since

    @property
    def model(self) -> ModelVersion | None:
        """The version, where the run has finished it."""
        return self.version if self.version and self.version.status == VersionStatus.READY else None

    @property
    def version(self) -> ModelVersion | None:
        return getattr(self.record, "model_version", None)


def _runs() -> QuerySet[Run]:
    stages = Prefetch("stages", RunStage.objects.order_by("position"))
    return Run.objects.select_related("started_by", "model_version").prefetch_related(stages)


def runs(*, page: int) -> tuple[Page[Run], list[RunView]]:
    """Runs of a page, the newest first, each beside the run before it that has figures."""
    run_page = Paginator(_runs().order_by("-created_at"), PER_PAGE).get_page(page)
    runs = list(run_page)
    return run_page, [_run(run, figures) for run, figures in _with_distances(runs)]


def run(pk: UUID) -> RunView | None:
    run = _runs().filter(pk=pk).first()
    if run is None:
        return None
    before = Run.objects.filter(created_at__lt=run.created_at, model_version__evaluations__isnull=False)
    previous = before.order_by("-created_at").first()
    [(_this, figures), *_rest] = _with_distances([run, *([previous] if previous else [])])
    return _run(run, figures)


def last_run() -> RunView | None:
    run = _runs().order_by("-created_at").first()
    return _run(run, {}) if run else None


def log_tail(run: Run) -> list[tuple[datetime, str]]:
    """The newest lines, oldest of them first."""
    newest = run.log.order_by("-pk").values_list("at", "text")[:LOG_LINES]
    return list(reversed(newest))


def _with_distances(runs: list[Run]) -> Iterable[tuple[Run, dict[Task, Distance]]]:
    """Runs with their distances, each beside that of the run before it that has figures; ``runs`` newest first."""
    measured = Measurement.objects.filter(
        evaluation__version__run__in=runs, evaluation__cut=Cut.TEST, name__in=[HYBRID, *RIVALS]
    ).select_related("evaluation__version")
    tables: dict[tuple[UUID, str], dict[str, Measurement]] = {}
    for row in measured.defer("slices", "evaluation__overlap"):
        tables.setdefault((row.evaluation.version.run_id, row.evaluation.task), {})[row.name] = row
    for number, run in enumerate(runs):
        distances = {}
        for task in Task:
            now = tables.get((run.pk, task), {})
            then = next((tables[key] for older in runs[number + 1 :] if (key := (older.pk, task)) in tables), {})
            if distance := _distance(now, then):
                distances[task] = distance
        yield run, distances


def _distance(now: Mapping[str, Measurement], then: Mapping[str, Measurement]) -> Distance | None:
    rival = best_rival(list(now.values()))
    if rival is None or HYBRID not in now:
        return None
    gained = gain(now[HYBRID], rival)
    if gained is None:
        return None
    before = gain(then[HYBRID], then[rival.name]) if {HYBRID, rival.name} <= then.keys() else None
    ours, theirs = (_since(now, then, name) if before else None for name in (HYBRID, rival.name))
    return Distance(rival=rival.name, gain=gained, before=before, ours=ours, theirs=theirs)


def _since(now: Mapping[str, Measurement], then: Mapping[str, Measurement], name: str) -> float | None:
    """Change of a row's accuracy, as a share; None where there was none."""
    was = main(then[name])["value"]
    return main(now[name])["value"] / was - 1 if was else None


def _run(run: Run, figures: Mapping[Task, Distance]) -> RunView:
    return RunView(record=run, stages=list(run.stages.all()), figures=figures)


def _together(rows: list[RunStage]) -> tuple[RunStage, float | None, tuple[str, str] | None]:
    """One row for all cuts of a stage: the first that is not finished decides, else the last."""
    telling = next((row for row in rows if row.status != RunStatus.SUCCEEDED), rows[-1])
    seconds = [took for row in rows if (took := stage_seconds(row)) is not None]
    headlines = (headline(Stage(row.stage), row.counts) for row in reversed(rows))
    return telling, sum(seconds) if seconds else None, next(filter(None, headlines), None)
