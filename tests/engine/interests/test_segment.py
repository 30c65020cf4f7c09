"""Segments of a shop with groups that are there by construction."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from recommendations.engine.frames import IntArray, Sparse, TrainingSet
from recommendations.engine.interests.profile import interest_weights
from recommendations.engine.interests.segment import (
    Segmentation,
    agreement,
    find_segments,
    forerunners,
    mean_interests,
    members,
    top_categories,
)
from recommendations.engine.preprocess.weighting import act_weights
from tests.shop import Act, training_set

GROUPS = [7, 5, 3]  # users who buy only in category 0, 1, 2; one more user buys nothing


def grouped() -> TrainingSet:
    favourites = np.repeat([0, 1, 2], GROUPS)
    acts = [
        Act(user, 4 * int(favourite) + (user + n) % 4, basket=2 * user + n)
        for user, favourite in enumerate(favourites)
        for n in range(2)
    ]
    return training_set(acts, n_users=sum(GROUPS) + 1, category_of=[item // 4 for item in range(12)])


def found(n_segments: int = 3, seed: int = 0) -> tuple[Segmentation, IntArray]:
    training = grouped()
    weights = act_weights(training.interactions)
    return find_segments(weights, training.catalogue.categories, n_segments=n_segments, dimensions=20, seed=seed)


def test_segments_are_the_groups_of_the_shop_largest_first() -> None:
    segmentation, membership = found()
    np.testing.assert_array_equal(membership, np.repeat([0, 1, 2, -1], [*GROUPS, 1]))
    np.testing.assert_array_equal(segmentation.sizes, GROUPS)
    np.testing.assert_allclose(segmentation.interests, np.eye(3), atol=1e-6)


@pytest.mark.filterwarnings("error")
def test_there_are_no_more_segments_than_kinds_of_customers() -> None:
    segmentation, membership = found(n_segments=16)
    assert len(segmentation.sizes) == 3
    assert set(membership.tolist()) == {-1, 0, 1, 2}


def test_the_same_seed_gives_the_same_segmentation_bit_for_bit() -> None:
    (first, first_members), (again, again_members) = found(seed=4), found(seed=4)
    np.testing.assert_array_equal(first.centres, again.centres)
    np.testing.assert_array_equal(first_members, again_members)


def test_new_customers_can_be_put_into_a_segment() -> None:
    training = grouped()
    segmentation, membership = found()
    interests = interest_weights(act_weights(training.interactions), training.catalogue.categories)
    np.testing.assert_array_equal(members(segmentation, interests), membership)
    mostly_third = np.asarray([[1, 0, 9]], np.float32)
    assert members(segmentation, mostly_third).tolist() == [2]


def test_a_shop_without_acts_has_no_segments() -> None:
    training = training_set([], n_users=3, category_of=[0, 1])
    segmentation, membership = find_segments(
        act_weights(training.interactions), training.catalogue.categories, n_segments=4, dimensions=2, seed=0
    )
    assert len(segmentation.sizes) == 0
    np.testing.assert_array_equal(membership, -1)
    np.testing.assert_array_equal(members(segmentation, np.ones((2, 2), np.float32)), -1)


def test_a_segment_goes_on_in_the_one_that_has_half_of_its_members() -> None:
    before = np.asarray([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, -1], np.int32)
    now = np.asarray([2, 2, 2, 0, 0, 0, 1, 1, -1, 1, 1], np.int32)
    # Of 0's four, three are in 2; of 1's, two each in 0 and 1, and the first has it; of 2's two, one is in 1.
    assert forerunners(now, before, n_now=3, n_before=3).tolist() == [1, 2, 0]


def test_a_segment_of_which_less_than_half_stay_together_is_gone() -> None:
    before, now = np.zeros(5, np.int32), np.asarray([0, 0, 1, 1, 2], np.int32)
    assert forerunners(now, before, n_now=3, n_before=1).tolist() == [-1, -1, -1]


def test_where_two_segments_become_one_the_larger_goes_on() -> None:
    before, now = np.asarray([0, 0, 1, 1, 1], np.int32), np.zeros(5, np.int32)
    assert forerunners(now, before, n_now=2, n_before=2).tolist() == [1, -1]


def test_all_segments_are_new_where_nobody_was_in_one() -> None:
    nobody = np.full(2, -1, np.int32)
    assert forerunners(np.asarray([0, 1], np.int32), nobody, n_now=2, n_before=0).tolist() == [-1, -1]


def crossed() -> tuple[Sparse, Sparse]:
    """Interest of forty users in four categories: two of them each, neighbours on a ring, so that halves are alike."""
    pairs = np.repeat([[0, 1], [1, 2], [2, 3], [3, 0]], 10, axis=0)
    weights = np.zeros((40, 4), np.float32)
    weights[np.arange(40)[:, None], pairs] = 1 + np.arange(40)[:, None] % 10 / 100
    return csr_array(weights), csr_array(np.eye(4, dtype=np.float32))


@pytest.mark.parametrize("before", [[0, 0, 1, 1], [0, 1, 1, 0]])
def test_of_divisions_that_are_as_good_the_one_before_goes_on(before: list[int]) -> None:
    former = np.repeat(np.asarray(before, np.int32), 10)
    for seed in range(3):
        _, membership = find_segments(*crossed(), n_segments=2, dimensions=4, seed=seed, before=former)
        assert agreement(membership, former) == 1


def test_a_division_that_is_clearly_tighter_takes_the_place_of_the_one_before() -> None:
    training = grouped()
    weights = act_weights(training.interactions)
    former = np.asarray([0, 1, 2] * 5 + [-1], np.int32)  # across the groups
    _, membership = find_segments(
        weights, training.catalogue.categories, n_segments=3, dimensions=20, seed=0, before=former
    )
    np.testing.assert_array_equal(membership, np.repeat([0, 1, 2, -1], [*GROUPS, 1]))


def test_agreement_does_not_depend_on_segment_numbers() -> None:
    assert agreement(np.asarray([0, 0, 1, 1]), np.asarray([5, 5, 3, 3])) == 1
    # Two pairs split crosswise: no pair agrees, expected index 2·2/6, maximum 2, so (0 − 2/3) / (2 − 2/3).
    assert agreement(np.asarray([0, 0, 1, 1]), np.asarray([0, 1, 0, 1])) == pytest.approx(-0.5)


def test_top_categories_are_not_the_ones_that_all_customers_buy() -> None:
    overall = np.asarray([0.7, 0.2, 0.1, 0], np.float32)
    shares = np.asarray([[0.6, 0.1, 0.3, 0], [0.7, 0.3, 0, 0]], np.float32)
    top = top_categories(shares, overall, n=2)
    assert top[:, 0].tolist() == [2, 1]
    assert top.shape == (2, 2)


def test_mean_interests_count_each_customer_once() -> None:
    segmentation, _ = found()
    np.testing.assert_allclose(mean_interests(segmentation), np.asarray(GROUPS) / sum(GROUPS), atol=1e-6)


def test_of_many_users_a_sample_makes_the_segments_and_all_are_assigned() -> None:
    whole, members_of_whole = found()
    training = grouped()
    segmentation, membership = find_segments(
        act_weights(training.interactions), training.catalogue.categories,
        n_segments=3, dimensions=20, seed=0, learners=6,  # of 15 with a history: rows 0, 2, 5, 8, 11 and 14
    )  # fmt: skip
    np.testing.assert_array_equal(segmentation.sizes, GROUPS)
    np.testing.assert_array_equal(membership, members_of_whole)
    np.testing.assert_allclose(segmentation.interests, whole.interests, atol=1e-6)
