"""The interest recommender, against the worked example."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from recommendations.engine.recommenders.interests import Config, Interests
from recommendations.terms import Reason
from tests.shop import POPULARITY, SHARES, Act, everybody, training_set, worked_example


def test_scores_of_the_worked_example() -> None:
    """Items 1 … 8 are the only sold items of their categories, so a score is the share of interest itself."""
    training = worked_example()
    model = Interests(Config(half_life=None, shrinkage=0.0, popularity_half_life=None))
    scores = model.fit(training, seed=0).score(everybody(training))
    for user, row in SHARES.items():
        np.testing.assert_allclose(scores[user - 1, :8], [float(share) for share in row], rtol=1e-6)
        assert not scores[user - 1, 8:].any()
    assert np.isnan(scores[3:]).all()


def test_the_list_of_user_1_in_the_worked_example() -> None:
    training = worked_example()
    model = Interests(Config(half_life=None, shrinkage=0.0, popularity_half_life=None)).fit(training, seed=0)
    order = np.argsort(-model.score(everybody(training))[0], kind="stable")[:7] + 1
    assert order.tolist() == [3, 5, 1, 2, 4, 6, 7]


def test_shrinkage_in_the_worked_example() -> None:
    training = worked_example()
    model = Interests(Config(half_life=None, shrinkage=63 / 5, popularity_half_life=None)).fit(training, seed=0)
    expected = (5 + POPULARITY[0]) / (21 + 63)  # τ = all the weight there is: the table's sums are added as they are
    assert model.score(everybody(training))[0, 0] == pytest.approx(expected)


def two_categories() -> list[Act]:
    """Category 0 has items 0 and 1, of one buyer each; category 1 has item 2. User 0 buys 3 : 1."""
    own = [Act(0, 1, 0), Act(0, 1, 1), Act(0, 1, 2), Act(0, 2, 3)]
    return own + [Act(1, 0, 10 + n) for n in range(3)]


@pytest.mark.parametrize(("power", "within"), [(1.0, [0.5, 0.5]), (2.0, [0.5, 0.5])])
def test_popularity_divides_a_category(power: float, within: list[float]) -> None:
    training = training_set(two_categories(), n_users=2, category_of=[0, 0, 1])
    model = Interests(Config(half_life=None, shrinkage=0.0, popularity_half_life=None, popularity_power=power))
    scores = model.fit(training, seed=0).score(everybody(training))[0]
    np.testing.assert_allclose(scores, [0.75 * within[0], 0.75 * within[1], 0.25], rtol=1e-6)


def test_a_power_above_one_favours_the_head() -> None:
    acts = [*two_categories(), Act(2, 0, 20)]  # item 0: two buyers, item 1: one
    training = training_set(acts, n_users=3, category_of=[0, 0, 1])
    model = Interests(Config(half_life=None, shrinkage=0.0, popularity_half_life=None, popularity_power=2.0))
    scores = model.fit(training, seed=0).score(everybody(training))[0]
    np.testing.assert_allclose(scores[:2], [0.75 * 4 / 5, 0.75 * 1 / 5], rtol=1e-6)


def test_the_evidence_is_the_category_and_the_persons_share_of_it() -> None:
    training = training_set(two_categories(), n_users=2, category_of=[0, 0, 1])
    model = Interests(Config(half_life=None, shrinkage=0.0, popularity_half_life=None)).fit(training, seed=0)
    (term,) = model.evidence(training.queries(np.asarray([0])), 0)
    assert (term.reason, term.category, term.share) == (Reason.INTEREST, 0, 1.0)
    assert term.facts["share"] == pytest.approx(0.75)


def test_what_is_followed_counts_beside_acts_and_is_no_reason_of_its_own() -> None:
    training = training_set(two_categories(), n_users=3, category_of=[0, 0, 1])
    followed = sparse.csr_matrix(np.array([[0, 3], [0, 3], [0, 3]], np.float32))
    config = Config(half_life=None, shrinkage=0.0, popularity_half_life=None)
    model, query = Interests(config).fit(training, seed=0), replace(everybody(training), followed=followed)
    scores = model.score(query)
    np.testing.assert_allclose(scores[:2], [[1.5 / 7, 1.5 / 7, 4 / 7], [0.25, 0.25, 0.5]], rtol=1e-6)
    assert np.isnan(scores[2]).all()  # who did nothing has no interests, whatever they follow
    assert [term.category for term in model.evidence(query.of(np.asarray([0])), 2)] == [1]
    assert model.evidence(query.of(np.asarray([1])), 2) == []
