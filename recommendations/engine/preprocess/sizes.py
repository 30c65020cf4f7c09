"""Limits where the data are too many: work that grows with a square is done on a part of them.

A shop of the demo's size is below every limit here, so that its results are exact.
"""

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import FloatArray, IntArray, Interactions
from recommendations.engine.steps import Arrays, Join, Part

BASE_USERS = 200_000
"""Number of users whom all others are compared with, at most."""

BASE_ROWS = 4_000_000
"""Rows of history that these have together, at most: it is rows that a comparison touches."""

ENOUGH = 10
"""Rows of history that make a person worth comparing with."""

MOST_PAIRS = 8_000_000_000
"""Pairs of items of one history that are counted, over all histories: a minute or two of one core."""


MOST_ROWS = 5_000_000
"""Rows of history that a few coefficients are learned from."""


def thinned(interactions: Interactions, rows: int, *, of: int | None = None, start: int = 0) -> Interactions:
    """Keep every k-th user, so that there are about ``rows`` rows; everybody where there are no more.

    The interactions may be those of a part of all users, from ``start`` on, who have ``of`` rows together.
    """
    of = len(interactions) if of is None else of
    if of <= rows:
        return interactions
    stop, step = start + interactions.n_users, of / rows
    kept = np.arange(0, stop + step, step).astype(np.int64)
    return interactions.of_users(kept[(kept >= start) & (kept < stop)] - start)


def base_users(interactions: Interactions, n: int, *, rows: int = BASE_ROWS) -> IntArray:
    """Rows of at most ``n`` users, ascending: those with enough history first, of them the most recently active.

    They are fewer where they would have more than ``rows`` rows of history together; one there is always.
    """
    if interactions.n_users <= n and len(interactions) <= rows:
        return np.arange(interactions.n_users, dtype=np.int32)
    return _best_users(np.diff(interactions.offsets), newest_acts(interactions), n, rows=rows)


def newest_acts(interactions: Interactions) -> FloatArray:
    """Age of each user's newest act in days, infinite of who has none."""
    newest, active = np.full(interactions.n_users, np.inf, np.float32), np.diff(interactions.offsets) > 0
    newest[active] = (
        np.minimum.reduceat(interactions.age, interactions.offsets[:-1][active]) if active.any() else np.inf
    )
    return newest


BASE = Join(sums=("people", "rows"))
"""Join of base users of parts."""


def base_of_part(part: Part, n: int, *, rows: int = BASE_ROWS) -> tuple[Interactions, Arrays]:
    """The acts of the base users of a part, and who they are: among them are those that the whole has in this part."""
    base = base_users(part.own, n, rows=rows)
    acts = part.own.of_users(base)
    facts = {
        "base": base + np.int32(part.start),
        "lengths": np.diff(acts.offsets),
        "newest": newest_acts(acts),
        "people": np.asarray([part.own.n_users]),
        "rows": np.asarray([len(part.own)]),
    }
    return acts, facts


def base_of_all(joined: Arrays, n: int, *, rows: int = BASE_ROWS) -> IntArray:
    """Places of the whole's base users, ascending, among those of its parts."""
    if joined["people"][0] <= n and joined["rows"][0] <= rows:
        return np.arange(len(joined["base"]), dtype=np.int32)
    return _best_users(joined["lengths"], joined["newest"], n, rows=rows)


def _best_users(lengths: NDArray[np.integer], newest: FloatArray, n: int, *, rows: int) -> IntArray:
    order = np.lexsort((newest, -np.minimum(lengths, ENOUGH)))[:n]
    together = np.cumsum(lengths[order])
    return np.sort(order[: max(np.searchsorted(together, rows, side="right"), 1)]).astype(np.int32)


def longest_affordable(lengths: NDArray[np.integer], work: float) -> int:
    """The largest n for which Σ min(length, n)² is at most ``work``, but 1 at least; the longest if all fit."""
    ordered = np.sort(lengths).astype(np.float64)
    if not len(ordered):
        return 1
    shorter = np.cumsum(ordered**2) - ordered**2
    longer = np.arange(len(ordered), 0, -1)
    beyond = int(np.searchsorted(shorter + longer * ordered**2, work, side="right"))
    longest = ordered[-1] if beyond == len(ordered) else np.sqrt((work - shorter[beyond]) / longer[beyond])
    return max(int(longest), 1)


def places(rows: IntArray, among: IntArray | None) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Look rows up in an ascending list: positions in ``rows`` of those that are in it, and their places in the list.

    None is the list of all rows; a negative row is in none.
    """
    if among is None:
        there = np.flatnonzero(rows >= 0)
        return there, rows[there].astype(np.int64)
    if not len(among):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    at = np.minimum(np.searchsorted(among, rows), len(among) - 1)
    there = np.flatnonzero(among[at] == rows)
    return there, at[there]


def new_numbers(rows: IntArray, gone: IntArray) -> IntArray:
    """The numbers of rows, of which none is gone, when those that are gone are no longer counted."""
    return (rows - np.searchsorted(np.unique(gone), rows)).astype(np.int32)
