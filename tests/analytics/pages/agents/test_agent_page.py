"""The page Agent: where it stands, each step with its refusal, a pause, an earlier night, and rules that count."""

from datetime import datetime, timedelta

import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from analytics.queries.agents.choices import week_beside
from analytics.queries.agents.learned import learned_part
from analytics.queries.agents.words import AgentNames, refusal_words
from analytics.templatetags.display import small_money
from recommendations.engine.push.agent.readiness import AgentRefusal, AgentRefusalCode
from recommendations.engine.push.agent.terms import AgentTermKind, Lever, Slot
from recommendations.models import Agent, AgentDecision, AgentRules, AgentVersion, AuditEntry, Message
from recommendations.push_terms import AgentStatus, MessageState
from recommendations.services.agents.days import pairs_since
from recommendations.services.agents.learning import make_version, night_of
from recommendations.services.agents.supervision import form_of, the_agent
from recommendations.services.push.sendings import LiveCampaign, decide_pushes
from recommendations.services.push_models.agent_facts import live_version
from recommendations.wording import agent_terms
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
    words_of,
)
from tests.services.agents.test_deciding import two_campaigns

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop_today")]
__all__ = ["_installed", "now", "publisher", "rules", "viewer", "watched"]
RULES = {"levers": [lever.value for lever in Lever], "share": "45", "floor": "2"}


def test_an_empty_page_says_what_to_do_first(viewer: Client) -> None:
    text = text_of(viewer)
    assert "First let it watch" in text
    assert "No decisions yet" in text
    assert "Let it watch first." in text
    assert "What it learned" not in text


def test_the_first_lines_say_what_it_would_have_done_in_the_week_of_the_figure(
    viewer: Client, now: datetime, watched: list[LiveCampaign]
) -> None:
    decide_pushes(now=now)  # today's decisions stand in the figure, and in the first lines as well
    decisions = list(AgentDecision.objects.filter(held=False))
    assert len({each.day for each in decisions}) == 2
    options = live_version(now=timezone.now()).menu.options  # type: ignore[union-attr]
    both = [each for each in decisions if each.agents >= 0]
    hour = sum(options[each.agents].slot != options[each.rule].slot for each in both)
    none = len(decisions) - len(both)
    assert hour
    text = text_of(viewer)
    said = f"In 7 days, of {len(decisions)} decisions it would send {hour} at another hour than the rule, {none} not at"
    assert said in text
    assert "The agent's people 0% · the rule's 90% · held out 10%" in text
    assert "Nobody got what the agent chose." in text


def test_what_its_own_people_got_is_told_apart_from_what_it_would_choose(
    viewer: Client, watched: list[LiveCampaign]
) -> None:
    """While it explores chance lets many wait whom it would write to: two numbers, and neither as the other."""
    keys = list(AgentDecision.objects.filter(held=False, agents__gte=0).values_list("pk", flat=True))
    AgentDecision.objects.filter(pk__in=keys[:7]).update(group="agent")
    AgentDecision.objects.filter(pk__in=keys[:5]).update(option=-1)
    AgentDecision.objects.filter(pk__in=keys[:4]).update(trial=True)
    text = text_of(viewer)
    assert "On its own people 7: 2 messages, 5 without one; 4 of both are trials, which chance drew against" in text
    assert "Nothing today 0" in text


def test_the_week_adds_up_to_the_decisions_on_both_sides(now: datetime, watched: list[LiveCampaign]) -> None:
    week = week_beside(
        pairs_since((now - timedelta(days=7)).date(), dict(AgentVersion.objects.values_list("pk", "menu")))
    )
    every = AgentDecision.objects.filter(held=False).count()
    assert sum(way.rule for way in week.ways) == sum(way.agents for way in week.ways) == week.decisions == every


def test_the_page_keeps_to_its_queries(publisher: Client, watched: list[LiveCampaign]) -> None:
    for address in (PAGE, f"{PAGE}?open=step&to=acts", f"{PAGE}effect/?levers=hour&share=45&floor=2"):
        publisher.get(address)
        with CaptureQueriesContext(connection) as queries:
            assert publisher.get(address).status_code == 200
        assert len(queries) <= 12, [each["sql"][:90] for each in queries]


