"""User neighbours, against the worked example."""

import numpy as np
import pytest

from recommendations.engine.recommenders.user_knn import Config, UserKnn
from recommendations.terms import Reason
from tests.shop import DOTS, WEIGHTS, Act, everybody, folded_in, training_set, worked_example

COSINES = {(i, j): DOTS[i, j] / np.sqrt(DOTS[i, i] * DOTS[j, j]) for i, j in ((1, 2), (1, 3), (2, 3))}


def model(**changes: object) -> UserKnn:
    plain = {"transform": "count", "power": 1.0, "taste_half_life": None}
    return UserKnn(Config(**{**plain, **changes})).fit(worked_example(), seed=0)


def tastes(user: int) -> np.ndarray:
    return np.minimum(np.asarray(WEIGHTS[user]) / 5, 1)


def test_scores_of_the_worked_example() -> None:
    training = worked_example()
    scores = model().score(everybody(training))
    np.testing.assert_allclose(scores[0, :8], COSINES[1, 2] * tastes(2) + COSINES[1, 3] * tastes(3), rtol=1e-5)
    np.testing.assert_allclose(scores[1, :8], COSINES[1, 2] * tastes(1) + COSINES[2, 3] * tastes(3), rtol=1e-5)
    assert np.isnan(scores[:, 8:]).all()
    assert np.isnan(scores[3:]).all()


def test_only_the_nearest_users_count() -> None:
    scores = model(neighbours=1, power=2.0).score(everybody(worked_example()))
    np.testing.assert_allclose(scores[0, :8], COSINES[1, 3] ** 2 * tastes(3), rtol=1e-5)


def test_a_folded_in_user_has_the_twin_in_training_as_neighbour() -> None:
    query = folded_in(worked_example().queries(np.asarray([0])))
    scores = model().score(query)
    others = COSINES[1, 2] * tastes(2) + COSINES[1, 3] * tastes(3)
    np.testing.assert_allclose(scores[0, :8], tastes(1) + others, rtol=1e-5)


def test_old_purchases_of_neighbours_fade() -> None:
    acts = [Act(0, 0, 0), Act(1, 0, 1), Act(1, 1, 2, age=14.0), Act(1, 2, 3, age=28.0)]
    training = training_set(acts, n_users=2, category_of=[0] * 3)
    scores = UserKnn(Config(taste_half_life=14.0)).fit(training, seed=0).score(everybody(training))[0]
    np.testing.assert_allclose(scores[1:] / scores[0], [0.5, 0.25], rtol=1e-5)


def test_the_evidence_counts_neighbours() -> None:
    query = worked_example().queries(np.asarray([0]))
    (term,) = model().evidence(query, 7)  # only user 3 has item 8
    assert (term.reason, term.share) == (Reason.SIMILAR_CUSTOMERS, 1.0)
    assert dict(term.facts) == {"neighbours": 1.0, "of": 2.0}
    assert model().evidence(query, 19) == []
    assert term.share == pytest.approx(1)


def test_only_the_base_users_can_be_neighbours() -> None:
    """The base is who was here last; the others are asked like anyone, and nobody is a neighbour of themselves."""
    acts = [Act(user, item, 10 * user + item, age=3.0 - user) for user in range(3) for item in (0, user + 1)]
    training = training_set(acts, n_users=3, category_of=[0] * 4)
    fitted = UserKnn(Config(transform="count", power=1.0, taste_half_life=None, base_users=2)).fit(training, seed=0)
    np.testing.assert_array_equal(fitted.base_, [1, 2])
    scores = fitted.score(everybody(training))
    np.testing.assert_allclose(scores[:, [0, 2, 3]], [[1, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]], rtol=1e-6)
    assert np.isnan(scores[:, 1]).all()  # nobody of the base has it
