"""Recent popularity and trend, against numbers worked out by hand."""

import numpy as np

from recommendations.engine.preprocess import popularity
from recommendations.engine.preprocess.popularity import recent_buyers, recent_popularity, relative, trend
from tests.shop import BY_PEOPLE, Act, interactions, worked_example


def test_popularity_of_the_worked_example() -> None:
    popular = recent_popularity(worked_example().interactions, half_life=None)
    np.testing.assert_allclose(popular[:8] * 5, BY_PEOPLE, rtol=1e-6)
    assert not popular[8:].any()


def test_popularity_fades_and_counts_a_user_once() -> None:
    acts = [Act(0, 0, basket, age=7.0 * basket) for basket in range(3)] + [
        Act(1, 1, 9, age=7.0),
        Act(2, 1, 10, age=7.0),
    ]
    history = interactions(acts, n_users=3, n_items=3)
    np.testing.assert_allclose(recent_popularity(history, half_life=7.0), [1, 1, 0], rtol=1e-6)


def test_popularity_is_never_negative() -> None:
    history = interactions([Act(0, 0, 0, strength=-1.0, bought=False)], n_users=1, n_items=2)
    np.testing.assert_array_equal(recent_popularity(history, half_life=7.0), 0)
    np.testing.assert_array_equal(relative(recent_popularity(history, half_life=7.0)), 0)


def test_relative_popularity_is_that_over_the_most_popular() -> None:
    np.testing.assert_array_equal(relative(np.asarray([2, 4, 0], np.float32)), [0.5, 1, 0])
    assert relative(np.empty(0, np.float32)).shape == (0,)


def test_recent_buyers_count_different_users() -> None:
    acts = [
        Act(0, 0, 0, age=1.0),
        Act(0, 0, 1, age=2.0),
        Act(1, 0, 2, age=27.9),
        Act(2, 0, 3, age=28.0),
        Act(3, 0, 4, age=3.0, strength=0.2, bought=False),
    ]
    np.testing.assert_array_equal(recent_buyers(interactions(acts, n_users=4, n_items=2), days=28.0), [2, 0])


def test_trend_compares_lately_with_always() -> None:
    # 84 days: a quarter of all demand is expected in the last 21. Lately: 9 of 12 of item 0, none of 12, 1 of 1.
    acts = (
        [Act(n, 0, n, age=5.0) for n in range(9)]
        + [Act(n, 0, 20 + n, age=50.0) for n in range(3)]
        + [Act(n, 1, 40 + n, age=84.0) for n in range(12)]
        + [Act(0, 2, 60, age=1.0)]
    )
    values = trend(interactions(acts, n_users=12, n_items=4))
    np.testing.assert_allclose(values, [(9 + 3) / (3 + 3), 3 / (3 + 3), (1 + 3) / (0.25 + 3), 1], rtol=1e-6)


def test_nobody_makes_a_trend_alone() -> None:
    # Of a week the strongest act counts: a purchase of the first, a view of the second; 28 days, ¾ of which are lately.
    acts = [Act(0, 0, n, age=1.0 + n % 7) for n in range(99)] + [Act(0, 1, 200, age=3.0, strength=0.2, bought=False)]
    acts += [Act(0, 2, 300, age=28.0)]
    lately = [(1 + 3) / (0.75 + 3), (0.2 + 3) / (0.15 + 3), 3 / (0.75 + 3)]
    acts = [act for act in acts if act.age < 7 or act.item == 2]
    np.testing.assert_allclose(trend(interactions(acts, n_users=1, n_items=3)), lately, rtol=1e-5)


def test_some_users_at_a_time_give_the_same_rows_in_the_same_order() -> None:
    random = np.random.default_rng(7)
    acts = [
        Act(int(user), int(item), basket, strength=float(strength), age=float(age))
        for basket, (user, item, strength, age) in enumerate(random.integers(0, [30, 5, 4, 60], (900, 4)))
    ]
    history = interactions(acts, n_users=31, n_items=5)
    [whole] = [popularity._strongest(history, rows) for rows in popularity._by_users(history, most=900)]
    parts = [popularity._strongest(history, rows) for rows in popularity._by_users(history, most=100)]
    assert len(parts) == 9
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_a_short_history_knows_no_trend() -> None:
    history = interactions([Act(0, 0, 0, age=20.0), Act(0, 1, 1, age=0.0)], n_users=1, n_items=2)
    np.testing.assert_array_equal(trend(history), 1)
    np.testing.assert_array_equal(trend(interactions([], n_users=0, n_items=2)), 1)
