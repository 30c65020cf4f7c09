"""Guardrails of the agent: harm gives all to the rule, dear trials become rarer, one option for all is told."""

from datetime import timedelta

import pytest
from django.conf import LazySettings

from recommendations.engine.experiments.assignment import share_of
from recommendations.engine.push.agent.choice import FLOOR
from recommendations.engine.push.agent.points import OptionRule
from recommendations.engine.push.agent.readiness import AgentRefusalCode
from recommendations.engine.push.agent.terms import Lever
from recommendations.models import (
    Address,
    Agent,
    AgentRules,
    AgentVersion,
    AuditEntry,
    Contact,
    Message,
    MessageEvent,
    PressureRules,
)
from recommendations.push_terms import AddressState, AgentGroup, AgentStatus, Channel, MessageEventKind, MessageState
from recommendations.services.agents.guarding import AgentAlertKind, agent_alerts, trial_cost_of_week, watch_agent
from recommendations.services.agents.readiness import record_now
from recommendations.services.agents.readings import latest_reading
from recommendations.services.agents.supervision import (
    AgentForm,
    AgentRefusedError,
    let_go,
    pause_agent,
    publish_agent_rules,
    resume_agent,
    roll_back,
)
from recommendations.services.campaigns.pressure import season_salt
from recommendations.store.agents import decision_log
from tests.agent_records import MENU, agent, decisions, people, version
from tests.push_records import NOW, campaign, pressure

pytestmark = pytest.mark.django_db
SINCE = NOW - timedelta(days=30)
DAY = (NOW - timedelta(days=10)).date()
YESTERDAY = (NOW - timedelta(days=1)).date()
PEOPLE, HELD = 400, 40


@pytest.fixture(autouse=True)
def rules(settings: LazySettings) -> PressureRules:
    settings.SHOP_TIME_ZONE = "UTC"
    return pressure(holdout=0.1, lost_contact=5.0)


def groups(rules: PressureRules) -> tuple[list[int], list[int]]:
    """The agent's people and the rule's, all with a decision of one day; each has an address."""
    own, customers = agent(SINCE), _of_whom_are_held(rules, people(2 * PEOPLE))
    decisions(customers, DAY, version(DAY))
    Contact.objects.bulk_create(Contact(customer_id=each, language="en") for each in customers)
    Address.objects.bulk_create(
        Address(contact_id=each, channel=Channel.EMAIL, sealed=b"", digest=bytes(f"{each}", "ascii"),
                state=AddressState.ACTIVE)
        for each in customers
    )  # fmt: skip
    written = [each for each in customers if share_of(season_salt(rules), each) >= rules.holdout]
    mine = {each for each in written if share_of(own.salt.encode(), each) < own.rules.share}
    return sorted(mine), [each for each in written if each not in mine]


def _of_whom_are_held(rules: PressureRules, customers: list[int]) -> list[int]:
    """So many of the customers as are wanted, a tenth of them held out whatever their keys are."""
    held = [each for each in customers if share_of(season_salt(rules), each) < rules.holdout]
    others = [each for each in customers if each not in {*held}]
    return sorted([*held[:HELD], *others[: PEOPLE - HELD]])


def send(customers: list[int], number: int = 1) -> list[Message]:
    address = dict(Address.objects.values_list("contact", "pk"))
    made = []
    for round_ in range(number):
        own = campaign(f"c{Message.objects.count()}-{round_}")
        made += Message.objects.bulk_create(
            Message(
                campaign=own.campaign, version=own.version, occurrence=own, key="1", customer_id=each, contact=each,
                channel=Channel.EMAIL, address_id=address[each], state=MessageState.TAKEN,
                due_at=NOW - timedelta(days=3), handed_at=NOW - timedelta(days=3), expires_at=NOW,
            )
            for each in customers
        )  # fmt: skip
    return made


def note(messages: list[Message], kind: MessageEventKind, *, hours: int = 1) -> None:
    at = NOW - timedelta(days=2) + timedelta(hours=hours)
    MessageEvent.objects.bulk_create(
        MessageEvent(message=each, kind=kind, at=at, told_as=f"{kind}") for each in messages
    )


