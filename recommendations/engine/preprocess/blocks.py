"""Products of a block of queries with a sparse matrix, and the strongest entries of sparse rows."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommendations.engine.frames import BoolArray, FloatArray, Sparse
from recommendations.engine.steps import most_stored

ITEMS_AT_ONCE = 4096  # a strip of the product stays in the processor's cache while it is turned round
STORED_AT_ONCE = 16_000_000  # entries of a sparse product: with what is made of them about 400 MB


def dense_product(left: FloatArray, transposed: Sparse) -> FloatArray:
    """left @ transposed.T, shape [queries, items], for dense ``left`` [queries, k] and ``transposed`` [items, k].

    Going along the items keeps every inner loop a contiguous sum over the whole block of queries.
    """
    n_items = transposed.shape[0]
    if len(left) == 1:
        return np.asarray(transposed @ left[0], np.float32)[None, :]
    product = np.empty((len(left), n_items), np.float32)
    turned = np.ascontiguousarray(left.T, dtype=np.float32)
    for start in range(0, n_items, ITEMS_AT_ONCE):
        strip = slice(start, min(start + ITEMS_AT_ONCE, n_items))
        product[:, strip] = (transposed[strip] @ turned).T
    return product


def strips(left: Sparse, right: Sparse, *, stored: int = STORED_AT_ONCE) -> list[slice]:
    """Consecutive rows of ``left``, all of them, whose product with ``right`` has at most so many stored entries.

    A single row may have more. The bound of a row is known without the product: the entries that it would add up.
    """
    ends = np.cumsum(most_stored(left, right), dtype=np.float64)
    slices = []
    start = 0
    while start < len(ends):
        before = ends[start - 1] if start else 0.0
        stop = max(int(np.searchsorted(ends, before + stored, side="right")), start + 1)
        slices.append(slice(start, stop))
        start = stop
    return slices


def frequent(left: Sparse, right: Sparse, *, at_least: float, stored: int = STORED_AT_ONCE) -> Sparse:
    """left @ right without the entries below ``at_least``, columns in order; the whole product is never held."""
    parts = [_at_least(left[strip] @ right, at_least) for strip in strips(left, right, stored=stored)]
    if not parts:
        return sparse.csr_matrix((left.shape[0], right.shape[1]), dtype=np.float32)
    return sparse.csr_matrix(sparse.vstack(parts), dtype=np.float32)


def chosen(matrix: Sparse, mask: BoolArray, *, values: FloatArray | None = None) -> Sparse:
    """The stored entries for which ``mask`` is true, with other ``values`` (one per entry of before) if given."""
    before = np.concatenate([[0], np.cumsum(mask)])
    data = matrix.data if values is None else values
    return sparse.csr_matrix(
        (data[mask], matrix.indices[mask], before[matrix.indptr]), shape=matrix.shape, dtype=np.float32
    )


def rows_of(matrix: Sparse, rows: NDArray[np.integer]) -> Sparse:
    """These different rows, ascending, of a matrix; the matrix itself where they are all of its rows."""
    return matrix if len(rows) == matrix.shape[0] else sparse.csr_matrix(matrix[rows])


def _at_least(matrix: Sparse, least: float) -> Sparse:
    entries = chosen(matrix, matrix.data >= least)
    entries.sort_indices()
    return entries


def silenced(scores: FloatArray, *, profile: Sparse, known: BoolArray | None = None) -> FloatArray:
    """Put NaN into the rows of empty profiles and the columns of items never seen in training, in place."""
    scores[np.diff(profile.indptr) == 0] = np.nan
    if known is not None and not known.all():
        scores[:, ~known] = np.nan
    return scores


def row_sums(profile: Sparse, terms: Sparse) -> Sparse:
    """Σ_k p_k · terms_k over the entries k of each row of the profile; ``terms`` has a row per entry."""
    weights = sparse.csr_matrix(
        (profile.data, np.arange(profile.nnz), profile.indptr), shape=(profile.shape[0], profile.nnz)
    )
    return sparse.csr_matrix(weights @ terms, dtype=np.float32)


def unit_rows(matrix: Sparse) -> Sparse:
    """Every row divided by its Euclidean length; empty rows stay empty."""
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    lengths = np.sqrt(np.bincount(row, matrix.data.astype(np.float64) ** 2, minlength=matrix.shape[0]))
    values = np.divide(matrix.data, lengths[row], out=np.zeros(matrix.nnz), where=lengths[row] > 0)
    return sparse.csr_matrix((values.astype(np.float32), matrix.indices, matrix.indptr), shape=matrix.shape)


def strongest(matrix: Sparse, n: int) -> Sparse:
    """Each row's ``n`` largest entries; of equals at the end of a row some stay, always the same ones."""
    lengths = np.diff(matrix.indptr)
    if lengths.max(initial=0) <= n:
        return matrix
    mask = np.ones(matrix.nnz, np.bool_)
    for row in np.flatnonzero(lengths > n):
        start, stop = int(matrix.indptr[row]), int(matrix.indptr[row + 1])
        mask[start + np.argpartition(matrix.data[start:stop], -n - 1)[:-n]] = False
    indptr = np.concatenate([[0], np.cumsum(np.minimum(lengths, n))])
    return sparse.csr_matrix((matrix.data[mask], matrix.indices[mask], indptr), shape=matrix.shape)


def entry(row: Sparse, column: int) -> float:
    """The value at a column of a matrix of one row whose columns are in order; 0 where there is none."""
    at = int(np.searchsorted(row.indices, column))
    return float(row.data[at]) if at < len(row.indices) and row.indices[at] == column else 0.0
