"""What a decision is made of: people and how they are reached, what campaigns ask, what everybody bears."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.push.choices import AgentChoice
from recommendations.engine.push.competition import PressureCap, SentMessage
from recommendations.engine.push.timing import QuietHours
from recommendations.engine.push.value import MessageCosts
from recommendations.push_terms import Channel, Purpose, Verdict

NEVER = datetime.min.replace(tzinfo=UTC)
EVERYTHING = 0
"""Key of a budget that all campaigns share."""


class Clock(StrEnum):
    """Whose clock an hour is of."""

    CUSTOMER = "customer"
    SHOP = "shop"


class Hour(NamedTuple):
    """The hour at which a message is wanted."""

    at: time
    clock: Clock


class ChannelReach(NamedTuple):
    """How a channel reaches somebody: their address, what they said yes to, and whether the address is silent."""

    channel: Channel
    contact: int
    address: int
    purposes: frozenset[Purpose]
    silent: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """What counts of somebody; ``sent`` are messages that count against caps, ``shadows`` would have been sent."""

    customer: int
    zone: ZoneInfo
    quiet: QuietHours
    reach: tuple[ChannelReach, ...] = ()
    personalise: bool = True
    paused_until: datetime = NEVER
    most_a_week: int | None = None
    sent: tuple[SentMessage, ...] = ()
    shadows: tuple[SentMessage, ...] = ()
    worth: float = 0.0  # of an answer, in the shop's currency
    caused: float = 1.0  # share of answers that messages cause
    hours: NDArray[np.float64] | None = field(default=None, compare=False)  # [168], where a campaign asks for them
    clicks: Mapping[Channel, float] = field(default_factory=dict)  # click share by channel, likewise


@dataclass(frozen=True, kw_only=True)
class CampaignTerms:
    """What a campaign asks of its cases. ``rank`` 0 was asked for by the customer, and nobody is held out of it."""

    campaign: int
    purpose: Purpose
    channels: tuple[Channel, ...]  # the preferred first
    rank: int
    hour: Hour | None = None  # None: at once
    holdout: float = 0.0  # of its own, beside everybody's
    salt: bytes = b""
    chance: float = 0.0  # of an answer
    least_items: int = 1
    per_day: int | None = None  # messages
    best_within: timedelta | None = None  # at the person's best hour within so long
    variants: int = 1  # subjects
    best_channel: bool = False  # that which the person clicks most, whichever is preferred


@dataclass(frozen=True, kw_only=True)
class Pressure:
    """What everybody bears, and who is held out of everything; ``used`` counts messages by campaign and day."""

    caps: tuple[PressureCap, ...]
    zone: ZoneInfo  # of the shop, whose days budgets are of
    holdout: float = 0.0
    season: bytes = b""
    per_day: int | None = None
    used: Mapping[tuple[int, int], int] = field(default_factory=dict)  # campaign or EVERYTHING, ordinal of the day
    costs: MessageCosts = field(default_factory=MessageCosts)


class PushCase(NamedTuple):
    """A person whom a campaign has in view, and the occasion; ``done``: what it is for has happened already.

    ``chosen``: the agent chose it, so that its value is settled, and the gates alone are asked again.
    """

    campaign: int
    customer: int
    key: str
    wanted_at: datetime
    item: int | None = None
    done: bool = False
    chosen: bool = False


class CaseItems(NamedTuple):
    """Items that a case would be shown, the best first, and how many of them are good enough for the campaign."""

    items: tuple[int, ...]
    good: int


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseVerdict:
    """The verdict on a case. ``would_send``: without the holdout it had been sent; of who is held out ``otherwise`` is
    the verdict without it.
    """

    case: PushCase
    verdict: Verdict
    held: bool = False
    would_send: bool = False
    reach: ChannelReach | None = None
    due_at: datetime | None = None
    items: tuple[int, ...] = ()
    chance: float = 0.0
    value: float = 0.0
    lost_to: int | None = None
    otherwise: Verdict | None = None
    hour_propensity: float | None = None  # chance with which its hour was drawn
    reaches: tuple[ChannelReach, ...] = ()  # all by which it may go, the best first
    variant: int | None = None  # the subject, where the agent chose it
    agent: AgentChoice | None = field(default=None, compare=False)