def test_a_step_needs_a_note_and_a_refusal_says_what_is_missing(
    publisher: Client, viewer: Client, watched: list[LiveCampaign]
) -> None:
    assert "of 200 answers within 56 days: 200 are still missing." in text_of(
        publisher, PAGE, {"open": "step", "to": "acts"}
    )
    assert "Why (required)" not in text_of(viewer, PAGE, {"open": "step", "to": "acts"}).split("How far it goes")[0]
    answer = publisher.post(f"{PAGE}step/", {"to": "acts", "note": "go"})
    assert answer.status_code == 409
    assert "Not possible now. 0 of 200 answers within 56 days: 200 are still missing." in words_of(
        answer.content.decode()
    )
    assert publisher.post(f"{PAGE}step/", {"to": "explores", "note": " "}).status_code == 422
    assert the_agent().status == AgentStatus.WATCHES
    assert publisher.post(f"{PAGE}step/", {"to": "explores", "note": "for answers"}).status_code == 302
    assert the_agent().status == AgentStatus.EXPLORES
    assert AuditEntry.objects.filter(object_type="agent", note="for answers").exists()
    assert publisher.post(f"{PAGE}step/", {"to": "paused", "note": "x"}).status_code == 302
    assert publisher.post(f"{PAGE}step/", {"to": "nowhere", "note": "x"}).status_code == 302
    assert the_agent().status == AgentStatus.EXPLORES


def test_a_pause_is_one_click_and_the_rule_decides_the_next_pass(
    publisher: Client, viewer: Client, now: datetime
) -> None:
    two_campaigns(now)
    the_agent()
    Agent.objects.update(status=AgentStatus.ACTS)
    make_version(the_agent(), night=night_of(now), now=now)
    assert viewer.post(f"{PAGE}pause/").status_code == 403
    assert publisher.post(f"{PAGE}pause/").status_code == 302
    decide_pushes(now=now)
    assert not AgentDecision.objects.exists()
    assert "Resume" in text_of(publisher)
    assert publisher.post(f"{PAGE}pause/").status_code == 302  # twice changes nothing
    assert publisher.post(f"{PAGE}resume/").status_code == 302
    assert the_agent().status == AgentStatus.ACTS


def test_an_earlier_night_decides_again_with_a_note(
    publisher: Client, now: datetime, watched: list[LiveCampaign]
) -> None:
    first = AgentVersion.objects.get()
    later = make_version(the_agent(), night=night_of(now + timedelta(days=1)), now=now)
    address = {"open": "night", "night": f"{first.night}"}
    assert "Back to the night of" in text_of(publisher, PAGE, address)
    assert publisher.post(f"{PAGE}nights/", {"night": f"{first.night}"}).status_code == 422
    assert AgentVersion.objects.get(is_live=True) == later
    assert publisher.post(f"{PAGE}nights/", {"night": f"{first.night}", "note": "odd"}).status_code == 302
    assert AgentVersion.objects.get(is_live=True) == first
    for night in ("", "2020-01-01", "2020-13-45", "x"):
        assert publisher.post(f"{PAGE}nights/", {"night": night, "note": "odd"}).status_code == 404


