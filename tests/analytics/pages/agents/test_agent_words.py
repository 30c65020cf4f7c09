"""What the page says of its groups before it acts (A/A), of the demo, and where no lever is left."""

from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest
from django.conf import LazySettings
from django.test import Client

from analytics.queries.agents.person import flip_text
from analytics.queries.agents.words import AgentNames
from recommendations.engine.push.agent.belief import prior
from recommendations.engine.push.agent.choice import Stakes
from recommendations.engine.push.agent.explain import PersonCase, smallest_flip
from recommendations.engine.push.agent.points import OptionRule
from recommendations.engine.push.agent.terms import Lever
from recommendations.models import AgentVersion, ShopSetting
from recommendations.push_terms import Channel
from recommendations.services.agents.even_groups import GroupsBefore
from recommendations.services.agents.supervision import AgentForm, publish_agent_rules
from recommendations.services.push.sendings import LiveCampaign
from tests.agent_records import MENU
from tests.analytics.pages.agents.watched import _installed, now, rules, text_of, viewer, watched

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop_today")]
__all__ = ["_installed", "now", "rules", "viewer", "watched"]


def found(low: float, high: float) -> None:
    alike = GroupsBefore(people=2_204, share=(low + high) / 2, low=low, high=high)
    AgentVersion.objects.update(counts={"answers": 0, "decisions": 0, "alike": alike.as_json()})


def test_groups_that_are_alike_are_called_so(viewer: Client, watched: list[LiveCampaign]) -> None:
    found(-0.034, 0.058)
    text = text_of(viewer)
    assert "A/A before it acts, among 2,204 people: its own spent" in text
    assert "spent +1.2% beside the rule's in the 56 days before (−3.4% … +5.8%)" in text


def test_groups_that_are_not_are_a_warning(viewer: Client, watched: list[LiveCampaign]) -> None:
    found(0.02, 0.08)
    assert "its people and the rule's already differ" in text_of(viewer)


def test_without_a_comparison_nothing_is_said(viewer: Client, watched: list[LiveCampaign]) -> None:
    assert "A/A" not in text_of(viewer)


def test_in_the_demo_it_says_that_nobody_answers(
    viewer: Client, watched: list[LiveCampaign], settings: LazySettings
) -> None:
    assert "Nothing: nobody has answered yet." in text_of(viewer)
    settings.DEMO = True
    ShopSetting.objects.update_or_create(key="demo_clock", defaults={"value": {"shift_weeks": 400}})
    assert "nobody answers in the demo, whose mail nobody reads" in text_of(viewer)


def test_where_every_lever_is_settled_it_says_so(viewer: Client, watched: list[LiveCampaign], now: datetime) -> None:
    words = "It may vary nothing: tick something under “May vary”, or unpin it."
    assert words not in text_of(viewer)
    pins = (OptionRule(None, Lever.CHANNEL, Channel.EMAIL.value),)
    publish_agent_rules(AgentForm(levers=frozenset({Lever.CHANNEL}), pins=pins), note="none", by=None, now=now)
    assert words in text_of(viewer)


def test_a_step_that_is_told_as_nothing_is_a_tie() -> None:
    case = PersonCase(
        menu=MENU, mean=prior(MENU, rate=0.3).start, features=np.zeros(len(MENU.columns)),
        allowed=np.ones(len(MENU.options), bool),
        stakes=Stakes(worth=np.array([20.0]), caused=np.array([1.0]), leaving=np.zeros(1),
                      price=np.zeros(len(MENU.options))),
    )  # fmt: skip
    names = AgentNames(campaigns={1: "News"})
    tie = smallest_flip(case)
    assert tie is not None
    assert flip_text(tie, case, names).startswith(
        "A tie, broken by chance: to the model of the night this was worth as much: News"
    )
    clear = replace(tie, step=-0.25)
    assert "moved by −0.250, the model of the night would choose: News" in flip_text(clear, case, names)
