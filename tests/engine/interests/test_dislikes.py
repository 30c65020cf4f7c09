"""Dislikes in interest shares, by hand: three categories, of which the third item is in two."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from recommendations.engine.interests.dislikes import Dislikes

CATEGORIES = sparse.csr_matrix(np.array([[1, 0, 0], [1, 0, 0], [0.5, 0.5, 0], [0, 0, 1]], np.float32))
PAIRS = st.dictionaries(st.tuples(st.integers(0, 2), st.integers(0, 3)), st.floats(0, 60, width=32), max_size=8)


def dislikes(pairs: dict[tuple[int, int], float], *, users: int = 3) -> Dislikes:
    """Dislikes from (user, item) → age in days, by way of the matrix that a training set holds."""
    ages = sparse.lil_matrix((users, 4), dtype=np.float32)
    for pair, age in pairs.items():
        ages[pair] = age + 1
    return Dislikes.of(ages.tocsr())


def test_a_dislike_takes_two_points_of_five_and_nothing_falls_below_zero() -> None:
    """Item 2, disliked a half-life ago, takes ½ · ⅖ · ½ from either category; item 3, of now, more than there is."""
    interests = np.array([[1.0, 1.0, 0.3]], np.float32)
    less = dislikes({(0, 2): 90, (0, 3): 0}, users=1).lessened(interests, CATEGORIES, half_life=90)
    assert less[0] == pytest.approx([0.9, 0.9, 0])


def test_the_second_dislike_in_a_category_halves_its_share_for_thirty_days() -> None:
    shares = np.array([[0.5, 0.3, 0.2]], np.float32)

    def halved(pairs: dict[tuple[int, int], float]) -> np.ndarray:
        return dislikes(pairs, users=1).halved(shares, CATEGORIES)[0]

    assert halved({(0, 0): 1}) == pytest.approx([0.5, 0.3, 0.2])
    assert halved({(0, 0): 1, (0, 3): 1}) == pytest.approx([0.5, 0.3, 0.2])  # two categories, one each
    assert halved({(0, 0): 50, (0, 1): 29}) == pytest.approx([0.25, 0.45, 0.3])
    assert halved({(0, 0): 50, (0, 1): 30}) == pytest.approx([0.5, 0.3, 0.2])  # over


def test_where_there_is_no_other_share_it_stays() -> None:
    shares = np.array([[1.0, 0.0, 0.0]], np.float32)
    assert dislikes({(0, 0): 1, (0, 1): 1}, users=1).halved(shares, CATEGORIES)[0] == pytest.approx([1, 0, 0])


@given(PAIRS, st.integers(0, 2**32 - 1))
def test_shares_add_up_to_one_and_others_rows_are_untouched(pairs: dict[tuple[int, int], float], seed: int) -> None:
    shares = np.random.default_rng(seed).dirichlet(np.ones(3), 3).astype(np.float32)
    changed = dislikes(pairs).halved(shares, CATEGORIES)
    np.testing.assert_allclose(changed.sum(axis=1), 1, atol=1e-5)
    assert (changed >= 0).all()
    for user in set(range(3)) - {user for user, _item in pairs}:
        np.testing.assert_allclose(changed[user], shares[user], atol=1e-7)
