"""Sums of a few rows of a sparse matrix at the cost of their entries: an answer that nobody had before waits for them,
and a product of two sparse matrices looks at arrays that are as long as the catalogue.
"""

from collections.abc import Sequence
from threading import local
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import BoolArray, FloatArray, IntArray, Sparse


class _Scratch(local):
    """Arrays of each thread that are as long as the widest matrix."""

    places = np.zeros(0, np.int32)  # what earlier calls left in it means nothing
    values = np.zeros(0, np.float32)  # 0 everywhere

    def places_of(self, width: int) -> IntArray:
        if len(self.places) < width:
            self.places = np.zeros(width, np.int32)
        return self.places

    def values_of(self, width: int) -> FloatArray:
        if len(self.values) < width:
            self.values = np.zeros(width, np.float32)
        return self.values


_scratch = _Scratch()


class Entries(NamedTuple):
    """Stored entries of some rows of a matrix, row after row."""

    at: NDArray[np.int64]  # position in the matrix's data
    row: NDArray[np.int64]  # which of the rows each is of: 0, 1 …


def entries(matrix: Sparse, rows: NDArray[np.integer]) -> Entries:
    start = matrix.indptr[rows]
    lengths = matrix.indptr[rows + 1] - start
    ends = np.cumsum(lengths)
    offset = np.repeat(start - ends + lengths, lengths)
    offset += np.arange(len(offset), dtype=offset.dtype)
    return Entries(offset, np.repeat(np.arange(len(rows)), lengths))


class RowTerms(NamedTuple):
    """Terms w_k · m_kj of the rows k of a matrix; several may be of one row and column."""

    row: NDArray[np.integer]  # place of k among the rows
    column: IntArray
    value: FloatArray
    n_rows: int

    def of(self, column: int) -> NDArray[np.float64]:
        """The terms of one column, [rows]."""
        own = np.flatnonzero(self.column == column)
        return np.bincount(self.row[own], self.value[own], minlength=self.n_rows)

    def sums(self, width: int) -> tuple[IntArray, FloatArray]:
        """Columns with a term, in no order, and Σ_k w_k · m_kj of each; all columns are below ``width``."""
        return column_sums(self.column, self.value, width=width)

    def where(self, mask: BoolArray) -> "RowTerms":
        return RowTerms(self.row[mask], self.column[mask], self.value[mask], self.n_rows)

    def and_those(self, others: "RowTerms") -> "RowTerms":
        """These terms and others of the same rows."""
        row, column = np.append(self.row, others.row), np.append(self.column, others.column)
        return RowTerms(row, column, np.append(self.value, others.value), self.n_rows)


def row_terms(matrix: Sparse, rows: NDArray[np.integer], weights: FloatArray) -> RowTerms:
    at, row = entries(matrix, rows)
    return RowTerms(row, matrix.indices[at], matrix.data[at] * weights[row], len(rows))


def column_sums(columns: IntArray, values: FloatArray, *, width: int) -> tuple[IntArray, FloatArray]:
    """The different columns, in no order, and the sum of the values of each."""
    place, first = _places(columns, width)
    sums = np.bincount(place, values, minlength=len(columns))[first]
    return columns[first], sums.astype(np.float32)


def places_among(columns: NDArray[np.integer], others: NDArray[np.integer], *, width: int) -> IntArray:
    """Place of each column among others, no two of which are equal; −1 where it is none of them."""
    if not len(others):
        return np.full(len(columns), -1, np.int32)
    scratch = _scratch.places_of(width)
    scratch[others] = np.arange(len(others), dtype=np.int32)
    place = np.minimum(scratch[columns], len(others) - 1)
    return np.where(others[place] == columns, place, np.int32(-1))


def values_at(wanted: NDArray[np.integer], columns: IntArray, values: FloatArray, *, width: int) -> FloatArray:
    """The value of each wanted column; 0 where it has none. No two columns are equal."""
    scratch = _scratch.values_of(width)
    try:
        scratch[columns] = values
        return np.asarray(scratch[wanted])
    finally:
        scratch[columns] = 0


def union(parts: Sequence[IntArray], *, width: int) -> IntArray:
    """The different columns, ascending."""
    every = np.concatenate(parts)
    _, first = _places(every, width)
    return np.sort(every[first])


def _places(columns: IntArray, width: int) -> tuple[IntArray, NDArray[np.int64]]:
    """The place where each column stands last, and these places."""
    scratch, order = _scratch.places_of(width), np.arange(len(columns), dtype=np.int32)
    scratch[columns] = order
    place = scratch[columns]
    return place, np.flatnonzero(place == order)
