"""UP-CF@r, on four baskets counted by hand."""

import numpy as np
import pytest

from recommendations.engine.recommenders.recent_neighbours import Config, RecentNeighbours
from recommendations.terms import Reason
from tests.shop import Act, everybody, folded_in, training_set

# User 0: baskets {0, 1} 9 days ago and {0} 2 days ago. User 1: {0} 8 days ago and {2} 1 day ago; a look at item 3.
ACTS = [
    Act(0, 0, 0, age=9.0),
    Act(0, 1, 0, age=9.0),
    Act(0, 0, 1, age=2.0),
    Act(1, 0, 2, age=8.0),
    Act(1, 2, 3, age=1.0),
    Act(1, 3, 4, age=0.0, strength=0.2, bought=False),
]
TRAINING = training_set(ACTS, n_users=2, category_of=[0] * 4)


def model(**changes: object) -> RecentNeighbours:
    return RecentNeighbours(Config(**{"baskets": 2, "power": 1.0, **changes})).fit(TRAINING, seed=0)


def test_the_score_sums_own_baskets_and_those_of_neighbours() -> None:
    scores = model().score(everybody(TRAINING))
    alike = 1 / 2  # one common item of two each
    np.testing.assert_allclose(scores[0, :3], [1 + alike / 2, 0.5, alike / 2], rtol=1e-6)
    np.testing.assert_allclose(scores[1, :3], [0.5 + alike * 1, alike / 2, 0.5], rtol=1e-6)
    assert np.isnan(scores[:, 3]).all()  # nobody bought it


def test_only_the_newest_baskets_count() -> None:
    scores = model(baskets=1, own=False).score(everybody(TRAINING))
    np.testing.assert_allclose(scores[0, :3], [0, 0, 0.5], rtol=1e-6)
    np.testing.assert_allclose(scores[1, :3], [0.5, 0, 0], rtol=1e-6)


@pytest.mark.parametrize(("asymmetry", "power"), [(0.0, 1.0), (0.25, 2.0), (1.0, 3.0)])
def test_the_likeness_is_asymmetric_and_raised(asymmetry: float, power: float) -> None:
    only = folded_in(everybody(training_set([Act(0, 0, 0)], n_users=1, category_of=[0] * 4)))
    scores = model(asymmetry=asymmetry, power=power, own=False).score(only)[0]
    alike = (1 / (1**asymmetry * 2 ** (1 - asymmetry))) ** power  # one common item; the query has one, each user two
    np.testing.assert_allclose(scores[:3], [alike * 1.5, alike / 2, alike / 2], rtol=1e-6)


def test_the_evidence_is_both_parts_of_the_score() -> None:
    query = TRAINING.queries(np.asarray([0]))
    own, others = model().evidence(query, 0)
    assert (own.reason, own.item) == (Reason.BOUGHT_BEFORE, 0)
    assert dict(own.facts) == {"times": 2.0, "days_since": 2.0, "every_days": 7.0}
    assert others.reason is Reason.SIMILAR_CUSTOMERS
    assert dict(others.facts) == {"neighbours": 1.0, "of": 1.0}
    assert (own.share, others.share) == (pytest.approx(1 / 1.25), pytest.approx(0.25 / 1.25))


def test_only_the_base_users_can_be_neighbours() -> None:
    fitted = RecentNeighbours(Config(baskets=2, power=1.0, own=False, base_users=1)).fit(TRAINING, seed=0)
    np.testing.assert_array_equal(fitted.base_, [1])  # here a day ago; the other two
    scores = fitted.score(everybody(TRAINING))
    np.testing.assert_allclose(scores[:, [0, 2]], [[0.25, 0.25], [0, 0]], rtol=1e-6)
    assert np.isnan(scores[:, [1, 3]]).all()
