"""Staples by hand: who buys what again and again, and what is nearest to being due."""

import numpy as np

from recommendations.engine.push.staples import DAY, Staples, nearest, staples_of
from tests.shop import Act, interactions

UNTIL = 20_000.5  # noon


def of(*acts: tuple[int, int, float], offset: float = 0.0, at_once: int = 100) -> Staples:
    rows = [Act(user=user, item=item, basket=place, age=age) for place, (user, item, age) in enumerate(acts)]
    return staples_of(interactions(rows, n_users=3, n_items=5), until=UNTIL * DAY, offset=offset * DAY, at_once=at_once)


def told(of_all: Staples) -> list[tuple[int, int, float, float, int]]:
    return [
        (int(of_all.user[row]), int(of_all.item[row]), UNTIL - of_all.last[row] / DAY, of_all.gap[row] / DAY,
         int(of_all.times[row]))
        for row in range(len(of_all))
    ]  # fmt: skip


def test_three_days_with_a_purchase_make_a_staple() -> None:
    acts = of((0, 1, 30), (0, 1, 22), (0, 1, 10), (0, 2, 9), (0, 2, 5), (1, 1, 4), (1, 4, 3), (1, 4, 2), (1, 4, 1))
    assert told(acts) == [(0, 1, 10, 10, 3), (1, 4, 1, 1, 3)]


def test_several_purchases_of_a_day_are_one() -> None:
    assert told(of((0, 1, 30), (0, 1, 20.2), (0, 1, 20.1))) == []
    assert told(of((0, 1, 30), (0, 1, 20.2), (0, 1, 20.1), (0, 1, 10))) == [(0, 1, 10, 10, 3)]


def test_days_are_those_of_the_shops_clock() -> None:
    acts = (0, 1, 30.0), (0, 1, 20.6), (0, 1, 20.4)  # 21:36 and 2:24 UTC
    assert told(of(*acts))[0][-1] == 3
    assert told(of(*acts, offset=0.2)) == []  # 2:24 and 7:12


def test_a_purchase_at_midnight_is_of_its_day_whenever_the_model_learned() -> None:
    """Files often have days only; an age is a float32, which is wrong by seconds after a year."""
    for until in np.arange(20_400, 20_460) + 0.12345678:
        ages = np.float32(until - np.array([20_000.0, 20_010, 20_030]))
        rows = [Act(user=0, item=1, basket=place, age=float(age)) for place, age in enumerate(ages)]
        [last] = staples_of(interactions(rows, n_users=1, n_items=2), until=until * DAY).last
        assert last == 20_030 * DAY


def test_what_is_no_purchase_is_none() -> None:
    rows = [Act(user=0, item=1, basket=place, age=10.0 * place, bought=place < 2) for place in range(5)]
    assert len(staples_of(interactions(rows, n_users=1, n_items=2), until=UNTIL * DAY)) == 0


def test_users_are_taken_a_few_at_a_time() -> None:
    acts = [(user, item, 7.0 * week) for user in range(3) for item in (1, 3) for week in range(1, 6)]
    assert told(of(*acts, at_once=4)) == told(of(*acts))
    assert len(of(*acts)) == 6


def test_nobody_has_a_staple_where_nothing_happened() -> None:
    assert told(of()) == []


def test_nearest_to_its_gap_then_on_more_days_then_the_first() -> None:
    due = Staples(
        user=np.array([0, 0, 1, 1, 2, 2], np.int32),
        item=np.array([3, 4, 1, 2, 6, 5], np.int32),
        last=np.zeros(6),
        gap=np.array([10.0, 12.0, 10.0, 10.0, 10.0, 10.0]),
        times=np.array([9, 3, 3, 4, 3, 3], np.int32),
    )
    assert due.item[nearest(due, at=11.9)].tolist() == [4, 2, 5]
