"""The push agent of the demo: it watches from the first minute on, and has nothing to learn from."""

from datetime import timedelta

import pytest
from django.utils import timezone

from demo.agent import NOTE, let_agent_watch
from demo.campaigns import begin_campaigns
from recommendations.models import Agent, AgentDecision, AgentVersion, AuditEntry, Message
from recommendations.push_terms import AgentStatus
from recommendations.services.agents.learning import learn_night
from recommendations.services.agents.overview import overview_now
from recommendations.services.agents.supervision import let_go
from recommendations.services.push.sendings import decide_pushes
from tests.demo.test_campaigns import demo, rules  # noqa: F401 - fixtures
from tests.push_records import contact

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop_today")]
NOW = timezone.now()


def test_it_watches_the_campaigns_that_the_demo_begins_and_says_why() -> None:
    assert begin_campaigns(now=NOW) == 4
    agent = Agent.objects.get()
    assert agent.status == AgentStatus.WATCHES
    assert AuditEntry.objects.get(object_type="agent").note == NOTE
    version = AgentVersion.objects.get()
    assert version.is_live
    assert len(version.menu["campaigns"]) == 3  # those that are live
    assert set(version.menu["channels"]) == {"email", "web_push"}


def test_it_logs_what_it_would_do_and_learns_nothing_in_a_fortnight() -> None:
    for number in range(30):
        contact(f"u{number}")
    begin_campaigns(now=NOW)
    decide_pushes(now=NOW + timedelta(minutes=1))
    assert AgentDecision.objects.exists()
    assert set(AgentDecision.objects.values_list("group", flat=True)) == {"rule"}
    assert Message.objects.exists()
    for days in range(1, 15):
        learn_night(now=NOW + timedelta(days=days))
    assert AgentVersion.objects.count() == 15
    assert not AgentDecision.objects.filter(answered=True).exists()
    stands = overview_now(now=NOW + timedelta(days=14))
    assert not stands.known
    assert stands.refusal is not None


def test_where_staff_put_it_it_stays() -> None:
    begin_campaigns(now=NOW)
    assert let_agent_watch(now=NOW).since == Agent.objects.get().since
    let_go(AgentStatus.OFF, note="enough", by=None, now=NOW)
    assert begin_campaigns(now=NOW) == 0
    assert Agent.objects.get().status == AgentStatus.OFF
