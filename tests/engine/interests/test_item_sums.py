"""Sums over all acts by item, worked out by hand."""

from dataclasses import replace

import numpy as np

from recommendations.engine.interests.item_sums import item_sums
from tests.shop import Act, training_set

ACTS = [
    Act(0, 0, 0, age=7.0),
    Act(0, 0, 1, age=90.0),
    Act(1, 0, 2, age=0.0),
    Act(1, 1, 3, age=0.0, strength=0.2, bought=False),
    Act(2, 1, 4, age=3.0),  # who teaches nobody
    Act(2, 2, 5, age=3.0, strength=-1.0, bought=False),
]


def test_sums_are_of_those_who_teach_and_counts_of_all() -> None:
    training = training_set(ACTS, n_users=3, category_of=[0, 0, 1])
    sums = item_sums(replace(training, teaches=np.array([True] * 4 + [False] * 2)))
    np.testing.assert_array_equal(sums.acts, [3, 2, 0])
    np.testing.assert_array_equal(sums.buyers, [1, 0, 0])  # a week ago is not within the week
    lately = 0.5 + 2 ** (-90 / 7)
    np.testing.assert_allclose(sums.popularity, [lately + 1, 0.2, 0], rtol=1e-6)
    np.testing.assert_allclose(sums.weights[90], [2 ** (-7 / 90) + 0.5 + 1, 0.2, 0], rtol=1e-6)
    np.testing.assert_allclose(sums.weights[7], [lately + 1, 0.2, 0], rtol=1e-6)
    assert sums.trend.shape == (3,)
