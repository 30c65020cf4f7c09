"""Behaviour of the members of each segment: activity, baskets and spend."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import IntArray, Interactions

LATELY = 28.0  # days

type Sums = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """Sums by group over its members and the whole history, those of ``active`` over its last 28 days; one row each."""

    members: Sums
    active: Sums  # members with any act
    acts: Sums
    baskets: Sums  # with a purchase
    spend: Sums  # money paid, shop currency


def behaviour(interactions: Interactions, group_of_user: IntArray, n_groups: int) -> Behaviour:
    """Sum up the behaviour of each group; ``group_of_user`` is the row of each user's group, −1 = none."""
    group = group_of_user[interactions.user]
    in_group = group >= 0
    bought = in_group & interactions.bought

    def summed(groups: IntArray, weights: NDArray[np.floating] | None = None) -> Sums:
        return np.bincount(groups, weights=weights, minlength=n_groups).astype(np.float64)

    lately = np.unique(interactions.user[in_group & (interactions.age <= LATELY)])
    _, first = np.unique(interactions.basket[bought], return_index=True)
    return Behaviour(
        members=summed(group_of_user[group_of_user >= 0]),
        active=summed(group_of_user[lately]),
        acts=summed(group[in_group]),
        baskets=summed(group[bought][first]),
        spend=summed(group[bought], np.nan_to_num(interactions.amount[bought])),
    )
