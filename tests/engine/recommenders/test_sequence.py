"""Transitions from basket to basket, counted by hand."""

from dataclasses import replace

import numpy as np
import pytest

from recommendations.engine.recommenders.sequence import Config, Transitions
from recommendations.terms import Reason
from tests.shop import Act, everybody, in_view, stranger, training_set

TENT, STOVE, GAS = range(3)


def acts() -> list[Act]:
    """Four users: a tent, then a stove, then gas. A fifth: a tent, then gas."""
    acts_ = [Act(user, item, 3 * user + item, age=30.0 - 10 * item) for user in range(4) for item in (TENT, STOVE, GAS)]
    return [*acts_, Act(4, TENT, 90, age=9.0), Act(4, GAS, 91, age=3.0)]


TRAINING = training_set(acts(), n_users=5, category_of=[0] * 4)


def model(**changes: object) -> Transitions:
    alone = {"min_together": 1, "people": 1, "target_power": 0.0}
    return Transitions(Config(**{**alone, **changes})).fit(TRAINING, seed=0)


def test_transitions_are_counted_forward_in_time() -> None:
    counts = model().transitions_.toarray()
    expected = np.zeros((4, 4))
    expected[TENT, STOVE] = 4 / (5 + 5)  # five baskets with a tent have a successor; 5 is the damping
    expected[TENT, GAS] = 1 / (5 + 5)
    expected[STOVE, GAS] = 4 / (4 + 5)
    np.testing.assert_allclose(counts, expected, rtol=1e-6)


def test_the_target_power_is_kind_to_rare_successors() -> None:
    counts = model(target_power=0.5).transitions_.toarray()
    assert counts[TENT, STOVE] == pytest.approx(4 / (np.sqrt(5 * 4) + 5), rel=1e-6)
    assert counts[TENT, GAS] == pytest.approx(1 / (np.sqrt(5 * 5) + 5), rel=1e-6)


def test_a_rare_succession_is_no_transition() -> None:
    assert model(min_together=3).transitions_[TENT, GAS] == 0


def test_newer_baskets_weigh_more() -> None:
    scores = model(fading=0.5).score(everybody(TRAINING))[0]  # newest: gas 1, stove ½, tent ¼
    expected = [0, 0.25 * 4 / 10, 0.25 * 1 / 10 + 0.5 * 4 / 9]
    np.testing.assert_allclose(scores[:3], expected, rtol=1e-6)
    assert np.isnan(scores[3])
    latest = model(baskets=1).score(everybody(TRAINING))[0]
    assert not latest[:3].any()  # nothing follows gas


def test_the_basket_in_view_is_the_profile() -> None:
    shop = model(profile="context")
    query = replace(stranger(4), context=in_view([[TENT]], n_items=4))
    np.testing.assert_allclose(shop.score(query)[0, :3], [0, 0.4, 0.1], rtol=1e-6)
    (term,) = shop.evidence(query, STOVE)
    assert (term.reason, term.item, term.share) == (Reason.BOUGHT_NEXT, TENT, 1.0)


def test_the_terms_are_parts_of_the_score() -> None:
    first, second = model(fading=0.5).evidence(TRAINING.queries(np.asarray([0])), GAS)
    total = 0.25 / 10 + 0.5 * 4 / 9
    assert (first.item, first.share) == (STOVE, pytest.approx(0.5 * 4 / 9 / total, rel=1e-5))
    assert (second.item, second.share) == (TENT, pytest.approx(0.25 / 10 / total, rel=1e-5))


def test_a_view_leads_to_a_purchase() -> None:
    look = [Act(0, TENT, 0, age=2.0, strength=0.2, bought=False), Act(0, TENT, 1, age=1.0)]
    training = training_set(look, n_users=1, category_of=[0])
    fitted = Transitions(Config(min_together=1, people=1, target_power=0.0)).fit(training, seed=0)
    assert fitted.transitions_[TENT, TENT] == pytest.approx(1 / 6)


def test_what_a_few_have_done_counts_for_them_alone() -> None:
    shop = model(people=4, fading=0.5)  # a tent before gas is the habit of the fifth
    assert shop.transitions_[TENT, STOVE] > 0
    assert shop.transitions_[TENT, GAS] == 0
    scores = shop.score(everybody(TRAINING))
    assert scores[4, GAS] == pytest.approx(0.5 * 1 / 10, rel=1e-6)
    assert scores[0, GAS] == pytest.approx(0.5 * 4 / 9, rel=1e-6)  # without what the fifth has taught
    (term,) = shop.evidence(TRAINING.queries(np.asarray([4])), GAS)
    assert (term.reason, term.item) == (Reason.BOUGHT_NEXT, TENT)
