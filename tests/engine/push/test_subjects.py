"""A subject wins only where it is answered more for certain, and hardly ever where all are alike."""

import math

import numpy as np
import pytest

from recommendations.engine.push.subjects import subject_effects


def test_the_better_of_two_wins_by_as_much_as_the_other_loses() -> None:
    first, second = subject_effects([(5_000, 400), (5_000, 250)])
    assert first.value == pytest.approx(0.03)
    assert (first.wins, second.wins) == (True, False)
    assert second.value == pytest.approx(-first.value)
    assert first.low == pytest.approx(-second.high)


def test_few_answers_name_no_winner_and_one_subject_has_none() -> None:
    assert not any(each.wins for each in subject_effects([(40, 3), (40, 1), (40, 0)]))
    assert subject_effects([(500, 20)]) == []
    nothing = subject_effects([(100, 0), (100, 0)])
    assert not any(each.wins for each in nothing)
    assert all(math.isinf(each.high) for each in nothing)


def test_where_all_are_alike_a_winner_is_hardly_ever_named_however_often_it_is_looked_at() -> None:
    rng, named = np.random.default_rng(3), 0
    for _run in range(300):
        answers = rng.random((3, 2_000)) < 0.05
        looks = ([(n, int(arm[:n].sum())) for arm in answers] for n in range(100, 2_001, 100))
        named += any(each.wins for look in looks for each in subject_effects(look))
    assert named / 300 <= 0.05
