"""Overlap of the lists of two recommenders: what a hybrid can gain from both is where they differ."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import IntArray

USERS_AT_ONCE = 4096


def overlap(lists: Sequence[IntArray], *, k: int = 10) -> NDArray[np.float64]:
    """Mean over users of (items in both top k) / (items of the longer of the two), shape [lists, lists], symmetric.

    A list is item rows [users, places], best first, −1 after the last. Two empty lists have nothing in common.
    """
    n_users = len(lists[0]) if lists else 0
    total = np.zeros((len(lists), len(lists)))
    for start in range(0, n_users, USERS_AT_ONCE):
        parts = [ranked[start : start + USERS_AT_ONCE, :k] for ranked in lists]
        lengths = [np.count_nonzero(part >= 0, axis=1) for part in parts]
        for one in range(len(parts)):
            items = np.where(parts[one] >= 0, parts[one], -2)[:, :, None]  # no item is never the same as no item
            for other in range(one, len(parts)):
                common = (items == parts[other][:, None, :]).sum(axis=(1, 2))
                share = common / np.maximum(np.maximum(lengths[one], lengths[other]), 1)
                total[one, other] = total[other, one] = total[one, other] + share.sum()
    return total / max(n_users, 1)
