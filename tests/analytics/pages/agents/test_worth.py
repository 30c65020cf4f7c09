"""What the page Agent says of the agent's worth, its guardrails and a pause by one of them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from analytics.queries.agents.words import AgentNames
from analytics.queries.agents.worth import effect_rows, part_of
from recommendations.models import Agent
from recommendations.push_terms import AgentStatus
from recommendations.services.agents.readings import (
    AgentReading,
    AlertReading,
    GuardReading,
    LiftReading,
    OptionReading,
    WhyNothing,
    keep_reading,
)
from recommendations.services.agents.supervision import form_of, pause_agent, publish_agent_rules, the_agent
from recommendations.services.push.sendings import LiveCampaign
from tests.analytics.pages.agents.watched import (
    PAGE,
    _installed,
    now,
    publisher,
    rules,
    text_of,
    viewer,
    watched,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop_today")]
__all__ = ["_installed", "now", "publisher", "rules", "viewer", "watched"]
LEAVERS = GuardReading(agent=0.071, rule=0.1, low=-0.041, high=-0.014)
UNSEEN = LiftReading(value=0.8, base=60.0, low=-1.2, high=2.8, smallest=1.9)
SEEN = LiftReading(value=3.0, base=58.0, low=1.0, high=5.0, smallest=1.9)


def reading(now: datetime, **more: Any) -> AgentReading:
    fields: dict[str, Any] = {
        "at": now, "since": now - timedelta(days=20), "people": {"agent": 800, "rule": 100, "holdout": 100},
        "refusal": None, "rule": UNSEEN, "holdout": SEEN, "guarded": {"leavers": LEAVERS}, "trials": 0.012,
    }  # fmt: skip
    return AgentReading(**fields | more)


@pytest.fixture
def looked(now: datetime) -> Callable[..., None]:
    """The agent acts, and was looked at."""

    def look(**more: Any) -> None:
        the_agent()
        Agent.objects.update(status=AgentStatus.ACTS)
        keep_reading(reading(now, **more))

    return look


def test_leavers_lead_and_money_is_told_with_its_interval(viewer: Client, looked: Callable[..., None]) -> None:
    looked()
    text = text_of(viewer)
    lead = text.split("How far it goes")[0]
    assert "29% fewer leave than by the rule (14%–41%)." in lead
    assert "Money beside the rule: not shown (−$1.20 … +$2.80 a head); below $1.90 none would be seen." in lead
    assert "Money beside those held out: +$3.00 a head (+$1.00 … +$5.00)." in lead
    assert "The agent's people 800 80%" in text
    assert "Trials cost 1.2% of what 7 days are worth; above 5% there are half as many." in text


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"guarded": {}}, "Who leaves is not compared before there are 50 people on each side."),
        ({"guarded": {"leavers": GuardReading(agent=0, rule=0, low=None, high=None)}}, "Nobody has left on either"),
        (
            {"guarded": {"leavers": GuardReading(agent=0.02, rule=0, low=-0.01, high=0.05)}},
            "Of the agent's people 2.0% left, of the rule's nobody (−1.0% … +5.0%).",
        ),
        (
            {"guarded": {"leavers": GuardReading(agent=0.09, rule=0.1, low=-0.04, high=0.02)}},
            "Leavers: no difference from the rule is shown (−40% … +20%).",
        ),
        (
            {"guarded": {"leavers": GuardReading(agent=0.2, rule=0.1, low=0.04, high=0.16)}},
            "100% more leave than by the rule (40%–160%).",
        ),
        (
            {"refusal": WhyNothing(code="no_holdout", facts={"there": 0, "needed": 1, "missing": 1})},
            "Money: no figure. Nobody is held out, so what messages bring could never be told. Set “Never written to”",
        ),
        (
            {"refusal": WhyNothing(code="too_few_people", facts={"there": 39, "needed": 50, "missing": 11})},
            "Money: no figure. The smallest group has 39 of 50 people: 11 are still missing.",
        ),
        ({"refusal": WhyNothing(code="broken_split", facts={})}, "The groups are not as large as they were meant to"),
        ({"rule": None}, "Money beside the rule: no figure, as nobody spent anything that counts."),
        ({"trials": None}, "Trials: the agent decided nothing in the last 7 days."),
        (
            {"alerts": [AlertReading(kind="fewer_trials", facts={"floor": 0.01, "usual": 0.02})]},
            "Trials were dear, so that their chance is 1.00% now instead of 2.00%.",
        ),
        (
            {
                "alerts": [
                    AlertReading(
                        kind="one_option", facts={"share": 0.95, "messages": 100.0},
                        option=OptionReading(campaign=0, variant=1, channel="email", slot="evening"),
                    )
                ]
            },
            "One way was 95% of the 100 messages of a day: a campaign that is gone · subject 2 · E-mail · Evening",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_told_says_why(
    viewer: Client, looked: Callable[..., None], more: dict[str, Any], said: str
) -> None:
    looked(**more)
    assert said in text_of(viewer)


def test_before_the_first_look_the_step_is_explained(viewer: Client, watched: list[LiveCampaign]) -> None:
    text = text_of(viewer)
    assert "It decides in the shadow" in text
    assert "What it is worth" not in text


def test_the_figure_has_only_intervals_with_ends(now: datetime) -> None:
    rates = {"leavers": LEAVERS, "complaints": GuardReading(agent=0.1, rule=0, low=0.0, high=0.2)}
    rows = effect_rows(reading(now, guarded=rates, holdout=LiftReading(
        value=1.0, base=0.0, low=0.1, high=1.9, smallest=1.0)))  # fmt: skip
    assert [(row.words, row.lower_is_better) for row in rows] == [("People who leave", True), ("Money a head", False)]
    assert rows[0].look[1] != rows[1].look[1]
    assert (rows[0].low, rows[0].high) == (pytest.approx(-0.41), pytest.approx(-0.14))


def test_a_reading_comes_back_as_it_was_kept(now: datetime) -> None:
    stored = reading(now)
    agent = the_agent()
    keep_reading(stored)
    agent.refresh_from_db()
    assert msgspec.convert(agent.reading, AgentReading) == stored
    line = part_of(stored, AgentNames.of([])).guarded[0]
    assert (line.difference, line.ends) == ("−2.9 points", "−4.1 … −1.4")


def test_a_pause_by_a_guardrail_leads_and_cannot_be_resumed(
    publisher: Client, looked: Callable[..., None], now: datetime
) -> None:
    looked()
    fired = {"rate": "leavers", "agent": 0.25, "rule": 0.01, "at": now.isoformat()}
    pause_agent(reason="in the shop's language", by=None, now=now, guardrail=fired)
    text = text_of(publisher)
    lead = text.split("How far it goes")[0]
    assert "Paused by a guardrail on" in lead
    assert "The agent's people leave more often than the rule's: 25.0% against 1.0%." in lead
    assert "It goes on after other rules are published, or an earlier night decides." in lead
    assert "in the shop's language" not in lead
    assert "Resume" not in lead
    assert text.count("A guardrail paused it, and nothing was changed since") == 2  # at Explores and at Acts
    answer = publisher.post(f"{PAGE}resume/", follow=True)
    assert "A guardrail paused it, and nothing was changed since" in answer.content.decode()
    assert the_agent().status == AgentStatus.PAUSED


def test_publishing_other_rules_leaves_the_chance_of_a_trial_alone(
    publisher: Client, watched: list[LiveCampaign], now: datetime
) -> None:
    """A guardrail had halved it; the form carries it on, and says what changes where it is typed."""
    live = the_agent().rules
    publish_agent_rules(replace(form_of(live), floor=0.01), note="dear", by=None, now=now)
    page = publisher.get(PAGE)
    form = page.context["form"]
    assert form["floor"].value() == "1"
    sent = {
        "levers": list(form["levers"].value()), "share": "30", "floor": form["floor"].value(), "note": "fewer people",
        "based_on": "2",
    }  # fmt: skip
    assert publisher.post(f"{PAGE}rules/", sent).status_code == 302
    assert (the_agent().rules.floor, the_agent().rules.share) == (0.01, 0.3)
    assert "Chance of a trial: 1.00% → 2.00%" in text_of(publisher, f"{PAGE}effect/", {**sent, "floor": "2"})
    assert publisher.post(f"{PAGE}rules/", {**sent, "floor": "3", "based_on": "3"}).status_code == 422


def test_the_page_keeps_to_its_queries_with_a_reading(viewer: Client, looked: Callable[..., None]) -> None:
    looked()
    viewer.get(PAGE)
    with CaptureQueriesContext(connection) as queries:
        assert viewer.get(PAGE).status_code == 200
    assert len(queries) <= 12
