"""Guardrails by day: the difference by hand, a season that shares cannot bend, and what is paused."""

import math

import numpy as np
import pytest

from recommendations.engine.experiments.bandit import DailyArms
from recommendations.engine.experiments.guardrail import daily_differences, harmed, planned_scale
from recommendations.engine.experiments.sequences import half_width


def rates(n: list[list[float]], converted: list[list[float]]) -> DailyArms:
    y = np.array(converted, float)
    return DailyArms(n=np.array(n, float), y=y, yy=y, successes=y)


def test_arms_are_compared_within_days() -> None:
    days = rates([[900, 100], [100, 900]], [[90, 8], [20, 144]])  # .10 against .08, .20 against .16
    (effect,) = daily_differences(days)
    assert effect.value == pytest.approx((-0.02 - 0.04) / 2)
    assert effect.base == pytest.approx(0.15)
    pooled = 262 / 2000
    variance = pooled * (1 - pooled) * 2000 / 1999
    assert effect.se == pytest.approx(math.sqrt(2 * variance * (1 / 900 + 1 / 100)) / 2)


def test_days_without_both_are_left_out() -> None:
    (effect,) = daily_differences(rates([[100, 100], [100, 0]], [[10, 20], [99, 0]]))
    assert effect.value == pytest.approx(0.1)
    (unknown,) = daily_differences(rates([[100, 0]], [[10, 0]]))
    assert math.isinf(unknown.se)


def test_the_scale_is_planned_for_seven_even_days() -> None:
    days = rates([[1000, 1000]], [[100, 100]])
    se = math.sqrt(2 * 0.09 * (2000 / 1999) / 7000)
    assert planned_scale(days) == pytest.approx(7.937 * se**2, rel=1e-3)
    assert planned_scale(rates([[1000, 1000]], [[0, 0]])) is None
    assert planned_scale(rates([[0, 0]], [[0, 0]])) is None


def test_a_harmful_arm_is_named_and_a_harmless_one_is_not() -> None:
    days = rates([[500, 500, 500]] * 7, [[50, 10, 49]] * 7)
    tau2 = planned_scale(days)
    assert tau2
    assert harmed(days, tau2) == [1]
    assert harmed(days, tau2, sign=1) == []
    better = rates([[500, 500, 500]] * 7, [[10, 50, 11]] * 7)
    assert harmed(better, tau2) == []
    assert harmed(better, tau2, sign=1) == [1]
    assert harmed(better, tau2, sign=1, tolerance=5.0) == []


def test_more_arms_need_more_certainty() -> None:
    """The difference of the second arm lies between the half-widths at α and at α/2."""
    days = rates([[500, 500, 500]] * 7, [[50, 39, 50]] * 7)
    effect, tau2 = daily_differences(days)[0], planned_scale(days)
    assert tau2
    assert half_width(effect.se, tau2, 0.05) < -effect.value < half_width(effect.se, tau2, 0.025)
    assert harmed(days, tau2) == []
    assert harmed(days, tau2, alpha=0.1) == [1]


def test_few_successes_pause_nobody() -> None:
    few, enough = (rates([[5000] * 3] * 3, [[0, converted, 0]] * 3) for converted in (33, 34))
    tau2 = planned_scale(few)
    assert tau2
    assert harmed(few, tau2, sign=1) == []
    assert harmed(enough, tau2, sign=1) == [1]


def test_where_less_is_worse_the_successes_of_all_arms_count() -> None:
    few, enough = (rates([[5000] * 3] * 3, [[19, 0, other]] * 3) for other in (13, 15))
    tau2 = planned_scale(few)
    assert tau2
    assert harmed(few, tau2) == []
    assert harmed(enough, tau2) == [1]
