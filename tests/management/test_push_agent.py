"""``manage.py push_agent``: it says in words what is missing, and asks for what it needs."""

from datetime import date
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from recommendations.models import Agent, AgentVersion, AuditEntry
from recommendations.push_terms import AgentStatus
from recommendations.services.agents.supervision import the_agent
from tests.agent_records import agent, decisions, people, version

pytestmark = pytest.mark.django_db


def said(*words: str) -> str:
    out = StringIO()
    call_command("push_agent", *words, stdout=out)
    return out.getvalue()


def refused(*words: str) -> str:
    with pytest.raises(CommandError) as caught:
        said(*words)
    return str(caught.value)


def test_a_status_says_what_is_missing_in_words() -> None:
    agent(timezone.now(), status=AgentStatus.WATCHES)
    decisions(people(3), timezone.now().date(), version(date(2026, 5, 31)), answered=True)
    printed = said("status")
    assert "Which subject: 3 of 100 answers: 97 are still missing" in printed
    assert "lever_too_few" not in printed


def test_a_step_that_is_refused_is_so_in_a_sentence() -> None:
    agent(timezone.now(), status=AgentStatus.WATCHES)
    assert refused("act", "--reason", "x").startswith("It has learned nothing yet:")


def test_each_act_asks_why_and_keeps_it() -> None:
    agent(timezone.now(), status=AgentStatus.ACTS)
    assert refused("off") == "Say why with --reason."
    assert "status       paused" in said("pause", "--reason", "Stocktaking")
    assert the_agent().paused_reason == "Stocktaking"
    said("resume", "--reason", "Counted")
    assert AuditEntry.objects.get(verb="resume").note == "Counted"
    assert refused("resume") == "It stands at “acts”: this changes nothing."


@pytest.mark.parametrize(
    ("night", "told"),
    [
        ("tomorrow", "Say which night with --night YYYY-MM-DD. There are: 2026-05-31, 2026-05-30."),
        ("2026-05-01", "There is no version of 2026-05-01. There are: 2026-05-31, 2026-05-30."),
        ("2026-05-31", "The night of 2026-05-31 decides already. There are: 2026-05-31, 2026-05-30."),
    ],
)
def test_a_night_that_cannot_decide_is_refused_with_those_that_can(night: str, told: str) -> None:
    agent(timezone.now(), status=AgentStatus.WATCHES)
    for day in (30, 31):
        version(date(2026, 5, day))
    AgentVersion.objects.filter(night=date(2026, 5, 31)).update(is_live=True)
    assert refused("roll-back", "--night", night, "--reason", "x") == told
    said("roll-back", "--night", "2026-05-30", "--reason", "x")
    assert AgentVersion.objects.get(is_live=True).night == date(2026, 5, 30)
    assert Agent.objects.get().status == AgentStatus.WATCHES
