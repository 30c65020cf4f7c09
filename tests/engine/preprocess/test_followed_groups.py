"""Follows of brands, categories, creators and collections at a cut: three acts a link, spread over its categories."""

import numpy as np
import pandas as pd
from scipy import sparse

from recommendations.engine.ids import id_map
from recommendations.engine.preprocess.followed_groups import MOST, GroupFollows

USERS = id_map(np.array([10, 20, 30]))
MEMBERS = sparse.csr_matrix(np.array([[1, 0], [0.5, 0.5], [0, 0]], np.float32))


def interests(*rows: tuple[int, int, float, bool], cut: float = 100.0) -> list[list[float]] | None:
    said = pd.DataFrame(rows, columns=["follower", "group", "at", "follows"])
    made = GroupFollows(said, MEMBERS).of_users(USERS, cut=cut)
    return None if made is None else made.toarray().tolist()


def test_a_link_is_three_acts_in_the_categories_of_its_items() -> None:
    assert interests((10, 0, 1, True), (20, 1, 2, True)) == [[3, 0], [1.5, 1.5], [0, 0]]
    assert interests((10, 0, 1, True), (10, 1, 2, True), (10, 0, 3, True)) == [[4.5, 1.5], [0, 0], [0, 0]]


def test_the_last_word_before_the_cut_counts() -> None:
    said = ((10, 0, 1, True), (10, 0, 5, False), (30, 1, 7, True))
    assert interests(*said, cut=4) == [[3, 0], [0, 0], [0, 0]]
    assert interests(*said) == [[0, 0], [0, 0], [1.5, 1.5]]


def test_without_a_link_that_says_something_there_is_nothing() -> None:
    assert interests() is None
    assert interests((99, 0, 1, True)) is None  # of whom nothing is known
    assert interests((10, 2, 1, True)) is None  # no item is of it


def test_of_many_links_the_newest_count() -> None:
    members = sparse.csr_matrix(np.eye(MOST + 1, dtype=np.float32))
    said = pd.DataFrame(
        [(10, group, float(group), True) for group in range(MOST + 1)], columns=["follower", "group", "at", "follows"]
    )
    made = GroupFollows(said, members).of_users(USERS, cut=1000.0)
    assert made is not None
    assert sorted(made.nonzero()[1].tolist()) == list(range(1, MOST + 1))
