"""Products of a block of queries with a sparse matrix, and the strongest entries of sparse rows."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommendations.engine.frames import BoolArray, FloatArray, Sparse

ITEMS_AT_ONCE = 4096  # a strip of the product stays in the processor's cache while it is turned round
ROWS_AT_ONCE = 2048


def dense_product(left: FloatArray, transposed: Sparse) -> FloatArray:
    """left @ transposed.T, shape [queries, items], for dense ``left`` [queries, k] and ``transposed`` [items, k].

    Going along the items keeps every inner loop a contiguous sum over the whole block of queries.
    """
    n_items = transposed.shape[0]
    product = np.empty((len(left), n_items), np.float32)
    turned = np.ascontiguousarray(left.T, dtype=np.float32)
    for start in range(0, n_items, ITEMS_AT_ONCE):
        strip = slice(start, min(start + ITEMS_AT_ONCE, n_items))
        product[:, strip] = (transposed[strip] @ turned).T
    return product


def silenced(scores: FloatArray, *, profile: Sparse, known: BoolArray | None = None) -> FloatArray:
    """The same array with NaN in the rows of empty profiles and in the columns of items never seen in training."""
    scores[np.diff(profile.indptr) == 0] = np.nan
    if known is not None and not known.all():
        scores[:, ~known] = np.nan
    return scores


def strongest(matrix: Sparse, n: int) -> Sparse:
    """Each row's ``n`` largest entries (ties: the lower column), columns in order."""
    lengths = np.diff(matrix.indptr)
    if not len(lengths) or lengths.max() <= n:
        return matrix
    kept = [_strongest_rows(matrix, start, n=n) for start in range(0, matrix.shape[0], ROWS_AT_ONCE)]
    places = np.concatenate(kept)
    indptr = np.concatenate([[0], np.cumsum(np.minimum(lengths, n))])
    return sparse.csr_matrix((matrix.data[places], matrix.indices[places], indptr), shape=matrix.shape)


def _strongest_rows(matrix: Sparse, start: int, *, n: int) -> NDArray[np.int64]:
    """Places in ``matrix.data`` of the kept entries of ``ROWS_AT_ONCE`` rows."""
    stop = min(start + ROWS_AT_ONCE, matrix.shape[0])
    first, last = int(matrix.indptr[start]), int(matrix.indptr[stop])
    rows = np.repeat(np.arange(stop - start), np.diff(matrix.indptr[start : stop + 1]))
    order = np.lexsort((matrix.indices[first:last], -matrix.data[first:last], rows))
    offsets = matrix.indptr[start:stop].astype(np.int64) - first
    position = np.arange(last - first) - offsets[rows]  # place in the order inside each row
    return np.asarray(np.sort(order[position < n]) + first, np.int64)
