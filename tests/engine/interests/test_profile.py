"""Interest shares, against the worked example."""

import numpy as np
import pytest
from sklearn.preprocessing import normalize

from recommendations.engine.interests.profile import (
    global_share,
    interest_shares,
    interest_weights,
    overall_interest,
    shares_of,
    unit_length,
    unit_sum,
)
from recommendations.engine.preprocess.weighting import act_weights
from tests.shop import POPULARITY, SHARES, TOTAL, in_view, worked_example


def worked_interests() -> np.ndarray:
    training = worked_example()
    return interest_weights(act_weights(training.interactions), training.catalogue.categories)


def test_shares_of_the_worked_example() -> None:
    interests = worked_interests()
    shares = interest_shares(interests, prior=global_share(interests), strength=0.0)
    for user, row in SHARES.items():
        np.testing.assert_allclose(shares[user - 1], [float(share) for share in row], rtol=1e-6)
    assert np.isnan(shares[3:]).all()


def test_the_printed_vector_of_the_article_is_no_share() -> None:
    """It sums to 1.7; a share sums to 1, so it follows from no weights at all."""
    printed = [0.3, 0.2, 0.4, 0.2, 0.4, 0.2]
    assert round(sum(printed), 1) == 1.7
    assert float(sum(SHARES[1])) == 1.0


def test_the_global_share_counts_all_users() -> None:
    np.testing.assert_allclose(global_share(worked_interests()), np.asarray(POPULARITY) / (3 * TOTAL), rtol=1e-6)
    np.testing.assert_array_equal(global_share(np.zeros((2, 3), np.float32)), 0)


def test_shrinkage_mixes_with_the_global_share() -> None:
    interests = np.asarray([[6, 2], [0, 0]], np.float32)
    prior = np.asarray([0.25, 0.75], np.float32)
    shares = interest_shares(interests, prior=prior, strength=8.0)
    np.testing.assert_allclose(shares, [[(6 + 2) / 16, (2 + 6) / 16], [0.25, 0.75]], rtol=1e-6)


def test_membership_is_divided_among_categories() -> None:
    weights = in_view([[0, 1]], n_items=2)
    half = in_view([[0, 1], [1]], n_items=2)
    half.data[:2] = 0.5
    np.testing.assert_allclose(interest_weights(weights, half), [[0.5, 1.5]])


def test_the_global_share_in_blocks_is_that_of_all_users_at_once() -> None:
    training = worked_example()
    weights = act_weights(training.interactions)
    for users in (1, 3, 10):
        shares = shares_of(overall_interest(weights, training.catalogue.categories, at_once=users))
        np.testing.assert_allclose(shares, global_share(worked_interests()), rtol=1e-6)


def test_rows_of_length_and_of_sum_one_by_hand_and_as_scikit_learn_has_them() -> None:
    rows = np.array([[3, -4], [0, 0], [1, 1]], np.float32)
    assert unit_length(rows)[:2].tolist() == [[pytest.approx(0.6), pytest.approx(-0.8)], [0, 0]]
    assert unit_sum(rows)[:2].tolist() == [[pytest.approx(3 / 7), pytest.approx(-4 / 7)], [0, 0]]
    drawn = np.random.default_rng(0).normal(size=(50, 7)).astype(np.float32)
    np.testing.assert_array_equal(unit_length(drawn), normalize(drawn))
    np.testing.assert_array_equal(unit_sum(drawn), normalize(drawn, norm="l1"))
