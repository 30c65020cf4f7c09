"""The agent's people, the rule's and those held out, side by side since the agent began; and what forbids a figure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from recommendations.engine.experiments.assignment import share_of
from recommendations.engine.experiments.mismatch import is_mismatch
from recommendations.engine.push.agent.choosing import EXPLORERS, LEAST_RULE
from recommendations.engine.push.agent.readiness import AgentRefusal, AgentRefusalCode
from recommendations.models import Agent, AgentRules, PressureRules
from recommendations.push_terms import AgentGroup, AgentStatus
from recommendations.services.campaigns.pressure import rules_now, season_salt
from recommendations.store.agents.outcomes import PeopleOutcomes, outcomes_since

DAYS = 56  # after their first day that people count
BEFORE = timedelta(days=28)
LONGEST = timedelta(days=84)  # decisions are kept for ninety
FEWEST = 50  # people of a side; below, no figure
ACTING = (AgentStatus.EXPLORES, AgentStatus.ACTS)


@dataclass(frozen=True, kw_only=True, eq=False)
class AgentSides:
    """People since ``since`` by group [people]; who changed sides, as a share was changed meanwhile, is in none.

    ``refusal``: why nothing may be told of them in money; guardrails go on.
    """

    since: datetime
    outcomes: PeopleOutcomes
    sides: Mapping[AgentGroup, NDArray[np.bool_]]
    refusal: AgentRefusal | None

    @property
    def people(self) -> dict[AgentGroup, int]:
        return {group: int(side.sum()) for group, side in self.sides.items()}


def sides_now(*, now: datetime) -> AgentSides | None:
    """The groups as they stand; None where the agent decides for nobody.

    Groups are by the draw, never by the log: whoever chose what, a person is where the draw puts them.
    """
    agent = Agent.objects.select_related("rules").filter(status__in=ACTING).first()
    if agent is None:
        return None
    rules = rules_now(now=now)
    seasons = PressureRules.objects.filter(season=rules.season).order_by("created_at")
    held_out = list(seasons.values_list("holdout", flat=True)) or [rules.holdout]
    since = max(agent.since, now - LONGEST)
    outcomes = outcomes_since(
        since, zone=settings.SHOP_TIME_ZONE, days=timedelta(days=DAYS), before=BEFORE, now=now
    )  # fmt: skip
    shares = _shares(agent)
    sides = _sides(outcomes.customer, agent=agent, shares=shares, season=season_salt(rules), held_out=held_out)
    planned = [
        (1 - max(held_out)) * min(shares), (1 - max(held_out)) * (1 - max(shares)), min(held_out),
    ]  # fmt: skip
    return AgentSides(since=since, outcomes=outcomes, sides=sides, refusal=_refusal(sides, planned))


def _sides(
    customers: NDArray[np.int64], *, agent: Agent, shares: Sequence[float], season: bytes, held_out: Sequence[float]
) -> dict[AgentGroup, NDArray[np.bool_]]:
    own = np.array([share_of(agent.salt.encode(), int(each)) for each in customers], np.float64)
    all_of = np.array([share_of(season, int(each)) for each in customers], np.float64)
    written_to = all_of >= max(held_out)
    return {
        AgentGroup.AGENT: written_to & (own < min(shares)), AgentGroup.RULE: written_to & (own >= max(shares)),
        AgentGroup.HOLDOUT: all_of < min(held_out),
    }  # fmt: skip


def _shares(agent: Agent) -> list[float]:
    """Every share that the agent had since it began, of those who are not held out."""
    if agent.status == AgentStatus.EXPLORES:
        return [EXPLORERS]
    later = AgentRules.objects.filter(created_at__gt=agent.since)
    first = AgentRules.objects.filter(created_at__lte=agent.since).first()
    return [min(each.share, 1 - LEAST_RULE) for each in (*later, *([first] if first else [agent.rules]))]


def _refusal(sides: Mapping[AgentGroup, NDArray[np.bool_]], planned: Sequence[float]) -> AgentRefusal | None:
    counts = [int(side.sum()) for side in sides.values()]
    if not planned[-1]:
        return AgentRefusal(code=AgentRefusalCode.NO_HOLDOUT, facts={"there": 0, "needed": 1, "missing": 1})
    if sum(counts) and is_mismatch(counts, [each / sum(planned) for each in planned]):
        return AgentRefusal(code=AgentRefusalCode.BROKEN_SPLIT, facts={})
    if min(counts) < FEWEST:
        facts = {"there": min(counts), "needed": FEWEST, "missing": FEWEST - min(counts)}
        return AgentRefusal(code=AgentRefusalCode.TOO_FEW_PEOPLE, facts=facts)
    return None
