"""Concentration: how unequally something falls to the items of a catalogue."""

import numpy as np
from numpy.typing import NDArray

type Counts = NDArray[np.integer] | NDArray[np.floating]


def gini(counts: Counts) -> float:
    """Gini coefficient over all items, those with nothing included: 0 = all the same, towards 1 = one has it all.

    Σ (2i − n − 1) x_(i) / (n Σ x), x ascending (Dagum 1980). NaN where there is nothing to share.
    """
    ordered = np.sort(np.asarray(counts, np.float64))
    n, total = len(ordered), ordered.sum()
    if not total:
        return float("nan")
    return float(((2 * np.arange(1, n + 1) - n - 1) * ordered).sum() / (n * total))


def lorenz(counts: Counts, *, points: int = 101) -> NDArray[np.float64]:
    """Lorenz curve, [points, 2]: the share of items, from those with least, against their share of the whole.

    All zero but its end where there is nothing to share.
    """
    ordered = np.sort(np.asarray(counts, np.float64))
    sums = np.concatenate([[0.0], np.cumsum(ordered)])
    at = np.linspace(0, len(ordered), points).round().astype(np.int64)
    shares = sums[at] / sums[-1] if sums[-1] else np.zeros(points)
    return np.column_stack([at / max(len(ordered), 1), shares])


def share_of_top(counts: Counts, share: float) -> float:
    """The part of the whole that goes to this share of the items, those with most; NaN where there is nothing."""
    ordered = np.sort(np.asarray(counts, np.float64))[::-1]
    total = ordered.sum()
    return float(ordered[: max(round(share * len(ordered)), 1)].sum() / total) if total else float("nan")
