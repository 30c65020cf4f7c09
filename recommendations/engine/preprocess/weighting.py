"""Weights w_ij of interactions, and their transforms (``maths.md`` §1).

Statistics such as idf are learned from the training weights once and applied to any history, in training or folded in.
"""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommendations.engine.frames import FloatArray, Interactions, Queries, Sparse

SESSION_FADING = 0.8  # weight of an item of a session against the one after it

type Transform = Literal["binary", "count", "log", "sqrt", "tfidf", "bm25"]

BM25_SATURATION = 1.2  # k1 of Robertson and Zaragoza (2009)
BM25_LENGTH = 0.75  # b of the same


class Statistics(NamedTuple):
    """What a transform must remember of the training weights; empty arrays where it remembers nothing."""

    idf: FloatArray  # [items]
    mean_length: FloatArray  # [1]: mean row sum


def decay(age: FloatArray, half_life: float | None) -> FloatArray:
    """λ_h(a) = 2^(−a/h) with the age in days; no half-life, no decay."""
    if half_life is None:
        return np.ones(len(age), np.float32)
    return np.exp2(-age / np.float32(half_life)).astype(np.float32)


def act_weights(interactions: Interactions, *, half_life: float | None = None) -> Sparse:
    """w_ij = Σ strength · λ_h(age), users × items, each (basket, item) once whatever its quantity.

    A pair whose refunds outweigh its purchases has no weight: it is left out rather than negative.
    """
    matrix = interactions.matrix(interactions.strength * decay(interactions.age, half_life))
    matrix.data = np.maximum(matrix.data, np.float32(0))
    matrix.eliminate_zeros()
    return matrix


def learned_statistics(weights: Sparse, transform: Transform) -> Statistics:
    """Learn the statistics: idf is log(1 + N / (df + 1)) for tf-idf and log(1 + (N − df + ½) / (df + ½)) for BM25."""
    return counts_of(weights).statistics(transform)


class Counts(NamedTuple):
    """What statistics are made of; the counts of other people can be added to them."""

    people: NDArray[np.integer]  # [1]
    df: NDArray[np.integer]  # [items]: people with each
    total: NDArray[np.floating]  # [1]: sum of the weights

    def statistics(self, transform: Transform) -> Statistics:
        empty = np.empty(0, np.float32)
        if transform not in {"tfidf", "bm25"}:
            return Statistics(empty, empty)
        n, df = int(self.people[0]), self.df
        if transform == "tfidf":
            return Statistics(np.log1p(n / (df + 1)).astype(np.float32), empty)
        idf = np.log1p((n - df + 0.5) / (df + 0.5)).astype(np.float32)
        return Statistics(idf, np.asarray([self.total[0] / max(n, 1)], np.float32))


def counts_of(weights: Sparse) -> Counts:
    """The counts of weights, users × items."""
    df = np.bincount(weights.indices, minlength=weights.shape[1])
    return Counts(np.asarray([weights.shape[0]], np.int64), df, np.asarray([weights.sum()]))


def transformed(weights: Sparse, transform: Transform, statistics: Statistics | None = None) -> Sparse:
    """New matrix of the same places. ``binary`` is min(w, 1): a decayed or weak act counts less than a purchase."""
    values = weights.data
    match transform:
        case "binary":
            values = np.minimum(values, np.float32(1))
        case "count":
            values = values.copy()
        case "log":
            values = np.log1p(values)
        case "sqrt":
            values = np.sqrt(values)
        case "tfidf" | "bm25":
            learned = learned_statistics(weights, transform) if statistics is None else statistics
            values = _bm25(weights, learned) if transform == "bm25" else np.sqrt(values) * learned.idf[weights.indices]
    return sparse.csr_matrix(
        (values.astype(np.float32, copy=False), weights.indices, weights.indptr), shape=weights.shape
    )


def _bm25(weights: Sparse, known: Statistics) -> FloatArray:
    lengths = np.asarray(weights.sum(axis=1)).ravel()
    norm = 1 - BM25_LENGTH + BM25_LENGTH * lengths / max(float(known.mean_length[0]), 1e-9)
    row_norm = np.repeat(norm, np.diff(weights.indptr)).astype(np.float32)
    saturated = weights.data * (BM25_SATURATION + 1) / (BM25_SATURATION * row_norm + weights.data)
    return (saturated * known.idf[weights.indices]).astype(np.float32)


def context_weights(queries: Queries) -> Sparse:
    """The items in view or in the basket, queries × items; no context at all is a matrix of empty rows."""
    if queries.context is None:
        return sparse.csr_matrix((len(queries), queries.histories.n_items), dtype=np.float32)
    return queries.context
