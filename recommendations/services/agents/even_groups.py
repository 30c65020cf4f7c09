"""The A/A of the agent's groups: before it does anything, its people, the rule's and those held out must be alike."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.experiments.assignment import share_of
from recommendations.engine.push.agent.choosing import LEAST_RULE
from recommendations.engine.push.lift import PushLift
from recommendations.models import Agent
from recommendations.push_terms import AgentGroup
from recommendations.services.agents.effects import lift_beside
from recommendations.services.agents.groups import BEFORE, DAYS, FEWEST
from recommendations.services.campaigns.pressure import rules_now, season_salt
from recommendations.store.agents.spending import PartedSpending, spending_in_parts

LOOKS = 8  # at the eight weeks
WEEK = timedelta(days=DAYS) / LOOKS
OTHERS = (AgentGroup.RULE, AgentGroup.HOLDOUT)

type Sides = Mapping[AgentGroup, NDArray[np.bool_]]


@dataclass(frozen=True, kw_only=True)
class GroupsBefore:
    """What the agent's people spent more than the rule's in the 56 days before, as a share, with the interval of all
    looks; ``people`` of the two together.
    """

    people: int
    share: float
    low: float
    high: float

    @property
    def are_alike(self) -> bool:
        return self.low <= 0 <= self.high

    @classmethod
    def of(cls, stored: Mapping[str, Any] | None) -> Self | None:
        """What a night stored of it; None where nothing could be told."""
        return cls(**stored) if stored else None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def spending_before(*, now: datetime) -> PartedSpending:
    """What everybody spent in the 56 days before now, week by week, and in the 28 before those."""
    return spending_in_parts(since=now - timedelta(days=DAYS), part=WEEK, parts=LOOKS, before=BEFORE)


def groups_before(agent: Agent, *, now: datetime) -> GroupsBefore | None:
    """The groups as the agent's salt draws them; None where too few bought, or nothing can be compared."""
    rules, spending = rules_now(now=now), spending_before(now=now)
    sides = sides_by(
        spending, salt=agent.salt.encode(), season=season_salt(rules), share=agent.rules.share, holdout=rules.holdout
    )
    last = list(lifts_of(spending, sides, AgentGroup.RULE))[-1:]
    base = last[0].effect.base if last else 0.0
    if not base > 0:
        return None
    return GroupsBefore(
        people=int(sides[AgentGroup.AGENT].sum() + sides[AgentGroup.RULE].sum()), share=last[0].effect.value / base,
        low=last[0].always_low / base, high=last[0].always_high / base,
    )  # fmt: skip


def claims(spending: PartedSpending, *, salts: int, share: float, holdout: float) -> dict[AgentGroup, float]:
    """Share of so many other salts under which the agent's people differ from others at some look, for each of these.

    Nobody did anything to anybody, so it is to be 5 % at most.
    """
    claimed = dict.fromkeys(OTHERS, 0)
    for number in range(salts):
        sides = sides_by(
            spending, salt=b"aa:%d" % number, season=b"aa-season:%d" % number, share=share, holdout=holdout
        )
        for other in OTHERS:
            claimed[other] += any(each.is_shown for each in lifts_of(spending, sides, other))
    return {other: count / salts for other, count in claimed.items()}


def sides_by(spending: PartedSpending, *, salt: bytes, season: bytes, share: float, holdout: float) -> Sides:
    """Who belongs to which group [people] by two salts, as in a decision."""
    own, all_of = (np.array([share_of(each, int(key)) for key in spending.customer]) for each in (salt, season))
    mine = own < min(share, 1 - LEAST_RULE)
    return {
        AgentGroup.AGENT: mine & (all_of >= holdout), AgentGroup.RULE: ~mine & (all_of >= holdout),
        AgentGroup.HOLDOUT: all_of < holdout,
    }  # fmt: skip


def lifts_of(spending: PartedSpending, sides: Sides, other: AgentGroup) -> Iterator[PushLift]:
    """The agent's people beside others at the end of each week; nothing where a side has too few."""
    mine, beside = sides[AgentGroup.AGENT], sides[other]
    if min(mine.sum(), beside.sum()) < FEWEST:
        return
    for week in range(LOOKS):
        lift = lift_beside(
            spending.spent[:, week], spending.before, mine, beside, longer=(week + 1) * WEEK / BEFORE
        )  # fmt: skip
        if lift is not None:
            yield lift
