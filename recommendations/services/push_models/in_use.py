"""Models of messages that are in use, and what messages cost by them and the rules of pressure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, Self

from recommendations.engine.push.fatigue import COUNTS, leaving_chances
from recommendations.engine.push.logistic import Logistic
from recommendations.engine.push.relevance import RelevanceModel
from recommendations.engine.push.response import ResponseModel
from recommendations.engine.push.value import MessageCosts
from recommendations.models import PressureRules
from recommendations.push_terms import Channel, PushModelKind
from recommendations.store.push import learned
from recommendations.store.push.contact_worth import contact_worths
from recommendations.store.push.response_lessons import OWN
from recommendations.terms import BlendName

PRIOR_LEAVING = tuple(leaving_chances([0] * COUNTS, [0] * COUNTS).tolist())


class PressureCosts(Protocol):
    """Rules, as they are stored or handed in: the price of a message by channel, and the worth of a lost contact."""

    @property
    def prices(self) -> Mapping[Channel, float]: ...

    @property
    def lost_contact(self) -> float | None: ...


@dataclass(frozen=True, kw_only=True, eq=False)
class LearnedModels:
    """What passed its gate. Of what did not there is None, and the plain rule counts; own ``hours`` likewise."""

    due: Logistic | None = None
    response: ResponseModel | None = None
    of_ours: bool = False  # the response was learned from our own campaigns
    relevance: Mapping[BlendName, RelevanceModel] = field(default_factory=dict)
    leaving: tuple[float, ...] = PRIOR_LEAVING
    hours: bool = False
    has_agent: bool = False  # the push agent is on

    @property
    def proven(self) -> bool:
        """Whether chances of persons are those of our own messages: learned from these, or the campaigns' rates."""
        return self.response is None or self.of_ours

    @classmethod
    def in_use(cls) -> Self:
        """Models that are in use now, by one query."""
        stored, has_agent = learned.in_use_beside_agent()
        due, response = stored.get(PushModelKind.DUE), stored.get(PushModelKind.RESPONSE)
        fatigue = stored.get(PushModelKind.FATIGUE)
        return cls(
            due=Logistic.of(due) if due else None,
            response=ResponseModel.of(response) if response else None,
            of_ours=(response or {}).get("source") == OWN,
            relevance={
                BlendName(blend): RelevanceModel.of(own)
                for blend, own in stored.get(PushModelKind.RELEVANCE, {}).get("blends", {}).items()
            },
            leaving=tuple(fatigue["leaving"]) if fatigue else PRIOR_LEAVING,
            hours=PushModelKind.ACTIVITY in stored,
            has_agent=has_agent,
        )


def costs_under(rules: PressureRules | PressureCosts, *, models: LearnedModels, now: datetime) -> MessageCosts:
    """What messages cost under rules; where these name no worth of a contact, it is a part of what one spends."""
    worth = rules.lost_contact
    return MessageCosts(
        prices={Channel(channel): price for channel, price in rules.prices.items()},
        leaving=models.leaving,
        lost_contact=contact_worths().as_of(now) if worth is None else worth,
    )
