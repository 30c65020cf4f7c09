"""What the agent chose beside the rule, day by day: counts of decisions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Count

from recommendations.engine.push.agent.terms import AgentOption
from recommendations.engine.push.choices import NOT_NOW
from recommendations.models import AgentDecision
from recommendations.push_terms import AgentGroup
from recommendations.services.push_models.agent_versions import menu_of


@dataclass(frozen=True, kw_only=True)
class ChosenPair:
    """A count of decisions of a day in which the rule chose one option and the agent another; None is *not now*.

    ``own`` are those of them on the agent's people: of these ``waits`` got nothing, and ``trials`` got a message or
    nothing that no drawn model chose.
    """

    day: date
    rule: AgentOption | None
    agents: AgentOption | None
    count: int
    own: int
    trials: int
    waits: int


def pairs_since(day: date, menus: Mapping[int, Mapping[str, object]]) -> list[ChosenPair]:
    """Pairs of the days from one on, of people who are not held out; ``menus`` are those of versions as stored."""
    rows = (
        AgentDecision.objects.filter(day__gte=day, held=False)
        .values_list("day", "version", "rule", "agents", "option", "trial", "group")
        .annotate(count=Count("pk"))
        .order_by("day")
    )
    options: dict[int, Sequence[AgentOption]] = {key: menu_of(dict(menu)).options for key, menu in menus.items()}
    return [
        ChosenPair(
            day=at, rule=_option(options[version], rule), agents=_option(options[version], agents), count=count,
            own=count if group == AgentGroup.AGENT else 0, trials=count if trial else 0,
            waits=count if group == AgentGroup.AGENT and option == NOT_NOW else 0,
        )
        for at, version, rule, agents, option, trial, group, count in rows
        if version in options
    ]  # fmt: skip


def _option(options: Sequence[AgentOption], number: int) -> AgentOption | None:
    return None if number == NOT_NOW else options[number]
