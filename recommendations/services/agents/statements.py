"""The monthly statement: what the agent decided, what trials cost, what it is worth and what it learned, as figures.

It is written anew each night while its month goes on; that of a month that is over stands. What people did in it is
in the versions of the rules and in the trail, and is read from there.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
from django.db.models import Count, F, Q, QuerySet
from msgspec import Struct

from recommendations.engine.push.choices import NOT_NOW
from recommendations.models import Agent, AgentDecision, AgentStatement
from recommendations.push_terms import AgentGroup, AgentStatus
from recommendations.services.agents.guarding import trial_cost_of_days
from recommendations.services.agents.learning import last_version, night_of
from recommendations.services.agents.overview import terms_of
from recommendations.services.agents.readings import AgentReading, latest_reading

DAY = timedelta(days=1)


class MonthChoices(Struct, frozen=True, kw_only=True):
    """Counts of decisions: of all who are not held out (``decisions``, ``differing`` from the rule's); of the agent's
    own people (``own``), which of those send, wait and are trials; and how many of its messages were answered.
    """

    decisions: int
    differing: int
    own: int
    sent: int
    waits: int
    trials: int
    answered: int


class LearnedFact(Struct, frozen=True, kw_only=True):
    """A term that is known, by its code, in log odds a step with its interval."""

    code: str
    value: float
    low: float
    high: float


class StatementFacts(Struct, frozen=True, kw_only=True):
    """Figures of a month. ``trial_cost`` is a share of what the month is worth; ``reading`` the last look in it.

    ``rules`` is the number of the version that held at the end, ``menu`` what the terms of ``learned`` are of.
    """

    status: str
    rules: int
    choices: MonthChoices
    trial_cost: float | None
    reading: AgentReading | None
    menu: dict[str, Any]
    learned: list[LearnedFact]


def write_statements(*, now: datetime) -> int:
    """Write what is due: the statement of the month of yesterday, and of the one before if its last night was missed.

    Returns how many were written.
    """
    agent = Agent.objects.select_related("rules").first()
    if agent is None:
        return 0
    written = 0
    for month, until in _due(agent, night_of(now) - DAY):
        facts = msgspec.to_builtins(_facts(agent, month, until, now=now))
        AgentStatement.objects.update_or_create(
            month=month, defaults={"until": until, "facts": facts, "written_at": now}
        )  # fmt: skip
        written += 1
    return written


def facts_of(stored: Mapping[str, Any]) -> StatementFacts:
    """The figures of a statement as they were stored."""
    return msgspec.convert(stored, StatementFacts)


def next_month(month: date) -> date:
    return (month.replace(day=28) + 4 * DAY).replace(day=1)


def _due(agent: Agent, yesterday: date) -> Iterator[tuple[date, date]]:
    """Months with the last day that is to be in their statement."""
    this = yesterday.replace(day=1)
    written = dict(AgentStatement.objects.values_list("month", "until"))
    for month in ((this - DAY).replace(day=1), this):
        until = min(next_month(month) - DAY, yesterday)
        goes_on = month == this and agent.status != AgentStatus.OFF
        if written.get(month, date.min) < until and (goes_on or month in written or _decisions(month, until).exists()):
            yield month, until


def _facts(agent: Agent, month: date, until: date, *, now: datetime) -> StatementFacts:
    cost = trial_cost_of_days(agent.rules, since=month, until=until + DAY, now=now)
    reading, version = latest_reading(agent), last_version()
    known = [each for each in terms_of(version) if each.is_known] if version else []
    return StatementFacts(
        status=agent.status, rules=agent.rules.number, choices=_choices(month, until),
        trial_cost=cost.share if cost else None,
        reading=reading if reading and reading.at.date() >= month else None,
        menu=version.version.menu if version else {},
        learned=[
            LearnedFact(code=each.term.code, value=each.value, low=each.low, high=each.high) for each in known
        ],
    )  # fmt: skip


def _choices(month: date, until: date) -> MonthChoices:
    own = Q(group=AgentGroup.AGENT)
    return MonthChoices(
        **_decisions(month, until).aggregate(
            decisions=Count("pk"), differing=Count("pk", filter=~Q(agents=F("rule"))), own=Count("pk", filter=own),
            sent=Count("pk", filter=own & ~Q(option=NOT_NOW)), waits=Count("pk", filter=own & Q(option=NOT_NOW)),
            trials=Count("pk", filter=own & Q(trial=True)),
            answered=Count("pk", filter=own & Q(answered=True, void=False)),
        )
    )  # fmt: skip


def _decisions(month: date, until: date) -> QuerySet[AgentDecision]:
    return AgentDecision.objects.filter(day__gte=month, day__lte=until, held=False)
