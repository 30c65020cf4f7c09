"""Who follows whom at a cut: the last word counts, and what cannot be a link is none."""

import numpy as np
import pandas as pd

from recommendations.engine.ids import id_map
from recommendations.engine.preprocess.links import links_at

USERS = id_map(np.array([10, 20, 30, 40]))


def said(*rows: tuple[int, int, float, bool]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["follower", "followed", "at", "follows"])
    return frame.sort_values("at", kind="stable", ignore_index=True)


def pairs(frame: pd.DataFrame, *, cut: float = 100.0) -> list[tuple[int, int]]:
    made = links_at(frame, USERS, cut=cut, fewest=1)
    if made is None:
        return []
    rows, columns = made.follows.nonzero()
    return list(zip(made.followers.ids[rows].tolist(), USERS.ids[columns].tolist(), strict=True))


def test_the_last_word_before_the_cut_counts() -> None:
    frame = said((10, 20, 1, True), (10, 20, 2, True), (10, 30, 3, True), (10, 30, 5, False), (30, 10, 6, False))
    assert pairs(frame, cut=4) == [(10, 20), (10, 30)]
    assert pairs(frame) == [(10, 20)]
    assert pairs(said((30, 10, 6, False), (30, 10, 7, True))) == [(30, 10)]


def test_what_cannot_be_a_link_is_none() -> None:
    assert pairs(said((10, 10, 1, True))) == []
    assert pairs(said((10, 99, 1, True))) == []  # of whom nothing is known
    assert pairs(said()) == []
    assert pairs(said((10, 20, 1, True), (20, 10, 1, True))) == [(10, 20), (20, 10)]


def test_somebody_without_a_history_may_follow() -> None:
    made = links_at(said((5, 20, 1, True), (10, 40, 2, True)), USERS, cut=9, fewest=1)
    assert made is not None
    assert made.followers.ids.tolist() == [5, 10]
    own = made.of_users(USERS)
    assert own.shape == (4, 4)
    assert own.toarray().tolist() == [[0, 0, 0, 1], [0] * 4, [0] * 4, [0] * 4]


def test_of_many_the_newest_count() -> None:
    frame = said((10, 20, 1, True), (10, 30, 2, True), (10, 40, 3, True), (5, 20, 1, True))
    made = links_at(frame, USERS, cut=9, most=2, fewest=1)
    assert made is not None
    assert made.follows.toarray().tolist() == [[0, 1, 0, 0], [0, 0, 1, 1]]


def test_who_follows_fewer_than_three_of_whom_anything_is_known_is_lent_nothing() -> None:
    frame = said(*((10, other, 1, True) for other in (20, 30, 40)), *((20, other, 1, True) for other in (10, 30, 99)))
    made = links_at(frame, USERS, cut=9)
    assert made is not None
    assert made.followers.ids.tolist() == [10]
    assert links_at(said((10, 20, 1, True), (10, 30, 1, True)), USERS, cut=9) is None
