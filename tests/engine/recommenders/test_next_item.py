"""Next item, counted by hand."""

from dataclasses import replace

import numpy as np
import pytest

from recommendations.engine.recommenders.next_item import Config, NextItem
from recommendations.terms import Reason
from tests.shop import Act, everybody, in_view, stranger, training_set

ONE, TWO, THREE, OTHER = range(4)
TRAINING = training_set(
    [
        *(Act(user, item, 3 * user + item, age=30.0 - 10 * item) for user in range(5) for item in (ONE, TWO, THREE)),
        Act(5, ONE, 90, age=9.0),
        Act(5, OTHER, 91, age=3.0),
    ],
    n_users=6,
    category_of=[0] * 5,
)
"""Five people take one, two and three; a sixth takes one and another. The fifth item nobody takes."""


def model(**changes: object) -> NextItem:
    plain = {"people": 1, "source_power": 0.0, "target_power": 0.0, "fading": 0.5, "back": 0.2, "recency": 0.5}
    return NextItem(Config(**{**plain, **changes})).fit(TRAINING, seed=0)


def test_what_is_near_counts_by_its_distance_and_both_ways() -> None:
    expected = np.zeros((5, 5))
    expected[ONE, TWO], expected[TWO, ONE] = 5, 0.2 * 5
    expected[TWO, THREE], expected[THREE, TWO] = 5, 0.2 * 5
    expected[ONE, THREE], expected[THREE, ONE] = 0.5 * 5, 0.2 * 0.5 * 5
    expected[ONE, OTHER], expected[OTHER, ONE] = 1, 0.2
    np.testing.assert_allclose(model().transitions_.toarray(), expected, rtol=1e-6)


def test_what_lies_beyond_the_window_does_not_count() -> None:
    assert model(window=1).transitions_[ONE, THREE] == 0


def test_powers_of_the_counts_are_kind_to_rare_items() -> None:
    shop = model(source_power=0.5, target_power=0.35)
    assert shop.transitions_[ONE, TWO] == pytest.approx(5 / (6 + 3) ** 0.5 / (5 + 3) ** 0.35, rel=1e-6)
    assert shop.transitions_[ONE, OTHER] == pytest.approx(1 / (6 + 3) ** 0.5 / (1 + 3) ** 0.35, rel=1e-6)


def test_newer_acts_weigh_more_and_the_terms_are_parts_of_the_score() -> None:
    shop = model()
    scores = shop.score(everybody(TRAINING))[0]  # newest: three 1, two ½, one ¼
    expected = [0.2 * 2.5 + 0.5 * 1, 1 + 0.25 * 5, 0.5 * 5 + 0.25 * 2.5, 0.25 * 1]
    np.testing.assert_allclose(scores[:4], expected, rtol=1e-6)
    assert np.isnan(scores[4])
    first, second = shop.evidence(TRAINING.queries(np.asarray([0])), ONE)
    assert (first.item, first.share) == (TWO, pytest.approx(0.5))
    assert (second.item, second.share) == (THREE, pytest.approx(0.5))
    assert model(acts=1).score(everybody(TRAINING))[0, TWO] == pytest.approx(1)


def test_what_is_in_view_is_the_profile() -> None:
    shop = model(profile="context")
    query = replace(stranger(5), context=in_view([[ONE]], n_items=5))
    np.testing.assert_allclose(shop.score(query)[0, :4], [0, 5, 2.5, 1], rtol=1e-6)
    (term,) = shop.evidence(query, TWO)
    assert (term.reason, term.item, term.share) == (Reason.BOUGHT_NEXT, ONE, 1.0)


def test_what_a_few_have_had_so_near_counts_for_them_alone() -> None:
    shop = model(people=5)
    assert shop.transitions_[ONE, TWO] == 5
    assert shop.transitions_[ONE, OTHER] == shop.transitions_[OTHER, ONE] == 0
    scores = shop.score(everybody(TRAINING))
    assert scores[0, OTHER] == 0
    assert scores[5, OTHER] == pytest.approx(0.5 * 1)  # from one, which is the older of the sixth's two
    (term,) = shop.evidence(TRAINING.queries(np.asarray([5])), OTHER)
    assert (term.reason, term.item) == (Reason.BOUGHT_NEXT, ONE)


def test_a_pair_is_carried_by_people_and_not_by_times() -> None:
    again = [Act(0, item, 10 * turn + item, age=90.0 - 10 * turn - item) for turn in range(5) for item in (ONE, TWO)]
    training = training_set(again, n_users=1, category_of=[0, 0])
    fitted = NextItem(Config(people=2)).fit(training, seed=0)
    assert not fitted.transitions_.nnz
    assert fitted.own_transitions_[ONE, TWO] > 0


def test_refunds_and_an_empty_shop_teach_nothing() -> None:
    nothing = training_set([Act(0, ONE, 0, strength=-1.0)], n_users=1, category_of=[0, 0])
    fitted = NextItem(Config()).fit(nothing, seed=0)
    assert np.isnan(fitted.score(everybody(nothing))).all()
