"""Always-valid intervals against quadrature of the mixture they are made of, and against a stopped process."""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq

from recommendations.engine.experiments.effects import TreatmentEffect
from recommendations.engine.experiments.sequences import anytime_interval, half_width, mixture_scale, p_value

CASES = [(0.0, 1.0, 7.9), (1.3, 0.5, 2.0), (-2.4, 1.1, 9.0), (3.1, 1.0, 0.4), (0.02, 0.011, 0.001)]


def density(at: float, sd: float) -> float:
    return math.exp(-(at**2) / (2 * sd**2)) / (sd * math.sqrt(2 * math.pi))


def likelihood_ratio(value: float, se: float, tau2: float) -> float:
    """∫ N(D; δ, s²) N(δ; 0, τ²) dδ / N(D; 0, s²), by quadrature."""
    centre, spread = value * tau2 / (tau2 + se**2), math.sqrt(tau2 * se**2 / (tau2 + se**2))

    def mixed(effect: float) -> float:
        return density(value - effect, se) * density(effect, math.sqrt(tau2))

    whole = quad(mixed, centre - 12 * spread, centre + 12 * spread, epsabs=0, epsrel=1e-11)[0]
    return float(whole / density(value, se))


@pytest.mark.parametrize(("value", "se", "tau2"), CASES)
def test_p_is_one_over_the_mixtures_likelihood_ratio(value: float, se: float, tau2: float) -> None:
    expected = min(1.0, 1 / likelihood_ratio(value, se, tau2))
    assert p_value(TreatmentEffect(value, se, 1.0), tau2) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("se", "tau2", "alpha"), [(1.0, 7.9, 0.05), (0.5, 2.0, 0.01), (3.0, 0.4, 0.025)])
def test_the_interval_ends_where_the_likelihood_ratio_is_1_over_alpha(se: float, tau2: float, alpha: float) -> None:
    end = brentq(lambda value: math.log(likelihood_ratio(value, se, tau2) * alpha), 1e-6, 30 * se, xtol=1e-12)
    assert half_width(se, tau2, alpha) == pytest.approx(end, rel=1e-8)


def test_gbstats_interval_of_a_mean_is_the_same_formula() -> None:
    """Its form in units n: σ √(2 (nr + 1) / (n² r) · ln(√(nr + 1)/α)), with r = τ²/σ² and s² = σ²/n."""
    for n, sigma, rho2, alpha in [(100, 1.0, 0.01, 0.05), (5000, 12.0, 0.0016, 0.05), (70, 0.3, 2.0, 0.01)]:
        theirs = sigma * math.sqrt(2 * (n * rho2 + 1) / (n**2 * rho2) * math.log(math.sqrt(n * rho2 + 1) / alpha))
        assert half_width(sigma / math.sqrt(n), rho2 * sigma**2, alpha) == pytest.approx(theirs, rel=1e-9)


def test_the_mixture_is_narrowest_at_the_planned_error() -> None:
    tau2 = mixture_scale(2.0, 0.05)
    assert tau2 == pytest.approx(7.94 * 4, rel=1e-3)
    assert half_width(2.0, tau2, 0.05) == pytest.approx(3.035 * 2, rel=1e-3)
    others = [half_width(2.0, scale * tau2, 0.05) for scale in np.geomspace(0.05, 20, 41)]
    assert half_width(2.0, tau2, 0.05) <= min(others) * 1.002


def test_few_looks_of_a_process_without_drift_leave_the_interval() -> None:
    """Sums of normal steps, 2,000 runs of 100 looks: at most 5 % (6.6 with chance), a fixed interval in a third."""
    information = np.arange(1, 101) / 100
    sums = (np.random.default_rng(8).normal(size=(2000, 100)) / 10).cumsum(axis=1)
    errors = information**-0.5
    tau2 = mixture_scale(1.0, 0.05)
    halves = np.array([half_width(error, tau2, 0.05) for error in errors])
    assert (np.abs(sums / information) > halves).any(axis=1).mean() < 0.066
    assert (np.abs(sums / information) > 1.96 * errors).any(axis=1).mean() > 0.25


def test_what_cannot_be_known_is_infinite() -> None:
    unknown = TreatmentEffect(math.nan, math.inf, math.nan)
    assert half_width(math.inf, 1.0, 0.05) == math.inf
    assert half_width(0.0, 1.0, 0.05) == math.inf
    assert p_value(unknown, 1.0) == 1
    assert not anytime_interval(unknown, 1.0, 0.05).low > -math.inf
    with pytest.raises(ValueError, match="standard error"):
        mixture_scale(math.inf, 0.05)


def test_the_interval_and_p_say_the_same() -> None:
    for value in np.linspace(0.1, 5, 30):
        interval = anytime_interval(TreatmentEffect(float(value), 0.7, 1.0), 3.0, 0.05)
        assert (interval.low > 0) == (interval.p < 0.05)
        assert interval.high - interval.value == pytest.approx(interval.value - interval.low)
