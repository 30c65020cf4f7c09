"""Steps of a fit over parts of its training set: the same work on one machine and on many (``maths.md`` §3).

What passes between steps are named arrays alone, which may be files that are mapped: a sparse ``x`` is ``x.data``,
``x.indices``, ``x.indptr`` and ``x.shape``. A name whose stem ends in ``_`` is what the recommender learns.
"""

import operator
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import reduce
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommendations.engine.frames import Catalogue, FloatArray, Interactions, Promotions, Sparse, TrainingSet

type Arrays = Mapping[str, NDArray[Any]]

FORM = ("data", "indices", "indptr")


class Over(StrEnum):
    """What a step is cut along."""

    CUSTOMERS = "customers"
    ITEMS = "items"
    ONCE = "once"


@dataclass(frozen=True, kw_only=True)
class Part:
    """What one call of a step works on: rows ``start`` up to ``stop``, which is not of it, of customers or of items."""

    start: int
    stop: int
    acts: Interactions | None  # that others learn from, of these customers, renumbered from 0; None over items and once
    catalogue: Catalogue  # whole: items are few
    promotions: Promotions | None
    net: Mapping[str, FloatArray] | None  # as in ``TrainingSet``
    seed: int

    @property
    def own(self) -> Interactions:
        """The acts of the customers of the part. Raises ValueError where it is none of customers."""
        if self.acts is None:
            raise ValueError("a step over items, or once, has no customers: it works on what the steps before left")
        return self.acts

    def cut(self, matrix: Sparse) -> Sparse:
        """The rows of the part, of a matrix of all rows; the matrix itself where the part is everything."""
        return matrix if self.stop - self.start == matrix.shape[0] else matrix[self.start : self.stop]


@dataclass(frozen=True, kw_only=True)
class Join:
    """Join of the arrays of parts, in their order: ``sums`` are added up, of ``highest`` the largest values stay.

    All others go side by side, row after row. The arrays of a single part stay as they are.
    """

    sums: Collection[str] = ()  # stems
    highest: Collection[str] = ()

    def __call__(self, parts: Sequence[Arrays]) -> Arrays:
        if len(parts) == 1:
            return parts[0]
        joined: dict[str, NDArray[Any]] = {}
        for stem in _stems(parts[0]):
            if stem in self.highest:
                joined[stem] = np.max([part[stem] for part in parts], axis=0)
            else:
                joined |= _sum(parts, stem) if stem in self.sums else _rows(parts, stem)
        return joined


side_by_side = Join()


