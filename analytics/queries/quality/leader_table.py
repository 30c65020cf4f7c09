"""The table of the live model's run: every recommender, the hybrid and the baselines on purchases unknown to them."""

from collections.abc import Sequence
from dataclasses import dataclass

from analytics.charts.marks import MeasuredRow
from analytics.templatetags.display import Interval
from analytics.templatetags.words import MAIN_METRIC, measured_label
from recommendations.models import Evaluation, Measurement
from recommendations.terms import Cut, Task

HYBRID = "hybrid"
PERSONAL, POPULAR, RECENT = "personal_frequency", "popular", "recent"
COMPARED = (HYBRID, PERSONAL, POPULAR)
"""What stands in every comparison: ours, and what needs no model."""
COLUMNS = (
    "ndcg@10", "recall@10", "recall@20", "hit_rate@10", "map@10", "mrr@10", "revenue_ndcg@10",
    "coverage@10", "novelty@10", "diversity@10",
)  # fmt: skip
NAME, FIT = "name", "fit"  # what else than a metric the table can be sorted by


@dataclass(frozen=True, kw_only=True)
class Quality:
    """The table of one task on the test window, the best first."""

    task: Task
    evaluation: Evaluation
    rows: Sequence[Measurement]

    @property
    def days(self) -> int:
        return (self.evaluation.window_end - self.evaluation.window_start).days

    @property
    def hybrid(self) -> Measurement | None:
        return self.named(HYBRID)

    @property
    def personal(self) -> Measurement | None:
        return self.named(PERSONAL)

    @property
    def popular(self) -> Measurement | None:
        return self.named(POPULAR)

    def sorted(self, sort: str) -> list[Measurement]:
        """Rows by name, seconds of fitting or a metric, downwards with a minus; those without the figure come last."""
        key, down = sort.removeprefix("-"), sort.startswith("-")
        if key == NAME:
            return sorted(self.rows, key=lambda row: measured_label(row.name).casefold(), reverse=down)
        values = [(row.fit_seconds if key == FIT else row.metrics.get(key, {}).get("value"), row) for row in self.rows]
        pairs = [(value, row) for value, row in values if value is not None]
        ordered = [row for _, row in sorted(pairs, key=lambda pair: pair[0], reverse=down)]
        return ordered + [row for value, row in values if value is None]

    def named(self, name: str) -> Measurement | None:
        return next((row for row in self.rows if row.name == name), None)


def main(row: Measurement) -> Interval:
    measure: Interval = row.metrics[MAIN_METRIC]
    return measure


def drawn(row: Measurement) -> MeasuredRow:
    return MeasuredRow(name=row.name, words=measured_label(row.name), **row.metrics[MAIN_METRIC])


def cell(row: Measurement, metric: str) -> tuple[Interval | None, Interval | None]:
    """A figure of a row, and its difference to the hybrid that is served: none for itself and where none was stored."""
    return row.metrics.get(metric), None if row.name == HYBRID else row.against.get(metric)


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
    return {
        task: Quality(
            task=task,
            evaluation=by_task[task][0].evaluation,
            rows=sorted(by_task[task], key=lambda row: -main(row)["value"]),
        )
        for task in Task
        if task in by_task
    }
