import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from recommendations.engine.ranking.candidates import Candidates, weight_vector
from recommendations.engine.ranking.scores import (
    GROUPS,
    MANY_ROWS,
    SLOTS,
    WIDE,
    best,
    blend,
    blend_planes,
    contributions,
    kth_largest,
    largest,
    lifted,
    spoken,
    standardised,
    top,
)
from recommendations.terms import Lift

Z = np.array([[[1.0, -2.0, 0.5], [np.nan, 4.0, 0.25]]], np.float16)

grades = hnp.arrays(np.float16, (3, 7), elements=st.one_of(st.floats(-28, 28, width=16), st.just(np.nan)))
shares = st.lists(st.floats(0, 1, width=32), min_size=3, max_size=3).map(lambda w: np.array(w, np.float32))


def sorted_by_hand(row: np.ndarray, k: int) -> list[int]:
    pairs = [(-value, at) for at, value in enumerate(row) if not np.isnan(value) and value != -np.inf]
    return [at for _, at in sorted(pairs)[:k]]


def test_blend_is_the_weighted_sum_with_silence_as_zero() -> None:
    scores = blend(Z, np.array([0.25, 0.5], np.float32))
    np.testing.assert_array_equal(scores, np.array([[0.25, 1.5, 0.25]], np.float32))
    assert scores.dtype == np.float32


def test_contributions_are_signed_and_silence_contributes_nothing() -> None:
    parts = contributions(Z[0], np.array([0.25, 0.5], np.float32))
    np.testing.assert_array_equal(parts, [[0.25, -0.5, 0.125], [0, 2, 0.125]])


@given(grades, shares)
def test_contributions_sum_to_the_score(z: np.ndarray, weights: np.ndarray) -> None:
    weights = weights / max(weights.sum(), 1)
    np.testing.assert_allclose(contributions(z, weights).sum(axis=0), blend(z, weights), rtol=1e-6, atol=1e-5)


@given(grades, shares)
def test_blends_of_a_record_a_block_and_panel_planes_are_equal_bit_for_bit(z: np.ndarray, weights: np.ndarray) -> None:
    block = np.stack([z, z[:, ::-1]])
    planes = np.ascontiguousarray(np.moveaxis(spoken(block), 1, 0))
    alone = blend(z, weights)
    assert alone.tobytes() == blend(block, weights)[0].tobytes() == blend_planes(planes, weights)[0].tobytes()


@given(grades, shares)
def test_scaling_all_weights_changes_no_order(z: np.ndarray, weights: np.ndarray) -> None:
    once, twice = blend(z, weights), blend(z, weights * np.float32(2))
    np.testing.assert_array_equal(top(once[None], 5), top(twice[None], 5))


def test_standardised_over_the_known_values_of_each_segment() -> None:
    values = np.array([[1, 3, np.nan, 10, 10], [np.nan, np.nan, np.nan, 2, 6]], np.float32)
    z = standardised(values, np.array([0, 3]))
    np.testing.assert_array_equal(z[0], np.array([-1, 1, np.nan, 0, 0], np.float32))
    np.testing.assert_array_equal(z[1], np.array([np.nan, np.nan, np.nan, -1, 1], np.float32))


@pytest.mark.parametrize("value", [0.0, 0.1, 1e-12, 123456.78])
def test_a_constant_instance_is_zero_not_noise(value: float) -> None:
    z = standardised(np.full((1, 1000), value, np.float32), np.array([0]))
    np.testing.assert_array_equal(z, np.zeros((1, 1000), np.float32))


def test_rounding_noise_is_a_constant() -> None:
    """Two neighbouring float32 numbers differ by one part in eight million."""
    values = np.full((1, 10), 1000, np.float32)
    values[0, 3] = np.nextafter(np.float32(1000), np.float32(2000))
    np.testing.assert_array_equal(standardised(values, np.array([0])), np.zeros((1, 10), np.float32))


@given(hnp.arrays(np.float32, (2, 12), elements=st.floats(-1e6, 1e6, width=32)), st.permutations(range(12)))
def test_standardising_does_not_depend_on_the_order_of_the_pool(values: np.ndarray, order: list[int]) -> None:
    z = standardised(values, np.array([0]))
    np.testing.assert_allclose(standardised(values[:, order], np.array([0])), z[:, order], rtol=1e-4, atol=1e-4)
    assert np.abs(z).max() <= np.sqrt(11) + 1e-3


few_values = hnp.arrays(
    np.float32, (4, 9), elements=st.sampled_from([-np.inf, -1.5, 0.0, 0.0, 2.0, 7.25]).map(np.float32)
)


@given(few_values, st.integers(0, 12))
def test_top_orders_by_score_then_position(scores: np.ndarray, k: int) -> None:
    for row, positions in zip(scores, top(scores, k), strict=True):
        expected = sorted_by_hand(row, k)
        assert positions.tolist() == expected + [-1] * (k - len(expected))


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 7, 20]), st.sampled_from([WIDE * SLOTS * 20, 799]))
def test_top_of_many_rows_with_ties_and_rows_that_are_nearly_empty(seed: int, k: int, width: int) -> None:
    draw = np.random.default_rng(seed)
    scores = draw.integers(0, 40, (MANY_ROWS, width)).astype(np.float32)
    scores[draw.random(scores.shape) < draw.random()] = -np.inf
    scores[0] = -np.inf
    scores[1, 5:] = -np.inf
    scores[2] = 0
    for row, positions in zip(scores, top(scores, k), strict=True):
        expected = sorted_by_hand(row, k)
        assert positions.tolist() == expected + [-1] * (k - len(expected))
    some = scores[:3]  # too few rows for the bound
    np.testing.assert_array_equal(top(some, k), top(scores, k)[:3])