def test_more_leavers_than_by_the_rule_pause_the_agent_and_say_so(rules: PressureRules) -> None:
    mine, others = groups(rules)
    sent = send(mine)
    note(sent[: len(sent) // 4], MessageEventKind.UNSUBSCRIBED)
    note(send(others)[:2], MessageEventKind.UNSUBSCRIBED)
    assert watch_agent(now=NOW) == 1
    stands = Agent.objects.get()
    assert (stands.status, stands.was) == (AgentStatus.PAUSED, AgentStatus.ACTS)
    assert stands.paused_reason.startswith("The agent's people leave more often than the rule's: 2")
    assert AuditEntry.objects.filter(verb="pause").exists()
    assert (stands.guardrail["rate"], stands.guardrail["at"]) == ("leavers", NOW.isoformat())
    assert watch_agent(now=NOW) == 0  # the rule decides by now


def test_what_a_guardrail_paused_acts_again_only_after_something_was_changed(rules: PressureRules) -> None:
    mine, others = groups(rules)
    note(send(mine)[::4], MessageEventKind.UNSUBSCRIBED)
    note(send(others)[:2], MessageEventKind.UNSUBSCRIBED)
    watch_agent(now=NOW)
    assert record_now(Agent.objects.get(), now=NOW).guardrail_fired
    with pytest.raises(AgentRefusedError) as refused:
        resume_agent(by=None, now=NOW)
    assert refused.value.refusal.code is AgentRefusalCode.GUARDRAIL
    let_go(AgentStatus.OFF, note="look at it", by=None, now=NOW)
    with pytest.raises(AgentRefusedError):
        let_go(AgentStatus.ACTS, note="go on", by=None, now=NOW)
    publish_agent_rules(AgentForm(share=0.1), note="fewer people", by=None, now=NOW)
    assert not record_now(Agent.objects.get(), now=NOW).guardrail_fired


def test_an_earlier_night_lifts_what_a_guardrail_closed_and_a_pause_by_hand_closes_nothing() -> None:
    agent(SINCE)
    pause_agent(reason="by hand", by=None, now=NOW)
    assert resume_agent(by=None, now=NOW).status == AgentStatus.ACTS
    pause_agent(reason="harm", by=None, now=NOW, guardrail={"rate": "leavers"})
    roll_back(version(DAY), note="odd since then", by=None)
    assert resume_agent(by=None, now=NOW).status == AgentStatus.ACTS


def test_each_look_is_kept_with_the_groups_and_what_trials_cost(rules: PressureRules) -> None:
    groups(rules)
    assert latest_reading(Agent.objects.get()) is None
    assert watch_agent(now=NOW) == 0
    look = latest_reading(Agent.objects.get())
    assert look is not None
    assert (look.at, look.since, look.everybody) == (NOW, SINCE, PEOPLE)
    assert look.refusal is not None
    assert look.refusal.code == "too_few_people"  # held out
    assert look.guarded["leavers"].high is None  # nobody left, so that nothing varies
    assert look.trials is None  # nothing was decided in seven days
    let_go(AgentStatus.OFF, note="enough", by=None, now=NOW)
    assert latest_reading(Agent.objects.get()) is None  # it is of another step


def test_who_came_back_has_not_left_and_as_many_on_both_sides_are_no_harm(rules: PressureRules) -> None:
    mine, others = groups(rules)
    sent, beside = send(mine), send(others)
    note(sent[: len(sent) // 4], MessageEventKind.UNSUBSCRIBED)
    note(sent[: len(sent) // 4], MessageEventKind.RESUBSCRIBED, hours=2)
    note([*sent[:8], *beside[:8]], MessageEventKind.COMPLAINED)
    assert watch_agent(now=NOW) == 0
    assert Agent.objects.get().status == AgentStatus.ACTS


def test_more_messages_a_head_pause_the_agent(rules: PressureRules) -> None:
    mine, others = groups(rules)
    send(mine, 3)
    send(mine[::2])
    send(others)
    send(others[::2])
    assert watch_agent(now=NOW) == 1
    assert "get more messages than the rule's: 3.5 against 1.5" in Agent.objects.get().paused_reason


def test_more_complaints_pause_the_agent(rules: PressureRules) -> None:
    mine, others = groups(rules)
    note(send(mine)[::5], MessageEventKind.COMPLAINED)
    note(send(others)[::50], MessageEventKind.UNSUBSCRIBED)
    assert watch_agent(now=NOW) >= 1
    assert Agent.objects.get().status == AgentStatus.PAUSED


def test_below_fifty_people_a_side_nothing_is_judged(rules: PressureRules) -> None:
    own, customers = agent(SINCE), people(60)
    decisions(customers, DAY, version(DAY))
    assert (watch_agent(now=NOW), own.status) == (0, AgentStatus.ACTS)


def test_dear_trials_halve_the_floor_once_a_week_and_never_below_an_eighth() -> None:
    agent(SINCE)
    customers, own = people(80), version(DAY, level=-9.0)  # nothing is worth it, so that trials cost and bring nothing
    PressureRules.objects.update(prices={"email": 0.5, "web_push": 0.5})
    floors = []
    for week in range(5):
        now = NOW + timedelta(days=9 * week)
        decisions(customers, (now - timedelta(days=2)).date(), own, option=-1)
        floors.append((watch_agent(now=now), Agent.objects.get().rules.floor))
        assert watch_agent(now=now + timedelta(hours=1)) == 0
    assert floors == [(1, FLOOR / 2), (1, FLOOR / 4), (1, FLOOR / 8), (0, FLOOR / 8), (0, FLOOR / 8)]
    rules = Agent.objects.get().rules
    assert (rules.number, rules.author) == (4, None)
    assert rules.note.endswith("half as many from now on.")
    [alert] = agent_alerts(now=NOW)
    assert (alert.kind, alert.facts) == (AgentAlertKind.FEWER_TRIALS, {"floor": FLOOR / 8, "usual": FLOOR})


def test_rules_that_change_something_else_leave_the_week_of_the_floor_alone() -> None:
    own = agent(SINCE)
    decisions(people(80), (NOW - timedelta(days=2)).date(), version(DAY, level=-9.0), option=-1)
    PressureRules.objects.update(prices={"email": 0.5, "web_push": 0.5})
    own.rules = AgentRules.objects.create(
        number=2, share=0.4, levers=own.rules.levers, created_at=NOW - timedelta(hours=1)
    )
    own.save()
    assert watch_agent(now=NOW) == 1
    assert Agent.objects.get().rules.share == 0.4


def test_trials_that_hardly_cost_are_left_alone() -> None:
    agent(SINCE)
    decisions(people(80), (NOW - timedelta(days=2)).date(), version(DAY, level=-1.0))
    cost = trial_cost_of_week(Agent.objects.get().rules, now=NOW)
    assert cost is not None
    assert 0 < cost.cost < 0.05 * cost.value
    assert (watch_agent(now=NOW), Agent.objects.get().rules.floor) == (0, FLOOR)
    assert agent_alerts(now=NOW) == []


def test_one_option_for_nine_of_ten_messages_of_a_day_is_told() -> None:
    own = agent(SINCE)
    customers, night = people(100), version(DAY)
    decisions(customers[:95], YESTERDAY, night, option=3)
    decisions(customers[95:], YESTERDAY, night, option=5)
    [alert] = agent_alerts(now=NOW)
    assert (alert.kind, alert.option) == (AgentAlertKind.ONE_OPTION, MENU.options[3])
    assert alert.facts == {"share": 0.95, "messages": 100.0}
    assert agent_alerts(now=NOW + timedelta(days=1)) == []  # of another day
    own.rules.pins = [{"campaign": 1, "lever": Lever.CHANNEL, "value": MENU.options[3].channel}]
    own.rules.save()
    assert OptionRule(1, Lever.CHANNEL, MENU.options[3].channel).matches(MENU.options[3])
    assert agent_alerts(now=NOW) == []


@pytest.mark.parametrize(
    ("most", "number", "allowed"), [(49, 49, range(12)), (89, 100, range(12)), (100, 100, [3])],
    ids=["too few messages", "nine of ten", "nothing else was allowed"],
)  # fmt: skip
def test_no_wonder_is_told(most: int, number: int, allowed: list[int]) -> None:
    agent(SINCE)
    customers, night = people(number), version(DAY)
    decisions(customers[:most], YESTERDAY, night, option=3, allowed=allowed)
    decisions(customers[most:], YESTERDAY, night, option=5, allowed=allowed)
    decisions(customers, (NOW - timedelta(days=2)).date(), night, option=3, rank=1)
    assert agent_alerts(now=NOW) == []


def test_only_the_agents_own_decisions_count() -> None:
    agent(SINCE)
    customers, night = people(100), version(DAY)
    decisions(customers[:50], YESTERDAY, night, option=3, group=AgentGroup.RULE)
    decisions(customers[50:], YESTERDAY, night, option=3, held=True)
    assert agent_alerts(now=NOW) == []
    assert trial_cost_of_week(Agent.objects.get().rules, now=NOW) is None


def test_of_many_decisions_those_of_some_people_tell_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    agent(SINCE)
    decisions(people(400), YESTERDAY, version(DAY), option=3)
    whole = trial_cost_of_week(Agent.objects.get().rules, now=NOW)
    monkeypatch.setattr(decision_log, "MOST_LOOKED_AT", 150)
    some = trial_cost_of_week(Agent.objects.get().rules, now=NOW)
    assert whole is not None
    assert some is not None
    assert some.value < whole.value / 2
    assert some.share == pytest.approx(whole.share)
    assert [alert.kind for alert in agent_alerts(now=NOW)] == [AgentAlertKind.ONE_OPTION]


def test_a_version_that_is_broken_by_now_tells_nothing() -> None:
    agent(SINCE)
    decisions(people(80), YESTERDAY, version(DAY), option=-1)
    AgentVersion.objects.update(digest="0" * 32)
    cost = trial_cost_of_week(Agent.objects.get().rules, now=NOW)
    assert cost is not None
    assert (cost.cost, cost.is_dear, watch_agent(now=NOW)) == (0, False, 0)
