from collections import Counter
from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendations.engine.evaluation.stability import rbo, shapley
from recommendations.engine.frames import IntArray

LISTS = st.lists(st.integers(0, 11), unique=True, max_size=8)


def ranked(*lists: list[int], width: int | None = None) -> IntArray:
    width = width or max(len(one) for one in lists)
    return np.array([one + [-1] * (width - len(one)) for one in lists], np.int32).reshape(len(lists), width)


def test_rbo_by_hand() -> None:
    """[1, 2, 3] and [2, 1, 4] with p = .5: X = 0, 2, 2, A = 0, 1, 2/3; 1/4 + 2/3 · 1/8 + 2/3 · 1/8 = 5/12."""
    assert rbo(ranked([1, 2, 3]), ranked([2, 1, 4]), p=0.5) == pytest.approx([5 / 12])


def test_rbo_of_lists_of_unlike_length_by_hand() -> None:
    """[1, 2] and [2, 3, 4, 5] with p = .5.

    X = 0, 1, 1, 1; half of the shorter list is common, so its missing places are by half: A = 0, 1/2, (1 + 1/2) / 3 and
    (1 + 1) / 4, all 1/2 from the second on; 1/2 (1/4 + 1/8 + 1/16 + 1/16) = 1/4.
    """
    assert rbo(ranked([1, 2]), ranked([2, 3, 4, 5]), p=0.5) == pytest.approx([0.25])


def test_the_same_list_has_rbo_one_and_strangers_zero() -> None:
    one, other = ranked([1, 2, 3], [4, 5]), ranked([1, 2, 3], [6, 7])
    assert rbo(one, other) == pytest.approx([1, 0])
    empty = ranked([], [], width=2)
    assert rbo(empty, ranked([], [1])) == pytest.approx([1, 0])
    assert rbo(np.empty((2, 0), np.int32), np.empty((2, 0), np.int32)) == pytest.approx([1, 1])


def test_an_exchange_at_the_top_counts_more_than_one_at_the_end() -> None:
    before = ranked([1, 2, 3, 4, 5], [1, 2, 3, 4, 5])
    top, end = 1 - rbo(before, ranked([2, 1, 3, 4, 5], [1, 2, 3, 5, 4]))
    assert top == pytest.approx(0.1)  # A_1 alone is lost: (1 − p) p^0
    assert end == pytest.approx(0.1 * 0.9**3 / 4)  # A_4 is 3/4


@pytest.mark.parametrize("p", [0.0, 1.0, -0.5, 2.0])
def test_a_persistence_outside_of_zero_to_one_is_refused(p: float) -> None:
    with pytest.raises(ValueError, match="persistence"):
        rbo(ranked([1]), ranked([1]), p=p)


def rbo_of_sets(one: list[int], other: list[int], p: float) -> float:
    """The paper's equation 32 as it is printed, of two lists that are not empty."""
    short, long = sorted((one, other), key=len)
    s, length = len(short), len(long)
    common = [len(set(short[:d]) & set(long[:d])) for d in range(length + 1)]
    first = sum(common[d] / d * p**d for d in range(1, length + 1))
    second = sum(common[s] * (d - s) / (s * d) * p**d for d in range(s + 1, length + 1))
    rest = ((common[length] - common[s]) / length + common[s] / s) * p**length
    return (1 - p) / p * (first + second) + rest


@given(st.lists(st.tuples(LISTS, LISTS), min_size=1, max_size=5), st.floats(0.1, 0.95))
def test_rbo_of_many_users_equals_the_printed_equation(pairs: list[tuple[list[int], list[int]]], p: float) -> None:
    one, other = (ranked(*lists, width=8) for lists in zip(*pairs, strict=True))
    overlap = rbo(one, other, p=p)
    np.testing.assert_allclose(overlap, rbo(other, one, p=p))
    for (a, b), value in zip(pairs, overlap.tolist(), strict=True):
        expected = rbo_of_sets(a, b, p) if a and b else float(not a and not b)
        assert value == pytest.approx(expected)


def test_the_share_of_a_pair_of_gloves() -> None:
    """One left glove and two right ones: a pair is worth 1. Shapley's own answer: 2/3, 1/6, 1/6."""
    shares = shapley(lambda owners: float("left" in owners and len(owners) > 1), ["left", "right", "other right"])
    assert shares == pytest.approx({"left": 2 / 3, "right": 1 / 6, "other right": 1 / 6})


def test_parts_that_add_up_get_what_they_add() -> None:
    worth = {"data": 0.3, "weights": -0.1, "rules": 0.0}
    assert shapley(lambda parts: 5 + sum(worth[part] for part in parts), list(worth)) == pytest.approx(worth)
    assert shapley(lambda parts: 5.0, []) == {}


def test_each_combination_is_asked_once() -> None:
    asked: Counter[frozenset[int]] = Counter()

    def value(parts: frozenset[int]) -> float:
        asked[parts] += 1
        return float(len(parts))

    shapley(value, range(5))
    assert len(asked) == 32
    assert set(asked.values()) == {1}


def test_a_part_that_stands_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        shapley(lambda parts: 0.0, ["rules", "data", "rules"])


@given(st.lists(st.floats(-10, 10), min_size=16, max_size=16))
def test_shares_are_the_mean_over_all_orders_and_add_up(values: list[float]) -> None:
    def value(parts: frozenset[int]) -> float:
        return values[sum(1 << part for part in parts)]

    shares = shapley(value, range(4))
    orders = list(permutations(range(4)))
    mean = dict.fromkeys(range(4), 0.0)
    for order in orders:
        steps = [value(frozenset(order[:n])) for n in range(5)]
        for part, (before, after) in zip(order, pairwise(steps), strict=True):
            mean[part] += (after - before) / len(orders)
    assert shares == pytest.approx(mean, abs=1e-9)
    assert sum(shares.values()) == pytest.approx(values[-1] - values[0], abs=1e-9)
