"""The push agent of the API: where it stands, what it waits for, and a pause by the shop's own systems."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from recommendations.models import Agent, AuditEntry
from recommendations.push_terms import AgentStatus
from recommendations.services.agents.supervision import let_go, the_agent
from recommendations.terms import Scope
from tests.api.conftest import ApiClient, problem
from tests.api.test_recommend import body
from tests.api.test_schema import flaws, of, schema

__all__ = ["schema"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]
LIST, PAUSE = "/api/v1/agents/", "/api/v1/agents/pause/"


@pytest.fixture
def reader(client_with: Callable[..., ApiClient]) -> ApiClient:
    return client_with(Scope.METRICS_READ)


@pytest.fixture
def shop_system(client_with: Callable[..., ApiClient]) -> ApiClient:
    return client_with(Scope.CAMPAIGNS_TRIGGER)


def test_it_says_where_it_stands_and_what_it_waits_for(reader: ApiClient, schema: dict[str, Any]) -> None:
    told = body(reader.get(LIST))
    assert not flaws(schema, of(schema, LIST, "get", 200), told)
    (one,) = told["agents"]
    assert (one["status"], one["night"], one["learned"], one["refusal"]["code"]) == ("off", None, [], "no_version")
    let_go(AgentStatus.WATCHES, note="see", by=None, now=timezone.now())
    told = body(reader.get(LIST))
    assert not flaws(schema, of(schema, LIST, "get", 200), told)
    assert told["agents"][0]["night"] is not None
    assert sum(told["agents"][0]["shares"].values()) == pytest.approx(1)


def test_a_pause_is_in_the_trail_and_comes_once(
    shop_system: ApiClient, reader: ApiClient, schema: dict[str, Any]
) -> None:
    assert problem(shop_system.post(PAUSE, {}), 409)["code"] == "agent_not_going"
    the_agent()
    Agent.objects.update(status=AgentStatus.ACTS)
    assert reader.post(PAUSE, {}).status_code == 403
    assert shop_system.get(LIST).status_code == 403
    told = body(shop_system.post(PAUSE, {"reason": "Stocktaking"}))
    assert not flaws(schema, of(schema, PAUSE, "post", 200), told)
    assert (told["status"], told["was"]) == ("paused", "acts")
    assert (the_agent().was, the_agent().paused_reason) == (AgentStatus.ACTS, "Stocktaking")
    entry = AuditEntry.objects.get(object_type="agent", verb="pause")
    assert entry.api_key is not None
    assert shop_system.post(PAUSE, {}).status_code == 409


def test_an_emergency_needs_no_body(shop_system: ApiClient) -> None:
    Agent.objects.filter(pk=the_agent().pk).update(status=AgentStatus.ACTS)
    assert body(shop_system.post(PAUSE, b"", content_type=""))["status"] == "paused"
    assert the_agent().paused_reason == ""


@pytest.mark.parametrize("sent", [{"reason": "x" * 301}, {"reason": "a\x00b"}, {"reason": 4}, {"why": "x"}])
def test_a_broken_body_is_refused(shop_system: ApiClient, sent: dict[str, Any]) -> None:
    Agent.objects.filter(pk=the_agent().pk).update(status=AgentStatus.ACTS)
    assert shop_system.post(PAUSE, sent).status_code == 400
    assert the_agent().status == AgentStatus.ACTS
