"""Item likeness against the worked example and a dense reference."""

from dataclasses import replace

import numpy as np
import pytest

from recommendations.engine.preprocess.weighting import act_weights, learned_statistics, transformed
from recommendations.engine.recommenders.item_knn import Config, ItemKnn
from recommendations.terms import Reason
from tests.shop import ITEM_DOTS, Act, everybody, folded_in, in_view, stranger, training_set, worked_example


def config(**changes: object) -> Config:
    plain = {"transform": "count", "target_power": 0.5, "source_power": 0.5, "profile_transform": "count"}
    return Config(**{**plain, **changes})


def test_a_likeness_of_the_worked_example() -> None:
    model = ItemKnn(config()).fit(worked_example(), seed=0)
    expected = ITEM_DOTS[3, 5] / np.sqrt(ITEM_DOTS[3, 3] * ITEM_DOTS[5, 5])
    assert model.similarities_[2, 4] == pytest.approx(expected, rel=1e-6)
    assert model.similarities_[4, 2] == pytest.approx(expected, rel=1e-6)
    assert model.similarities_[2, 2] == 0


def dense(weights: np.ndarray, *, alpha: float, beta: float, shrinkage: float) -> np.ndarray:
    """Targets × sources, one pair at a time."""
    lengths = (weights**2).sum(axis=0)
    likeness = np.zeros((weights.shape[1],) * 2)
    for target in range(weights.shape[1]):
        for source in range(weights.shape[1]):
            scale = lengths[target] ** alpha * lengths[source] ** beta + shrinkage
            if target != source and scale > 0:
                likeness[target, source] = weights[:, target] @ weights[:, source] / scale
    return likeness


@pytest.mark.parametrize("transform", ["count", "log", "bm25", "tfidf"])
@pytest.mark.parametrize(("alpha", "beta", "shrinkage"), [(0.5, 0.5, 0.0), (0.4, 0.2, 0.0), (0.2, 0.6, 3.0)])
def test_likeness_and_scores_are_those_of_a_dense_reference(
    transform: str, alpha: float, beta: float, shrinkage: float
) -> None:
    rng = np.random.default_rng(4)
    acts = [Act(user, int(item), 40 * user + n) for user in range(25) for n, item in enumerate(rng.integers(0, 15, 9))]
    training = training_set(acts, n_users=25, category_of=[0] * 15)
    raw = act_weights(training.interactions)
    weights = transformed(raw, transform, learned_statistics(raw, transform)).toarray().astype(float)
    reference = dense(weights, alpha=alpha, beta=beta, shrinkage=shrinkage)
    changed = config(transform=transform, target_power=alpha, source_power=beta, shrinkage=shrinkage)
    model = ItemKnn(changed).fit(training, seed=0)
    np.testing.assert_allclose(model.similarities_.toarray().T, reference, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(model.score(everybody(training)), raw.toarray() @ reference.T, rtol=1e-4, atol=1e-5)

    nearest = ItemKnn(replace(changed, neighbours=4)).fit(training, seed=0).similarities_.toarray().T
    for target in range(15):
        best = np.sort(reference[target])[-4:]
        np.testing.assert_allclose(np.sort(nearest[target][nearest[target] > 0]), best[best > 0], rtol=1e-4)


def test_the_terms_are_parts_of_the_score() -> None:
    training = worked_example()
    model = ItemKnn(config()).fit(training, seed=0)
    query = folded_in(
        everybody(training_set([Act(0, 2, 0), Act(0, 4, 1), Act(0, 4, 2)], n_users=1, category_of=[0] * 20))
    )
    score = model.score(query)[0, 0]
    terms = {term.item: term.share * score for term in model.evidence(query, 0)}
    assert terms == {
        4: pytest.approx(2 * model.similarities_[4, 0], rel=1e-5),
        2: pytest.approx(model.similarities_[2, 0], rel=1e-5),
    }
    assert sum(terms.values()) == pytest.approx(score, rel=1e-5)


def test_items_in_view_are_the_profile() -> None:
    model = ItemKnn(config(profile="context")).fit(worked_example(), seed=0)
    query = replace(stranger(20), context=in_view([[2]], n_items=20))
    np.testing.assert_allclose(model.score(query)[0, :8], model.similarities_[2].toarray()[0, :8])
    assert np.isnan(model.score(query)[0, 8:]).all()
    (term,) = model.evidence(query, 4)
    assert (term.reason, term.item, term.share) == (Reason.SIMILAR_ITEM, 2, 1.0)


def test_a_very_long_history_teaches_by_its_most_bought_items() -> None:
    acts = [Act(0, item, n) for item in range(6) for n in range(6 - item)]
    training = training_set(acts, n_users=1, category_of=[0] * 7)
    model = ItemKnn(config(longest_history=3)).fit(training, seed=0)
    assert set(model.similarities_.nonzero()[0].tolist()) == {0, 1, 2}


def test_strips_give_the_same_neighbours_and_limits_cut_histories() -> None:
    rng = np.random.default_rng(4)
    acts = [Act(user, int(item), 40 * user + n) for user in range(25) for n, item in enumerate(rng.integers(0, 15, 9))]
    training = training_set(acts, n_users=25, category_of=[0] * 15)
    whole = ItemKnn(config(neighbours=4)).fit(training, seed=0).similarities_.toarray()
    in_strips = ItemKnn(config(neighbours=4, stored=30)).fit(training, seed=0).similarities_.toarray()
    np.testing.assert_array_equal(in_strips, whole)
    lengths = np.diff(training.interactions.matrix().indptr)
    pairs = int((np.minimum(lengths, 3) ** 2).sum())
    cut, longest = (
        ItemKnn(config(**limit)).fit(training, seed=0).similarities_.toarray()
        for limit in ({"most_pairs": pairs}, {"longest_history": 3})
    )
    np.testing.assert_array_equal(cut, longest)
    assert (cut > 0).sum() < (ItemKnn(config()).fit(training, seed=0).similarities_.toarray() > 0).sum()
