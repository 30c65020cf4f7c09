"""Figures of an evaluation, into the record."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction

from recommendations.engine.evaluation.backtest import Row
from recommendations.engine.evaluation.intervals import Measure
from recommendations.models import EvaluationRun, Measurement, ModelVersion
from recommendations.terms import Cut, Task


@transaction.atomic
def save_evaluation(
    version: ModelVersion,
    *,
    cut: Cut,
    task: Task,
    window: tuple[datetime, datetime],
    users: int,
    seed: int,
    rows: Sequence[Row],
    fit_seconds: Mapping[str, float],
) -> EvaluationRun:
    """The table of one task; rows that an interrupted try left are replaced."""
    run, _ = EvaluationRun.objects.update_or_create(
        version=version,
        cut=cut,
        task=task,
        defaults={"window_start": window[0], "window_end": window[1], "users": users, "seed": seed},
    )
    run.rows.all().delete()
    add_rows(run, rows, fit_seconds=fit_seconds)
    return run


def add_rows(run: EvaluationRun, rows: Sequence[Row], *, fit_seconds: Mapping[str, float]) -> None:
    run.rows.filter(name__in=[row.name for row in rows]).delete()
    Measurement.objects.bulk_create(
        Measurement(
            run=run,
            name=row.name,
            kind=row.kind,
            metrics={metric: described(measure) for metric, measure in row.metrics.items()},
            fit_seconds=fit_seconds.get(row.name),
        )
        for row in rows
    )


def described(measure: Measure) -> dict[str, float]:
    return {name: round(value, 6) for name, value in measure._asdict().items()}
