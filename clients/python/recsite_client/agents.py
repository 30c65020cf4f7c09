"""What Recsite answers about its push agent: plain dictionaries, as the JSON is. A later Recsite may add to them."""

from typing import Literal, TypeAlias, TypedDict


class AgentShares(TypedDict):
    """Shares of all people."""

    agent: float
    rule: float
    held_out: float


class AgentObstacle(TypedDict):
    """Why the agent may not act yet; ``missing`` is None where it waits for no number."""

    code: str
    missing: int | None


class LearnedTermOfAgent(TypedDict):
    """What was learned: so many times as often a step, with an interval."""

    term: str
    times: float
    low: float
    high: float
    answers: int


AgentStatus: TypeAlias = Literal["off", "watches", "explores", "acts", "paused"]


class PausedAgent(TypedDict):
    """The agent after a pause, and what it did before."""

    status: AgentStatus
    was: AgentStatus
    since: str


class AgentLine(TypedDict):
    status: AgentStatus
    since: str
    rules: int
    shares: AgentShares
    night: str | None
    learned_at: str | None
    answers: int
    decisions: int
    refusal: AgentObstacle | None
    learned: list[LearnedTermOfAgent]


class AgentsAnswer(TypedDict):
    agents: list[AgentLine]
