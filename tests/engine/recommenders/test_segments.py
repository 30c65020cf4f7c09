"""The segment recommender, on two kinds of people."""

import numpy as np
import pytest

from recommendations.engine.recommenders.segments import Config, Segments
from recommendations.terms import Reason
from tests.shop import Act, everybody, stranger, training_set


def shop() -> list[Act]:
    """Users 0 – 3 buy item 0 and one of 0 also item 1 (category 0); users 4 and 5 buy item 2 (category 1)."""
    first = [Act(user, 0, user) for user in range(4)] + [Act(0, 1, 10)]
    return [*first, Act(4, 2, 4), Act(5, 2, 5)]


def model(shrinkage: float = 2.0) -> Segments:
    config = Config(segments=2, half_life=None, affinity_half_life=None, shrinkage=shrinkage)
    return Segments(config).fit(training_set(shop(), n_users=6, category_of=[0, 0, 1]), seed=0)


def test_shares_of_the_segment_shrunk_to_those_of_all() -> None:
    overall = np.asarray([4, 1, 2]) / 6
    scores = model().score(everybody(training_set(shop(), n_users=6, category_of=[0, 0, 1])))
    np.testing.assert_allclose(scores[:4], [(np.asarray([4, 1, 0]) + 2 * overall) / 6] * 4, rtol=1e-5)
    np.testing.assert_allclose(scores[4:], [(np.asarray([0, 0, 2]) + 2 * overall) / 4] * 2, rtol=1e-5)


def test_a_stranger_gets_the_shares_of_the_whole_clientele() -> None:
    np.testing.assert_allclose(model().score(stranger(3)), [[4 / 6, 1 / 6, 2 / 6]], rtol=1e-6)
    assert model().evidence(stranger(3), 0) == []


def test_the_evidence_names_the_segment() -> None:
    training = training_set(shop(), n_users=6, category_of=[0, 0, 1])
    (term,) = model(shrinkage=0.0).evidence(training.queries(np.asarray([5])), 2)
    assert term.reason is Reason.SEGMENT
    assert dict(term.facts) == {"segment": 1.0, "share": pytest.approx(1.0)}
