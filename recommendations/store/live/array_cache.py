"""Cache in Valkey of arrays that take long to count, under a key that names what they were counted from.

A key holds every version and mark of change that its arrays depend on, so that they are never wrong, only forgotten.
With Valkey away they are counted again.
"""

import io
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommendations.store.live.valkey import valkey

KEPT = timedelta(hours=12)
PREFIX = "kept:2:"  # the number goes up when the arrays of a key change

type Arrays = Mapping[str, NDArray[Any]]


def cached(key: str, count: Callable[[], Arrays]) -> Arrays:
    """The arrays of ``key``, from the cache, else from ``count``."""
    replies = valkey().run(lambda pipeline: pipeline.get(PREFIX + key))
    if replies and replies[0] is not None:
        with np.load(io.BytesIO(replies[0]), allow_pickle=False) as arrays:
            return dict(arrays)
    computed = count()
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **computed)
    valkey().run(lambda pipeline: pipeline.set(PREFIX + key, buffer.getvalue(), ex=KEPT))
    return computed
