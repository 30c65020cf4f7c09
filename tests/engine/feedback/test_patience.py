import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.stats import betabinom

from recommendations.engine.feedback.patience import MOST, USUAL, Patience, fit_patience

type Pairs = tuple[NDArray[np.int64], NDArray[np.int64]]


def pairs(draw: np.random.Generator, *, n: int, kappa: float, chance: float, eta: float, slots: int = 10) -> Pairs:
    """Clicks and ignored showings by slot of pairs with interests of a Beta distribution, shown 3 to 20 times."""
    interest = draw.beta(chance * kappa, (1 - chance) * kappa, n)
    showings = draw.multinomial(draw.integers(3, 21, n), np.full(slots, 1 / slots))
    clicked = draw.binomial(showings, np.arange(1, slots + 1) ** -eta * interest[:, None])
    return clicked.sum(axis=1), showings - clicked


@pytest.mark.parametrize(("kappa", "low", "high"), [(5.0, 3.9, 6.3), (12.0, 9.2, 16.5), (40.0, 27.0, 60.0)])
def test_patience_is_recovered_where_slots_are_looked_at_unlike(kappa: float, low: float, high: float) -> None:
    """To count a showing at slot ten for a look at the first one, or to read η as 0, gives a κ that is far off."""
    clicks, ignored = pairs(np.random.default_rng(1), n=20_000, kappa=kappa, chance=0.05, eta=0.6)
    patience = fit_patience(clicks, ignored, eta=0.6)
    assert low < patience.kappa < high
    assert patience.chance == pytest.approx(0.05, abs=0.003)
    assert fit_patience(clicks, ignored, eta=0.0).kappa > 1.5 * kappa


def test_with_every_look_at_the_first_slot_it_is_the_beta_binomial_of_scipy() -> None:
    clicks, ignored = pairs(np.random.default_rng(2), n=3_000, kappa=10, chance=0.1, eta=0.0)
    looks = clicks + ignored.sum(axis=1)

    def surprise(place: NDArray[np.float64]) -> float:
        return -float(betabinom.logpmf(clicks, looks, *np.exp(place)).mean())

    a, b = np.exp(minimize(surprise, np.zeros(2), method="Nelder-Mead", options={"xatol": 1e-6, "fatol": 1e-12}).x)
    patience = fit_patience(clicks, ignored, eta=0.0)
    assert patience.kappa == pytest.approx(a + b, rel=0.01)
    assert patience.chance == pytest.approx(a / (a + b), rel=0.002)


def test_where_interests_do_not_differ_a_look_tells_nothing() -> None:
    """Every pair has one click of ten looks: less scatter than chance alone would give."""
    ignored = np.zeros((2_000, 1), np.int64) + 9
    assert fit_patience(np.ones(2_000, np.int64), ignored, eta=0.6).kappa == pytest.approx(MOST, rel=1e-3)


def test_too_few_pairs_or_none_that_was_clicked_measure_nothing() -> None:
    clicks, ignored = pairs(np.random.default_rng(3), n=2_000, kappa=10, chance=0.1, eta=0.6)
    assert fit_patience(clicks, ignored, eta=0.6).chance is not None
    assert fit_patience(clicks[1:], ignored[1:], eta=0.6) == Patience(kappa=USUAL, chance=None, pairs=1_999)
    assert fit_patience(0 * clicks, ignored, eta=0.6) == Patience(kappa=USUAL, chance=None, pairs=2_000)
    assert fit_patience(clicks[:0], ignored[:0], eta=0.6).kappa == USUAL


def test_of_very_many_pairs_an_even_part_is_read() -> None:
    """The first half has a click in six looks, the last none: in all one in twelve, and not one in six."""
    clicks, ignored = np.repeat([1, 0], 40_000), np.repeat([[5], [6]], 40_000, axis=0)
    patience = fit_patience(clicks, ignored, eta=0.0)
    assert patience.pairs == 80_000
    assert patience.chance == pytest.approx(1 / 12, abs=0.005)
