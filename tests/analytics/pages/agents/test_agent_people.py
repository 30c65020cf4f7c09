"""A person's page of the agent: the sum that chose, by chance or not, what it was worth, and what flips it."""

from datetime import datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from analytics.queries.agents.person import person_now
from recommendations.models import Agent, AgentDecision, AgentVersion, Considered, Customer
from recommendations.push_terms import AgentStatus, Verdict
from recommendations.services.push.sendings import LiveCampaign, decide_pushes
from tests.analytics.pages.agents.watched import (
    PAGE,
    _installed,
    believe,
    now,
    publisher,
    rules,
    text_of,
    viewer,
    watched,
)
from tests.services.agents.test_deciding import acting, two_campaigns

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop_today")]
__all__ = ["_installed", "now", "publisher", "rules", "viewer", "watched"]


def address_of(customer: Customer) -> str:
    return f"{PAGE}people/{customer.code}/"


def test_the_terms_of_each_column_add_up_to_its_score(now: datetime, watched: list[LiveCampaign]) -> None:
    several = 0
    for decision in AgentDecision.objects.all():
        told = person_now(decision.customer_id, shown=decision.pk, now=now).explained
        assert told is not None
        for place, column in enumerate(told.columns):
            assert abs(sum(line.parts[place] for line in told.lines) - column.score) < 1e-9
        several += len({column.score for column in told.columns}) > 1
        assert len(set(told.lines[0].parts)) == 1  # who somebody is, is the same for all options
        assert sum(column.models for column in told.columns) <= 32
    assert several


def test_the_page_says_who_decided_and_why_within_its_queries(viewer: Client, watched: list[LiveCampaign]) -> None:
    decision = AgentDecision.objects.filter(held=False).first()
    assert decision is not None
    address = address_of(decision.customer)
    viewer.get(address)
    with CaptureQueriesContext(connection) as queries:
        text = text_of(viewer, address)
    assert len(queries) <= 12
    assert "The rule decided:" in text
    assert "The agent would have chosen:" in text
    assert "models chose it." in text
    assert "× caused 0.50 ×" in text
    assert "the model of the night would choose:" in text
    assert "The rule's people" in text


def test_who_waits_reads_why_and_the_sending_leads_there(publisher: Client, now: datetime) -> None:
    two_campaigns(now)
    acting(now)
    believe(level=-12.0)
    decide_pushes(now=now)
    case = Considered.objects.filter(verdict=Verdict.WAITS).select_related("customer", "occurrence").first()
    assert case is not None
    address = address_of(case.customer)
    page = f"/campaigns/{case.occurrence.campaign_id}/sendings/{case.occurrence_id}/people/{case.customer.code}/"
    assert f'href="{address}?decision=' in publisher.get(page).content.decode()
    text = text_of(publisher, address)
    assert "The agent decided: Nothing today." in text
    assert "leaving −$" in text
    assert "The agent's people" in text


def test_a_trial_is_called_one(viewer: Client, watched: list[LiveCampaign]) -> None:
    decision = AgentDecision.objects.filter(held=False).first()
    assert decision is not None
    AgentDecision.objects.filter(pk=decision.pk).update(group="agent", trial=True, chance=0.004)
    assert "A trial: no model chose it; it was drawn with a chance of 0.4%." in text_of(
        viewer, address_of(decision.customer)
    )


def test_nobody_unknown_and_no_broken_version_breaks_the_page(viewer: Client, watched: list[LiveCampaign]) -> None:
    nobody = Customer.objects.exclude(agent_decisions__isnull=False).first()
    assert nobody is not None
    assert "No decision on them yet" in text_of(viewer, address_of(nobody))
    decision = AgentDecision.objects.first()
    assert decision is not None
    for shown in ("x", "0", "99999999999999999999"):
        assert viewer.get(address_of(decision.customer), {"decision": shown}).status_code == 200
    AgentVersion.objects.update(digest="0" * 32)
    assert "cannot be read any more" in text_of(viewer, address_of(decision.customer))
    Agent.objects.update(status=AgentStatus.OFF)
    assert viewer.get(f"/customers/{decision.customer.code}/messages/").status_code == 200
