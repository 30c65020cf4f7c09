"""Ranked lists of one recommender alone, a block of questions at a time."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from bench.files.parts import Part
from recommendations.engine.frames import FloatArray, IntArray, Sparse
from recommendations.engine.ranking.scores import gathered, largest, top
from recommendations.engine.recommenders.hybrid import Scorer
from recommendations.engine.rng import generator
from recommendations.terms import Task

BLOCK_BYTES = 64_000_000  # of scores; each is copied once to leave items out
BLOCK_ROWS = 512


def blocks(n_rows: int, *, n_items: int) -> list[NDArray[np.int64]]:
    """Row numbers of consecutive blocks whose scores stay small."""
    size = int(np.clip(BLOCK_BYTES // (4 * max(n_items, 1)), 1, BLOCK_ROWS))
    return [np.arange(start, min(start + size, n_rows)) for start in range(0, n_rows, size)]


def drawn(users: NDArray[np.integer], n: int, *, seed: int) -> NDArray[np.integer]:
    """Draw so many users, as files are often sorted."""
    if len(users) <= n:
        return users
    return np.sort(generator(seed, "compared users").choice(users, n, replace=False))


def factor_of(trend: FloatArray | None, exponent: float) -> FloatArray | None:
    """Factor trend^g per item; None where it is 1 everywhere."""
    return None if trend is None or not exponent else np.power(trend, np.float32(exponent), dtype=np.float32)


def ranked_alone(recommender: Scorer, part: Part, *, task: Task, k: int, factor: FloatArray | None = None) -> IntArray:
    """Rank alone: item rows, best first, [questions, k], −1 after the last.

    With a factor per item they are ranked by max(score, 0) · factor.
    """
    ranked = np.full((len(part.queries), k), -1, np.int32)
    for rows in blocks(len(part.queries), n_items=part.training.n_items):
        scores = recommender.score(part.queries.of(rows))
        if factor is not None:
            scores = np.maximum(scores, np.float32(0)) * factor
        ranked[rows] = best_rows(scores, part.excluded[task], rows, k=k)
    return ranked


def best_rows(scores: FloatArray, excluded: Sparse | None, rows: NDArray[np.int64], *, k: int) -> IntArray:
    """Rank the k best known columns of each row without the excluded ones."""
    if excluded is not None:
        out: Sparse = sparse.csr_matrix(excluded[rows])
        scores = scores.copy()
        scores[np.repeat(np.arange(len(rows)), np.diff(out.indptr)), out.indices] = np.nan
    columns = largest(scores, k)
    order = top(gathered(scores, columns, missing=-np.inf), k)
    ranked: IntArray = gathered(columns, order, missing=-1).astype(np.int32)
    return ranked
