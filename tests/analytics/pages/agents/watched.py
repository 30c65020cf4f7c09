"""An agent that watches two campaigns and forty people; fixtures for modules to import."""

import html
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import pytest
from django.test import Client

from recommendations.models import AgentDecision, Message
from recommendations.push_terms import AgentStatus
from recommendations.services.agents.supervision import let_go
from recommendations.services.push.sendings import LiveCampaign, decide_pushes
from recommendations.terms import Role
from tests.services.agents.conftest import _installed, now, rules
from tests.services.agents.test_deciding import believe, two_campaigns

__all__ = ["_installed", "believe", "now", "publisher", "rules", "viewer", "watched"]
PAGE = "/campaigns/agent/"


@pytest.fixture
def publisher(client_of: Callable[[Role], Client]) -> Client:
    return client_of(Role.PUBLISHER)


@pytest.fixture
def viewer(client_of: Callable[[Role], Client]) -> Client:
    return client_of(Role.VIEWER)


@pytest.fixture
def watched(now: datetime) -> list[LiveCampaign]:
    """Decisions of yesterday, made in the shadow; the rule sent."""
    then = now - timedelta(days=1)
    own = two_campaigns(then)
    let_go(AgentStatus.WATCHES, note="to see", by=None, now=then)
    believe(scale=0.6)
    decide_pushes(now=then)
    assert AgentDecision.objects.filter(day=then.date()).count() == Message.objects.count() > 0
    return own


def text_of(client: Client, address: str = PAGE, sent: Mapping[str, str] | None = None) -> str:
    return words_of(client.get(address, sent).content.decode())


def words_of(page: str) -> str:
    text = re.sub(r"<[^>]+>", " ", re.sub(r"<script.*?</script>", " ", page, flags=re.DOTALL))
    return " ".join(html.unescape(text).split())
