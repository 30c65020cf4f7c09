"""Fatigue: the chance that one more message makes somebody leave, by how many they got in the last 28 days."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SPAN_DAYS = 28
COUNTS = 4  # of messages before: 0, 1, 2, and 3 or more
LEFT, STAYED = 1.0, 399.0  # Beta prior: one of four hundred messages makes somebody leave


def leaving_chances(left: Sequence[int], taken: Sequence[int]) -> NDArray[np.float64]:
    """Posterior mean by messages before, [4], never falling: neighbours that fall are pooled, by their messages.

    ``left`` are those who unsubscribed or complained, of messages ``taken``; without any it is the prior's.
    """
    gone = np.asarray(left, np.float64) + LEFT
    weight = np.asarray(taken, np.float64) + LEFT + STAYED
    return rising(gone / weight, weight)


def rising(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """The nearest values that never fall, by weighted squares (pool adjacent violators)."""
    pools: list[tuple[float, float, int]] = []  # value, weight, how many
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        pools.append((value, weight, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (low, below, few), (high, above, more) = pools[-2:]
            pools[-2:] = [((low * below + high * above) / (below + above), below + above, few + more)]
    return np.concatenate([np.full(number, value) for value, _, number in pools])
