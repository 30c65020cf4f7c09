"""The whole quality table of one task: rows, differences to the hybrid, slices and overlap, on the same resamples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.evaluation.backtest import TableRow
from recommendations.engine.evaluation.intervals import Measure, differences
from recommendations.engine.evaluation.measures import COVERAGE, MAIN, PER_USER
from recommendations.engine.evaluation.overlap import overlap
from recommendations.engine.evaluation.slices import Groups, Slice, slices
from recommendations.engine.evaluation.split import Truth
from recommendations.engine.frames import FloatArray


@dataclass(frozen=True, kw_only=True)
class TableLine:
    """A row of the table with its differences to the reference and its slices."""

    row: TableRow
    against: Mapping[str, Measure]  # metric → this minus the reference, paired by user; empty for the reference itself
    slices: Sequence[Slice]

    @property
    def ndcg(self) -> NDArray[np.float32]:
        """NDCG@10 per user of the truth."""
        return self.row.per_user[:, list(PER_USER).index(MAIN)].astype(np.float32)


@dataclass(frozen=True, kw_only=True)
class Table:
    lines: Sequence[TableLine]
    overlap: NDArray[np.float64]  # [lines, lines]


def table(
    rows: Sequence[TableRow], truth: Truth, *, groups: Groups, drawn: FloatArray, reference: str | None = None
) -> Table:
    """Complete the rows to a table; ``reference`` names the one that all are compared with: what is served."""
    served = next((row for row in rows if row.name == reference), None)
    parts = slices(rows, truth, groups=groups, drawn=drawn)
    lines = [
        TableLine(row=row, against=_against(row, served, drawn), slices=part)
        for row, part in zip(rows, parts, strict=True)
    ]
    return Table(lines=lines, overlap=overlap([row.ranked for row in rows]))


def _against(row: TableRow, served: TableRow | None, drawn: FloatArray) -> dict[str, Measure]:
    if served is None or row is served:
        return {}
    against = dict(zip(PER_USER, differences(row.per_user, served.per_user, drawn), strict=True))
    covered = row.metrics[COVERAGE].value - served.metrics[COVERAGE].value
    return against | {COVERAGE: Measure(covered, covered, covered)}
