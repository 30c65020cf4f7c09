"""Popularity, against numbers worked out by hand."""

import numpy as np

from recommendations.engine.recommenders.popularity import Config, Popularity
from recommendations.terms import Reason
from tests.shop import Act, everybody, stranger, training_set


def shop() -> Popularity:
    acts = [Act(0, 0, 0, age=0.0), Act(1, 0, 1, age=7.0), Act(0, 1, 2, age=14.0), Act(0, 1, 3, age=40.0)]
    return Popularity(Config(half_life=7.0)).fit(training_set(acts, n_users=2, category_of=[0, 0, 0]), seed=0)


def test_recent_buyers_count_and_each_only_once() -> None:
    scores = shop().score(stranger(3))
    np.testing.assert_allclose(scores, [[1.5, 0.25 + 2 ** (-40 / 7), 0]], rtol=1e-6)


def test_the_evidence_counts_people_of_the_last_four_weeks() -> None:
    (term,) = shop().evidence(stranger(3), 0)
    assert (term.reason, term.share, dict(term.facts)) == (Reason.POPULAR, 1.0, {"buyers": 2.0, "days": 28.0})
    assert shop().evidence(stranger(3), 2) == []


def test_without_purchases_popularity_is_silent() -> None:
    training = training_set([], n_users=2, category_of=[0, 0])
    recommender = Popularity(Config()).fit(training, seed=0)
    assert np.isnan(recommender.score(everybody(training))).all()
    assert recommender.evidence(stranger(2), 0) == []


def test_repeated_purchases_of_one_person_count_once() -> None:
    acts = [Act(0, 0, basket) for basket in range(5)] + [Act(1, 1, 9), Act(2, 1, 10)]
    training = training_set(acts, n_users=3, category_of=[0, 0])
    scores = Popularity(Config(half_life=None)).fit(training, seed=0).score(stranger(2))
    assert scores.tolist() == [[1, 2]]
