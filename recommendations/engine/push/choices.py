"""What is remembered of a decision of the agent."""

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommendations.push_terms import AgentGroup

NOT_NOW = -1

type Values = NDArray[np.float64]


class PointKey(NamedTuple):
    """A person, a day where they live, and a class of messages: there is one decision of it."""

    customer: int
    day: date
    rank: int


@dataclass(frozen=True, kw_only=True)
class TakenOption:
    """What was taken earlier on the same day: the ``campaign`` of the message, None for *not now*; and whose choice."""

    campaign: int | None
    group: AgentGroup


@dataclass(frozen=True, kw_only=True, eq=False)
class AgentChoice:
    """What is remembered of a decision: ``option`` was taken, ``agents`` and ``rule`` are theirs; ``NOT_NOW`` is none.

    ``chances`` [options + 1] are those that drew it, the last of *not now*; a ``trial`` is an option that no drawn
    model chose. ``campaign`` is that of the option taken, ``version`` the agent's.
    """

    key: PointKey
    version: int
    group: AgentGroup
    held: bool
    allowed: NDArray[np.bool_]
    features: Values
    worth: float
    leaving: float
    rule: int
    option: int
    agents: int
    campaign: int | None
    chances: Values
    value: float
    trial: bool

    @property
    def chance(self) -> float:
        """The chance of the option that was taken."""
        return float(self.chances[self.option])
