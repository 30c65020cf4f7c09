"""Random generators: a seed that the caller gives, split into independent streams by name."""

from zlib import crc32

import numpy as np


def generator(seed: int, *stream: str) -> np.random.Generator:
    """Make a generator: the same seed and names give the same numbers, other names give independent ones."""
    return np.random.default_rng([seed, *(crc32(name.encode()) for name in stream)])
