"""Plans: by hand, both ways round, and the A/A on past visitors finds what would be found."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendations.engine.experiments.planning import (
    PastVisitors,
    days_needed,
    false_alarms,
    past_visitors,
    planned_error,
    smallest_lift,
    standard_errors,
    units_after,
    units_needed,
)

WEEK = [100.0, 180, 240, 290, 330, 360, 380, 396]  # then 42.3 a day: (396 − 100) / 7


def test_a_plan_needs_30_variances_an_arm() -> None:
    assert standard_errors() == pytest.approx(3.035 + 0.842, abs=0.002)
    assert units_needed(10.0, 1.0) == pytest.approx(2 * 3.877**2 * 100, rel=1e-3)
    assert units_needed(10.0, 1.0) == pytest.approx(30 * 100, rel=0.01)
    assert units_needed(10.0, 0.5) == pytest.approx(4 * units_needed(10.0, 1.0), abs=4)


def test_more_arms_need_more_units_each() -> None:
    needed = [units_needed(10.0, 1.0, arms=arms) for arms in (2, 3, 4, 6)]
    assert needed == sorted(needed)
    assert needed[1] == units_needed(10.0, 1.0, alpha=0.025)
    assert 1.05 * needed[0] < needed[1] < 1.3 * needed[0]


@given(st.floats(0.1, 100), st.integers(200, 10**6), st.integers(2, 6))
def test_units_and_lifts_are_each_others_inverse(sigma: float, units: int, arms: int) -> None:
    lift = smallest_lift(sigma, units, arms=arms)
    assert abs(units_needed(sigma, lift, arms=arms) - units) <= 1
    assert standard_errors(arms) * planned_error(sigma, units) == pytest.approx(lift)


def test_no_lift_and_no_units() -> None:
    assert smallest_lift(1.0, 0) == math.inf
    with pytest.raises(ValueError, match="lift"):
        units_needed(1.0, 0.0)


@pytest.mark.parametrize(
    ("units", "days"), [(1, 1), (100, 1), (101, 2), (380, 7), (396, 8), (397, 9), (396 + 42, 9), (396 + 43, 10)]
)
def test_days_follow_the_curve_and_its_last_slope(units: float, days: int) -> None:
    assert days_needed(WEEK, units) == days


def test_units_after_days_are_the_same_curve() -> None:
    assert units_after(WEEK, 3) == 240
    assert units_after(WEEK, 10) == pytest.approx(396 + 2 * 296 / 7)
    for days in range(1, 30):
        assert days_needed(WEEK, units_after(WEEK, days) - 1e-6) == days


def test_where_nobody_new_comes_a_plan_never_ends() -> None:
    assert days_needed([5.0, 5.0, 5.0], 6) is None
    assert days_needed([], 1) is None
    assert days_needed([5.0], 11) == 3


def shop(seed: int, *, units: int = 1500, days: int = 14) -> tuple[np.ndarray, ...]:
    """Visitors who come on some day and spend on and on: values to date, present, keys."""
    draw = np.random.default_rng(seed)
    first = draw.integers(0, days, units)
    present = np.arange(days) >= first[:, None]
    spent = draw.gamma(1, 1, (units, days)) * present
    return spent.cumsum(axis=1), present, draw.integers(0, 2**63, units).astype(np.uint64)


SALTS = np.random.default_rng(3).integers(0, 2**63, 300).astype(np.uint64)


def test_other_salts_find_nothing_where_nothing_is() -> None:
    values, present, keys = shop(1)
    se = planned_error(values[:, -1].std(), len(values) / 2)
    assert false_alarms(values, present, keys, salts=SALTS, se=se) <= 0.05
    assert false_alarms(values, present, keys, salts=SALTS, se=se, per=present.cumsum(axis=1).astype(float)) <= 0.05


def test_too_high_an_alpha_is_found_out() -> None:
    """As a look says "different" wherever the arms differ by more than the half-width, α near 1 does so often."""
    values, present, keys = shop(2)
    se = planned_error(values[:, -1].std(), len(values) / 2)
    assert false_alarms(values, present, keys, salts=SALTS, se=se, alpha=0.9) > 0.2


def test_salts_split_at_random() -> None:
    """A plan for far more units than came makes intervals of the few too wide; for as many, α is used up."""
    values, present, keys = shop(4)
    se = planned_error(values[:, -1].std(), len(values) / 2)
    narrow = false_alarms(values, present, keys, salts=SALTS, se=se, alpha=0.5)
    assert narrow > false_alarms(values, present, keys, salts=SALTS, se=se / 30, alpha=0.5)
    assert false_alarms(values, present, keys, salts=SALTS[:0], se=se) == 0


def test_past_visitors_are_seen_by_day() -> None:
    """Two visitors, the second comes on the second day: mean and scatter are of those who had come."""
    values = np.array([[2.0, 3.0], [0.0, 7.0]])
    present = np.array([[True, True], [False, True]])
    past = past_visitors(values, present)
    assert past.curve.tolist() == [1, 2]
    assert past.mean.tolist() == [2, 5]
    assert math.isnan(past.sigma[0])
    assert past.sigma[1] == pytest.approx(math.sqrt(8))
    assert past.worth.tolist() == pytest.approx([0, 2 * 25 / 8])


def test_past_visitors_know_cuped_and_ratios() -> None:
    draw = np.random.default_rng(5)
    before = draw.gamma(1, 1, 5000)
    values = (before + draw.normal(0, 1, 5000) + 5)[:, None]
    present = np.ones((5000, 1), bool)
    assert past_visitors(values, present).sigma[0] == pytest.approx(math.sqrt(2), rel=0.1)
    assert past_visitors(values, present, before=before).sigma[0] == pytest.approx(1, rel=0.06)
    ratio = past_visitors(values, present, per=np.full((5000, 1), 2.0))
    assert ratio.mean[0] == pytest.approx(values.mean() / 2)
    assert ratio.sigma[0] == pytest.approx(values.std() / 2, rel=1e-3)


GROWING = PastVisitors(curve=np.array(WEEK) * 1000, mean=np.linspace(1, 2, 8), sigma=np.full(8, 3.0))


def test_days_are_those_after_which_the_lift_shows() -> None:
    """1,000 · 396 visitors with mean 2 and σ 3, half an arm: L = 3.877 · 3/2 · √(2/198,000), and its own scatter."""
    lift = GROWING.lift_after(8)
    plain = standard_errors() * 1.5 * math.sqrt(2 / 198_000)
    assert lift == pytest.approx(plain * math.sqrt(1 + lift / 2))
    assert GROWING.error_after(8) == pytest.approx(3 * math.sqrt(2 / 198_000))
    for days in (1, 3, 8, 9, 20):
        assert GROWING.days_for(GROWING.lift_after(days) * 1.000001) == days
        assert GROWING.days_for(GROWING.lift_after(days, arms=3, traffic=0.5) * 1.000001, arms=3, traffic=0.5) == days


def test_a_large_lift_needs_more_as_the_better_arm_scatters_more() -> None:
    """Worth 100 a day; a lift of 1 wants 2 · 3 · 3.877² = 90.2 of it and not 60.1, of .5 300.6 and not 240.5."""
    steady = PastVisitors(curve=np.arange(1, 9) * 50.0, mean=np.ones(8), sigma=np.full(8, math.sqrt(0.5)))
    assert steady.worth.tolist() == pytest.approx((np.arange(1, 9) * 100).tolist())
    assert standard_errors() ** 2 == pytest.approx(15.03, abs=0.01)
    assert steady.days_for(1.0) == 1
    assert steady.days_for(0.5) == 4
    assert steady.lift_after(4) < 0.5 < steady.lift_after(3)


def test_less_traffic_and_smaller_lifts_take_longer() -> None:
    days = [GROWING.days_for(0.02, traffic=traffic) for traffic in (1.0, 0.5, 0.2)]
    assert days == sorted(days)
    assert days[0] < days[-1]
    lifts = [GROWING.days_for(lift) for lift in (0.04, 0.02, 0.01)]
    assert lifts == sorted(lifts)


def test_visitors_of_whom_nothing_came_plan_nothing() -> None:
    nothing = PastVisitors(curve=np.array([5.0, 9.0]), mean=np.zeros(2), sigma=np.zeros(2))
    assert nothing.days_for(0.05) is None
    assert nothing.lift_after(14) == math.inf
    with pytest.raises(ValueError, match="nothing"):
        nothing.error_after(14)
