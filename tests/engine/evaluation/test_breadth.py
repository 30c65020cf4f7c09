import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.metrics.pairwise import cosine_similarity

from recommendations.engine.evaluation.breadth import (
    Assortment,
    assortment,
    coverage,
    different_items,
    diversity,
    novelty,
)
from tests.shop import Act, training_set


def shop(categories: np.ndarray, surprise: list[float] | None = None) -> Assortment:
    lengths = np.linalg.norm(categories, axis=1, keepdims=True)
    unit = np.divide(categories, lengths, out=np.zeros_like(categories), where=lengths > 0)
    return Assortment(
        surprise=np.array(surprise or [0.0] * len(categories), np.float32),
        categories=sparse.csr_matrix(unit, dtype=np.float32),
    )


def test_surprise_is_minus_log2_of_the_share_of_buyers() -> None:
    acts = [
        Act(0, 0, 0),
        Act(1, 0, 1),
        Act(2, 0, 2),
        Act(3, 0, 3),
        Act(0, 1, 0),
        Act(0, 1, 4),
        Act(1, 2, 1, bought=False),
    ]
    goods = assortment(training_set(acts, n_users=4, category_of=[0, 0, 1]))
    np.testing.assert_allclose(goods.surprise, [0, 2, 2])  # everybody, one of four, unsold counts as one
    np.testing.assert_allclose(goods.categories.toarray(), [[1, 0], [1, 0], [0, 1]])


def test_novelty_is_the_mean_over_the_listed_items() -> None:
    goods = shop(np.eye(3), [1.0, 4.0, 7.0])
    ranked = np.array([[0, 1, 2], [2, -1, -1], [-1, -1, -1]], np.int32)
    np.testing.assert_allclose(novelty(ranked, goods, 2), [2.5, 7, 0])


def test_diversity_by_hand() -> None:
    goods = shop(np.array([[1.0, 0], [1, 0], [0, 1], [0, 0]]))
    ranked = np.array([[0, 1, -1], [0, 2, -1], [0, 1, 2], [0, -1, -1], [0, 3, -1]], np.int32)
    np.testing.assert_allclose(diversity(ranked, goods, 3), [0, 1, 2 / 3, 0, 1], atol=1e-6)


@given(st.integers(0, 2**32 - 1))
def test_diversity_equals_the_mean_over_all_pairs(seed: int) -> None:
    draw = np.random.default_rng(seed)
    categories = draw.integers(0, 3, (12, 4)).astype(float)
    ranked = draw.permuted(np.tile(np.arange(12, dtype=np.int32), (3, 1)), axis=1)[:, :6]
    similarity = cosine_similarity(categories)
    pairs = np.triu_indices(6, 1)
    expected = [1 - similarity[np.ix_(row, row)][pairs].mean() for row in ranked]
    np.testing.assert_allclose(diversity(ranked, shop(categories), 6), expected, atol=1e-5)


def test_coverage_counts_different_items_of_all_lists() -> None:
    ranked = np.array([[0, 1, 9], [1, -1, -1]], np.int32)
    assert coverage(ranked, shop(np.eye(10)), 2) == pytest.approx(0.2)
    assert coverage(np.empty((0, 3), np.int32), shop(np.eye(10)), 2) == 0


def test_breadth_of_no_users_is_empty() -> None:
    ranked = np.empty((0, 20), np.int32)
    assert novelty(ranked, shop(np.eye(3)), 10).shape == diversity(ranked, shop(np.eye(3)), 10).shape == (0,)


def test_different_items_are_those_of_the_lists_drawn_on_average() -> None:
    """An item of all three lists, one of two, one of one: by hand 1 + 2/3 + 1/3 in one list, 1 + 1 + 2/3 in two."""
    times = np.array([3.0, 2.0, 1.0])
    drawn = [different_items(times, lists=3, drawn=lists) for lists in (0, 1, 2, 3)]
    np.testing.assert_allclose(drawn, [0, 2, 8 / 3, 3], atol=1e-12)


@given(st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=4, unique=True), min_size=1, max_size=8), st.data())
def test_different_items_are_never_more_than_were_shown(rows: list[list[int]], data: st.DataObject) -> None:
    shown, times = np.unique([item for row in rows for item in row], return_counts=True)
    drawn = data.draw(st.integers(1, len(rows)))
    different = different_items(times.astype(np.float64), lists=len(rows), drawn=drawn)
    assert 0 < different <= len(shown) + 1e-9
    assert different_items(times.astype(np.float64), lists=len(rows), drawn=len(rows)) == len(shown)
