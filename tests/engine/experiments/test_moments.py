"""Moments: the same as NumPy's, and joined as if they had never been apart."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from recommendations.engine.experiments.moments import Moments, explained, joined, theta

TABLE = np.random.default_rng(0).gamma(1, 20, (50, 2))


def test_figures_by_hand() -> None:
    moments = Moments.of([1, 2, 6], [0, 1, 2])
    assert (moments.n, moments.y, moments.yy, moments.x, moments.xx, moments.xy) == (3, 9, 41, 3, 5, 14)
    assert (moments.mean, moments.mean_x) == (3, 1)
    assert moments.variance == pytest.approx(7)
    assert moments.variance_x == pytest.approx(1)
    assert moments.covariance == pytest.approx(2.5)


def test_figures_are_those_of_numpy() -> None:
    moments = Moments.of(*TABLE.T)
    covariance = np.cov(TABLE.T)
    assert moments.variance == pytest.approx(covariance[0, 0])
    assert moments.variance_x == pytest.approx(covariance[1, 1])
    assert moments.covariance == pytest.approx(covariance[0, 1])


@given(arrays(np.float64, (30, 2), elements=st.floats(-1e6, 1e6)), st.integers(0, 30), st.integers(0, 30))
def test_joined_parts_are_the_whole(table: np.ndarray, one: int, other: int) -> None:
    low, high = sorted((one, other))
    parts = [Moments.of(*part.T) for part in (table[:low], table[low:high], table[high:])]
    whole = Moments.of(*table.T)
    for name, value in vars(joined(*parts)).items():
        assert value == pytest.approx(getattr(whole, name), rel=1e-9, abs=1e-2)


def test_too_few_units_have_no_scatter() -> None:
    assert np.isnan(joined().mean)
    assert np.isnan(joined().variance)
    assert np.isnan(Moments.of([3.0]).variance)
    assert np.isnan(Moments.of([3.0]).covariance)
    assert Moments.of([3.0]).mean == 3


def test_theta_is_the_slope_within_arms() -> None:
    """An arm as a whole may be higher without the slope seeing it."""
    x = np.array([1.0, 2, 3, 4])
    arms = [Moments.of(2 * x, x), Moments.of(100 + 2 * x, x + 7)]
    assert theta(arms) == pytest.approx(2)
    assert explained(arms) == pytest.approx(1)


def test_theta_is_0_where_the_past_does_not_vary() -> None:
    flat = [Moments.of([1.0, 2], [5, 5]), Moments.of([3.0, 1], [5, 5])]
    assert theta(flat) == 0
    assert explained(flat) == 0
    assert theta([Moments.of([1.0], [2.0]), Moments.of([1.0], [2.0])]) == 0


def test_what_the_past_explains_is_the_squared_correlation() -> None:
    draw = np.random.default_rng(3)
    x = draw.normal(size=20_000)
    y = 0.6 * x + 0.8 * draw.normal(size=20_000)
    assert explained([Moments.of(y[::2], x[::2]), Moments.of(y[1::2], x[1::2])]) == pytest.approx(0.36, abs=0.04)
