"""Exploration: chances by hand, against draws, and against the invariants that any way of exploring has to keep."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendations.engine.ranking.exploration import EXPLORED_FROM, Explored, chances, explored, may_explore
from recommendations.terms import Way

DRAWS = 4_000


def ranking(ranked: int, fixed: tuple[int, ...] = ()) -> np.ndarray:
    held = np.zeros(ranked, np.bool_)
    held[list(fixed)] = True
    return held


def drawn(seed: int, *, n: int = 10, ranked: int = 30, fixed: tuple[int, ...] = (), **more: float) -> Explored:
    options = {"shuffled": 0.1, "cards": 0.05} | more
    return explored(ranking(ranked, fixed), n=n, draw=np.random.default_rng(seed), **options)


def test_chances_of_a_short_ranking_by_hand() -> None:
    """Three places, two of them slots. Of five offsets, one parts off the first place, one the last, three nothing."""
    table = chances(2, shuffled=1.0, cards=0.0, ranked=3)
    np.testing.assert_allclose(table, [[0.5, 0.3], [0.3, 0.4], [0.2, 0.3]], rtol=1e-12)


def test_chances_far_from_both_ends_fall_with_the_distance() -> None:
    """Two places that are d apart are in one block of five for 5 − d of the five offsets: (5 − d) / 25."""
    table = chances(20, shuffled=1.0, cards=0.0)
    expected = [max(5 - abs(place - 10), 0) / 25 for place in range(20 + EXPLORED_FROM)]
    np.testing.assert_allclose(table[:, 10], expected, rtol=1e-12, atol=1e-15)


def test_chances_of_both_ways_together() -> None:
    """The last of ten slots, σ = .1, ε = .05: .9 · .95 + .1 · .2 for its own item, .9 · .05 / 10 + .1 · .12 for 11."""
    table = chances(10, shuffled=0.1, cards=0.05)
    assert table[9, 9] == pytest.approx(0.875, rel=1e-12)
    assert table[11, 9] == pytest.approx(0.0045 + 0.012, rel=1e-12)
    assert table[29, 9] == pytest.approx(0.0045, rel=1e-12)
    assert table[0, 9] == 0


def test_slots_that_rules_hold_are_left_out_of_the_blocks() -> None:
    """With the first of three slots held, the four places behind it are those of a ranking without it."""
    held = chances(3, (0,), shuffled=1.0, cards=0.0, ranked=5)
    without = chances(2, shuffled=1.0, cards=0.0, ranked=4)
    assert held[0].tolist() == [1, 0, 0]
    np.testing.assert_allclose(held[1:, 1:], without, rtol=1e-12)


shares = st.floats(0, 1)


@given(n=st.integers(1, 30), pool=st.integers(0, 60), held=st.sets(st.integers(0, 29)), shuffled=shares, cards=shares)
def test_every_slot_s_chances_add_up_to_one(n: int, pool: int, held: set[int], shuffled: float, cards: float) -> None:
    ranked = min(pool, n + EXPLORED_FROM)
    length = min(n, ranked)
    fixed = tuple(sorted(slot for slot in held if slot < length))
    table = chances(n, fixed, shuffled=shuffled, cards=cards, ranked=ranked)
    assert table.shape == (ranked, length)
    assert (table >= 0).all()
    np.testing.assert_allclose(table.sum(axis=0), 1, atol=1e-12)
    assert (table.sum(axis=1) <= 1 + 1e-12).all()  # no item stands twice in a slate
    for slot in fixed:
        assert table[slot, slot] == 1


@pytest.mark.parametrize(
    ("n", "ranked", "fixed"),
    [
        (10, 30, ()),
        (10, 30, (0, 4, 9)),
        (6, 8, (2,)),
        (5, 5, ()),
        (1, 21, ()),
        (1, 2, ()),
        (3, 23, (0, 1)),
        (2, 4, (1,)),
    ],
)
def test_chances_are_those_of_many_draws(n: int, ranked: int, fixed: tuple[int, ...]) -> None:
    draw, held = np.random.default_rng([n, ranked]), ranking(ranked, fixed)
    table = chances(n, fixed, shuffled=0.3, cards=0.2, ranked=ranked)
    seen = np.zeros(table.shape)
    slots = np.arange(min(n, ranked))
    for _ in range(DRAWS):
        answer = explored(held, n=n, shuffled=0.3, cards=0.2, draw=draw)
        seen[answer.chosen, slots] += 1
        np.testing.assert_array_equal(answer.propensity, table[answer.chosen, slots])
    certain = (table < 1e-12) | (table > 1 - 1e-12)
    np.testing.assert_allclose((seen / DRAWS)[certain], table[certain], atol=1e-12)
    spread = np.sqrt(table * (1 - table) / DRAWS)
    assert (np.abs(seen / DRAWS - table)[~certain] < 5.5 * spread[~certain]).all()


def test_no_item_is_shown_twice_and_slots_that_rules_hold_stay() -> None:
    for seed in range(500):
        answer = drawn(seed, fixed=(1, 7), shuffled=0.6, cards=0.5)
        assert len(set(answer.chosen.tolist())) == 10
        assert answer.chosen[[1, 7]].tolist() == [1, 7]
        assert answer.propensity[[1, 7]].tolist() == [1, 1]


def test_the_way_says_what_was_drawn() -> None:
    ways = [drawn(seed, shuffled=0.3, cards=0.2) for seed in range(2_000)]
    share = {way: np.mean([answer.way is way for answer in ways]) for way in Way}
    for way, expected in ((Way.SHUFFLED, 0.3), (Way.CARDS, 0.7 * (1 - 0.8**2)), (Way.AS_RANKED, 0.7 * 0.8**2)):
        assert share[way] == pytest.approx(expected, abs=5 * (expected * (1 - expected) / 2_000) ** 0.5)
    for answer in ways:
        if answer.way is Way.AS_RANKED:
            assert answer.chosen.tolist() == list(range(10))
        if answer.way is Way.CARDS:
            assert answer.chosen[:8].tolist() == list(range(8))
            assert answer.chosen.max() >= 10
        if answer.way is Way.SHUFFLED:
            assert (np.abs(answer.chosen - np.arange(10)) < 5).all()


def test_an_answer_asked_for_again_is_drawn_again() -> None:
    for seed in range(50):
        first, again = drawn(seed, shuffled=0.5, cards=0.5), drawn(seed, shuffled=0.5, cards=0.5)
        assert first.chosen.tolist() == again.chosen.tolist()
        assert first.way is again.way


@given(st.integers(0, 2**32), st.sampled_from([0.0, 0.1, 0.6]), st.sampled_from([0.0, 0.05, 0.6]))
def test_what_may_not_explore_is_shown_as_ranked(seed: int, shuffled: float, cards: float) -> None:
    if not may_explore(np.random.default_rng(seed), shuffled=shuffled, cards=cards):
        for fixed in ((), (9,), tuple(range(9))):
            answer = drawn(seed, fixed=fixed, shuffled=shuffled, cards=cards)
            assert answer.way is Way.AS_RANKED
            assert answer.chosen.tolist() == list(range(10))


def test_few_answers_may_explore_where_few_do() -> None:
    often = np.mean([may_explore(np.random.default_rng(s), shuffled=0.1, cards=0.05) for s in range(4_000)])
    expected = 1 - 0.9 * 0.95**2
    assert often == pytest.approx(expected, abs=5 * (expected * (1 - expected) / 4_000) ** 0.5)


@pytest.mark.parametrize(("n", "ranked", "fixed"), [(1, 1, ()), (3, 1, ()), (4, 0, ()), (2, 22, (0, 1)), (0, 20, ())])
def test_nothing_is_explored_where_fewer_than_two_places_are_open(n: int, ranked: int, fixed: tuple[int, ...]) -> None:
    answer = explored(ranking(ranked, fixed), n=n, shuffled=1.0, cards=1.0, draw=None)
    assert answer.chosen.tolist() == list(range(min(n, ranked)))
    assert answer.propensity.tolist() == [1] * min(n, ranked)
    assert answer.way is Way.AS_RANKED
    np.testing.assert_array_equal(
        chances(n, fixed, shuffled=1.0, cards=1.0, ranked=ranked), np.eye(ranked, min(n, ranked))
    )


def test_chances_are_computed_once_and_cannot_be_written_to() -> None:
    table = chances(10, (2,), shuffled=0.1, cards=0.05)
    assert chances(10, (2,), shuffled=0.1, cards=0.05) is table
    with pytest.raises(ValueError, match="read-only"):
        table[0, 0] = 0
