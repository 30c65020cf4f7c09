"""Chances of buying again, in shops whose habits are known by construction."""

import numpy as np
import pytest

from recommendations.engine.frames import TrainingSet
from recommendations.engine.recommenders.repurchase import Config, Repurchase
from recommendations.terms import Reason
from tests.shop import Act, everybody, training_set

STAPLE, ONE_OFF, NEVER = 0, 1, 2
WEEKS = 20


def shop(n_users: int = 40) -> TrainingSet:
    """Everyone buys the staple every week; the one-off each in a week of their own, once."""
    acts = [
        Act(user, STAPLE, WEEKS * user + week, age=1.0 + 7 * week) for user in range(n_users) for week in range(WEEKS)
    ]
    acts += [Act(user, ONE_OFF, WEEKS * user + user % WEEKS, age=1.0 + 7 * (user % WEEKS)) for user in range(n_users)]
    return training_set(acts, n_users=n_users, category_of=[0, 0, 0])


def fitted(training: TrainingSet, **changes: float) -> Repurchase:
    return Repurchase(Config(**changes)).fit(training, seed=0)


def test_a_habit_is_told_from_a_single_purchase() -> None:
    training = shop()
    scores = fitted(training).score(everybody(training))
    assert scores[:, STAPLE].min() > 0.95
    assert scores[:, ONE_OFF].max() < 0.5
    assert scores[:, NEVER].max() < scores[:, ONE_OFF].min()


def test_the_items_own_habit_counts_as_far_as_it_is_known() -> None:
    """Bought as often and as lately by all, item 0 was bought again in the weeks that teach, and item 1 never."""
    acts = [Act(user, item, 10 * user, age=90.0) for user in range(30) for item in (0, 1)]
    acts += [Act(user, 0, 10 * user + 1, age=10.0) for user in range(30)]
    training = training_set(acts, n_users=30, category_of=[0, 0])
    trusted, doubted = fitted(training, shrinkage=1.0), fitted(training, shrinkage=1e6)
    assert trusted.habit_[0] > 0.2
    assert trusted.habit_[1] < -0.5
    np.testing.assert_allclose(doubted.habit_, 0, atol=1e-3)


def test_the_faded_count_decides_where_all_pairs_went_on_alike() -> None:
    training = training_set([Act(0, 0, 0, age=75.0), Act(1, 0, 1, age=0.0)], n_users=2, category_of=[0])
    scores = fitted(training).score(everybody(training))
    odds = np.array([0.5 + 0.05, 1 + 0.05]) * np.exp(fitted(training).habit_[0])
    np.testing.assert_allclose(scores[:, 0], np.sqrt(odds / (1 + odds)), rtol=1e-5)


def test_purchases_after_the_lesson_do_not_change_its_features() -> None:
    """The features of a lesson are those of its moment: later purchases change the answer of the lesson alone."""
    early = [Act(user, 0, user, age=100.0) for user in range(9)]
    late = [Act(user, 1, 20 + user, age=5.0) for user in range(9)]
    one = fitted(training_set(early, n_users=9, category_of=[0, 0]), windows=1)
    other = fitted(training_set(early + late, n_users=9, category_of=[0, 0]), windows=1)
    np.testing.assert_array_equal(one.coefficients_, other.coefficients_)  # nobody bought item 0 again, in either
    np.testing.assert_array_equal(one.habit_, other.habit_)


def test_a_refunded_purchase_scores_less_than_one_that_stands() -> None:
    acts = [Act(0, 0, 0, age=3.0), Act(1, 0, 1, age=3.0), Act(1, 0, 2, 2.0, -1.0, False)]
    training = training_set(acts, n_users=2, category_of=[0])
    scores = fitted(training).score(everybody(training))
    assert scores[1, 0] < scores[0, 0]


@pytest.mark.parametrize(("item", "reason"), [(STAPLE, Reason.BOUGHT_BEFORE), (ONE_OFF, Reason.BOUGHT_BEFORE)])
def test_evidence_is_the_rhythm(item: int, reason: Reason) -> None:
    training = shop()
    (term,) = fitted(training).evidence(training.queries(np.array([3])), item)
    assert (term.reason, term.item, term.share) == (reason, item, 1)
    times = WEEKS if item == STAPLE else 1
    assert term.facts["times"] == times
    assert term.facts.get("every_days", 7) == 7


def test_an_unsold_item_has_no_evidence_and_a_popular_one_names_its_buyers() -> None:
    acts = [Act(0, 0, 0, age=1.0), Act(1, 1, 1, age=1.0), Act(2, 1, 2, age=40.0)]
    training = training_set(acts, n_users=3, category_of=[0, 0, 0])
    model = fitted(training)
    (term,) = model.evidence(training.queries(np.array([0])), 1)
    assert (term.reason, term.facts) == (Reason.POPULAR, {"buyers": 1, "days": 28})
    assert not model.evidence(training.queries(np.array([0])), 2)
