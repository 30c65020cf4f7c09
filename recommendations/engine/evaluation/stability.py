"""Stability of lists: how much of them changed from one run to the next, and which part of the system changed it."""

from collections.abc import Callable, Hashable, Sequence
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import IntArray


def rbo(one: IntArray, other: IntArray, p: float = 0.9) -> NDArray[np.float64]:
    """Rank-biased overlap of two lists of each user, extrapolated: 1 the same order, 0 nothing in common, [users].

    A list is item rows [users, places], best first, each item once, −1 after the last; the two may differ in length.
    The first d places have the agreement A_d = X_d / d, X_d the items common to both; below the end of the shorter
    list, of s items, the part X_s / s of its missing places counts as common, below both ends A_l of the longer stands:

        (1 − p) / p Σ_{d ≤ l} A_d p^d + A_l p^l

    Two empty lists are the same. ``ValueError`` where p is not between 0 and 1 (Webber, Moffat and Zobel 2010, eq. 32).
    """
    if not 0 < p < 1:
        raise ValueError("the persistence p lies between 0 and 1")
    width = max(one.shape[1], other.shape[1], 1)
    one, other = _padded(one, width, missing=-1), _padded(other, width, missing=-2)
    lengths = np.stack([np.count_nonzero(ranked >= 0, axis=1) for ranked in (one, other)])
    shorter, longer = lengths.min(axis=0)[:, None], lengths.max(axis=0)[:, None]
    pairs = (one[:, :, None] == other[:, None, :]).cumsum(axis=1).cumsum(axis=2)
    common = np.diagonal(pairs, axis1=1, axis2=2)  # X_d
    last = np.maximum(shorter - 1, 0)
    share = np.take_along_axis(common, last, axis=1) / np.maximum(shorter, 1)  # X_s / s
    depth = np.minimum(np.arange(1, width + 1), np.maximum(longer, 1))
    agreement = (common + share * np.maximum(depth - shorter, 0)) / depth
    agreement[longer[:, 0] == 0] = 1
    weights = (1 - p) * p ** np.arange(width)
    return np.asarray(agreement @ weights + agreement[:, -1] * p**width)


def shapley[Part: Hashable](value: Callable[[frozenset[Part]], float], parts: Sequence[Part]) -> dict[Part, float]:
    """Share of each part in value(all parts) − value(none), to which the shares add up.

    ``value`` is asked once for each of the 2^n combinations; of a combination it says what holds with these parts as
    they are now and the others as they were. The share of a part is what it adds, averaged over all orders in which
    the parts may come:

        φ_i = Σ_S (value(S and i) − value(S)) / (n C(n − 1, |S|))      over the combinations S without i

    ``ValueError`` where a part stands there twice (Shapley 1953).
    """
    n = len(parts)
    if len(set(parts)) < n:
        raise ValueError("a part stands there twice")
    sets = [frozenset(chosen) for size in range(n + 1) for chosen in combinations(parts, size)]
    values = {chosen: value(chosen) for chosen in sets}
    return {
        part: sum(
            (values[chosen | {part}] - values[chosen]) / (n * comb(n - 1, len(chosen)))
            for chosen in sets
            if part not in chosen
        )
        for part in parts
    }


def _padded(ranked: IntArray, width: int, *, missing: int) -> IntArray:
    """Lists of this width whose empty places hold ``missing``, so that an empty place never equals another list's."""
    room = np.pad(ranked, ((0, 0), (0, width - ranked.shape[1])), constant_values=-1)
    return np.where(room >= 0, room, missing).astype(np.int32)
