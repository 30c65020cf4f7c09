"""Content ridge: the ridge regression of each history on what items are, item by item in the evidence."""

from dataclasses import replace

import numpy as np
import pytest

from recommendations.engine.frames import TrainingSet
from recommendations.engine.preprocess.weighting import act_weights, transformed
from recommendations.engine.recommenders.content_ridge import Config, ContentRidge
from recommendations.engine.rng import generator
from recommendations.terms import Reason
from tests.shop import Act, everybody, stranger, training_set

WOOL, STEEL = 0, 1
SHELVES = [WOOL, WOOL, STEEL, STEEL, STEEL, WOOL]
NEW = 5


def shop(vectors: np.ndarray | None = None) -> TrainingSet:
    """Two who buy wool, one who buys steel; the last two items nobody bought."""
    acts = [Act(0, 0, 0), Act(0, 1, 1), Act(1, 1, 2), Act(2, 2, 3), Act(2, 3, 4)]
    training = training_set(acts, n_users=3, category_of=SHELVES)
    return training if vectors is None else replace(training, catalogue=replace(training.catalogue, vectors=vectors))


def drawn(n_items: int, size: int) -> np.ndarray:
    vectors = generator(3, "vectors").normal(size=(n_items, size))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)


def fitted(training: TrainingSet, **changes: object) -> ContentRidge:
    return ContentRidge(Config(**changes)).fit(training, seed=0)  # type: ignore[arg-type]


def test_it_is_the_ridge_regression_of_a_history_on_the_vectors() -> None:
    """A person's row of the sold items is regressed on their vectors, with λ as more rows of them (``lstsq``)."""
    training = shop(drawn(6, 4))
    scores = fitted(training, ridge=2.0).score(everybody(training))
    vectors = training.catalogue.vectors
    assert vectors is not None
    features = np.column_stack([vectors.astype(np.float64), np.full(6, 0.3)])
    sold = features[:4]
    rows = np.vstack([sold, np.sqrt(2.0) * np.eye(5)])
    histories = transformed(act_weights(training.interactions, half_life=90.0), "log").toarray()
    for person in range(3):
        target = np.concatenate([histories[person, :4], np.zeros(5)])
        weights, *_ = np.linalg.lstsq(rows, target, rcond=None)
        np.testing.assert_allclose(scores[person], features @ weights, atol=1e-5)


def test_with_a_large_ridge_it_ranks_as_the_likeness_of_the_summed_vectors() -> None:
    training = shop(drawn(6, 4))
    scores = fitted(training, ridge=1e7, constant=1e-4).score(everybody(training))
    histories = transformed(act_weights(training.interactions, half_life=90.0), "log")
    vectors = training.catalogue.vectors
    assert vectors is not None
    likeness = (histories @ vectors.astype(np.float32)) @ vectors.astype(np.float32).T
    np.testing.assert_array_equal(np.argsort(-scores, axis=1), np.argsort(-likeness, axis=1))


def test_an_item_that_nobody_bought_goes_to_whom_it_fits() -> None:
    scores = fitted(shop()).score(everybody(shop()))
    assert scores[0, NEW] > scores[0, 4]
    assert scores[2, 4] > scores[2, NEW]


def test_the_terms_of_the_evidence_add_up_to_the_score() -> None:
    training = shop()
    model, query = fitted(training), everybody(training).of(np.array([0]))
    profile = transformed(act_weights(query.histories, half_life=90.0), "log")
    terms = profile.data * (model.features_[profile.indices] @ model.whitening_ @ model.features_[NEW])
    np.testing.assert_allclose(terms.sum(), model.score(query)[0, NEW], atol=1e-6)
    evidence = model.evidence(query, NEW)
    assert [one.item for one in evidence] == profile.indices[np.argsort(-terms)][: len(evidence)].tolist()
    assert {one.reason for one in evidence} == {Reason.SIMILAR_ITEM}


def test_what_nothing_is_known_of_cannot_be_known() -> None:
    vectors = drawn(6, 4)
    vectors[[1, 4]] = 0
    training = shop(vectors)
    scores = fitted(training).score(everybody(training))
    assert np.isnan(scores[1]).all()  # who bought nothing that is described
    np.testing.assert_array_equal(np.isnan(scores[0]), [False, True, False, False, True, False])
    assert np.isnan(fitted(training).score(stranger(6))).all()


@pytest.mark.parametrize("vectors", [None, np.zeros((6, 0), np.float16), np.zeros((6, 3), np.float16)])
def test_a_shop_without_any_text_hears_nothing(vectors: np.ndarray | None) -> None:
    training = shop()
    training = replace(training, catalogue=replace(training.catalogue, vectors=vectors))
    assert np.isnan(fitted(training).score(everybody(training))).all()


def test_ten_thousand_items_of_one_vector_stay_finite() -> None:
    training = training_set([Act(0, 0, 0), Act(1, 1, 1)], n_users=2, category_of=[0] * 10_000)
    assert np.isfinite(fitted(training).score(everybody(training))).all()
