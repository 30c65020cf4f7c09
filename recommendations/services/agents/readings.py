"""The latest look at the agent: its groups, what it changes, what its trials cost, and what staff should see.

It is kept with the agent, as everybody's purchases are added up for it; pages and statements read what is kept.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from recommendations.engine.push.lift import PushLift
from recommendations.models import Agent
from recommendations.services.agents.effects import AgentEffects, GuardedEffect


class LiftReading(Struct, frozen=True, kw_only=True):
    """Money a head beside another group, with the ends of the interval of all looks (null: there is none); what the
    others have; and the smallest effect that would have been seen.
    """

    value: float
    base: float
    low: float | None
    high: float | None
    smallest: float

    @property
    def is_shown(self) -> bool:
        """Whether an effect is claimed: zero lies outside of the interval."""
        return self.low is not None and self.high is not None and not self.low <= 0 <= self.high


class GuardReading(Struct, frozen=True, kw_only=True):
    """A guarded rate a head of the agent's people and of the rule's, with the interval of the difference."""

    agent: float
    rule: float
    low: float | None
    high: float | None

    @property
    def value(self) -> float:
        return self.agent - self.rule

    @property
    def is_harm(self) -> bool:
        return self.low is not None and self.low > 0

    @property
    def is_better(self) -> bool:
        return self.high is not None and self.high < 0


class WhyNothing(Struct, frozen=True, kw_only=True):
    """Code of a refusal and its figures."""

    code: str
    facts: dict[str, float]


class OptionReading(Struct, frozen=True, kw_only=True):
    """An option in stored words."""

    campaign: int
    variant: int
    channel: str
    slot: str


class AlertReading(Struct, frozen=True, kw_only=True):
    """An alert with the figures of its sentence, and the option that it is of."""

    kind: str
    facts: dict[str, float]
    option: OptionReading | None = None


class AgentReading(Struct, frozen=True, kw_only=True):
    """What a look found; ``trials`` is the share of a week's value that trials cost, None where nothing was decided."""

    at: datetime
    since: datetime
    people: dict[str, int]
    refusal: WhyNothing | None
    rule: LiftReading | None
    holdout: LiftReading | None
    guarded: dict[str, GuardReading]
    trials: float | None = None
    alerts: list[AlertReading] = []

    @property
    def everybody(self) -> int:
        return sum(self.people.values())


def reading_of(
    effects: AgentEffects, *, trials: float | None, alerts: Sequence[AlertReading], now: datetime
) -> AgentReading:
    refusal = effects.refusal
    return AgentReading(
        at=now, since=effects.since, people={group.value: count for group, count in effects.people.items()},
        refusal=WhyNothing(code=refusal.code.value, facts=dict(refusal.facts)) if refusal else None,
        rule=_lift(effects.rule), holdout=_lift(effects.holdout),
        guarded={rate.value: _rate(each) for rate, each in effects.guarded.items()}, trials=trials,
        alerts=list(alerts),
    )  # fmt: skip


def keep_reading(reading: AgentReading) -> None:
    Agent.objects.update(reading=msgspec.to_builtins(reading))


def latest_reading(agent: Agent) -> AgentReading | None:
    """The latest look since the agent took its step; None before the first."""
    return read_back(agent.reading) if agent.reading else None


def read_back(stored: Mapping[str, Any]) -> AgentReading:
    """A look as it was stored."""
    return msgspec.convert(stored, AgentReading)


def _lift(lift: PushLift | None) -> LiftReading | None:
    if lift is None:
        return None
    return LiftReading(
        value=lift.effect.value, base=lift.effect.base, low=_end(lift.always_low), high=_end(lift.always_high),
        smallest=lift.smallest,
    )  # fmt: skip


def _rate(each: GuardedEffect) -> GuardReading:
    return GuardReading(agent=each.agent, rule=each.rule, low=_end(each.low), high=_end(each.high))


def _end(value: float) -> float | None:
    return value if math.isfinite(value) else None
