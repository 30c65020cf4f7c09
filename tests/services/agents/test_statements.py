"""Monthly statements: written each night while the month goes on, once more when it is over, and then they stand."""

from datetime import UTC, date, datetime, timedelta

import pytest

from recommendations.models import Agent, AgentDecision, AgentStatement, AgentVersion
from recommendations.push_terms import AgentGroup, AgentStatus
from recommendations.services.agents.guarding import watch_agent
from recommendations.services.agents.statements import StatementFacts, facts_of, next_month, write_statements
from tests.agent_records import MENU, agent, decisions, people, version

pytestmark = pytest.mark.django_db
SINCE = datetime(2026, 8, 10, 12, tzinfo=UTC)
MONTH = date(2026, 8, 1)


def night(day: int, *, month: int = 8, hour: int = 3) -> datetime:
    return datetime(2026, month, day, hour, 12, tzinfo=UTC)


def facts(month: date = MONTH) -> StatementFacts:
    return facts_of(AgentStatement.objects.get(month=month).facts)


def test_it_counts_the_decisions_of_its_month_and_of_no_other() -> None:
    agent(SINCE)
    own, customers = version(date(2026, 8, 10)), people(40)
    decisions(customers[:10], date(2026, 8, 11), own, option=3, agents=3, rule=0, trial=True)
    decisions(customers[10:14], date(2026, 8, 11), own, option=-1)
    decisions(customers[14:20], date(2026, 8, 11), own, group=AgentGroup.RULE)
    decisions(customers[20:25], date(2026, 8, 11), own, held=True)
    decisions(customers[25:30], date(2026, 8, 11), own, option=2, answered=True)
    decisions(customers[30:31], date(2026, 8, 11), own, option=2, answered=True, void=True)
    decisions(customers[:10], date(2026, 7, 31), own)
    decisions(customers[:10], date(2026, 8, 12), own)  # today
    assert write_statements(now=night(12)) == 2
    assert facts(date(2026, 7, 1)).choices.decisions == 10
    choices = facts().choices
    assert (choices.decisions, choices.differing) == (26, 10)
    assert (choices.own, choices.sent, choices.waits, choices.trials, choices.answered) == (20, 16, 4, 10, 5)
    assert AgentStatement.objects.get(month=MONTH).until == date(2026, 8, 11)


def test_it_is_written_once_a_night_and_stands_when_its_month_is_over() -> None:
    agent(SINCE)
    decisions(people(5), date(2026, 8, 20), version(date(2026, 8, 10)))
    assert [write_statements(now=night(21, hour=hour)) for hour in (2, 3, 4, 23)] == [1, 1, 0, 0]
    assert write_statements(now=night(1, month=9)) == 1
    whole = AgentStatement.objects.get()
    assert (whole.month, whole.until) == (MONTH, date(2026, 8, 31))
    AgentDecision.objects.all().delete()
    assert write_statements(now=night(2, month=9)) == 1  # of September
    assert facts().choices.decisions == 5
    assert AgentStatement.objects.count() == 2


def test_a_last_night_that_was_missed_is_made_up_for() -> None:
    agent(SINCE)
    decisions(people(5), date(2026, 8, 20), version(date(2026, 8, 10)))
    write_statements(now=night(30))
    assert write_statements(now=night(4, month=9)) == 2
    assert AgentStatement.objects.get(month=MONTH).until == date(2026, 8, 31)


def test_without_an_agent_or_while_it_is_off_nothing_is_written() -> None:
    assert write_statements(now=night(12)) == 0
    agent(SINCE, status=AgentStatus.OFF)
    assert write_statements(now=night(12)) == 0
    decisions(people(1), date(2026, 8, 11), version(date(2026, 8, 10)))  # it was switched off in this month
    assert write_statements(now=night(13)) == 1


def test_it_keeps_the_last_look_and_what_is_known() -> None:
    agent(SINCE)
    customers, own = people(80), version(date(2026, 8, 10), level=-1.0)
    decisions(customers, date(2026, 8, 20), own, option=3)
    watch_agent(now=night(21, hour=2))
    term = MENU.terms[1].code
    AgentVersion.objects.update(is_live=True, counts={"terms": dict.fromkeys([term], 150)})
    write_statements(now=night(21))
    told = facts()
    assert told.reading is not None
    assert told.reading.at == night(21, hour=2)
    assert told.trial_cost is not None
    assert 0 < told.trial_cost < 0.05
    assert told.learned == []  # the prior's interval holds 0
    assert told.menu["campaigns"] == [[1, 2]]
    Agent.objects.update(reading={})
    write_statements(now=night(22))
    assert facts().reading is None


@pytest.mark.parametrize(
    ("month", "after"), [(date(2026, 12, 1), date(2027, 1, 1)), (date(2028, 2, 1), date(2028, 3, 1))]
)
def test_the_month_after(month: date, after: date) -> None:
    assert next_month(month) == after
    assert next_month(after - timedelta(days=1)) == after
