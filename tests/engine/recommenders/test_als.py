"""Factors: the fold-in is the exact ridge solution, and its terms sum to the score."""

import numpy as np
import pytest

from recommendations.engine.recommenders.als import Als, Config
from recommendations.terms import Reason
from tests.shop import Act, checkerboard, everybody, folded_in, training_set

CONFIG = Config(factors=4, ridge=0.5, confidence=3.0, transform="count", half_life=None)


def test_a_persons_factors_minimise_the_weighted_squares() -> None:
    training = checkerboard(12)
    model = Als(CONFIG).fit(training, seed=0)
    counts = training.interactions.matrix().toarray().astype(float)
    items = model.factors_.astype(float)
    for user in (0, 5):
        confidence = np.where(counts[user] > 0, CONFIG.confidence * counts[user], 1)
        system = items.T @ (items * confidence[:, None]) + CONFIG.ridge * np.eye(4)
        person = np.linalg.solve(system, items.T @ (confidence * (counts[user] > 0)))
        score = model.score(training.queries(np.asarray([user])))[0]
        np.testing.assert_allclose(score, items @ person, rtol=1e-4, atol=1e-5)


def test_the_terms_sum_to_the_score() -> None:
    training = checkerboard(12)
    model = Als(CONFIG).fit(training, seed=0)
    query = folded_in(everybody(training_set([Act(0, 2, 0), Act(0, 4, 1)], n_users=1, category_of=[0] * 12)))
    terms = model.evidence(query, 6)
    assert [term.reason for term in terms] == [Reason.BECAUSE_YOU_BOUGHT] * 2
    assert {term.item for term in terms} == {2, 4}
    assert sum(term.share for term in terms) == pytest.approx(1)
    alone = model.evidence(query, 2)
    assert (alone[0].reason, alone[0].item) == (Reason.BOUGHT_BEFORE, 2)


def test_an_item_without_buyers_is_silent() -> None:
    training = training_set([Act(0, 0, 0), Act(1, 1, 1)], n_users=2, category_of=[0] * 3)
    scores = Als(CONFIG).fit(training, seed=0).score(everybody(training))
    assert np.isnan(scores[:, 2]).all()
    assert np.isfinite(scores[:, :2]).all()


def test_another_seed_is_another_start() -> None:
    first, second = (Als(CONFIG).fit(checkerboard(12), seed=seed).factors_ for seed in (0, 1))
    assert not np.allclose(first, second)
