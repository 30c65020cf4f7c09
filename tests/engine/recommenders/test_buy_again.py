"""Buying again, against the worked example and a rhythm counted by hand."""

import numpy as np
import pytest

from recommendations.engine.recommenders.buy_again import BuyAgain, Config
from recommendations.terms import Reason
from tests.shop import BY_PEOPLE, Act, everybody, training_set, worked_example


def test_scores_of_the_worked_example() -> None:
    training = worked_example()
    scores = BuyAgain(Config(prior=0.5)).fit(training, seed=0).score(everybody(training))
    prior = 0.5 * np.asarray([*BY_PEOPLE, *[0] * 12]) / max(BY_PEOPLE)
    for user, bought in {1: (1, 3, 5), 2: (2, 4, 6), 3: (3, 5, 7)}.items():
        own = np.isin(np.arange(1, 21), bought)  # bought once, today: weight 1
        np.testing.assert_allclose(scores[user - 1], own + prior, rtol=1e-6)
    assert np.isnan(scores[3:]).all()


def weekly() -> BuyAgain:
    return BuyAgain(Config(half_life=10.0, prior=1.0))


def acts() -> list[Act]:
    every_week = [Act(0, 0, n, age=3.0 + 7 * n) for n in range(4)]
    looks = [Act(0, 2, 20, age=0.0, strength=0.2, bought=False), Act(0, 0, 21, age=1.0, strength=0.2, bought=False)]
    return [*every_week, Act(0, 1, 10, age=5.0), *looks, *[Act(1, 1, 30 + n, age=0.0) for n in range(9)]]


def test_views_are_no_purchases_to_buy_again() -> None:
    training = training_set(acts(), n_users=2, category_of=[0, 0, 0])
    recommender = weekly().fit(training, seed=0)
    scores = recommender.score(everybody(training))
    own = sum(2 ** (-(3 + 7 * n) / 10) for n in range(4))
    np.testing.assert_allclose(scores[0] - recommender.prior_, [own, 2**-0.5, 0], rtol=1e-5, atol=1e-6)


def test_the_evidence_is_the_rhythm_and_the_parts_of_the_score() -> None:
    training = training_set(acts(), n_users=2, category_of=[0, 0, 0])
    recommender = weekly().fit(training, seed=0)
    query = training.queries(np.asarray([0]))
    score = recommender.score(query)[0, 0]
    own, popular = recommender.evidence(query, 0)
    assert own.reason is Reason.BOUGHT_BEFORE
    assert own.item == 0
    assert dict(own.facts) == {"times": 4.0, "days_since": 3.0, "every_days": 7.0}
    assert popular.reason is Reason.POPULAR
    assert own.share * score == pytest.approx(score - recommender.prior_[0], rel=1e-5)
    assert own.share + popular.share == pytest.approx(1)


def test_a_first_purchase_has_no_rhythm() -> None:
    training = training_set(acts(), n_users=2, category_of=[0, 0, 0])
    terms = weekly().fit(training, seed=0).evidence(training.queries(np.asarray([0])), 1)
    (own,) = [term for term in terms if term.reason is Reason.BOUGHT_BEFORE]
    assert dict(own.facts) == {"times": 1.0, "days_since": 5.0}


def test_refunded_items_are_not_bought_again() -> None:
    back = [Act(0, 0, 0, age=3.0), Act(0, 0, 1, age=2.0, strength=-1.0, bought=False), Act(0, 1, 2, age=2.0)]
    training = training_set(back, n_users=1, category_of=[0, 0])
    scores = BuyAgain(Config(half_life=None, prior=0.0)).fit(training, seed=0).score(everybody(training))
    assert scores.tolist() == [[0, 1]]
