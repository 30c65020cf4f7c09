from pathlib import Path

import numpy as np

from bench.files.validation import carve
from bench.tests.files import HEADER, acts, held_items


def test_validation_is_by_time_where_enough_users_act_on_both_sides(tmp_path: Path) -> None:
    """Ten users, ten acts each, one a day: the last tenth of all acts is the last day."""
    coded, n_users = acts(tmp_path, [(f"u{user}", f"i{day}", day) for user in range(10) for day in range(10)])
    carving = carve(coded, n_users=n_users, seed=0)
    assert carving.rule == "time"
    assert held_items(coded, carving.held) == [(user, 9) for user in range(10)]
    assert (coded.at[carving.known] < carving.cut).all()
    assert (coded.at[carving.held] >= carving.cut).all()


def test_validation_falls_back_to_the_last_basket_or_act(tmp_path: Path) -> None:
    """Everybody comes on a day of their own; user 0 with two sessions, the others with one of three acts."""
    rows = [(f"u{user}", f"i{user}{step}", 10 * user + step, f"s{user}") for user in range(1, 60) for step in range(3)]
    first = [("u0", "a", 0, "p"), ("u0", "b", 1, "q"), ("u0", "c", 2, "q")]
    coded, n_users = acts(tmp_path, [*first, *rows], header=f"{HEADER},session_id")
    carving = carve(coded, n_users=n_users, seed=0)
    assert carving.rule == "last_basket_or_act"
    assert held_items(coded, carving.held & (coded.user == 0)) == [(0, 1), (0, 2)]
    others = held_items(coded, carving.held & (coded.user > 0))
    assert others == [(user, 2 + 3 * user) for user in range(1, 60)]
    assert (carving.known ^ carving.held).all()


def test_times_that_number_each_users_acts_are_no_common_clock(tmp_path: Path) -> None:
    coded, n_users = acts(tmp_path, [(f"u{user}", f"i{step}", step) for user in range(10) for step in range(5 + user)])
    assert carve(coded, n_users=n_users, seed=0).rule == "last_basket_or_act"


def test_validation_falls_back_to_a_seeded_fifth_of_each_users_items(tmp_path: Path) -> None:
    coded, n_users = acts(tmp_path, [(f"u{user}", f"i{item}", 7) for user in range(8) for item in range(10)])
    carving = carve(coded, n_users=n_users, seed=3)
    assert carving.rule == "random_items"
    assert np.bincount(coded.user[carving.held]).tolist() == [2] * 8
    again, other = carve(coded, n_users=n_users, seed=3), carve(coded, n_users=n_users, seed=4)
    assert (again.held == carving.held).all()
    assert (other.held != carving.held).any()


def test_validation_of_users_with_one_act_is_empty(tmp_path: Path) -> None:
    coded, n_users = acts(tmp_path, [("a", "x", 1), ("b", "y", 1)])
    carving = carve(coded, n_users=n_users, seed=0)
    assert carving.rule == "none"
    assert not len(carving.users)


def test_of_many_users_some_are_asked_about_and_the_rest_teach(tmp_path: Path) -> None:
    """Users who are not asked keep their last act where it is held out by user; by time nobody's later acts teach."""
    single = [(f"u{user}", f"i{step}", 10 * user + step) for user in range(40) for step in range(3)]
    coded, n_users = acts(tmp_path, single)
    carving = carve(coded, n_users=n_users, seed=0, most_users=10)
    assert len(carving.users) == 10
    assert carving.held.sum() == 10
    assert carving.known.sum() == len(coded) - 10
    daily = [(f"u{user}", f"i{day}", day) for user in range(20) for day in range(10)]
    coded, n_users = acts(tmp_path, daily)
    carving = carve(coded, n_users=n_users, seed=0, most_users=5)
    assert carving.rule == "time"
    assert carving.held.sum() == 5
    assert carving.known.sum() == 180


def test_where_the_next_basket_is_asked_half_of_the_people_teach_by_theirs(tmp_path: Path) -> None:
    """1,200 people come on each of three days, so that a cut in time would do as well."""
    rows = [(f"u{user}", f"i{day}", day) for user in range(1200) for day in range(3)]
    coded, n_users = acts(tmp_path, rows)
    assert carve(coded, n_users=n_users, seed=0).rule == "time"
    carving = carve(coded, n_users=n_users, seed=0, next_basket=True)
    assert carving.rule == "last_basket_or_act"
    assert len(carving.users) == carving.held.sum() == 600
    assert held_items(coded, carving.held) == [(user, 2) for user in carving.users.tolist()]
    assert carving.known.sum() == len(coded) - 600
