"""Storage of an evaluation's figures: tables as rows, what is per customer as artefacts of the version."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from django.db import transaction
from numpy.typing import NDArray

from recommendations.engine.evaluation.acts_known import BandFigures
from recommendations.engine.evaluation.gate import GateResult
from recommendations.engine.evaluation.generalisation import Gap
from recommendations.engine.evaluation.intervals import Measure
from recommendations.engine.evaluation.split import Truth
from recommendations.engine.evaluation.table import Table, TableLine
from recommendations.engine.frames import IntArray
from recommendations.engine.ids import IdMap
from recommendations.models import Category, Evaluation, Measurement, ModelVersion
from recommendations.store.models.artefacts import load_arrays, matrix_of, save_arrays
from recommendations.terms import PATH_SEPARATOR, Cut, MeasuredKind, Task


@dataclass(frozen=True, kw_only=True)
class Costs:
    """Costs of the rows of a table, by name; peaks in MB."""

    fit_seconds: Mapping[str, float] = field(default_factory=dict)
    score_seconds: Mapping[str, float] = field(default_factory=dict)
    peak_mb: Mapping[str, int] = field(default_factory=dict)


@transaction.atomic
def save_evaluation(
    version: ModelVersion, *, cut: Cut, task: Task, window: tuple[datetime, datetime], seed: int, table: Table,
    costs: Costs,
) -> Evaluation:  # fmt: skip
    """Save the table of one task; what an earlier stage or an interrupted try left is replaced."""
    names = [line.row.name for line in table.lines]
    run, _ = Evaluation.objects.update_or_create(
        version=version,
        cut=cut,
        task=task,
        defaults={
            "window_start": window[0],
            "window_end": window[1],
            "users": len(table.lines[0].ndcg) if table.lines else 0,
            "seed": seed,
            "overlap": {"names": names, "shares": np.round(table.overlap, 4).tolist()},
        },
    )
    run.rows.all().delete()
    Measurement.objects.bulk_create(_measurement(run, line, costs) for line in table.lines)
    save_per_user(version, task, {line.row.name: line.ndcg for line in table.lines}, cut=cut)
    plain = [line.row for line in table.lines if line.row.kind is MeasuredKind.BASELINE]
    save_arrays(version, cut, {f"lists/{task}/{row.name}": row.ranked for row in plain})
    return run


def save_acts_known(
    version: ModelVersion, cut: Cut, task: Task, figures: Sequence[BandFigures], *, left_out: int
) -> None:
    """Save the figures by how much is known of a customer beside the table of the task."""
    bands = [
        {"band": each.band, "people": each.people, "blend": described(each.blend), "popular": described(each.popular),
         "ahead": described(each.ahead)}
        for each in figures
    ]  # fmt: skip
    Evaluation.objects.filter(version=version, cut=cut, task=task).update(
        acts_known={"left_out": left_out, "bands": bands}
    )


def save_generalisation(version: ModelVersion, cut: Cut, task: Task, gaps: Mapping[str, Gap]) -> None:
    """Save what each row finds of what it learned, and of what came after, beside the table of the task."""
    described_gaps = {name: described_all(gap._asdict()) for name, gap in gaps.items()}
    Evaluation.objects.filter(version=version, cut=cut, task=task).update(generalisation=described_gaps)


def load_gaps(version_id: int) -> dict[tuple[Task, str], Measure]:
    """The gap of each row between what it learned and what came after, by task and name; none of an older version."""
    stored = Evaluation.objects.filter(version=version_id, cut=Cut.TEST).values_list("task", "generalisation")
    return {(Task(task), name): Measure(**row["gap"]) for task, rows in stored for name, row in rows.items()}


def save_per_user(
    version: ModelVersion, task: Task, values: Mapping[str, NDArray[np.float32]], *, cut: Cut = Cut.TEST
) -> None:
    """Save NDCG@10 by customer of the task's truth, for every name."""
    save_arrays(version, cut, {f"evaluation/{task}/{name}": array for name, array in values.items()})


def load_per_user(version_id: int, task: Task, *, cut: Cut = Cut.TEST) -> dict[str, NDArray[np.float32]]:
    prefix = f"evaluation/{task}/"
    return {name.removeprefix(prefix): array for name, array in load_arrays(version_id, cut, prefix=prefix).items()}


def load_per_customer(version_id: int, task: Task) -> tuple[dict[str, NDArray[np.float32]], NDArray[np.int64]]:
    """NDCG@10 on the test window by name, and the keys of the customers that it is of, in the same order."""
    prefix, truth = f"evaluation/{task}/", f"truth/{task}"
    arrays = load_arrays(version_id, Cut.TEST, prefix=(prefix, f"{truth}/", "ids/users"))
    if "ids/users" not in arrays:
        return {}, np.empty(0, np.int64)
    figures = {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
    return figures, arrays["ids/users"][Truth(spent=matrix_of(arrays, truth)).users]


def load_lists(version_id: int, task: Task, *, cut: Cut = Cut.TEST) -> dict[str, IntArray]:
    """Lists of the baselines [users, 20] by name; none in a version that is older than they are."""
    prefix = f"lists/{task}/"
    return {name.removeprefix(prefix): array for name, array in load_arrays(version_id, cut, prefix=prefix).items()}


def departments(categories: IdMap, *, paths: Mapping[int, str] | None = None) -> tuple[list[str], IntArray]:
    """Names of the departments, the first level of a category's path, and the place of each category's among them.

    Without ``paths`` they are those of the catalogue as it is now.
    """
    paths = dict(Category.objects.values_list("pk", "path")) if paths is None else paths
    first = [paths.get(key, "").split(PATH_SEPARATOR)[0] for key in categories.ids.tolist()]
    names = sorted(set(first))
    place = {name: number for number, name in enumerate(names)}
    return names, np.array([place[name] for name in first], np.int32)


def described(measure: Measure) -> dict[str, float]:
    return {name: round(value, 6) for name, value in measure._asdict().items()}


def described_all(measures: Mapping[str, Measure]) -> dict[str, dict[str, float]]:
    return {name: described(measure) for name, measure in measures.items()}


def described_gate_result(result: GateResult, *, version: ModelVersion) -> dict[str, Any]:
    """Gate result as it is kept with what it was about; ``wording.labels.gate_text`` reads it."""
    return {
        "outcome": result.outcome,
        "version": version.pk,
        "users": result.users,
        "candidate": described(result.candidate),
        "against": described_all(result.against),
        "worse_than": list(result.worse_than),
        "reached": {name: round(value, 6) for name, value in result.reached.items()},
        "revenue": described(result.revenue) if result.revenue else None,
        "revenue_reached": round(result.revenue_reached, 6),
        "margin": described(result.margin) if result.margin else None,
        "margin_reached": round(result.margin_reached, 6),
        "earns_less": result.earns_less,
        "length": result.length,
    }


def _measurement(run: Evaluation, line: TableLine, costs: Costs) -> Measurement:
    name = line.row.name
    return Measurement(
        evaluation=run,
        name=name,
        kind=line.row.kind,
        metrics=described_all(line.row.metrics),
        against=described_all(line.against),
        slices=[
            {"kind": each.kind, "key": each.key, "users": each.users, "metrics": described_all(each.metrics)}
            for each in line.slices
        ],
        fit_seconds=costs.fit_seconds.get(name),
        score_seconds=costs.score_seconds.get(name),
        peak_mb=costs.peak_mb.get(name),
    )