def test_rules_are_published_with_a_note_and_the_next_decision_keeps_to_them(publisher: Client, now: datetime) -> None:
    own = two_campaigns(now)
    the_agent()
    Agent.objects.update(status=AgentStatus.ACTS)
    make_version(the_agent(), night=night_of(now), now=now)
    believe(scale=3.0)
    first = own[0].campaign.pk
    sent = {
        **RULES, "share": "80", "forbid_way": "hour:evening", "forbid_campaign": "all", "pin_way": "subject:1",
        "pin_campaign": f"{first}", "based_on": "1", "floor_subject": "1", "floor_campaign": f"{first}",
        "floor_percent": "5",
    }  # fmt: skip
    assert publisher.post(f"{PAGE}rules/", sent).status_code == 422
    assert publisher.post(f"{PAGE}rules/", {**sent, "note": "Quiet evenings"}).status_code == 302
    stored = the_agent().rules
    assert (stored.number, stored.share, stored.note) == (2, 0.8, "Quiet evenings")
    assert stored.forbids == [{"campaign": None, "lever": "hour", "value": "evening"}]
    assert stored.floors == [{"campaign": first, "variant": 1, "chance": 0.05}]
    decide_pushes(now=now)
    agents = set(AgentDecision.objects.filter(group="agent").values_list("customer", flat=True))
    messages = list(Message.objects.filter(customer__in=agents).exclude(state=MessageState.HELD))
    assert messages
    assert all(each.due_at.hour < 17 for each in messages)
    assert {each.variant for each in messages if each.campaign_id == first} <= {1}
    text = text_of(publisher)
    assert "Evening, 17–21 for all campaigns" in text
    kept = {**RULES, "based_on": "2", "note": "open again", "pins": [f"{first}|subject|1"]}
    assert publisher.post(f"{PAGE}rules/", kept).status_code == 302
    assert (the_agent().rules.forbids, len(the_agent().rules.pins), the_agent().rules.floors) == ([], 1, [])


def test_stale_and_broken_rules_are_refused_and_nothing_typed_is_lost(
    publisher: Client, now: datetime, watched: list[LiveCampaign]
) -> None:
    AgentRules.objects.create(number=2, note="other", **form_of(the_agent().rules).as_fields())
    Agent.objects.update(rules=AgentRules.objects.get(number=2))
    sent = {**RULES, "share": "60", "based_on": "1", "note": "mine"}
    answer = publisher.post(f"{PAGE}rules/", sent)
    assert answer.status_code == 409
    assert "a2 was published meanwhile" in words_of(answer.content.decode())
    assert answer.context["form"]["share"].value() == "60"
    for more in (
        {"levers": []}, {"share": "95"}, {"share": ""}, {"forbids": ["x"]}, {"pins": ["all|hour|midnight"]},
        {"pin_way": "subject:1", "pin_campaign": "all"}, {"floor_subject": "1"}, {"forbid_way": "hour:night"},
        {"floors": ["1|1|5"]}, {"forbids": ["1|2"]}, {"pins": ["all|whether|x"]},
    ):  # fmt: skip
        answer = publisher.post(f"{PAGE}rules/", {**sent, "based_on": "2", **more})
        assert answer.status_code == 422, more
        assert answer.context["form"].errors, more
    assert the_agent().rules.number == 2


def test_a_draft_says_in_how_many_decisions_it_would_have_chosen_otherwise(
    viewer: Client, watched: list[LiveCampaign]
) -> None:
    options = live_version(now=timezone.now()).menu.options  # type: ignore[union-attr]
    decisions = AgentDecision.objects.all()
    evening = sum(each.agents >= 0 and options[each.agents].slot is Slot.EVENING for each in decisions)
    assert evening
    sent = {**RULES, "forbid_way": "hour:evening", "forbid_campaign": "all"}
    page = viewer.get(f"{PAGE}effect/", sent)
    effect = page.context["effect"]
    assert effect.looked_at == decisions.count()
    assert evening <= effect.differing < effect.looked_at
    assert "Forbidden: nothing → Evening, 17–21 for all campaigns" in words_of(page.content.decode())
    assert "These are the rules that hold now." in text_of(viewer, f"{PAGE}effect/", RULES)  # type: ignore[arg-type]
    assert "these are no rules yet" in text_of(viewer, f"{PAGE}effect/", {"share": "x"})
    alone = viewer.get(f"{PAGE}effect/", {"levers": ["whether"], "share": "45", "floor": "2"}).context["effect"]
    assert alone.differing > 0


