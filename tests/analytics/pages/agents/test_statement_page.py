"""The monthly statement of the agent: the same sentences on the page and in both files, each from its figures."""

from dataclasses import replace
from datetime import datetime, timedelta

import msgspec
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from analytics.queries.agents.statements import statement_of
from recommendations.models import AgentRules, AgentStatement, AuditEntry, Staff
from recommendations.push_terms import AgentStatus
from recommendations.services.agents.statements import (
    LearnedFact,
    MonthChoices,
    StatementFacts,
    next_month,
    write_statements,
)
from recommendations.services.agents.supervision import form_of, let_go, pause_agent, publish_agent_rules, the_agent
from recommendations.services.push.sendings import LiveCampaign
from tests.analytics.pages.agents.test_worth import reading
from tests.analytics.pages.agents.watched import _installed, now, publisher, rules, text_of, viewer, watched

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop_today")]
__all__ = ["_installed", "now", "publisher", "rules", "viewer", "watched"]
PAGE = "/campaigns/agent/statements/"
COUNTS = MonthChoices(decisions=1_940, differing=212, own=1_500, sent=1_204, waits=296, trials=14, answered=61)
TERMS = [LearnedFact(code="browses", value=0.336, low=0.12, high=0.53)]


def stored(
    now: datetime, *, months_ago: int = 0, learned: list[LearnedFact] = TERMS, own: int = 1_500, looked: bool = True
) -> None:
    """A statement of a month, written after all rules of the agent; the earlier ones are over."""
    month = now.date().replace(day=1)
    for _each in range(months_ago):
        month = (month - timedelta(days=1)).replace(day=1)
    facts = StatementFacts(
        status="acts", rules=the_agent().rules.number, choices=msgspec.structs.replace(COUNTS, own=own),
        trial_cost=0.012, reading=reading(now) if own and looked else None,
        menu={"campaigns": [[1, 2]], "channels": ["email"], "extras": []}, learned=learned,
    )  # fmt: skip
    AgentStatement.objects.create(
        month=month, until=next_month(month) - timedelta(days=1) if months_ago else month,
        facts=msgspec.to_builtins(facts), written_at=now,
    )  # fmt: skip
    AgentRules.objects.update(created_at=now - timedelta(hours=1))


def test_without_one_the_page_says_when_the_first_comes(viewer: Client) -> None:
    text = text_of(viewer, PAGE)
    assert "No statement yet" in text
    assert "Download" not in text
    assert viewer.get(PAGE, {"month": "2020-01"}).status_code == 404


def test_it_says_what_was_decided_what_it_cost_and_what_it_is_worth(viewer: Client, now: datetime) -> None:
    stored(now)
    text = text_of(viewer, PAGE)
    for said in (
        "So far: what it decided until",
        "It is written anew each night.",
        "At the end: Acts, rules a1.",
        "May vary: Whether anything is sent today",
        "Acts on: 45%",
        "Chance of a trial: 2.00%",
        "1,940 decisions of a person's day; in 212 it would choose otherwise than the rule.",
        "On its own people 1,500: 1,204 messages, 296 without one; 14 of both are trials.",
        "Answered so far: 61.",
        "Trials cost 1.2% of what its decisions are worth.",
        "29% fewer leave than by the rule (14%–41%).",
        "Money beside the rule: not shown (−$1.20 … +$2.80 a head); below $1.90 none would be seen.",
        "People who leave: the agent's 7.1%, the rule's 10.0%, difference −2.9 points (−4.1 … −1.4).",
        "The agent's people: 800 (80%)",
        "New: People who browse answer 1.4 times as often for each step more (1.1–1.7).",
        "Nobody changed anything.",
    ):
        assert said in text, said


def test_in_the_shadow_nothing_is_compared(viewer: Client, now: datetime) -> None:
    stored(now, own=0)
    text = text_of(viewer, PAGE)
    assert "All in the shadow: nobody got what it chose." in text
    assert "It decided for nobody, so that there is nothing to compare." in text


def test_decisions_that_nobody_compared_yet_are_not_called_none(viewer: Client, now: datetime) -> None:
    stored(now, looked=False)
    text = text_of(viewer, PAGE)
    assert "It decided for nobody" not in text
    assert "Nothing was compared before this was written" in text