def added(parts: Sequence[Arrays]) -> Arrays:
    """The sum of each array or sparse matrix, worked out in double precision."""
    return Join(sums=_stems(parts[0]))(parts)


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of a fit: ``work`` on each part, whose arrays are joined in the order of the parts.

    ``work`` has the settings, what the steps before left, and the part. A step over items makes a product of two sparse
    matrices: parts are ranges of the rows of the first that cost about the same.
    """

    name: str
    over: Over
    work: Callable[[Any, Arrays, Part], Arrays]
    join: Callable[[Sequence[Arrays]], Arrays] = side_by_side
    product: tuple[str, str] = ("", "")  # over items: stems
    spent: tuple[str, ...] = ()  # stems of what no later step reads


def borders_of(
    step: Step, before: Arrays, training: TrainingSet, *, borders: Sequence[int] = (), ranges: int = 1
) -> Sequence[int]:
    """Borders of the parts of a step: of customers the ``borders``, by default one part; at most so many ``ranges``."""
    if step.over is Over.CUSTOMERS:
        return borders or (0, training.n_users)
    if step.over is Over.ONCE:
        return 0, 0
    rows = int(before[f"{step.product[0]}.shape"][0])
    costs = most_stored(*(matrix_of(before, stem) for stem in step.product)) if ranges > 1 else np.ones(rows)
    return equal_costs(costs, ranges)


def part_between(step: Step, training: TrainingSet, start: int, stop: int, *, seed: int) -> Part:
    """The part of a step from one border to the next."""
    return Part(
        start=start,
        stop=stop,
        acts=_acts(training, start, stop) if step.over is Over.CUSTOMERS else None,
        catalogue=training.catalogue,
        promotions=training.promotions,
        net=training.net,
        seed=seed,
    )


def parts_of(
    step: Step, before: Arrays, training: TrainingSet, *, seed: int, borders: Sequence[int] = (), ranges: int = 1
) -> list[Part]:
    """The parts of a step."""
    at = borders_of(step, before, training, borders=borders, ranges=ranges)
    return [part_between(step, training, start, stop, seed=seed) for start, stop in pairwise(at)]


def run_part(step: Step, config: object, before: Arrays, part: Part) -> Arrays:
    """What one step leaves of one part. Raises TypeError where that is anything but arrays of numbers."""
    left = step.work(config, before, part)
    odd = [name for name, array in left.items() if not isinstance(array, np.ndarray) or array.dtype.hasobject]
    if odd:
        raise TypeError(f"step {step.name} left something else than arrays of numbers: {', '.join(odd)}")
    return left


def join_parts(step: Step, before: Arrays, left: Sequence[Arrays]) -> Arrays:
    """What there is after a step: what was before and is not spent, and what its parts left."""
    kept = {name: array for name, array in before.items() if name.partition(".")[0] not in step.spent}
    return {**kept, **step.join(left)}


def run_steps(
    steps: Iterable[Step],
    config: object,
    training: TrainingSet,
    *,
    seed: int,
    borders: Sequence[int] = (),
    ranges: int = 1,
) -> Arrays:
    """What is learned by steps, one after the other and part by part, in this process."""
    arrays: Arrays = {}
    for step in steps:
        parts = parts_of(step, arrays, training, seed=seed, borders=borders, ranges=ranges)
        arrays = join_parts(step, arrays, [run_part(step, config, arrays, part) for part in parts])
    return {name: array for name, array in arrays.items() if name.partition(".")[0].endswith("_")}


def most_stored(left: Sparse, right: Sparse) -> FloatArray:
    """The entries that each row of left @ right adds up, or could store if these are more, [rows of ``left``]."""
    ones = sparse.csr_matrix((np.ones(left.nnz, np.float32), left.indices, left.indptr), shape=left.shape)
    return np.minimum(ones @ np.diff(right.indptr).astype(np.float32), right.shape[1])


def equal_costs(costs: NDArray[np.floating], ranges: int) -> list[int]:
    """Borders of consecutive ranges of rows, none of them empty, that cost about the same."""
    if ranges == 1 or not len(costs):
        return [0, len(costs)]
    ends = np.cumsum(costs, dtype=np.float64)
    inner = np.searchsorted(ends, ends[-1] * np.arange(1, ranges) / ranges, side="left") + 1
    return [0, *np.unique(np.append(np.minimum(inner, len(costs)), len(costs))).tolist()]


def arrays_of(stem: str, matrix: Sparse) -> Arrays:
    """A sparse matrix as named arrays."""
    arrays: dict[str, NDArray[Any]] = {f"{stem}.{part}": getattr(matrix, part) for part in FORM}
    arrays[f"{stem}.shape"] = np.asarray(matrix.shape, np.int64)
    return arrays


def matrix_of(arrays: Arrays, stem: str) -> Sparse:
    """The sparse matrix that ``arrays_of`` was taken from; memory-mapped arrays stay mapped."""
    data, indices, indptr = (arrays[f"{stem}.{part}"] for part in FORM)
    height, width = arrays[f"{stem}.shape"]
    return sparse.csr_matrix((data, indices, indptr), shape=(int(height), int(width)), copy=False)


def _acts(training: TrainingSet, start: int, stop: int) -> Interactions:
    everybody = (start, stop) == (0, training.n_users)
    return training.teaching if everybody else training.teaching.of_users(np.arange(start, stop))


def _stems(arrays: Arrays) -> list[str]:
    return list(dict.fromkeys(name.partition(".")[0] for name in arrays))


def _sum(parts: Sequence[Arrays], stem: str) -> Arrays:
    if f"{stem}.shape" in parts[0]:
        doubled: list[Any] = [matrix_of(part, stem).astype(np.float64) for part in parts]
        summed = reduce(operator.add, doubled).tocsr()
        return arrays_of(stem, summed.astype(parts[0][f"{stem}.data"].dtype))
    kind = parts[0][stem].dtype
    total = np.array(parts[0][stem], np.float64 if kind.kind == "f" else kind)
    for part in parts[1:]:
        total += part[stem]
    return {stem: total.astype(kind)}


def _rows(parts: Sequence[Arrays], stem: str) -> Arrays:
    if f"{stem}.shape" not in parts[0]:
        return {stem: np.concatenate([part[stem] for part in parts])}
    matrices = [matrix_of(part, stem) for part in parts]
    data, indices = (np.concatenate([getattr(matrix, name) for matrix in matrices]) for name in ("data", "indices"))
    ends = np.cumsum(np.concatenate([[0], *(np.diff(matrix.indptr) for matrix in matrices)]), dtype=np.int64)
    shape = (len(ends) - 1, matrices[0].shape[1])
    return arrays_of(stem, sparse.csr_matrix((data, indices, ends), shape=shape))
