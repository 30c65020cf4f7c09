"""Limits where the data are too many, counted by hand."""

import numpy as np
import pytest

from recommendations.engine.preprocess.sizes import ENOUGH, base_users, longest_affordable, places, thinned
from tests.shop import Act, interactions


def test_base_users_are_those_with_enough_history_then_the_most_recent() -> None:
    days = {0: 5.0, 1: 1.0, 2: 9.0, 3: 2.0, 4: 2.0}
    rows = {0: ENOUGH, 1: ENOUGH - 1, 2: ENOUGH + 5, 3: ENOUGH, 4: ENOUGH}
    acts = [Act(user, n, 100 * user + n, age=days[user] + n) for user in days for n in range(rows[user])]
    history = interactions(acts, n_users=6, n_items=20)
    assert base_users(history, 1).tolist() == [3]
    assert base_users(history, 2).tolist() == [3, 4]
    assert base_users(history, 4).tolist() == [0, 2, 3, 4]  # user 1 was here last, but is known too little
    assert base_users(history, 5).tolist() == [0, 1, 2, 3, 4]
    assert base_users(history, 6).tolist() == list(range(6))
    assert base_users(history, 6, rows=2 * ENOUGH).tolist() == [3, 4]  # as many as have so many rows together
    assert base_users(history, 6, rows=1).tolist() == [3]


@pytest.mark.parametrize(
    ("work", "longest"),
    [
        (1 + 4 + 9 + 100, 10),
        (1000, 10),
        (1 + 4 + 9 + 99, 9),
        (1 + 4 + 9 + 9, 3),
        (1 + 4 + 9 + 8, 2),
        (4, 1),
        (0, 1),
    ],
)
def test_the_longest_affordable_history_for_an_amount_of_work(work: float, longest: int) -> None:
    assert longest_affordable(np.asarray([10, 1, 3, 2]), work) == longest


def test_limits_without_any_history() -> None:
    assert longest_affordable(np.empty(0, np.int32), 10) == 1
    assert base_users(interactions([], n_users=0, n_items=1), 3).shape == (0,)


def test_places_of_rows_in_a_list() -> None:
    at, place = places(np.asarray([-1, 7, 2, 9, 4], np.int32), np.asarray([2, 4, 7], np.int32))
    assert at.tolist() == [1, 2, 4]
    assert place.tolist() == [2, 0, 1]
    assert [len(part) for part in places(np.asarray([0], np.int32), np.empty(0, np.int32))] == [0, 0]
    everybody = places(np.asarray([-1, 7, 2], np.int32), None)
    assert [part.tolist() for part in everybody] == [[1, 2], [7, 2]]


def test_thinning_keeps_every_kth_user_where_there_are_too_many_rows() -> None:
    acts = [Act(user, user, 10 * user + n) for user in range(8) for n in range(5)]
    history = interactions(acts, n_users=8, n_items=8)
    assert thinned(history, 40) is history
    third = thinned(history, 15)  # 40 rows: every 40/15th user
    assert third.n_users == 3
    assert np.unique(third.item).tolist() == [0, 2, 5]
    assert len(third) == 15
