"""Guardrails fire where a rate is too high for certain, and hardly ever where it is not."""

import numpy as np
import pytest
from scipy.stats import beta

from recommendations.engine.push.guardrails import FIRST, LIMITS, chance_above, exceeds, look_at
from recommendations.push_terms import PushRate


@pytest.mark.parametrize(
    ("messages", "step"), [(0, None), (199, None), (200, 200), (399, 200), (400, 400), (799, 400), (1_000_000, 819_200)]
)
def test_rates_are_looked_at_whenever_the_messages_have_doubled(messages: int, step: int | None) -> None:
    assert look_at(messages) == step


def test_the_chance_is_that_of_the_posterior() -> None:
    for count, messages, limit in ((0, 200, 0.001), (3, 200, 0.01), (25, 400, 0.05)):
        expected = beta.sf(limit, 0.5 + count, 0.5 + messages - count)
        assert chance_above(count, messages, limit) == pytest.approx(expected, abs=1e-12)
    with pytest.raises(ValueError, match="3 of 2"):
        chance_above(3, 2, 0.1)


def test_two_complaints_of_two_hundred_are_too_many_and_one_is_not() -> None:
    limit = LIMITS[PushRate.COMPLAINTS]
    assert [exceeds(count, FIRST, limit) for count in range(3)] == [False, False, True]
    limit = LIMITS[PushRate.UNSUBSCRIBES]
    assert [exceeds(count, FIRST, limit) for count in (2, 4, 5, 6)] == [False, False, True, True]


def test_a_campaign_at_half_of_its_limits_is_hardly_ever_paused() -> None:
    rng = np.random.default_rng(7)
    for limit in (0.01, 0.05, 0.10):
        acts = rng.random((2_000, 1_600)) < limit / 2
        fired = np.zeros(len(acts), bool)
        for step in (200, 400, 800, 1600):
            counts = acts[:, :step].sum(axis=1)
            fired |= np.array([exceeds(int(count), step, limit) for count in counts])
        assert fired.mean() <= 0.03
        above = rng.random((500, 1_600)) < limit * 2.5
        assert np.mean([exceeds(int(count), 1600, limit) for count in above.sum(axis=1)]) >= 0.95
