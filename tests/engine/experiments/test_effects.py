"""Effects: by hand, against the bootstrap, and CUPED keeps what was planted."""

import math

import numpy as np
import pytest
from scipy.stats import ttest_ind

from recommendations.engine.experiments.effects import mean_difference, ratio_difference, ratio_spread
from recommendations.engine.experiments.moments import Moments, explained, theta

RNG = np.random.default_rng


def test_the_plain_difference_is_welchs() -> None:
    one, other = RNG(1).normal(5, 2, 40), RNG(2).normal(4, 3, 70)
    effect = mean_difference(Moments.of(one), Moments.of(other))
    assert effect.value == pytest.approx(one.mean() - other.mean())
    assert effect.value / effect.se == pytest.approx(ttest_ind(one, other, equal_var=False).statistic)
    assert effect.base == pytest.approx(other.mean())
    assert effect.relative == pytest.approx(one.mean() / other.mean() - 1)


def test_cuped_equals_the_difference_of_adjusted_values() -> None:
    x = RNG(3).gamma(1, 10, 300)
    y = 0.7 * x + RNG(4).normal(0, 3, 300)
    arms = Moments.of(y[:120], x[:120]), Moments.of(y[120:], x[120:])
    slope = theta(arms)
    adjusted = y - slope * (x - x.mean())
    effect, plain = (
        mean_difference(*arms, theta=slope),
        mean_difference(Moments.of(adjusted[:120]), Moments.of(adjusted[120:])),
    )
    assert effect.value == pytest.approx(plain.value)
    assert effect.se == pytest.approx(plain.se)
    assert effect.base == pytest.approx(plain.base)


def test_cuped_keeps_a_planted_effect_and_narrows_its_error() -> None:
    """Of 200 experiments: the mean of both estimates is the planted effect, and θ takes out what x explains."""
    draw, plain, cuped = RNG(5), [], []
    for _ in range(200):
        x = draw.gamma(2, 10, 1000)
        y = 0.9 * x + draw.normal(0, 8, 1000) + np.repeat([1.0, 0.0], 500)
        arms = Moments.of(y[:500], x[:500]), Moments.of(y[500:], x[500:])
        plain.append(mean_difference(*arms))
        cuped.append(mean_difference(*arms, theta=theta(arms)))
        assert explained(arms) > 0.5
    for effects in (plain, cuped):
        values = np.array([effect.value for effect in effects])
        errors = np.array([effect.se for effect in effects])
        assert abs(values.mean() - 1) < 4.5 * errors.mean() / math.sqrt(200)
        assert values.std() == pytest.approx(errors.mean(), rel=0.25)
    assert np.mean([one.se / other.se for one, other in zip(cuped, plain, strict=True)]) < 0.6


def test_the_delta_method_equals_the_bootstrap() -> None:
    """Within 3 %, also where who comes often clicks less."""
    draw = RNG(6)
    arms = []
    for rate in (0.30, 0.33):
        slates = 1 + draw.negative_binomial(1, 0.2, 1000)
        arms.append((draw.binomial(slates, rate / (1 + 0.05 * slates)).astype(float), slates.astype(float)))
    effect = ratio_difference(*(Moments.of(*arm) for arm in arms))
    resampled = []
    for clicks, slates in arms:
        weights = draw.multinomial(1000, np.full(1000, 1 / 1000), 8000)
        resampled.append((weights @ clicks) / (weights @ slates))
    assert effect.value == pytest.approx(arms[0][0].sum() / arms[0][1].sum() - arms[1][0].sum() / arms[1][1].sum())
    assert effect.se == pytest.approx((resampled[0] - resampled[1]).std(), rel=0.03)


def test_a_ratio_to_ones_is_a_mean() -> None:
    y, ones = RNG(7).gamma(1, 1, (2, 50)), np.ones(50)
    ratio = ratio_difference(Moments.of(y[0], ones), Moments.of(y[1], ones))
    mean = mean_difference(Moments.of(y[0]), Moments.of(y[1]))
    assert vars(ratio) == pytest.approx(vars(mean))
    assert ratio_spread(Moments.of(y[0], ones)) == pytest.approx(y[0].std(ddof=1))


@pytest.mark.parametrize("values", [[], [1.0], [2.0, 2.0]])
def test_units_without_scatter_tell_nothing(values: list[float]) -> None:
    """One refund of one order is a rate of 1 without any scatter; it must not look certain."""
    arm, control = Moments.of(values, values), Moments.of([0.0, 0.0], [1.0, 1.0])
    assert math.isinf(mean_difference(arm, control).se)
    assert math.isinf(ratio_difference(arm, control).se)


def test_nothing_relative_to_nothing() -> None:
    effect = mean_difference(Moments.of([1.0, 2.0]), Moments.of([0.0, 0.0]))
    assert effect.value == 1.5
    assert math.isnan(effect.relative)
