"""Graduation of a young item: from what it is to what people do with it, by how many acts it has (``maths.md`` §5)."""

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import FloatArray

HALF_GROWN = 8.0
"""Acts at which behaviour counts as much as content."""


def graduation(n_acts: NDArray[np.integer]) -> FloatArray:
    """g = n / (n + 8) of items with n acts: how far what people do with them is believed."""
    n = np.asarray(n_acts, np.float32)
    return np.asarray(n / (n + np.float32(HALF_GROWN)), np.float32)


def graduated(behaviour: FloatArray, content: FloatArray, n_acts: NDArray[np.integer]) -> FloatArray:
    """g z(behaviour) + (1 − g) z(content) of young items among themselves, [items].

    What one of them cannot say of an item (NaN) counts as its average; NaN where both are silent.
    """
    g = graduation(n_acts)
    mixed = g * _z(behaviour) + (1 - g) * _z(content)
    return np.where(np.isnan(behaviour) & np.isnan(content), np.float32(np.nan), mixed).astype(np.float32)


def _z(scores: FloatArray) -> FloatArray:
    """Standardised among the items that are spoken of; 0 for the others, and where all are the same."""
    known = scores[~np.isnan(scores)].astype(np.float64)
    sd = known.std() if len(known) else 0.0
    if not sd > 0:
        return np.zeros(len(scores), np.float32)
    return np.nan_to_num((scores - known.mean()) / sd).astype(np.float32)
