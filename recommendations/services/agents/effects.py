"""What the agent changes: its people beside the rule's and beside those held out, in money and in what it must not do.

Intervals hold however often they are looked at. Money is what people spent, never answers times a price.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.experiments.effects import TreatmentEffect
from recommendations.engine.experiments.moments import Moments
from recommendations.engine.experiments.sequences import half_width
from recommendations.engine.push.agent.groups import RATE_ALPHA, GuardedRate, GuardedSides, harm_of, sides_of_rate
from recommendations.engine.push.agent.readiness import AgentRefusal
from recommendations.engine.push.lift import PushLift, lift_of
from recommendations.push_terms import AgentGroup
from recommendations.services.agents.groups import BEFORE, DAYS, FEWEST, AgentSides, sides_now

LARGEST = 0.99
"""Quantile of what buyers spent before that is, by the length of the time, the most that a person counts."""
type Values = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class GuardedEffect:
    """A rate a head of the agent's people less the rule's, with the interval of all looks; both rates beside it."""

    rate: GuardedRate
    effect: TreatmentEffect
    agent: float
    rule: float
    half: float

    @property
    def low(self) -> float:
        return self.effect.value - self.half

    @property
    def high(self) -> float:
        return self.effect.value + self.half

    @property
    def is_harm(self) -> bool:
        """Whether it is higher for certain; then all people are the rule's again."""
        return self.low > 0

    @property
    def is_better(self) -> bool:
        return self.high < 0


@dataclass(frozen=True, kw_only=True)
class AgentEffects:
    """What the agent changes since ``since``; ``people`` by group.

    Money a head beside the rule and beside the holdout is None where it is refused, or nobody spent anything.
    """

    since: datetime
    people: Mapping[AgentGroup, int]
    refusal: AgentRefusal | None
    rule: PushLift | None
    holdout: PushLift | None
    guarded: Mapping[GuardedRate, GuardedEffect]  # empty below 50 people a side


def agent_effects(*, now: datetime) -> AgentEffects | None:
    """The effects as they stand; None where the agent decides for nobody."""
    sides = sides_now(now=now)
    return None if sides is None else effects_of(sides)


def effects_of(sides: AgentSides) -> AgentEffects:
    """The effects of groups that stand side by side."""
    told = sides.refusal is None
    return AgentEffects(
        since=sides.since, people=sides.people, refusal=sides.refusal, guarded=guarded_effects(sides),
        rule=_lift(sides, AgentGroup.RULE) if told else None,
        holdout=_lift(sides, AgentGroup.HOLDOUT) if told else None,
    )  # fmt: skip


def guarded_effects(sides: AgentSides) -> dict[GuardedRate, GuardedEffect]:
    """What the agent must not make more of than the rule does; nothing where a side has too few people."""
    rates = guarded_sides(sides)
    return {rate: _guarded(rate, each) for rate, each in rates.items()}


def guarded_sides(sides: AgentSides) -> dict[GuardedRate, GuardedSides]:
    """Moments a head of leavers, complaints and messages, with the scales that were settled before."""
    agent, rule = sides.sides[AgentGroup.AGENT], sides.sides[AgentGroup.RULE]
    if min(int(agent.sum()), int(rule.sum())) < FEWEST:
        return {}
    counts: Mapping[GuardedRate, Values] = {
        GuardedRate.LEAVERS: sides.outcomes.left.astype(np.float64),
        GuardedRate.COMPLAINTS: sides.outcomes.complained.astype(np.float64),
        GuardedRate.MESSAGES: sides.outcomes.messages,
    }  # fmt: skip
    return {rate: sides_of_rate(rate, each[agent], each[rule]) for rate, each in counts.items()}


def _guarded(rate: GuardedRate, sides: GuardedSides) -> GuardedEffect:
    effect = harm_of(sides)
    return GuardedEffect(
        rate=rate, effect=effect, agent=sides.agent.mean, rule=sides.rule.mean,
        half=half_width(effect.se, sides.tau2, RATE_ALPHA),
    )  # fmt: skip


def lift_beside(
    spent: Values, before: Values, own: NDArray[np.bool_], other: NDArray[np.bool_], *, longer: float
) -> PushLift | None:
    """What some people spent more than others, adjusted by what they spent before; both are capped.

    ``longer`` is the time that counts as a multiple of the 28 days before it.
    """
    counted, earlier = np.minimum(spent, _cap(before) * longer), np.minimum(before, _cap(before))
    first, second = (Moments.of(counted[side], earlier[side]) for side in (own, other))
    return lift_of(first, second, typical=float(earlier.mean()) * longer)


def _lift(sides: AgentSides, other: AgentGroup) -> PushLift | None:
    return lift_beside(
        sides.outcomes.spent, sides.outcomes.before, sides.sides[AgentGroup.AGENT], sides.sides[other],
        longer=DAYS / BEFORE.days,
    )  # fmt: skip


def _cap(before: Values) -> float:
    """What a person counts at most of 28 days; no limit where nobody bought before."""
    buyers = before[before > 0]
    return float(np.quantile(buyers, LARGEST)) if len(buyers) else float("inf")
