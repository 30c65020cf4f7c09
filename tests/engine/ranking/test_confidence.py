"""Confidence: who is new gets what everybody takes, who is known is ranked as ever, and the parts add up."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from recommendations.engine.ranking.confidence import (
    FEW,
    LITTLE_KNOWN,
    STATED_TASTE,
    BlendLeaning,
    by_leaning,
    confidence,
    leaned,
    n_acts,
    stated_acts,
    stated_part,
)
from recommendations.engine.ranking.scores import blend, contributions
from tests.shop import Act, interactions

NAMES = ("ease", "segments", "popular")
LEANING = BlendLeaning(personal=frozenset({"ease"}), friends="social", popular="popular")
Z = np.array([[1, -1, np.nan], [0.5, 0, 2], [-1, 2, 0.25]], np.float32)


def test_confidence_grows_with_the_acts_and_is_full_from_twenty_on() -> None:
    sure = confidence(np.array([0, 1, 2, 6, 18, FEW - 1, FEW, 400]))
    np.testing.assert_allclose(sure, [0, 1 / 3, 1 / 2, 3 / 4, 0.9, 19 / 21, 1, 1], rtol=1e-6)


def test_each_item_of_a_basket_is_an_act_and_what_was_taken_back_is_none() -> None:
    acts = [Act(0, 3, 0), Act(0, 3, 1), Act(0, 4, 1, strength=0.2), Act(1, 2, 2), Act(1, 2, 3, strength=-1.0)]
    assert n_acts(interactions(acts, n_users=3, n_items=5)).tolist() == [3, 1, 0]


def test_half_known_is_half_personal_and_half_popular() -> None:
    z = leaned(Z, NAMES, LEANING, np.float32(0.5) * np.ones(3, np.float32))
    np.testing.assert_allclose(z[0], [0, 0.5, np.nan])  # silence stays
    np.testing.assert_array_equal(z[1:], Z[1:])


def test_of_whom_nothing_is_known_the_order_is_popularitys() -> None:
    z = leaned(Z[:, :2], NAMES, LEANING, np.zeros(2, np.float32))
    np.testing.assert_array_equal(z[0], Z[2, :2])
    weights = np.array([0.7, 0, 0.3], np.float32)
    np.testing.assert_array_equal(np.argsort(-blend(z, weights)), np.argsort(-Z[2, :2]))


def test_who_is_known_is_ranked_to_the_bit() -> None:
    assert leaned(Z, NAMES, LEANING, np.ones(3, np.float32)) is Z
    mixed = leaned(Z, NAMES, LEANING, np.array([1, 0.5, 1], np.float32))
    np.testing.assert_array_equal(mixed[:, [0, 2]], Z[:, [0, 2]])


def test_where_nobody_tells_what_is_popular_nothing_leans() -> None:
    np.testing.assert_array_equal(leaned(Z[:2], NAMES[:2], LEANING, np.zeros(3, np.float32)), Z[:2])


@given(
    arrays(np.float32, (3, 4), elements=st.floats(-4, 4, width=16)),
    arrays(np.float32, 3, elements=st.floats(0, 1, width=16)),
    st.integers(1, FEW),
)
def test_the_parts_before_leaning_and_leaning_add_up_to_the_score(z: np.ndarray, weights: np.ndarray, n: int) -> None:
    sure = confidence(np.array([n]))
    rounded = leaned(z, NAMES, LEANING, np.repeat(sure, 4)).astype(np.float16)
    parts = contributions(rounded, weights)
    before, added = by_leaning(parts, rounded, weights=weights, instances=NAMES, leaning=LEANING, sure=float(sure[0]))
    np.testing.assert_allclose(before.sum(axis=0) + added[LITTLE_KNOWN], parts.sum(axis=0), atol=1e-9)
    np.testing.assert_allclose(before, contributions(z, weights), atol=0.05)  # z is rounded to half floats


def test_of_the_known_nothing_stands_apart() -> None:
    parts = contributions(Z, np.array([1, 1, 1], np.float32))
    before, added = by_leaning(parts, Z, weights=np.ones(3, np.float32), instances=NAMES, leaning=LEANING, sure=1)
    assert before is parts
    assert not added[LITTLE_KNOWN].any()


def test_of_whom_nothing_is_known_all_that_is_personal_is_leanings() -> None:
    z, weights = leaned(Z, NAMES, LEANING, np.zeros(3, np.float32)), np.array([0.7, 0.1, 0.2], np.float32)
    parts = contributions(z, weights)
    before, added = by_leaning(parts, z, weights=weights, instances=NAMES, leaning=LEANING, sure=0)
    assert not before[0].any()
    np.testing.assert_array_equal(added[LITTLE_KNOWN], parts[0])
    np.testing.assert_array_equal(before[1:], parts[1:])


FRIENDS_Z = np.array([[1, -1, np.nan], [0.5, 0, 2], [-1, 2, 0.25], [2, np.nan, -2]], np.float32)
WITH_FRIENDS = (*NAMES, "social")


def test_those_whom_one_follows_come_before_everybody_and_speak_for_the_silent() -> None:
    half = leaned(FRIENDS_Z, WITH_FRIENDS, LEANING, np.float32(0.5) * np.ones(3, np.float32))
    np.testing.assert_allclose(half[0], [1.5, 0.5, -1])  # friends, everybody, friends for what was silent
    np.testing.assert_array_equal(half[1:], FRIENDS_Z[1:])
    unknown = leaned(FRIENDS_Z, WITH_FRIENDS, LEANING, np.zeros(3, np.float32))
    np.testing.assert_allclose(unknown[0], [2, 2, -2])


def test_with_friends_the_parts_add_up_too() -> None:
    weights, sure = np.array([0.6, 0.1, 0.3, 0], np.float32), 0.25
    z = leaned(FRIENDS_Z, WITH_FRIENDS, LEANING, np.full(3, sure, np.float32))
    parts = contributions(z, weights)
    before, added = by_leaning(parts, z, weights=weights, instances=WITH_FRIENDS, leaning=LEANING, sure=sure)
    np.testing.assert_allclose(before.sum(axis=0) + added[LITTLE_KNOWN], parts.sum(axis=0), atol=1e-6)
    np.testing.assert_allclose(before, contributions(FRIENDS_Z, weights), atol=1e-6)


STATED_Z = np.array([[1, -1, np.nan], [0.5, 0, 2], [-1, 2, 0.25], [3, -1, 0]], np.float32)
WITH_TASTE = (*NAMES, STATED_TASTE)


def test_a_stated_taste_is_three_acts_that_fade_with_the_first_ten() -> None:
    assert [stated_acts(n) for n in (0, 5, 10, 400)] == [3, 1.5, 0, 0]
    np.testing.assert_allclose(confidence(np.array([0, 5, 10]), stated_acts(5)), [0, 5 / 8.5, 10 / 13.5], rtol=1e-6)


def test_of_whom_nothing_is_known_but_what_they_said_three_fifths_is_that() -> None:
    leaning = replace(LEANING, stated=stated_part(stated_acts(0)))
    z = leaned(STATED_Z, WITH_TASTE, leaning, np.zeros(3, np.float32))
    np.testing.assert_allclose(z[0], 0.6 * STATED_Z[3] + 0.4 * STATED_Z[2], rtol=1e-6)  # what was silent speaks, too
    np.testing.assert_array_equal(z[1:], STATED_Z[1:])


@pytest.mark.parametrize("n", [0, 1, 9])
def test_what_was_said_has_a_part_of_its_own_and_the_parts_add_up(n: int) -> None:
    said, weights = stated_acts(n), np.array([0.6, 0.1, 0.3, 0], np.float32)
    leaning, sure = replace(LEANING, stated=stated_part(said)), float(confidence(np.array([n]), said)[0])
    z = leaned(STATED_Z, WITH_TASTE, leaning, np.full(3, sure, np.float32))
    parts = contributions(z, weights)
    before, added = by_leaning(parts, z, weights=weights, instances=WITH_TASTE, leaning=leaning, sure=sure)
    assert added.keys() == {STATED_TASTE, LITTLE_KNOWN}
    np.testing.assert_allclose(before.sum(axis=0) + sum(added.values()), parts.sum(axis=0), atol=1e-6)
    own = np.nan_to_num(STATED_Z[0]) * (sure > 0)
    np.testing.assert_allclose(before[0], 0.6 * own, atol=1e-5)
    away = said / (n + said + 2) * (STATED_Z[3] - np.nan_to_num(STATED_Z[0])) if n else 0.6 * STATED_Z[3]
    np.testing.assert_allclose(added[STATED_TASTE], 0.6 * away, atol=1e-5)
