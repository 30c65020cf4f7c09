"""The split check against SciPy's beta function and a binomial that is mixed by hand."""

import math

import numpy as np
import pytest
from scipy.special import betaln
from scipy.stats import betabinom, binom

from recommendations.engine.experiments.mismatch import is_mismatch, log_evidence


@pytest.mark.parametrize(
    ("counts", "share", "k"), [((10, 12), 0.5, 1000), ((5180, 4820), 0.5, 1000), ((90, 15), 0.8, 10)]
)
def test_evidence_of_two_arms_is_the_beta_functions(counts: tuple[int, int], share: float, k: float) -> None:
    a, b = k * share, k * (1 - share)
    expected = betaln(a + counts[0], b + counts[1]) - betaln(a, b)
    expected -= counts[0] * math.log(share) + counts[1] * math.log(1 - share)
    assert log_evidence(counts, (share, 1 - share), k) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_evidence_is_a_likelihood_ratio() -> None:
    n, share, k = 300, 0.4, 50.0
    for count in (100, 120, 150):
        ratio = betabinom.pmf(count, n, k * share, k * (1 - share)) / binom.pmf(count, n, share)
        assert log_evidence((count, n - count), (share, 1 - share), k) == pytest.approx(math.log(ratio), rel=1e-7)


def test_evidence_of_a_right_split_is_1_on_average() -> None:
    """Over all ways in which nine units can fall to three arms."""
    shares, total = np.array([0.5, 0.3, 0.2]), 0.0
    for one in range(10):
        for two in range(10 - one):
            counts = (one, two, 9 - one - two)
            ways = math.factorial(9) / math.prod(math.factorial(count) for count in counts)
            total += (
                ways * float(np.prod(shares ** np.array(counts))) * math.exp(log_evidence(counts, shares.tolist(), 7))
            )
    assert total == pytest.approx(1)


def test_nobody_is_no_evidence() -> None:
    assert log_evidence((0, 0, 0), (0.5, 0.25, 0.25)) == pytest.approx(0)
    assert not is_mismatch((0, 0), (0.5, 0.5))


def test_a_split_is_judged() -> None:
    assert not is_mismatch((10_050, 9_950), (0.5, 0.5))
    assert is_mismatch((10_400, 9_600), (0.5, 0.5))
    assert is_mismatch((10_400, 9_600), (0.6, 0.4))
    assert not is_mismatch((60_000, 20_000, 20_000), (0.6, 0.2, 0.2))


def test_many_parts_need_more_evidence() -> None:
    counts = (10_330, 9_670)
    assert math.log(1000) < log_evidence(counts, (0.5, 0.5)) < math.log(10_000)
    assert is_mismatch(counts, (0.5, 0.5))
    assert not is_mismatch(counts, (0.5, 0.5), parts=10)


@pytest.mark.parametrize("shares", [(0.5, 0.4), (1.0, 0.0), (1.0,)])
def test_shares_that_are_none_are_refused(shares: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="shares"):
        log_evidence((1, 2), shares)
