"""Noise is drawn by OpenDP and follows the law; without the extra there is none, and the remedy is said."""

import sys
from decimal import Decimal

import numpy as np
import pytest
from scipy import stats

from recommendations.engine.privacy.noise_law import mass
from recommendations.store.releases import noise
from recommendations.store.releases.noise import NoiseUnavailableError, is_installed, noisy_counts

needs_opendp = pytest.mark.skipif(not is_installed(), reason="it needs the extra releases")


def test_without_the_extra_the_remedy_is_said_and_nothing_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(noise, "PACKAGE", "no_such_wheel")
    assert not is_installed()
    with pytest.raises(NoiseUnavailableError, match=r"pip install --require-hashes -r requirements/releases\.txt"):
        noisy_counts(np.array([1]), bound=1, epsilon=Decimal(1))


def test_looking_for_it_imports_nothing() -> None:
    before = {name for name in sys.modules if name.startswith("opendp")}
    is_installed()
    assert {name for name in sys.modules if name.startswith("opendp")} == before


@needs_opendp
@pytest.mark.parametrize(("bound", "epsilon"), [(1, "1"), (20, "1"), (3, "0.5"), (1, "2.5")])
def test_noise_follows_the_law_over_10_000_draws(bound: int, epsilon: str) -> None:
    counts = np.full(10_000, 1_000)
    drawn = noisy_counts(counts, bound=bound, epsilon=Decimal(epsilon)) - counts
    scale = bound / float(epsilon)
    cells = np.unique(np.round(scale * np.linspace(-3, 3, 13)).astype(np.int64))
    law = mass(np.arange(-2_000, 2_001), scale=scale)
    inside = np.searchsorted(cells, np.arange(-2_000, 2_001), side="right")
    expected = np.bincount(inside, weights=law, minlength=len(cells) + 1) * len(drawn)
    found = np.bincount(np.searchsorted(cells, drawn, side="right"), minlength=len(cells) + 1)
    enough = expected >= 5
    assert enough.sum() >= 3
    statistic = ((found - expected) ** 2 / np.maximum(expected, 1e-9))[enough].sum()
    assert statistic < stats.chi2.ppf(1 - 1e-6, enough.sum() - 1)


@needs_opendp
def test_two_draws_differ_and_each_value_has_noise_of_its_own() -> None:
    counts = np.zeros(200, np.int64)
    first, second = (noisy_counts(counts, bound=20, epsilon=Decimal(1)) for _ in range(2))
    assert (first != second).any()
    assert len(set(first.tolist())) > 20
