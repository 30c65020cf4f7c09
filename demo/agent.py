"""The push agent of the demo: it watches from the first minute on, and goes no further by itself.

Nobody reads the demo's mail, so that nobody answers it and the agent has nothing to learn from.
"""

from datetime import datetime

from recommendations.models import Agent
from recommendations.push_terms import AgentStatus
from recommendations.services.agents.supervision import let_go, the_agent

NOTE = (
    "The demo begins with it. Nobody reads the demo's mail, so nobody answers and it learns nothing: it only watches "
    "what it would do."
)


def let_agent_watch(*, now: datetime) -> Agent:
    """Switch the agent on, beside campaigns that run already; one that staff put somewhere stays there."""
    agent = the_agent()
    return let_go(AgentStatus.WATCHES, note=NOTE, by=None, now=now) if agent.status == AgentStatus.OFF else agent