def test_acts_after_it_was_written_wait_for_the_next(viewer: Client, now: datetime) -> None:
    stored(now)
    publish_agent_rules(replace(form_of(the_agent().rules), share=0.3), note="Stocktaking", by=None, now=now)
    AuditEntry.objects.filter(object_type="agentrules").update(at=now + timedelta(minutes=1))
    assert "Stocktaking" not in text_of(viewer, PAGE)
    AgentStatement.objects.update(written_at=now + timedelta(minutes=2))
    assert "Stocktaking" in text_of(viewer, PAGE)


def test_what_people_did_stands_with_who_and_why(viewer: Client, now: datetime, watched: list[LiveCampaign]) -> None:
    ada = Staff.objects.create_user("ada@example.com", name="Ada Lind")
    publish_agent_rules(replace(form_of(the_agent().rules), share=0.3), note="fewer people", by=ada, now=now)
    pause_agent(reason="Stocktaking", by=None, now=now)
    let_go(AgentStatus.OFF, note="enough", by=ada, now=now)
    AuditEntry.objects.filter(object_type__startswith="agent").update(at=now)
    stored(now + timedelta(minutes=1))
    text = text_of(viewer, PAGE)
    assert "Ada Lind: published a2; Acts on: 45% → 30%. Why: fewer people" in text
    assert "the system: paused. Why: Stocktaking" in text
    assert "Ada Lind: step “Off”. Why: enough" in text
    AuditEntry.objects.filter(object_type="agent").update(at=now - timedelta(days=70))
    assert "Stocktaking" not in text_of(viewer, PAGE)


def test_an_act_without_an_object_ends_with_a_full_stop_in_chinese(viewer: Client, now: datetime) -> None:
    stored(now)
    AuditEntry.objects.create(object_type="agent", object_id="1", verb="practise")
    AuditEntry.objects.update(at=now - timedelta(minutes=1))
    text = viewer.get(PAGE, {"language": "zh-hans"}).content.decode()
    assert "练习了。" in text
    assert "\N{FULLWIDTH COLON}。" not in text


def test_what_was_known_a_month_ago_is_told_as_new_no_more_and_what_is_lost_as_such(now: datetime) -> None:
    other = LearnedFact(code="newness", value=-0.5, low=-0.8, high=-0.2)
    stored(now, months_ago=1, learned=[*TERMS, other])
    stored(now)
    told = statement_of("")
    assert told is not None
    [kept, lost] = told.parts()[-1].lines
    assert kept == "People who browse answer 1.4 times as often for each step more (1.1–1.7)."
    assert lost.startswith("No longer known: ")
    assert (told.is_over, len(told.months)) == (False, 2)


def test_an_earlier_month_is_whole_and_can_be_opened(viewer: Client, now: datetime) -> None:
    stored(now, months_ago=1, learned=[])
    stored(now)
    before = AgentStatement.objects.order_by("month")[0]
    text = text_of(viewer, PAGE, {"month": f"{before}"})
    assert "The whole month, written" in text
    assert "Nothing can be told from chance yet." in text
    for month in ("2026-13", "x", "0000-00"):
        assert viewer.get(PAGE, {"month": month}).status_code == 404


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "- 29% fewer leave than by the rule (14%–41%)."), ("zh-hans", "- 退订人数比按规则少 29%（14%–41%）。")],  # noqa: RUF001
)
def test_the_file_is_in_the_language_that_is_asked_for(viewer: Client, now: datetime, language: str, said: str) -> None:
    stored(now)
    answer = viewer.get(PAGE, {"language": language})
    name = f"agent-{now:%Y-%m}-{language}.txt"
    assert answer["Content-Disposition"] == f'attachment; filename="{name}"'
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert said in answer.content.decode().splitlines()
    assert viewer.get(PAGE, {"language": "fr"})["Content-Type"].startswith("text/html")


def test_a_statement_of_a_real_night_can_be_read(viewer: Client, now: datetime, watched: list[LiveCampaign]) -> None:
    assert write_statements(now=now) >= 1
    viewer.get(PAGE)
    with CaptureQueriesContext(connection) as queries:
        text = text_of(viewer, PAGE)
    assert "All in the shadow: nobody got what it chose." in text
    assert len(queries) <= 12
