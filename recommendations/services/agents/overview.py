"""Where the agent stands, for pages and the API: whose people there are, what was learned, and what it waits for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from recommendations.engine.push.agent.choosing import EXPLORERS, LEAST_RULE
from recommendations.engine.push.agent.learned import LearnedTerm, learned_terms
from recommendations.engine.push.agent.readiness import AgentRecord, AgentRefusal, acting_refusal
from recommendations.models import Agent
from recommendations.push_terms import AgentStatus
from recommendations.services.agents.readiness import record_of
from recommendations.services.agents.supervision import the_agent
from recommendations.services.campaigns.pressure import rules_now
from recommendations.services.push_models.agent_facts import live_version
from recommendations.services.push_models.agent_versions import RestoredVersion


@dataclass(frozen=True, kw_only=True)
class GroupShares:
    """Shares of all people: the agent's, the rule's, and those that are held out."""

    agent: float
    rule: float
    held: float


@dataclass(frozen=True, kw_only=True)
class AgentOverview:
    """The agent as it stands; ``version`` is None where none decides, ``refusal`` where it may act."""

    agent: Agent
    shares: GroupShares
    version: RestoredVersion | None
    record: AgentRecord
    refusal: AgentRefusal | None
    known: Sequence[LearnedTerm]


def overview_now(*, now: datetime) -> AgentOverview:
    agent, version, holdout = the_agent(), live_version(now=now), rules_now(now=now).holdout
    record = record_of(agent, version, holdout=holdout, now=now)
    return AgentOverview(
        agent=agent, shares=shares_of(agent, holdout=holdout), version=version, record=record,
        refusal=acting_refusal(record), known=[each for each in terms_of(version) if each.is_known] if version else [],
    )  # fmt: skip


def shares_of(agent: Agent, *, holdout: float) -> GroupShares:
    """Whose people there are while the agent is where it is."""
    own = {AgentStatus.ACTS: min(agent.rules.share, 1 - LEAST_RULE), AgentStatus.EXPLORES: EXPLORERS}
    agents = own.get(AgentStatus(agent.status), 0.0) * (1 - holdout)
    return GroupShares(agent=agents, rule=1 - holdout - agents, held=holdout)


def terms_of(version: RestoredVersion) -> list[LearnedTerm]:
    """Each term of a version but the level, with the answers that it rests on."""
    told: Mapping[str, float] = version.version.counts.get("terms", {})
    return learned_terms(version.belief, np.array([told.get(term.code, 0.0) for term in version.menu.terms]))
