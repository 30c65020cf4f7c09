"""How segments buy, counted by hand."""

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
    found = behaviour(acts, np.asarray([0, 0, 1, -1, 1], np.int32), 3)
    assert found.members.tolist() == [2, 2, 0]
    assert found.active.tolist() == [2, 0, 0]
    assert found.acts.tolist() == [5, 1, 0]
    assert found.baskets.tolist() == [3, 1, 0]
    assert found.spend.tolist() == [4, 1, 0]  # each purchase costs 1


def test_nobody_buys_nothing() -> None:
    found = behaviour(interactions([], n_users=2, n_items=1), np.asarray([0, -1], np.int32), 1)
    assert (found.members.tolist(), found.baskets.tolist(), found.spend.tolist()) == ([1], [0], [0])
