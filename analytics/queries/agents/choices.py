"""What the agent would choose beside the rule in a week: in numbers, and by channel and part of the day."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from recommendations.engine.push.agent.terms import SLOTS, AgentOption
from recommendations.services.agents.days import ChosenPair


@dataclass(frozen=True, kw_only=True)
class WayCount:
    """Messages of a channel in a part of the day, as the rule and as the agent has them; both None is *not now*."""

    channel: str | None
    slot: str | None
    rule: int
    agents: int


@dataclass(frozen=True, kw_only=True)
class WeekBeside:
    """Decisions of a week by way; in how many the agent would choose otherwise than the rule, and how.

    Ways of choosing otherwise may overlap. ``own`` are the decisions on the agent's people: of these ``waits`` sent
    nothing, and ``trials`` were drawn against what it would choose.
    """

    decisions: int
    hour: int
    channel: int
    subject: int
    campaign: int
    none: int  # of what the rule sends
    more: int  # of what the rule does not send
    own: int
    waits: int
    trials: int
    ways: list[WayCount]

    @property
    def sent(self) -> int:
        return self.own - self.waits


def week_beside(pairs: Sequence[ChosenPair]) -> WeekBeside:
    """A week of pairs, those of today among them."""
    both = [(pair, pair.rule, pair.agents) for pair in pairs if pair.rule is not None and pair.agents is not None]

    def differing(part: str) -> int:
        return sum(pair.count for pair, rule, own in both if getattr(rule, part) != getattr(own, part))

    return WeekBeside(
        decisions=sum(pair.count for pair in pairs), hour=differing("slot"), channel=differing("channel"),
        subject=sum(
            pair.count for pair, rule, own in both if rule.campaign == own.campaign and rule.variant != own.variant
        ),
        campaign=differing("campaign"),
        none=sum(pair.count for pair in pairs if pair.rule is not None and pair.agents is None),
        more=sum(pair.count for pair in pairs if pair.rule is None and pair.agents is not None),
        own=sum(pair.own for pair in pairs), waits=sum(pair.waits for pair in pairs),
        trials=sum(pair.trials for pair in pairs), ways=_ways(pairs),
    )  # fmt: skip


def _ways(pairs: Sequence[ChosenPair]) -> list[WayCount]:
    """Counts by channel and part of the day, *not now* last."""
    rule, agents = Counter[tuple[str | None, str | None]](), Counter[tuple[str | None, str | None]]()
    for pair in pairs:
        rule[_way(pair.rule)] += pair.count
        agents[_way(pair.agents)] += pair.count
    channels = sorted({channel for channel, _slot in [*rule, *agents] if channel is not None})
    keys: list[tuple[str | None, str | None]] = [
        *((channel, slot.value) for channel in channels for slot in SLOTS), (None, None),
    ]  # fmt: skip
    return [WayCount(channel=key[0], slot=key[1], rule=rule[key], agents=agents[key]) for key in keys]


def _way(option: AgentOption | None) -> tuple[str | None, str | None]:
    return (None, None) if option is None else (option.channel.value, option.slot.value)
