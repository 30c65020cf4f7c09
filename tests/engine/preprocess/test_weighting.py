"""Weights and transforms, against numbers worked out by hand."""

from math import log, sqrt

import numpy as np
import pytest

from recommendations.engine.preprocess.weighting import (
    act_weights,
    context_weights,
    decay,
    learned_statistics,
    transformed,
)
from tests.shop import TOTAL, WEIGHTS, Act, in_view, interactions, stranger, worked_example


def test_a_weight_halves_with_every_half_life() -> None:
    ages = np.asarray([0, 30, 60, 15], np.float32)
    np.testing.assert_allclose(decay(ages, 30.0), [1, 0.5, 0.25, sqrt(0.5)], rtol=1e-6)
    np.testing.assert_array_equal(decay(ages, None), 1)


def test_weights_of_the_worked_example() -> None:
    weights = act_weights(worked_example().interactions).toarray() * 5
    for user, row in WEIGHTS.items():
        np.testing.assert_allclose(weights[user - 1, :8], row, rtol=1e-6)
        assert weights[user - 1].sum() == pytest.approx(TOTAL)
    assert not weights[3:].any()
    assert not weights[:, 8:].any()


def test_each_act_fades_with_its_own_age() -> None:
    acts = [Act(0, 1, 0, age=0.0), Act(0, 1, 1, age=10.0), Act(0, 2, 2, age=20.0, strength=0.2)]
    weights = act_weights(interactions(acts, n_users=1, n_items=3), half_life=10.0)
    np.testing.assert_allclose(weights.toarray(), [[0, 1.5, 0.05]], rtol=1e-6)


def test_refunded_purchases_have_no_weight() -> None:
    acts = [
        Act(0, 0, 0),
        Act(0, 0, 1, strength=-1.0, bought=False),
        Act(0, 1, 2),
        Act(0, 1, 3),
        Act(0, 1, 4, strength=-1.0, bought=False),
        Act(0, 2, 5, strength=-0.2, bought=False),
    ]
    weights = act_weights(interactions(acts, n_users=1, n_items=3))
    np.testing.assert_array_equal(weights.toarray(), [[0, 1, 0]])
    assert weights.nnz == 1
    for transform in ("binary", "count", "log", "sqrt", "tfidf", "bm25"):
        assert np.isfinite(transformed(weights, transform).data).all()


@pytest.mark.parametrize(
    ("transform", "expected"),
    [
        ("binary", [1, 1, 0.2]),
        ("count", [4, 1, 0.2]),
        ("log", [log(5), log(2), log(1.2)]),
        ("sqrt", [2, 1, sqrt(0.2)]),
    ],
)
def test_transforms_without_memory(transform: str, expected: list[float]) -> None:
    acts = [Act(0, 0, basket) for basket in range(4)] + [Act(0, 1, 4), Act(0, 2, 5, strength=0.2, bought=False)]
    weights = act_weights(interactions(acts, n_users=1, n_items=3))
    untouched = weights.toarray()
    np.testing.assert_allclose(transformed(weights, transform).toarray(), [expected], rtol=1e-6)
    np.testing.assert_array_equal(weights.toarray(), untouched)


def three_users() -> list[Act]:
    """Item 0: all three users, item 1: one user who bought it four times."""
    return [Act(0, 0, 0), Act(1, 0, 1), Act(2, 0, 2)] + [Act(2, 1, basket) for basket in range(3, 7)]


def test_tfidf_by_hand() -> None:
    weights = act_weights(interactions(three_users(), n_users=3, n_items=2))
    idf = [log(1 + 3 / 4), log(1 + 3 / 2)]
    expected = [[idf[0], 0], [idf[0], 0], [idf[0], 2 * idf[1]]]
    np.testing.assert_allclose(transformed(weights, "tfidf").toarray(), expected, rtol=1e-6)


def test_bm25_by_hand() -> None:
    weights = act_weights(interactions(three_users(), n_users=3, n_items=2))
    idf = [log(1 + 0.5 / 3.5), log(1 + 2.5 / 1.5)]
    mean_length = 7 / 3

    def value(weight: float, length: float, item: int) -> float:
        return weight * 2.2 / (1.2 * (0.25 + 0.75 * length / mean_length) + weight) * idf[item]

    expected = [[value(1, 1, 0), 0], [value(1, 1, 0), 0], [value(1, 5, 0), value(4, 5, 1)]]
    np.testing.assert_allclose(transformed(weights, "bm25").toarray(), expected, rtol=1e-5)


@pytest.mark.parametrize("transform", ["tfidf", "bm25"])
def test_a_query_is_transformed_with_the_statistics_of_training(transform: str) -> None:
    weights = act_weights(interactions(three_users(), n_users=3, n_items=2))
    taught = learned_statistics(weights, transform)
    whole = transformed(weights, transform, taught).toarray()
    alone = transformed(weights[2], transform, taught).toarray()
    np.testing.assert_array_equal(alone[0], whole[2])
    assert not np.allclose(transformed(weights[2], transform).toarray(), alone)


def test_queries_without_context_have_no_items_in_view() -> None:
    query = stranger(4)
    assert context_weights(query).shape == (1, 4)
    assert context_weights(query).nnz == 0
    view = in_view([[2]], n_items=4)
    viewing = type(query)(histories=query.histories, training_rows=query.training_rows, context=view)
    np.testing.assert_array_equal(context_weights(viewing).toarray(), [[0, 0, 1, 0]])
