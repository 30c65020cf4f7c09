"""Direction of a paired difference by its 95 % interval."""

from collections.abc import Mapping
from enum import StrEnum

type Interval = Mapping[str, float]
"""``value``, and the ``low`` and ``high`` end of its 95 % interval."""


class Direction(StrEnum):
    """Direction of a paired difference: its interval lies above 0, below 0, or holds it."""

    BETTER = "better"
    WORSE = "worse"
    UNCLEAR = "unclear"


def direction(difference: Interval) -> Direction:
    if difference["low"] > 0:
        return Direction.BETTER
    return Direction.WORSE if difference["high"] < 0 else Direction.UNCLEAR
