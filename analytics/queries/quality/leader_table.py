"""The table of the live model's run: every recommender, the hybrid and the baselines on purchases unknown to them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from analytics.charts.marks import MeasuredRow
from analytics.templatetags.display import Direction, Interval, direction
from analytics.templatetags.words import label, measured_label
from recommendations.models import Measurement
from recommendations.terms import Cut, MeasuredKind, Task
from recommendations.wording import labels

MAIN_METRIC = "ndcg@10"
COVERAGE = "coverage@10"
HYBRID = "hybrid"
PERSONAL, POPULAR = "personal_frequency", "popular"
COMPARED = (HYBRID, PERSONAL, POPULAR)
"""What stands in every comparison: ours, and what needs no model."""
COLUMNS = (
    "ndcg@10", "recall@10", "recall@20", "hit_rate@10", "map@10", "mrr@10", "revenue_ndcg@10",
    "coverage@10", "novelty@10", "diversity@10",
)  # fmt: skip
NAME, FIT = "name", "fit"  # what else than a metric the table can be sorted by


@dataclass(frozen=True, kw_only=True)
class LeaderCell:
    """A figure of a row; its difference to the hybrid that is served is None for itself and where none was stored."""

    value: float
    low: float
    high: float
    difference: Interval | None

    @property
    def exact(self) -> bool:
        return self.low == self.high

    @property
    def direction(self) -> Direction | None:
        return None if self.difference is None else direction(self.difference)


@dataclass(frozen=True, kw_only=True)
class LeaderRow:
    """A recommender, the hybrid or a baseline, with everything that was measured of it."""

    name: str
    words: str
    kind: MeasuredKind
    metrics: Mapping[str, Interval]
    against: Mapping[str, Interval]
    fit_seconds: float | None

    @property
    def main(self) -> Interval:
        return self.metrics[MAIN_METRIC]

    @property
    def ours(self) -> bool:
        return self.name == HYBRID

    def cell(self, metric: str) -> LeaderCell | None:
        figure = self.metrics.get(metric)
        return LeaderCell(**figure, difference=None if self.ours else self.against.get(metric)) if figure else None

    def drawn(self, metric: str = MAIN_METRIC) -> MeasuredRow:
        score = self.metrics[metric]
        return MeasuredRow(name=self.name, words=self.words, value=score["value"], low=score["low"], high=score["high"])


@dataclass(frozen=True, kw_only=True)
class Quality:
    """The table of one task on the test window, the best first."""

    task: Task
    words: str
    evaluation: int  # key of the evaluation
    model: int  # key of the version
    users: int
    split_at: datetime
    days: int
    rows: Sequence[LeaderRow]

    @property
    def hybrid(self) -> LeaderRow | None:
        return self.named(HYBRID)

    @property
    def personal(self) -> LeaderRow | None:
        return self.named(PERSONAL)

    @property
    def popular(self) -> LeaderRow | None:
        return self.named(POPULAR)

    @property
    def compared(self) -> list[MeasuredRow]:
        """The hybrid against what needs no model."""
        return [row.drawn() for row in (self.hybrid, self.personal, self.popular) if row]

    @property
    def over_popular(self) -> float | None:
        return self._gain(self.popular)

    @property
    def over_personal(self) -> float | None:
        return self._gain(self.personal)

    def sorted(self, sort: str) -> list[LeaderRow]:
        """Rows by name, seconds of fitting or a metric, downwards with a minus; those without the figure come last."""
        key, down = sort.removeprefix("-"), sort.startswith("-")
        if key == NAME:
            return sorted(self.rows, key=lambda row: row.words.casefold(), reverse=down)
        values = [(row.fit_seconds if key == FIT else row.metrics.get(key, {}).get("value"), row) for row in self.rows]
        pairs = [(value, row) for value, row in values if value is not None]
        ordered = [row for _, row in sorted(pairs, key=lambda pair: pair[0], reverse=down)]
        return ordered + [row for value, row in values if value is None]

    def named(self, name: str) -> LeaderRow | None:
        return next((row for row in self.rows if row.name == name), None)

    def _gain(self, other: LeaderRow | None) -> float | None:
        """How much better the hybrid is, as a share of the other."""
        if other is None or self.hybrid is None or not other.main["value"]:
            return None
        return self.hybrid.main["value"] / other.main["value"] - 1


def qualities() -> dict[Task, Quality]:
    """What the live model's run measured on its test window; empty before the first run has finished."""
    measured = (
        Measurement.objects.filter(evaluation__cut=Cut.TEST, evaluation__version__is_live=True)
        .select_related("evaluation")
        .defer("slices", "evaluation__overlap")
    )
    by_task: dict[Task, list[Measurement]] = {}
    for row in measured:
        by_task.setdefault(Task(row.evaluation.task), []).append(row)
    return {task: _quality(task, by_task[task]) for task in Task if task in by_task}


def _quality(task: Task, measured: list[Measurement]) -> Quality:
    run = measured[0].evaluation
    rows = [
        LeaderRow(
            name=row.name,
            words=measured_label(row.name),
            kind=MeasuredKind(row.kind),
            metrics=row.metrics,
            against=row.against,
            fit_seconds=row.fit_seconds,
        )
        for row in measured
    ]
    return Quality(
        task=task,
        words=label(labels.TASKS, task),
        evaluation=run.pk,
        model=run.version_id,
        users=run.users,
        split_at=run.window_start,
        days=(run.window_end - run.window_start).days,
        rows=sorted(rows, key=lambda row: -row.main["value"]),
    )
