"""The agent on the pages of a sending: a trial, what staff closed, its own numbers, and what it does not know yet."""

from datetime import datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from analytics.queries.agents.sendings import is_new_to_agent
from recommendations.engine.push.choices import NOT_NOW
from recommendations.models import Agent, AgentDecision, Considered, Occurrence
from recommendations.push_terms import AgentStatus, OccurrenceState, Verdict
from recommendations.services.push.sendings import LiveCampaign, decide_pushes
from tests.analytics.pages.agents.watched import PAGE, _installed, believe, now, publisher, rules, text_of, viewer
from tests.services.agents.test_deciding import acting, campaign, two_campaigns
from tests.services.campaigns.test_form import what

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop_today")]
__all__ = ["_installed", "now", "publisher", "rules", "viewer"]


@pytest.fixture
def own(now: datetime) -> list[LiveCampaign]:
    """Campaigns whose people the agent decided on; most wait."""
    own = two_campaigns(now)
    acting(now)
    believe(level=-12.0)
    decide_pushes(now=now)
    return own


def waiting() -> tuple[Considered, AgentDecision]:
    """Somebody who waits, and the decision."""
    case = Considered.objects.filter(verdict=Verdict.WAITS).select_related("customer", "occurrence").first()
    assert case is not None
    return case, AgentDecision.objects.get(customer=case.customer_id, option=NOT_NOW)


def page_of(case: Considered) -> str:
    return f"/campaigns/{case.occurrence.campaign_id}/sendings/{case.occurrence_id}/people/{case.customer.code}/"


def test_who_waits_is_told_of_their_class_alone(viewer: Client, own: list[LiveCampaign]) -> None:
    case, decision = waiting()
    page = viewer.get(page_of(case)).content.decode()
    assert f'href="{PAGE}people/{case.customer.code}/?decision={decision.pk}"' in page
    text = text_of(viewer, page_of(case))
    assert "No message of this class today: the agent finds that waiting is worth more." in text
    assert "by what the agent believed in the night of" in text


def test_the_page_keeps_to_its_queries(viewer: Client, own: list[LiveCampaign]) -> None:
    case, _decision = waiting()
    viewer.get(page_of(case))
    with CaptureQueriesContext(connection) as queries:
        assert viewer.get(page_of(case)).status_code == 200
    assert len(queries) <= 12, [each["sql"][:90] for each in queries]


def test_a_trial_is_called_one_on_the_first_page(viewer: Client, own: list[LiveCampaign]) -> None:
    case, decision = waiting()
    AgentDecision.objects.filter(pk=decision.pk).update(trial=True, chance=0.25)
    text = text_of(viewer, page_of(case))
    assert "No message of this class today: a trial of the agent, which drew to send none." in text
    assert "A trial: no model chose it; it was drawn with a chance of 25.0%." in text
    assert "Nothing: it was drawn by chance" in text
    assert "waiting is worth more" not in text


def test_what_staff_closed_is_told_on_the_first_page(viewer: Client, own: list[LiveCampaign]) -> None:
    case, decision = waiting()
    AgentDecision.objects.filter(pk=decision.pk).update(allowed=bytes(len(decision.allowed)))
    text = text_of(viewer, page_of(case))
    assert "No message of this class today: the rules of staff leave the agent none that it may send." in text
    assert "Its rules would have to leave a way open" in text
    assert "waiting is worth more" not in text
    assert "by what the agent believed" not in text


def test_what_it_sends_has_its_own_numbers_on_both_pages(viewer: Client, now: datetime) -> None:
    two_campaigns(now)
    acting(now)
    believe(level=2.0)
    decide_pushes(now=now)
    decision = AgentDecision.objects.filter(group="agent", held=False, option__gte=0).first()
    assert decision is not None
    case = Considered.objects.select_related("customer", "occurrence").get(
        customer=decision.customer_id, occurrence__campaign=decision.campaign
    )
    AgentDecision.objects.filter(pk=decision.pk).update(trial=True, chance=0.0012)
    text = text_of(viewer, page_of(case))
    assert "drawn with a chance of 0.1%." in text
    own_money = text.split("Worth of this message")[1].split("by what the agent")[0].strip()
    assert "× caused 0.50 ×" in own_money
    assert own_money in text_of(viewer, f"{PAGE}people/{case.customer.code}/")


def test_a_plan_leads_to_no_decision_of_another_day(viewer: Client, own: list[LiveCampaign]) -> None:
    case, _decision = waiting()
    planned_one = Occurrence.objects.create(
        campaign_id=case.occurrence.campaign_id, key="plan-1", due_at=case.occurrence.due_at,
        state=OccurrenceState.PLANNED, version=case.occurrence.version,
    )  # fmt: skip
    Considered.objects.filter(pk=case.pk).update(occurrence=planned_one)
    case.occurrence = planned_one
    page = viewer.get(page_of(case)).content.decode()
    assert "No message of this class that day: the agent would send none." in page
    assert f"{PAGE}people/" not in page


def test_a_campaign_is_new_until_the_night_and_only_where_the_agent_chooses(
    now: datetime, own: list[LiveCampaign]
) -> None:
    late = campaign("c2", now, parts={"what": what(blocks=[{"placement": "home", "n": 4}])}).campaign
    assert [is_new_to_agent(each) for each in (late.pk, own[0].campaign.pk)] == [True, False]
    Agent.objects.update(status=AgentStatus.WATCHES)
    assert not is_new_to_agent(late.pk)
