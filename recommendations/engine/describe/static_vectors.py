"""Texts as means of the vectors of their tokens, from a table in which each token has one, wherever it stands."""

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from recommendations.engine.frames import FloatArray, HalfArray

TINY = 1e-6


def mean_rows(tokens: Sequence[Sequence[int]], table: FloatArray | HalfArray) -> HalfArray:
    """Unit vectors of texts, [texts, dimensions], of the tokens that each is made of; 0 for a text without any."""
    lengths = np.fromiter((len(each) for each in tokens), np.int64, count=len(tokens))
    starts = np.concatenate([[0], np.cumsum(lengths)])
    columns = np.fromiter((token for each in tokens for token in each), np.int64, count=int(starts[-1]))
    counts = sparse.csr_matrix((np.ones(len(columns), np.float32), columns, starts), shape=(len(tokens), len(table)))
    summed = np.asarray(counts @ table.astype(np.float32), np.float32)
    norms = np.linalg.norm(summed, axis=1, keepdims=True)
    units = np.divide(summed, norms, out=np.zeros_like(summed), where=norms > TINY)
    return np.asarray(units, np.float16)
