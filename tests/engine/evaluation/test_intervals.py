import numpy as np
import pytest

from recommendations.engine.evaluation.intervals import (
    Measure,
    differences,
    measures,
    ratio,
    relative_change,
    resamples,
    wilson,
)


def test_every_resample_draws_as_many_users_as_there_are() -> None:
    drawn = resamples(50, seed=1)
    assert drawn.shape == (1000, 50)
    assert (drawn.sum(axis=1) == 50).all()
    np.testing.assert_array_equal(drawn, resamples(50, seed=1))
    assert (drawn != resamples(50, seed=2)).any()


def test_the_interval_of_a_coin_is_that_of_the_normal_approximation() -> None:
    coin = (np.arange(400) % 2).astype(float)[:, None]
    value, low, high = measures(coin, resamples(400, seed=3))[0]
    half = 1.96 * 0.5 / np.sqrt(400)
    assert value == 0.5
    assert low == pytest.approx(0.5 - half, abs=0.006)
    assert high == pytest.approx(0.5 + half, abs=0.006)


def test_intervals_equal_a_bootstrap_by_drawing_rows() -> None:
    table = np.random.default_rng(0).exponential(size=(30, 2))
    drawn = resamples(30, seed=5)
    means = np.array([np.repeat(table, row.astype(int), axis=0).mean(axis=0) for row in drawn])
    for column, measure in enumerate(measures(table, drawn)):
        assert measure.value == pytest.approx(table[:, column].mean())
        assert measure[1:] == pytest.approx(np.percentile(means[:, column], [2.5, 97.5]), abs=1e-5)


def test_a_part_of_the_users_has_its_columns_of_everybodys_resamples() -> None:
    """Its resamples have more or fewer of its members, and each mean is over those."""
    table = np.random.default_rng(0).exponential(size=(40, 1))
    members = np.arange(0, 40, 2)
    drawn = resamples(40, seed=5)[:, members]
    means = [np.repeat(table[members], row.astype(int), axis=0).mean() for row in drawn]
    (measure,) = measures(table[members], drawn)
    assert measure.value == pytest.approx(table[members].mean())
    assert measure[1:] == pytest.approx(np.percentile(means, [2.5, 97.5]), abs=1e-5)


def test_pairing_by_user_sees_a_small_steady_gain() -> None:
    noise = np.random.default_rng(0).normal(size=(300, 1))
    drawn = resamples(300, seed=1)
    measure = differences(noise + 0.01, noise, drawn)[0]
    assert measure.low == pytest.approx(0.01)
    assert measures(noise + 0.01, drawn)[0].low < 0


def test_the_interval_of_a_constant_has_no_width_and_without_users_all_is_zero() -> None:
    assert measures(np.full((7, 1), 0.25), resamples(7, seed=0)) == [Measure(0.25, 0.25, 0.25)]
    assert measures(np.empty((0, 2)), resamples(0, seed=0)) == [Measure(0, 0, 0)] * 2


def test_wilson_s_interval_of_a_share() -> None:
    """7 of 10 by hand: z² = 3.8415; middle (0.7 + 0.192) / 1.384, half 1.96 · √(0.021 + 0.0096) / 1.384."""
    assert wilson(7, 10) == pytest.approx((0.7, 0.3968, 0.8922), abs=1e-4)
    assert wilson(0, 5) == pytest.approx((0.0, 0.0, 0.4345), abs=1e-4)
    assert wilson(5, 5) == pytest.approx((1.0, 0.5655, 1.0), abs=1e-4)
    assert wilson(0, 0) == Measure(0.0, 0.0, 1.0)


def test_a_ratio_of_clusters_is_as_sure_as_they_scatter() -> None:
    """By hand: .25, residuals .5 and −.5, error √.5 / 4."""
    counts, tries = np.array([1.0, 0.0]), np.array([2.0, 2.0])
    assert ratio(counts, tries) == pytest.approx((0.25, 0.0, 0.5965), abs=1e-4)
    assert ratio(np.zeros(5), np.full(5, 10.0)) == wilson(0, 5)
    assert ratio(np.empty(0), np.empty(0)) == Measure(0.0, 0.0, 1.0)


def test_a_relative_change_of_means() -> None:
    """By hand: 3 against 2, error √(1 + 2.25 · 1) / 2 = .9014."""
    change = relative_change(np.array([2.0, 4.0]), np.array([1.0, 3.0]))
    assert change == pytest.approx((0.5, -1.2667, 2.2667), abs=1e-3)
    assert relative_change(np.array([2.0, 4.0]), np.zeros(9)) is None
    assert relative_change(np.array([2.0]), np.ones(9)) is None
