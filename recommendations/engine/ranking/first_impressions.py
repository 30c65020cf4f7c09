"""What is believed of an item after its first impressions: its click rate."""

from typing import NamedTuple

import numpy as np

BELIEF = 20.0
"""κ: impressions that the expected rate counts for."""


class ClickBelief(NamedTuple):
    """What is believed of an item's click rate after its first impressions."""

    rate: float
    low: float
    high: float


def click_belief(*, shown: int, clicks: int, expected: float) -> ClickBelief:
    """The mean of Beta(κ p̂ + clicks, κ (1 − p̂) + shown − clicks), and its 95 % interval."""
    from scipy.stats import beta  # noqa: PLC0415 - a second to import

    expected = float(np.clip(expected, 1e-6, 1 - 1e-6))
    belief = beta(BELIEF * expected + clicks, BELIEF * (1 - expected) + max(shown - clicks, 0))
    low, high = belief.ppf([0.025, 0.975])
    return ClickBelief(float(belief.mean()), float(low), float(high))
