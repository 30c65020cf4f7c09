"""Made choices: what is drawn is what is computed, in both worlds."""

import numpy as np
import pytest

from recommendations.engine.ranking.exploration import Way, chances
from recommendations.engine.simulation.choices import (
    choice_world,
    click,
    draft_ranking,
    expected_clicks,
    give_answers,
    log_answers,
    slot_counts,
    true_difference,
)


@pytest.mark.parametrize("cascade", [False, True])
def test_expected_clicks_are_those_of_many_draws(cascade: bool) -> None:
    world = choice_world(np.random.default_rng(1), customers=3, rarity=1.0, cascade=cascade)
    customers, lists = np.repeat(np.arange(3), 20_000), np.tile(np.arange(10), (60_000, 1))
    drawn = click(world, customers, lists, draw=np.random.default_rng(2)).sum(axis=1).reshape(3, -1)
    expected = expected_clicks(world, np.arange(3), np.tile(np.arange(10), (3, 1)))
    np.testing.assert_array_less(np.abs(drawn.mean(axis=1) - expected), 5 * drawn.std(axis=1) / 20_000**0.5)


def test_a_cascade_of_two_by_hand() -> None:
    """The second is read with .85 (1 − .7 r_1)."""
    world = choice_world(np.random.default_rng(1), customers=1, slots=2, cascade=True)
    first, second = world.relevance[0, [4, 7]]
    clicks = expected_clicks(world, np.array([0]), np.array([[4, 7]]))
    assert clicks[0] == pytest.approx(first + 0.85 * (1 - 0.7 * first) * second, rel=1e-12)


def test_candidates_are_in_the_order_of_the_served_weights() -> None:
    world = choice_world(np.random.default_rng(4), customers=20)
    assert (np.diff(world.z @ world.served, axis=1) <= 1e-6).all()
    np.testing.assert_array_equal(draft_ranking(world, part=0.0)[:, :5], np.tile(np.arange(5), (20, 1)))
    shares = [np.mean(draft_ranking(world, part=part)[:, :10] < 10) for part in (0.1, 0.3, 0.6)]
    assert 1 > shares[0] > shares[1] > shares[2] > 0.2


def test_the_true_difference_is_that_of_the_exact_chances() -> None:
    world = choice_world(np.random.default_rng(4), customers=50)
    ranking, table = draft_ranking(world, part=0.3), chances(10, shuffled=0.3, cards=0.2)
    looked = table @ world.attention
    exact = ((np.take_along_axis(world.relevance, ranking, axis=1) - world.relevance[:, :30]) @ looked).mean()
    given = give_answers(world, 12_000, shuffled=0.3, cards=0.2, draw=np.random.default_rng(6))
    difference, live = true_difference(world, ranking, given)
    assert live == pytest.approx((world.relevance[:, :30] @ looked).mean(), rel=0.05)
    assert difference == pytest.approx(exact, abs=0.02 * live)


def test_a_log_holds_what_was_given() -> None:
    world = choice_world(np.random.default_rng(4), customers=50)
    draw = np.random.default_rng(8)
    given = give_answers(world, 400, shuffled=0.5, cards=0.5, draw=draw)
    clicks = click(world, given.customers, given.places, draw=draw)
    logged = log_answers(world, given, clicks)
    assert logged.features.shape == (400, 60, 10)
    np.testing.assert_array_equal(logged.features[3, :, :8], world.z[given.customers[3]])
    counts = slot_counts(given, clicks)
    assert counts.answers == np.count_nonzero(given.ways != Way.CARDS) < 400
    assert counts.shown.sum() == 10 * counts.answers
