"""Concentration against values known by hand and by definition."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendations.engine.evaluation.concentration import gini, lorenz, share_of_top

COUNTS = st.lists(st.integers(0, 1000), min_size=1, max_size=40).filter(any)


def test_gini_and_top_share_by_hand() -> None:
    assert gini(np.asarray([5, 5, 5])) == pytest.approx(0)
    assert gini(np.asarray([0, 0, 0, 9])) == pytest.approx(3 / 4)  # one of n has it all: (n − 1) / n
    assert gini(np.asarray([1, 2, 3, 4])) == pytest.approx(1 / 4)
    assert np.isnan(gini(np.zeros(3)))
    np.testing.assert_allclose(lorenz(np.asarray([1, 3]), points=3), [[0, 0], [0.5, 0.25], [1, 1]])
    assert share_of_top(np.asarray([1, 2, 3, 4]), 0.5) == pytest.approx(0.7)
    assert np.isnan(share_of_top(np.zeros(3), 0.5))


@given(COUNTS)
def test_gini_is_twice_the_area_between_the_curve_and_equality(counts: list[int]) -> None:
    values = np.asarray(counts)
    curve = lorenz(values, points=len(values) + 1)
    area = np.trapezoid(curve[:, 1], curve[:, 0])
    assert gini(values) == pytest.approx(1 - 2 * area, abs=1e-9)
    assert (np.diff(curve[:, 1]) >= 0).all()
    assert curve[-1].tolist() == [1, 1]


def test_the_lorenz_curve_of_nothing_is_flat() -> None:
    np.testing.assert_array_equal(lorenz(np.zeros(4), points=3), [[0, 0], [0.5, 0], [1, 0]])
    assert lorenz(np.zeros(0)).shape == (101, 2)
