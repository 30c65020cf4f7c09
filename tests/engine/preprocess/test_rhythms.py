import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendations.engine.preprocess.rhythms import Rhythms

MILK, TEA, NOTHING = 3, 5, 4
RHYTHMS = Rhythms(np.array([MILK, TEA, MILK, MILK]), np.array([2, 40, 30, 10], np.float32))
"""Milk 2, 10 and 30 days ago: gaps of 8 and 20. Tea once."""


def test_rhythm_columns_by_hand() -> None:
    columns = {name: values.tolist() for name, values in RHYTHMS.columns(np.array([TEA, MILK, NOTHING])).items()}
    nan = pytest.approx(np.nan, nan_ok=True)
    assert columns["times"] == [1, 3, 0]
    assert columns["times_7d"] == [0, 1, 0]
    assert columns["times_14d"] == [0, 2, 0]
    assert columns["times_56d"] == [1, 3, 0]
    assert columns["since"] == [40, 2, nan]
    assert columns["first"] == [40, 30, nan]
    assert columns["gap"] == [nan, 14, nan]  # (8 + 20) / 2
    assert columns["gap_deviation"] == [nan, 6, nan]
    assert columns["last_gap"] == [nan, 8, nan]
    assert columns["due"] == [nan, pytest.approx(2 / 14), nan]
    assert columns["late"] == [nan, pytest.approx((2 - 14) / (6 + 1)), nan]
    assert columns["due_by_habit"] == [pytest.approx(40 / 30), pytest.approx(2 / 22), nan]  # (28 + 60) / (2 + 2)
    assert columns["decayed_60d"] == pytest.approx([2 ** (-40 / 60), sum(2 ** (-age / 60) for age in (2, 10, 30)), 0])


def test_totals_take_values_in_the_order_of_the_purchases() -> None:
    assert RHYTHMS.total(np.array([1, 10, 2, 4])).tolist() == [7, 10]
    assert RHYTHMS.mean(np.array([1, 10, 2, 3])).tolist() == [2, 10]


def test_a_key_without_purchases_has_zero_counts_and_unknown_times() -> None:
    columns = Rhythms(np.empty(0, np.int64), np.empty(0, np.float32)).columns(np.array([MILK]))
    assert columns["times_28d"].tolist() == [0]
    assert np.isnan(columns["since"]).all()


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 300)), max_size=30))
def test_the_rhythm_of_a_key_does_not_depend_on_other_keys(purchases: list[tuple[int, int]]) -> None:
    keys = np.array([key for key, _ in purchases], np.int64)
    age = np.array([days for _, days in purchases], np.float32)
    together = Rhythms(keys, age).columns(np.arange(5))
    for key in range(5):
        ages = sorted(days for owner, days in purchases if owner == key)
        gaps = np.diff(ages)
        assert together["times_28d"][key] == sum(days < 28 for days in ages)
        if len(gaps):
            assert together["gap"][key] == pytest.approx(gaps.mean(), abs=1e-4)
        if len(gaps) > 1:
            assert together["gap_deviation"][key] == pytest.approx(gaps.std(), abs=0.01)
