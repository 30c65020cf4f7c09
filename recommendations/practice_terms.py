"""Codes of practice: what is true of the versions that simulated visitors see."""

from collections.abc import Mapping
from enum import StrEnum


class PracticeEffect(StrEnum):
    """How good what B shows is made for simulated visitors."""

    BETTER = "better"
    SAME = "same"
    WORSE = "worse"
    HARMFUL = "harmful"  # with a guardrail that sees it


LIFTS: Mapping[PracticeEffect, float] = {
    PracticeEffect.BETTER: 0.3,
    PracticeEffect.SAME: 0.0,
    PracticeEffect.WORSE: -0.3,
    PracticeEffect.HARMFUL: -0.4,
}
"""By how much more is clicked of what B shows, as a share of what is clicked of A's."""
