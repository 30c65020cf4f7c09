"""Descriptions of items as matrices: category membership and term counts."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommendations.engine.frames import Sparse
from recommendations.terms import PATH_SEPARATOR

MOST_TERMS = 50_000


def membership(columns: Sequence[NDArray[np.integer]], *, n_columns: int) -> Sparse:
    """c_j of each item: its categories in equal parts, so that a row sums to 1; an empty row where none is known."""
    counts = np.array([len(row) for row in columns], np.int64)
    share = np.repeat(1 / np.maximum(counts, 1), counts).astype(np.float32)
    indices = np.concatenate([*columns, np.empty(0, np.int64)]).astype(np.int32)
    starts = np.concatenate([[0], np.cumsum(counts)])
    return sparse.csr_matrix((share, indices, starts), shape=(len(columns), n_columns))


def description(
    title: str, *, brand: str = "", size: str = "", paths: Sequence[str] = (), made: Sequence[str] = ()
) -> list[str]:
    """Tokens of every level of each path, brand, size and the words of the title, each marked with where it stands.

    ``made``: the creator and the collection, either of which may be empty.
    """
    tokens = [f"word:{word}" for word in title.lower().split() if word.isalpha()]
    for path in paths:
        levels = path.split(PATH_SEPARATOR)
        tokens += [f"category:{PATH_SEPARATOR.join(levels[:depth])}" for depth in range(1, len(levels) + 1)]
    tokens += [f"brand:{brand}"] if brand else []
    tokens += [f"size:{size}"] if size else []
    tokens += [f"made:{name}" for name in made if name]
    return tokens


def term_counts(tokens: Iterable[Sequence[str]], *, at_least: int = 2) -> Sparse:
    """Items × terms: how often each token describes the item. Terms of fewer than ``at_least`` items say nothing.

    Columns are in alphabetical order, so the same catalogue gives the same matrix.
    """
    vocabulary: dict[str, int] = {}
    indices: list[int] = []
    starts = [0]
    for row in tokens:
        indices += [vocabulary.setdefault(token, len(vocabulary)) for token in row]
        starts.append(len(indices))
    ones = np.ones(len(indices), np.float32)
    matrix = sparse.csr_matrix(
        (ones, np.array(indices, np.int32), np.array(starts)), shape=(len(starts) - 1, len(vocabulary))
    )
    matrix.sum_duplicates()
    items_with = np.bincount(matrix.indices, minlength=len(vocabulary))
    names = np.array(list(vocabulary), dtype=object)
    columns = np.flatnonzero(items_with >= at_least)
    columns = columns[np.argsort(-items_with[columns], kind="stable")][:MOST_TERMS]
    columns = columns[np.argsort(names[columns].astype(str), kind="stable")] if len(columns) else columns
    return sparse.csr_matrix(matrix[:, columns])
