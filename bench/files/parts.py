"""Parts of a data set: what is known, who is asked about, and what is true; all data sets are judged in this form."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommendations.engine.evaluation.split import Truth, without
from recommendations.engine.frames import Catalogue, Interactions, Queries, Sparse, TrainingSet
from recommendations.terms import Task

REPEATS = 0.01
"""Share of the truth that repeats the history: where it is smaller, home leaves out the history too."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Part:
    """A training set, questions, and per task the truth and what may not come up, one row per question.

    The truth may have more columns than there are items: items that training does not know, which nobody can hit.
    """

    training: TrainingSet
    queries: Queries
    truths: Mapping[Task, Truth]
    excluded: Mapping[Task, Sparse | None]
    repeats: bool = True  # whether home may repeat the history

    @property
    def tasks(self) -> tuple[Task, ...]:
        """Tasks for which anyone has truth."""
        return tuple(task for task, truth in self.truths.items() if len(truth.users))

    def of_queries(self, rows: NDArray[np.integer]) -> "Part":
        """The part with these questions only."""
        return replace(
            self,
            queries=self.queries.of(rows),
            truths={task: Truth(spent=truth.spent[rows]) for task, truth in self.truths.items()},
            excluded={task: None if out is None else out[rows] for task, out in self.excluded.items()},
        )


def part(
    training: TrainingSet, queries: Queries, pairs: Sparse, *, tasks: tuple[Task, ...], repeats: bool | None = None
) -> Part:
    """Make a part from the true pairs, questions × items (and unknown ones).

    ``repeats``: whether home may repeat the history; None: as the truth of this part has it.
    """
    seen = history_matrix(queries.histories)
    fresh = without(pairs, widened(seen, pairs.shape[1]))
    if repeats is None:
        repeats = repeated_share(pairs, fresh) >= REPEATS
    truths = {Task.HOME: Truth(spent=pairs), Task.DISCOVER: Truth(spent=fresh)}
    return Part(
        training=training,
        queries=queries,
        truths={task: truths[task] for task in tasks},
        excluded={task: None if task is Task.HOME and repeats else seen for task in tasks},
        repeats=repeats,
    )


def repeated_share(pairs: Sparse, fresh: Sparse) -> float:
    return 1 - fresh.nnz / max(pairs.nnz, 1)


def history_matrix(histories: Interactions) -> Sparse:
    """Matrix questions × items, 1 where the history holds the item."""
    matrix = histories.matrix()
    matrix.data[:] = 1
    return matrix


def widened(matrix: Sparse, n_columns: int) -> Sparse:
    return sparse.csr_matrix((matrix.data, matrix.indices, matrix.indptr), shape=(matrix.shape[0], n_columns))


def pairs_of(row: NDArray[np.integer], item: NDArray[np.integer], *, shape: tuple[int, int]) -> Sparse:
    """Matrix with 1 for each pair that is there, however often."""
    matrix = sparse.csr_matrix((np.ones(len(row), np.float32), (row, item)), shape=shape)
    matrix.sum_duplicates()
    matrix.data[:] = 1
    return matrix


def undescribed(n_items: int) -> Catalogue:
    """A catalogue that knows nothing but how many items there are."""
    empty = sparse.csr_matrix((n_items, 0), dtype=np.float32)
    unknown = np.full(n_items, np.nan, np.float32)
    return Catalogue(categories=empty, terms=empty, price=unknown, listed_age=unknown)
