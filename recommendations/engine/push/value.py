"""Value of a message: what an answer brings by its chance, less what sending costs and what a contact that leaves does.

value = chance × caused × worth − price − P(leave) × lost contact − tiredness. Without an agent all answers count as
caused and nothing tires.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from recommendations.engine.push.competition import SentMessage
from recommendations.engine.push.fatigue import COUNTS, SPAN_DAYS
from recommendations.push_terms import Channel

SPAN = SPAN_DAYS * 86_400.0


@dataclass(frozen=True, kw_only=True)
class MessageCosts:
    """What messages cost, in the shop's currency: prices by channel, the chance that one more makes somebody leave, by
    how many they got in 28 days (0, 1, 2, 3 or more), what a contact that leaves was worth, and what one message more
    takes from those that come after it.
    """

    prices: Mapping[Channel, float] = field(default_factory=dict)
    leaving: tuple[float, ...] = (0.0,) * COUNTS
    lost_contact: float = 0.0
    tiredness: float = 0.0


@dataclass(frozen=True, kw_only=True)
class ValueLine:
    """The parts of a message's value; ``caused`` is the share of answers that would not have come without it."""

    chance: float
    worth: float
    price: float
    leaving: float
    lost_contact: float
    caused: float = 1.0
    tiredness: float = 0.0

    @property
    def brings(self) -> float:
        return self.chance * self.caused * self.worth

    @property
    def loses(self) -> float:
        return self.leaving * self.lost_contact

    @property
    def value(self) -> float:
        return self.brings - self.price - self.loses - self.tiredness


def messages_before(messages: Iterable[SentMessage], *, at: float) -> int:
    """How many messages somebody got in the 28 days before a moment (seconds since 1970)."""
    return sum(at - SPAN < each.at <= at for each in messages)


def value_line(
    costs: MessageCosts, *, chance: float, worth: float, channel: Channel, before: int, caused: float = 1.0
) -> ValueLine:
    """The value of one more message to somebody who got ``before`` of them."""
    return ValueLine(
        chance=chance, worth=worth, price=costs.prices.get(channel, 0.0), lost_contact=costs.lost_contact,
        leaving=costs.leaving[min(before, len(costs.leaving) - 1)], caused=caused, tiredness=costs.tiredness,
    )  # fmt: skip