@given(few_values, st.integers(0, 12))
def test_best_marks_what_top_lists(scores: np.ndarray, k: int) -> None:
    for row, marked in zip(scores, best(scores, k), strict=True):
        assert sorted(sorted_by_hand(row, k)) == np.flatnonzero(marked).tolist()


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.sampled_from([3, 200]), st.sampled_from([500, 2 * GROUPS, 5 * GROUPS + 37]))
def test_largest_of_wide_rows_with_ties_and_silence(seed: int, k: int, width: int) -> None:
    draw = np.random.default_rng(seed)
    scores = draw.integers(0, 40, (4, width)).astype(np.float32)
    scores[draw.random(scores.shape) < 0.3] = np.nan
    scores[1] = np.nan
    scores[2, draw.random(width) < 0.9] = 0
    scores[3, 5:] = np.nan
    for row, columns in zip(scores, largest(scores, k), strict=True):
        expected = sorted(sorted_by_hand(row, k))
        assert columns.tolist() == expected + [-1] * (k - len(expected))


@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 3, 200]), st.sampled_from([500, 2 * GROUPS, 5 * GROUPS + 37]))
@settings(max_examples=30, deadline=None)
def test_kth_largest_with_ties_and_rows_that_are_nearly_empty(seed: int, k: int, width: int) -> None:
    draw = np.random.default_rng(seed)
    scores = draw.integers(0, 40, (5, width)).astype(np.float32)
    scores[1] = np.where(draw.random(width) < 0.002, draw.random(width), 0)
    scores[2] = -np.inf
    scores[3, -width // GROUPS :] += 100  # the largest are not in groups that are compared
    np.testing.assert_array_equal(kth_largest(scores, k), np.sort(scores, axis=1)[:, -k])


def test_top_and_largest_of_empty_scores_are_padding() -> None:
    assert top(np.empty((0, 5), np.float32), 3).shape == (0, 3)
    np.testing.assert_array_equal(top(np.empty((2, 0), np.float32), 2), np.full((2, 2), -1))
    np.testing.assert_array_equal(largest(np.empty((2, 0), np.float32), 2), np.full((2, 2), -1))


def records() -> Candidates:
    return Candidates(
        instances=("loud", "quiet"),
        items=np.array([[3, 8, 9], [1, 4, -1]], np.int32),
        z=np.array([[[0, 1, 1], [np.nan] * 3], [[-1, -1, np.nan], [2, 0, np.nan]]], np.float16),
        own=np.array([[[8], [-1]], [[1], [1]]], np.int32),
    )


def test_padding_is_never_ranked_and_ties_go_to_the_lower_item() -> None:
    np.testing.assert_array_equal(records().ranked({"loud": 1.0}, 3), [[8, 9, 3], [1, 4, -1]])
    np.testing.assert_array_equal(records().ranked({"quiet": 1.0}, 4), [[3, 8, 9, -1], [1, 4, -1, -1]])


def test_weights_find_their_instances_by_name() -> None:
    np.testing.assert_array_equal(weight_vector(("a", "b"), {"b": 0.5, "gone": 0.5}), np.array([0, 0.5], np.float32))


def test_lifted_by_hand() -> None:
    scores, lift = np.array([2, 2, 0, -1], np.float32), np.array([4, 0.25, 4, 4], np.float32)
    plan = Lift.PROMOTION
    np.testing.assert_allclose(lifted(scores, {plan: lift}, {plan: 0.5})[plan], [2, -1, 0, 0])
    np.testing.assert_allclose(lifted(scores, {plan: lift}, {plan: 1.0})[plan], [6, -1.5, 0, 0])
    assert lifted(scores, {plan: lift}, {plan: 0.0}) == lifted(scores, {}, {plan: 1.0}) == {}
    assert not lifted(scores, {plan: np.ones(4, np.float32)}, {plan: 2.0})[plan].any()


def test_a_lift_raises_promoted_items_only_with_an_exponent() -> None:
    lift = np.ones(10, np.float32)
    lift[9] = 1.5
    lifts, full = {Lift.PROMOTION: lift}, {Lift.PROMOTION: 1.0}
    ranked = records().ranked({"loud": 1.0}, 3, lifts=lifts, exponents=full)
    np.testing.assert_array_equal(ranked, [[9, 8, 3], [1, 4, -1]])
    np.testing.assert_array_equal(records().ranked({"loud": 1.0}, 3, lifts=lifts), [[8, 9, 3], [1, 4, -1]])
    blended = records().blended({"loud": 1.0}, lifts=lifts, exponents=full)
    np.testing.assert_array_equal(blended[0], [0, 1, 1.5])


def test_largest_zero_of_wide_rows_is_empty() -> None:
    assert largest(np.ones((3, 5_000), np.float32), 0).shape == (3, 0)
