"""How the members of each segment buy."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import IntArray, Interactions

LATELY = 28.0  # days

type Sums = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """One row per group; sums over its members and the whole history, those of ``active`` over its last 28 days."""

    members: Sums
    active: Sums  # members with any act
    acts: Sums
    baskets: Sums  # with a purchase
    spend: Sums  # money paid, shop currency


def behaviour(interactions: Interactions, group_of_user: IntArray, n_groups: int) -> Behaviour:
    """``group_of_user``: row of each user's group, −1 = none."""
    group = group_of_user[interactions.user]
    known = group >= 0
    bought = known & interactions.bought

    def counted(groups: IntArray, weights: NDArray[np.floating] | None = None) -> Sums:
        return np.bincount(groups, weights=weights, minlength=n_groups).astype(np.float64)

    lately = np.unique(interactions.user[known & (interactions.age <= LATELY)])
    _, first = np.unique(interactions.basket[bought], return_index=True)
    return Behaviour(
        members=counted(group_of_user[group_of_user >= 0]),
        active=counted(group_of_user[lately]),
        acts=counted(group[known]),
        baskets=counted(group[bought][first]),
        spend=counted(group[bought], np.nan_to_num(interactions.amount[bought])),
    )
