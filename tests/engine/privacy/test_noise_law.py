"""The law of the noise against sums by hand, and the expected share against shares of planted truths."""

import math

import numpy as np
import pytest

from recommendations.engine.privacy.noise_law import expected_share, mass, reach


@pytest.mark.parametrize("scale", [0.1, 1.0, 3.0, 60.0])
def test_the_law_is_a_law_and_e_to_the_epsilon_parts_neighbours(scale: float) -> None:
    values = np.arange(-4_000, 4_001)
    law = mass(values, scale=scale)
    assert law.sum() == pytest.approx(1)
    assert law[4_000] == law.max() == pytest.approx(math.tanh(1 / (2 * scale)))
    near = np.abs(values[:-1]) < 20
    assert np.allclose(np.abs(np.log(law[1:][near] / law[:-1][near])), 1 / scale)


@pytest.mark.parametrize(("scale", "level"), [(0.1, 0.95), (1.0, 0.95), (3.0, 0.95), (20.0, 0.95), (20.0, 0.5)])
def test_the_reach_is_the_smallest_that_holds_so_often(scale: float, level: float) -> None:
    within = reach(level, scale=scale)
    assert mass(np.arange(-within, within + 1), scale=scale).sum() >= level
    assert within == 0 or mass(np.arange(1 - within, within), scale=scale).sum() < level


def test_the_error_of_a_size_is_three_of_epsilon() -> None:
    assert reach(0.95, scale=1 / 0.1) == pytest.approx(3 / 0.1, abs=1)


def noise(size: int, scale: float, rng: np.random.Generator) -> np.ndarray:
    p = 1 - math.exp(-1 / scale)
    return rng.geometric(p, size) - rng.geometric(p, size)


@pytest.mark.parametrize(("people", "scale"), [(300, 20.0), (3_000, 20.0), (3_000, 60.0), (30_000, 60.0), (3_000, 0.1)])
def test_the_expected_share_is_what_is_found(people: int, scale: float) -> None:
    """Values that so many people buy, the next one a little fewer, as goods are bought (Zipf)."""
    rng = np.random.default_rng(7)
    true = (people / np.arange(2, 3_002) ** 0.8).astype(np.int64)
    first, expected, shares = set(range(100)), [], []
    for _ in range(5):
        noisy = true + noise(len(true), scale, rng)
        expected.append(expected_share(noisy, scale=scale, top=100))
        shares.append(len(first & set(np.argsort(-noisy, kind="stable")[:100].tolist())) / 100)
    assert np.mean(expected) == pytest.approx(np.mean(shares), abs=0.1)


def test_noise_alone_tells_a_part_by_chance() -> None:
    noisy = noise(4_000, 20, np.random.default_rng(3))
    assert expected_share(noisy, scale=20, top=100) < 0.1
    assert expected_share(noise(8, 1, np.random.default_rng(3)), scale=1, top=2) < 0.5


@pytest.mark.parametrize("noisy", [[0, 0, 0, 0], [-5, -7, -9, -1], [10**6, 10, 5, 0], [1, 2, 3, 10**9]])
@pytest.mark.parametrize("scale", [0.1, 200.0])
def test_a_share_is_one_whatever_was_drawn(noisy: list[int], scale: float) -> None:
    assert 0 <= expected_share(np.array(noisy), scale=scale, top=1) <= 1 + 1e-9
