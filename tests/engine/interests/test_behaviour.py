"""Behaviour of segments, counted by hand."""

import numpy as np

from recommendations.engine.interests.behaviour import behaviour
from tests.shop import Act, interactions


def test_sums_of_each_group() -> None:
    acts = interactions(
        [
            Act(0, 0, basket=1, age=1), Act(0, 1, basket=1, age=1), Act(0, 0, basket=2, age=40),
            Act(1, 2, basket=3, age=50), Act(1, 2, basket=9, age=2, bought=False),
            Act(2, 0, basket=4, age=30),
            Act(3, 0, basket=5, age=1),  # of no group
        ],
        n_users=5, n_items=3,
    )  # fmt: skip
    sums = behaviour(acts, np.asarray([0, 0, 1, -1, 1], np.int32), 3)
    assert sums.members.tolist() == [2, 2, 0]
    assert sums.active.tolist() == [2, 0, 0]
    assert sums.acts.tolist() == [5, 1, 0]
    assert sums.baskets.tolist() == [3, 1, 0]
    assert sums.spend.tolist() == [4, 1, 0]  # each purchase costs 1


def test_a_group_without_purchases_has_zero_baskets_and_spend() -> None:
    sums = behaviour(interactions([], n_users=2, n_items=1), np.asarray([0, -1], np.int32), 1)
    assert (sums.members.tolist(), sums.baskets.tolist(), sums.spend.tolist()) == ([1], [0], [0])
