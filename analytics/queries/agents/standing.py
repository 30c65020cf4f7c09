"""How far the agent goes, whose people everybody is, which night decides, and what the next steps wait for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from analytics.queries.agents.choices import WeekBeside, week_beside
from analytics.queries.agents.words import refusal_words
from recommendations.engine.push.agent.readiness import AgentRecord, AgentRefusal, AgentRefusalCode
from recommendations.engine.push.agent.terms import Lever, Menu
from recommendations.models import Agent, AgentVersion
from recommendations.push_terms import AgentStatus
from recommendations.services.agents.days import pairs_since
from recommendations.services.agents.overview import GroupShares, overview_now
from recommendations.services.agents.readiness import levers_now
from recommendations.services.push_models.agent_versions import KEPT, RestoredVersion, menu_of
from recommendations.wording import push_labels
from recommendations.wording.agents import STEPS

LADDER = (AgentStatus.OFF, AgentStatus.WATCHES, AgentStatus.EXPLORES, AgentStatus.ACTS)
WEEK = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class LadderStep:
    """A step, what it means, and why it cannot be taken now; "" where it can."""

    status: AgentStatus
    words: str
    meaning: str
    is_here: bool
    is_next: bool
    refusal: str


@dataclass(frozen=True, kw_only=True)
class AgentStanding:
    """The agent as it stands; ``version`` is None where none decides, though ``nights`` may be kept."""

    agent: Agent
    shares: GroupShares
    version: RestoredVersion | None
    nights: Sequence[AgentVersion]
    record: AgentRecord
    ladder: Sequence[LadderStep]
    levers: Mapping[Lever, str]  # that cannot be learned of yet, with why
    week: WeekBeside

    @property
    def status(self) -> AgentStatus:
        return AgentStatus(self.agent.status)

    @property
    def is_paused(self) -> bool:
        return self.status is AgentStatus.PAUSED

    @property
    def is_off(self) -> bool:
        return self.status is AgentStatus.OFF

    @property
    def nothing_to_vary(self) -> str:
        """Words that no lever is left to it; "" where one is."""
        refusal = AgentRefusal(code=AgentRefusalCode.NOTHING_TO_VARY, facts={})
        return "" if self.record.levers else refusal_words(refusal)

    @property
    def other_steps(self) -> list[str]:
        """Steps that a phone shows only when asked: neither where it stands nor the next one."""
        return [each.words for each in self.ladder if not (each.is_here or each.is_next)]

    @cached_property
    def menu(self) -> Menu | None:
        """The menu of the night that decides, or of the latest."""
        if self.version is not None:
            return self.version.menu
        return menu_of(self.nights[0].menu) if self.nights else None


def standing_now(*, now: datetime) -> AgentStanding:
    stands = overview_now(now=now)
    nights = list(AgentVersion.objects.defer("mean", "precision", "draws", "scales"))
    menus: dict[int, dict[str, Any]] = {each.pk: each.menu for each in nights}
    return AgentStanding(
        agent=stands.agent, shares=stands.shares, version=stands.version, nights=nights[:KEPT],
        record=stands.record, ladder=ladder_of(stands.agent, stands.refusal),
        levers={lever: refusal_words(refusal) for lever, refusal in levers_now(now=now).items()},
        week=week_beside(pairs_since((now - WEEK).date(), menus)),
    )  # fmt: skip


def ladder_of(agent: Agent, refusal: AgentRefusal | None) -> list[LadderStep]:
    here = next((place for place, status in enumerate(LADDER) if status in {agent.status, agent.was}), None)
    return [
        LadderStep(
            status=status, words=str(dict(push_labels.AGENT_STATUSES)[status]), meaning=str(STEPS[status]),
            is_here=place == here, is_next=here is not None and place == here + 1,
            refusal=_refusal_of(status, refusal),
        )
        for place, status in enumerate(LADDER)
    ]  # fmt: skip


def _refusal_of(status: AgentStatus, refusal: AgentRefusal | None) -> str:
    if refusal is None or status not in {AgentStatus.EXPLORES, AgentStatus.ACTS}:
        return ""
    if status is AgentStatus.EXPLORES and refusal.code is AgentRefusalCode.TOO_FEW_ANSWERS:
        return ""  # answers are what it explores for
    return refusal_words(refusal)
