"""Fatigue: a posterior that never falls, and the prior where nobody has left yet."""

import numpy as np
import pytest

from recommendations.engine.push.fatigue import leaving_chances, rising


def test_without_any_message_it_is_the_prior() -> None:
    assert leaving_chances([0] * 4, [0] * 4).tolist() == [1 / 400] * 4


def test_each_count_is_drawn_towards_the_prior() -> None:
    chances = leaving_chances([2, 6, 12, 30], [600, 600, 600, 600])
    assert chances == pytest.approx([3 / 1000, 7 / 1000, 13 / 1000, 31 / 1000])


def test_what_falls_is_pooled_by_its_messages() -> None:
    left, taken = [9, 0, 0, 20], [600, 1600, 0, 600]
    first = (10 + 1 + 1) / (1000 + 2000 + 400)
    assert leaving_chances(left, taken) == pytest.approx([first, first, first, 21 / 1000])


def test_the_pooled_values_are_the_nearest_that_never_fall() -> None:
    """Against a search over a grid."""
    rng = np.random.default_rng(3)
    grid = np.linspace(0, 1, 21)
    for _ in range(20):
        values, weights = rng.choice(grid, 3), rng.integers(1, 5, 3).astype(float)
        nearest = rising(values, weights)
        assert (np.diff(nearest) >= 0).all()
        cost = (weights * (nearest - values) ** 2).sum()
        others = ((a, b, c) for a in grid for b in grid[grid >= a] for c in grid[grid >= b])
        assert all(cost <= (weights * (np.array(other) - values) ** 2).sum() + 1e-12 for other in others)
