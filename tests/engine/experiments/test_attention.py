"""Attention: recovered where chance moved the items, unknown where it did not."""

import numpy as np
import pytest
from scipy.stats import chi2

from recommendations.engine.experiments.attention import (
    ASSUMED,
    ASSUMED_SE,
    SlotCounts,
    attention_of,
    free_attention,
    power_p_value,
    steepness,
)
from recommendations.engine.ranking.exploration import chances


def counts(
    q: np.ndarray, *, answers: int, seed: int, shuffled: float = 0.1, cards: float = 0.0, rate: float = 0.2
) -> SlotCounts:
    """Counts as a log of so many answers has them, with relevances that fall by the place."""
    draw, slots = np.random.default_rng(seed), len(q)
    shown = answers * chances(slots, shuffled=shuffled, cards=cards)
    relevance = rate * np.exp(-0.05 * np.arange(len(shown)))
    return SlotCounts(shown=shown, clicked=draw.poisson(shown * q * relevance[:, None]).astype(float), answers=answers)


def power(eta: float, slots: int = 10) -> np.ndarray:
    return np.arange(1, slots + 1) ** -eta


def test_counts_by_hand() -> None:
    """Two versions; the second answer of the first has swapped places, one slot of the third shows nothing ranked."""
    tally = SlotCounts.of(
        np.array([[0, 1], [1, 0], [0, -1]]), np.array([[1.0, 0], [1, 1], [0, 1]]), versions=np.array([3, 3, 9])
    )
    assert tally.shown.tolist() == [[1, 1], [1, 1], [1, 0], [0, 0]]
    assert tally.clicked.tolist() == [[1, 1], [1, 0], [0, 0], [0, 0]]
    assert tally.answers == 3


def test_the_steepness_of_two_slots_by_hand() -> None:
    """One item, 100 times in either slot, 40 and 10 clicks: q_2 = 1/4 = 2^−2; information 50 · (1/5)(4/5) ln²2."""
    tally = SlotCounts(shown=np.array([[100.0, 100.0]]), clicked=np.array([[40.0, 10.0]]))
    eta, se = steepness(tally)
    assert eta == pytest.approx(2, abs=1e-8)
    assert se == pytest.approx((50 * 0.16) ** -0.5 / np.log(2), rel=1e-6)
    np.testing.assert_allclose(free_attention(tally), [1, 0.25], rtol=1e-8)
    assert power_p_value(tally, eta) == 1


@pytest.mark.parametrize("eta", [0.0, 0.6, 1.2])
def test_the_steepness_is_within_two_standard_errors_of_the_truth(eta: float) -> None:
    errors = []
    for seed in range(60):
        estimate, se = steepness(counts(power(eta), answers=20_000, seed=seed))
        errors.append((estimate - eta) / se)
    assert np.mean(np.abs(errors) < 2) >= 0.8  # of 60 at .954: less in one of 10^5
    assert abs(np.mean(errors)) < 5 / np.sqrt(60)
    assert 0.6 < np.std(errors) < 1.4


def test_nothing_is_known_where_nothing_moved() -> None:
    still = counts(power(0.6), answers=20_000, seed=1, shuffled=0.0)
    assert steepness(still)[1] == np.inf
    assumed = attention_of(still)
    assert (assumed.assumed, assumed.eta, assumed.se) == (True, ASSUMED, ASSUMED_SE)
    few = attention_of(counts(power(1.2), answers=4_999, seed=1))
    assert few.assumed
    assert attention_of(still, assumed=0.0).q == pytest.approx(1.0)
    np.testing.assert_allclose(few.q, power(0.6))
    np.testing.assert_allclose(few.shifts, -0.15 * np.log(np.arange(1, 11))[None, :])


def test_a_carousel_gets_the_free_form() -> None:
    """Attention that rises again at the fifth slot is no power of it."""
    q = np.array([1, 0.8, 0.6, 0.5, 0.9, 0.4, 0.3, 0.3, 0.2, 0.2])
    carousel = counts(q, answers=400_000, seed=2)
    attention = attention_of(carousel)
    assert attention.free
    assert np.abs(attention.q / q - 1).max() < 0.15
    assert attention_of(counts(q, answers=49_999, seed=2)).free is False


def test_the_free_form_tells_how_unsure_it_is() -> None:
    q = np.array([1, 0.8, 0.6, 0.5, 0.9, 0.4, 0.3, 0.3, 0.2, 0.2])
    fits = [attention_of(counts(q, answers=200_000, seed=seed)) for seed in range(30)]
    said = np.sqrt((fits[0].shifts ** 2).sum(axis=0))
    scatter = np.std([np.log(fit.q) for fit in fits], axis=0)
    np.testing.assert_allclose(scatter[1:], said[1:], rtol=0.5)
    assert said[0] == 0


def test_a_power_is_preferred_to_the_free_form_as_rarely_as_the_level_says() -> None:
    values = [
        power_p_value(tally, steepness(tally)[0])
        for tally in (counts(power(0.6), answers=60_000, seed=seed) for seed in range(60))
    ]
    assert np.mean(np.array(values) < 0.5) == pytest.approx(0.5, abs=0.3)
    assert np.mean(np.array(values) < 0.01) < 0.12


def test_the_likelihood_ratio_against_a_direct_computation() -> None:
    tally = counts(np.array([1.0, 0.4, 0.7]), answers=30_000, seed=5)
    eta, _ = steepness(tally)

    def best(q: np.ndarray) -> float:
        relevance = tally.clicked.sum(axis=1) / np.maximum(tally.shown @ q, 1e-300)
        mean = tally.shown * q * relevance[:, None]
        there = tally.clicked > 0
        return float((tally.clicked[there] * np.log(mean[there])).sum() - mean.sum())

    ratio = 2 * (best(free_attention(tally)) - best(power(eta, 3)))
    assert power_p_value(tally, eta) == pytest.approx(chi2.sf(ratio, 1), rel=1e-6)


def test_cards_alone_cannot_tell_attention_from_relevance() -> None:
    """What cards bring into the last slots stands nowhere else: its clicks say nothing of attention."""
    assert steepness(counts(power(0.6), answers=50_000, seed=3, shuffled=0.0, cards=0.5))[1] == np.inf
