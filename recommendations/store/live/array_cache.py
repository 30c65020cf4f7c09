"""Answers that take long to count, kept in Valkey under a key that names what they were counted from.

A key holds every version and mark of change that the answer depends on, so that it is never wrong, only forgotten. With
Valkey away it is counted again.
"""

import io
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommendations.store.live.valkey import valkey

KEPT = timedelta(hours=12)
PREFIX = "kept:2:"  # the number goes up when the arrays of a key become others

type Arrays = Mapping[str, NDArray[Any]]


def cached(key: str, count: Callable[[], Arrays]) -> Arrays:
    """The arrays of ``key``, counted where they are not there."""
    found = valkey().run(lambda pipeline: pipeline.get(PREFIX + key))
    if found and found[0] is not None:
        with np.load(io.BytesIO(found[0]), allow_pickle=False) as arrays:
            return dict(arrays)
    counted = count()
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **counted)
    valkey().run(lambda pipeline: pipeline.set(PREFIX + key, buffer.getvalue(), ex=KEPT))
    return counted