def test_what_it_learned_is_told_only_where_it_rests_on_answers(now: datetime, watched: list[LiveCampaign]) -> None:
    version = live_version(now=timezone.now())
    assert version is not None
    names, terms = AgentNames.of([]), version.menu.terms
    at = next(place for place, term in enumerate(terms) if term.kind is AgentTermKind.BROWSES)
    precision = version.belief.precision.copy()
    version.belief.mean[:] = 0.0
    version.belief.mean[at] = np.log(1.4)
    precision[at, at] = 5_000.0
    object.__setattr__(version.belief, "precision", precision)
    nothing = learned_part(version, names)
    assert nothing.known == []
    assert (str(names.term(terms[at], version.menu)), "100 answers are still missing") in nothing.unknown
    version.version.counts["terms"] = {term.code: 250.0 for term in terms}
    part = learned_part(version, names)
    assert part.known == ["People who browse answer 1.4 times as often for each step more (1.3–1.5)."]
    assert len(part.known) + len(part.unknown) == part.terms == len(terms) - 1
    assert {why for _name, why in part.unknown} == {"so far it cannot be told from chance"}


def test_money_has_cents_and_parts_of_one_only_below_it() -> None:
    amounts = (21.979, -0.393, 0.0049, -0.0001, 0.0)
    assert [small_money(each) for each in amounts] == ["$21.98", "−$0.39", "$0.005", "$0.00", "$0.00"]


def test_a_night_has_a_short_digest_and_the_whole_one_in_its_title(viewer: Client, watched: list[LiveCampaign]) -> None:
    digest = AgentVersion.objects.get().digest
    page = viewer.get(PAGE).content.decode()
    assert f'title="{digest}">{digest[:8]}<' in page


def test_every_term_and_every_refusal_has_its_words() -> None:
    kinds = {kind.value for kind in AgentTermKind}
    assert agent_terms.NAMES.keys() == agent_terms.LEARNED.keys() == kinds
    assert {code for code, _words in agent_terms.LEVERS} == {lever.value for lever in Lever}
    assert {code for code, _words in agent_terms.SLOTS} == {slot.value for slot in Slot}
    facts = {"there": 61.0, "needed": 100.0, "missing": 39.0, "share": 0.25, "most": 0.2, "days": 8.5, "half": 0.3}
    for code in AgentRefusalCode:
        text = refusal_words(AgentRefusal(code=code, facts=facts))
        assert text != "It cannot be done now."
        assert "%(" not in text


def test_caused_answers_are_told_only_where_enough_are_held_out(viewer: Client, watched: list[LiveCampaign]) -> None:
    text = text_of(viewer)
    assert "Answers of frequent buyers: not known, one half is assumed" in text
    prices = AgentVersion.objects.get().prices
    prices |= {"caused": [0.5, 0.5, 0.34], "halves": [None, None, 0.24], "held": [10, 10, 80]}
    AgentVersion.objects.update(prices=prices)
    text = text_of(viewer)
    assert "Of 100 answers of frequent buyers 66 would have come without a message (42–90)." in text
    assert "Answers of people who seldom buy: not known, one half is assumed (10 of 50 people held out)." in text


def test_rules_that_cannot_hold_together_are_refused_at_their_field(
    publisher: Client, now: datetime, watched: list[LiveCampaign]
) -> None:
    sent = {
        **RULES, "forbid_way": "hour:evening", "forbid_campaign": "all", "pin_way": "hour:evening",
        "pin_campaign": "all", "based_on": "1", "note": "so",
    }  # fmt: skip
    preview = words_of(publisher.get(f"{PAGE}effect/", sent).content.decode())
    assert "“Evening, 17–21” for all campaigns is pinned and forbidden at once" in preview
    assert "So these rules cannot be published." in preview
    answer = publisher.post(f"{PAGE}rules/", sent)
    assert answer.status_code == 422
    assert "is pinned and forbidden at once" in answer.context["form"].errors["pin_way"][0]
    assert "is pinned and forbidden at once" in words_of(answer.content.decode())
    third = {**RULES, "pin_way": "subject:2", "pin_campaign": f"{watched[0].campaign.pk}", "based_on": "1", "note": "x"}
    assert "has no “Subject 3”" in publisher.post(f"{PAGE}rules/", third).context["form"].errors["pin_way"][0]
    kept = {**RULES, "forbids": [f"all|hour|{slot}" for slot in Slot], "based_on": "1", "note": "so"}
    assert "nothing would be left" in publisher.post(f"{PAGE}rules/", kept).context["form"].errors["forbids"][0]
    assert the_agent().rules.number == 1
