"""The lift of messages: an interval that holds what was planted, and none claimed where there is none."""

import math

import numpy as np
import pytest

from recommendations.engine.experiments.moments import Moments
from recommendations.engine.push.lift import lift_of


def test_a_lift_by_hand() -> None:
    lift = lift_of(Moments.of([3.0, 5.0]), Moments.of([1.0, 3.0]), typical=4.0)
    assert lift is not None
    assert lift.effect.value == pytest.approx(2.0)
    assert lift.effect.se == pytest.approx(math.sqrt(2 / 2 + 2 / 2))
    assert (lift.low, lift.high) == pytest.approx((2 - 1.96 * math.sqrt(2), 2 + 1.96 * math.sqrt(2)))
    assert lift.smallest == pytest.approx(2.8 * math.sqrt(2))
    assert lift.relative == pytest.approx(1.0)
    # 4/2 − 1 by the delta method: v/h² + r² v/h², both means have the variance 1
    assert lift.relative_se == pytest.approx(math.sqrt((1 + 2 * 2 * 1) / 4))


def test_without_people_or_scatter_there_is_none() -> None:
    assert lift_of(Moments.of([1.0]), Moments.of([2.0, 3.0]), typical=1.0) is None
    assert lift_of(Moments.of([1.0, 1.0]), Moments.of([1.0, 1.0]), typical=1.0) is None


def test_the_interval_of_all_looks_is_wider_than_that_of_one() -> None:
    rng = np.random.default_rng(1)
    lift = lift_of(Moments.of(rng.normal(5, 2, 400)), Moments.of(rng.normal(5, 2, 100)), typical=5.0)
    assert lift is not None
    assert lift.always_low < lift.low < lift.high < lift.always_high


@pytest.mark.parametrize("planted", [0.0, 1.0])
def test_the_interval_holds_the_truth_as_often_as_it_says(planted: float) -> None:
    rng, runs, holds, claimed = np.random.default_rng(11), 1_000, 0, 0
    before = rng.gamma(1.5, 20.0, 900)  # spending is skewed
    for _run in range(runs):
        after = 0.3 * before * rng.gamma(2.0, 0.5, 900)
        held = rng.random(900) < 0.2
        after += np.where(held, 0.0, planted)
        lift = lift_of(Moments.of(after[~held], before[~held]), Moments.of(after[held], before[held]), typical=9.0)
        assert lift is not None
        holds += lift.low <= planted <= lift.high
        claimed += lift.is_shown
    assert 0.93 <= holds / runs <= 0.97
    assert planted or claimed / runs <= 0.05
