"""Drift of the segments since the run before, segment by segment."""

from dataclasses import dataclass

import numpy as np

from recommendations.engine.frames import FloatArray, IntArray
from recommendations.engine.interests.profile import unit_length

NEW = -1


@dataclass(frozen=True, kw_only=True)
class Grouping:
    """The segments of one run; ``members`` is of the same customers in both runs that are compared."""

    numbers: IntArray  # lasting number of each segment
    interests: FloatArray  # [segments, categories]: mean share of interest of the members
    sizes: IntArray
    members: IntArray  # lasting number of each customer's segment, −1 = none


@dataclass(frozen=True, kw_only=True)
class Drift:
    """Change of each segment of the current run, one row each."""

    size_before: IntArray  # −1: it was not there
    kept: FloatArray  # share of its members then, as far as they are still known, who are members now; NaN: new
    moved: FloatArray  # 1 − cosine of the interests then and now: 0 the same, 1 nothing in common; NaN: new


def drift(now: Grouping, before: Grouping) -> Drift:
    """Compare the segments of the current run with those of the same number before."""
    at = {number: row for row, number in enumerate(before.numbers.tolist())}
    rows = np.array([at.get(number, NEW) for number in now.numbers.tolist()], np.int32)
    there = rows >= 0
    retention, moved = np.full(len(rows), np.nan, np.float32), np.full(len(rows), np.nan, np.float32)
    size_before = np.full(len(rows), NEW, np.int32)
    if there.any():
        mine, theirs = unit_length(now.interests[there]), unit_length(before.interests[rows[there]])
        moved[there] = np.clip(1 - (mine * theirs).sum(axis=1), 0, 1)
        retention[there] = [_share_kept(now.members, before.members, number) for number in now.numbers[there].tolist()]
        size_before[there] = before.sizes[rows[there]]
    return Drift(size_before=size_before, kept=retention, moved=moved)


def moves(now: IntArray, before: IntArray) -> IntArray:
    """Ways that the same customers went, shape [ways, 3]: number before, number now (−1 = none), how many went it."""
    ways, customers = np.unique(np.stack([before, now], axis=1), axis=0, return_counts=True)
    return np.column_stack([ways, customers]).astype(np.int32)


def _share_kept(now: IntArray, before: IntArray, number: int) -> float:
    were = before == number
    return float(np.mean(now[were] == number)) if were.any() else float("nan")
