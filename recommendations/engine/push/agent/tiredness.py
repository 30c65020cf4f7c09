"""The price of one message more: what it takes from those that come after it.

    tiredness = messages a week · [(1 − e^β) · mean worth that a message causes + mean rise of P(leave) · lost contact]

β is the model's own term "sent in 7 days". Every factor stands on the page.
"""

from dataclasses import dataclass

import numpy as np

from recommendations.engine.push.agent.belief import Belief
from recommendations.engine.push.agent.terms import AgentTerm, AgentTermKind, Values

FADES = 0.9  # of yesterday's mean worth that today's keeps


@dataclass(frozen=True, kw_only=True)
class Tiredness:
    """The factors of the price; money in the shop's currency."""

    messages: float  # a person and week
    fades: float  # share of a next message's answers that one more takes: 1 − e^β, never below 0
    brings: float  # money caused by a message, on average
    rise: float  # of the chance to leave by one more message of the week, on average
    lost: float  # money that a lost contact costs, on average

    @property
    def price(self) -> float:
        """Money a message."""
        return self.messages * (self.fades * self.brings + self.rise * self.lost)


def tiredness(belief: Belief, *, messages: float, brings: float, leave: Values, lost: float) -> Tiredness:
    """The price by a belief and by P(leave) [0, 1, 2, … messages in 7 days], which rises."""
    beta = float(belief.mean[belief.menu.terms.index(AgentTerm(AgentTermKind.SENT_7))])
    rise = float(np.diff(leave).mean()) if len(leave) > 1 else 0.0
    fades = -float(np.expm1(min(beta, 0.0)))
    return Tiredness(messages=messages, fades=fades, brings=brings, rise=max(rise, 0.0), lost=lost)


def smoothed_worth(before: float, caused: Values) -> float:
    """Money caused by a message, smoothed over nights; ``caused`` [messages] is what each of tonight's brought."""
    if not len(caused):
        return before
    today = float(caused.mean())
    return FADES * before + (1 - FADES) * today if before else today
