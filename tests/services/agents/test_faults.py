"""Faults of the agent and between its acts: nobody is lost or gets two, and nothing is learned from twice."""

import uuid
from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from django.utils import timezone

from recommendations.engine.push.agent.belief import learn
from recommendations.engine.push.agent.points import OptionRule
from recommendations.engine.push.agent.readiness import AgentRefusalCode
from recommendations.engine.push.agent.terms import Lever, Slot
from recommendations.event_types import EventName
from recommendations.models import (
    Agent,
    AgentDecision,
    AgentVersion,
    AttributedLine,
    Considered,
    Customer,
    Message,
    MessageEvent,
    Occurrence,
    PressureRules,
)
from recommendations.push_terms import (
    SETTLED_CLICK,
    AgentGroup,
    AgentStatus,
    Channel,
    ConsentSource,
    ConsentState,
    MessageEventKind,
    MessageState,
    Purpose,
    Verdict,
)
from recommendations.services.agents import learning
from recommendations.services.agents.learning import learn_night, make_version, night_of
from recommendations.services.agents.readiness import why_not_act
from recommendations.services.agents.supervision import AgentForm, pause_agent, publish_agent_rules, the_agent
from recommendations.services.push import sendings
from recommendations.services.push.sendings import LOCK, LiveCampaign, decide_pushes
from recommendations.services.push_models.agent_facts import AgentState, live_version
from recommendations.store.advisory_lock import advisory_lock
from recommendations.store.agents import decision_log
from recommendations.store.contacts import ledger
from recommendations.store.contacts.ledger import Statement
from tests.services.agents.test_deciding import acting, believe, two_campaigns, verdicts_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop_today")]


def log() -> list[tuple[object, ...]]:
    fields = ("customer", "day", "rank", "version", "option", "group", "chance")
    return list(AgentDecision.objects.order_by("customer", "day", "rank").values_list(*fields))


def outbox_now() -> list[tuple[object, ...]]:
    fields = ("customer", "campaign", "key", "channel", "variant", "due_at", "state")
    return list(Message.objects.order_by("customer", "campaign", "key").values_list(*fields))


def decided(now: datetime, **form: object) -> list[LiveCampaign]:
    """Two campaigns, decided by an agent that believes in answers."""
    own = two_campaigns(now)
    acting(now, **form)  # type: ignore[arg-type]
    believe()
    decide_pushes(now=now)
    return own


def reach(customer: int) -> Message:
    """The message that somebody was sent, taken by the mail server."""
    message = Message.objects.get(customer=customer)
    Message.objects.filter(pk=message.pk).update(
        state=MessageState.TAKEN, handed_at=message.due_at, recommendation_id=f"r-{message.pk}"
    )
    return Message.objects.get(pk=message.pk)


def click(message: Message, *, told_as: str = SETTLED_CLICK, place: int = 0) -> None:
    MessageEvent.objects.create(
        message=message, kind=MessageEventKind.CLICKED, at=message.due_at, told_as=told_as, place=place
    )  # fmt: skip


def buy(message: Message, *, kept: bool = True) -> None:
    AttributedLine.objects.create(
        occurred_at=message.due_at, event_id=uuid.uuid4(), line=0, name=EventName.PURCHASE, item_id=message.items[0],
        amount=Decimal(5), kept=kept, recommendation_id=message.recommendation_id,
        placement="email", position=1, touch="event", replay=False,
    )  # fmt: skip


def someone() -> AgentDecision:
    """One of the agent's people whom a message goes to."""
    own = AgentDecision.objects.filter(group=AgentGroup.AGENT, held=False, option__gte=0).order_by("customer").first()
    assert own is not None
    return own


def closed(decision: AgentDecision, *, now: datetime) -> AgentDecision:
    decision_log.close(now=now + timedelta(days=9))
    return AgentDecision.objects.get(pk=decision.pk)


@pytest.mark.parametrize("fault", ["no version", "broken digest", "too old"])
def test_without_a_sound_version_the_rule_decides_and_no_message_is_lost(now: datetime, fault: str) -> None:
    own = two_campaigns(now)
    decide_pushes(now=now)
    rules_verdicts, rules_messages = verdicts_of(*own), outbox_now()
    for each in (Considered, Message, Occurrence):
        each.objects.all().delete()
    acting(now)
    believe(level=-12.0)  # it would send nothing
    match fault:
        case "no version":
            AgentVersion.objects.all().delete()
        case "broken digest":
            AgentVersion.objects.update(digest="0" * 32)
        case _:
            AgentVersion.objects.update(created_at=now - timedelta(days=7, minutes=1))
    decide_pushes(now=now)
    assert verdicts_of(*own) == rules_verdicts
    assert outbox_now() == rules_messages
    assert rules_messages
    refusal = why_not_act(the_agent(), AgentStatus.EXPLORES, now=now)
    assert refusal is not None
    assert refusal.code is (AgentRefusalCode.OLD_VERSION if fault == "too old" else AgentRefusalCode.NO_VERSION)


def test_a_night_that_fails_leaves_yesterday_to_decide_for_a_week(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_campaigns(now)
    acting(now)
    first = AgentVersion.objects.get()

    def fail(*_given: object, **_named: object) -> None:
        raise np.linalg.LinAlgError("singular")

    monkeypatch.setattr(learning, "learn", fail)
    with pytest.raises(np.linalg.LinAlgError):
        learn_night(now=now + timedelta(days=1))
    assert AgentVersion.objects.get() == first
    assert live_version(now=now + timedelta(days=6)) is not None
    monkeypatch.setattr(learning, "learn", learn)
    assert learn_night(now=now + timedelta(days=1)) is not None  # an hour later it is tried again


def test_a_version_that_is_published_after_a_decision_does_not_undo_it(now: datetime) -> None:
    own = decided(now)
    before, messages, verdicts = log(), outbox_now(), verdicts_of(*own)
    make_version(the_agent(), night=night_of(now + timedelta(days=1)), now=now)
    believe(level=-12.0, seed=2)  # this one would send nothing
    decide_pushes(now=now + timedelta(minutes=61))
    decide_pushes(now=now + timedelta(minutes=122))
    assert log() == before
    assert outbox_now() == messages
    later = verdicts_of(*own)
    agents = set(AgentDecision.objects.filter(group=AgentGroup.AGENT).values_list("customer", flat=True))
    goes = {key for key, verdict in verdicts.items() if key[1] in agents and verdict == Verdict.LATER}
    assert goes
    assert {later[key] for key in goes} == {Verdict.LATER}
    assert Verdict.WAITS not in {later[key] for key in later if key[1] in agents & {each for _, each in goes}}


@pytest.mark.parametrize("moment", ["before the first is written", "after the first"])
def test_a_pause_while_a_pass_goes_on_leaves_the_rest_to_the_rule(
    now: datetime, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    own = two_campaigns(now)
    acting(now)
    believe(level=-12.0)  # it would send nothing to anybody
    honest, asked = sendings.agent_stands, list[int]()

    def stands() -> AgentState:
        asked.append(1)
        if len(asked) == (2 if moment == "before the first is written" else 3):
            pause_agent(reason="at once", by=None, now=now)
        return honest()

    monkeypatch.setattr(sendings, "agent_stands", stands)
    decide_pushes(now=now)
    verdicts = verdicts_of(*own)
    waits = Counter(campaign for (campaign, _customer), verdict in verdicts.items() if verdict == Verdict.WAITS)
    first, second = Occurrence.objects.order_by("pk").values_list("campaign", flat=True)
    assert waits[second] == 0
    assert bool(waits[first]) is (moment == "after the first")
    assert len(verdicts) == 2 * Customer.objects.count()
    assert Message.objects.filter(state=MessageState.DUE).count() > 20  # none of them by the agent
    assert AgentDecision.objects.exists() is (moment == "after the first")


def test_of_two_deciders_one_goes_home_and_the_log_keeps_the_first_choice(now: datetime) -> None:
    two_campaigns(now)
    acting(now)
    believe()
    with advisory_lock(LOCK) as mine:
        assert mine
        assert decide_pushes(now=now) == 0
    assert not AgentDecision.objects.exists()
    decide_pushes(now=now)
    before = log()
    own = someone()
    twin = AgentDecision.objects.get(pk=own.pk)
    twin.pk, twin.option, twin.chance = None, own.option + 1, 0.5
    AgentDecision.objects.bulk_create([twin], ignore_conflicts=True)  # as a second one would write it
    assert log() == before


def test_a_clock_that_goes_back_makes_no_second_decision(now: datetime) -> None:
    decided(now)
    decide_pushes(now=now + timedelta(days=1, minutes=5))
    before, messages = log(), outbox_now()
    decide_pushes(now=now + timedelta(minutes=70))
    decide_pushes(now=now - timedelta(minutes=30))
    assert log() == before
    assert outbox_now() == messages
    assert set(Counter((customer, day, rank) for customer, day, rank, *_rest in before).values()) == {1}


def test_what_is_withdrawn_after_the_choice_is_no_outcome_and_is_not_learned_from(now: datetime) -> None:
    decided(now)
    own = someone()
    others = AgentDecision.objects.filter(held=False, option__gte=0).exclude(customer=own.customer_id)
    for each in others:
        reach(each.customer_id)
    said = Statement(
        contact=own.customer_id, channel=Channel.EMAIL, purpose=Purpose.FOR_YOU, state=ConsentState.WITHDRAWN,
        at=timezone.now(), source=ConsentSource.ONE_CLICK,
    )  # fmt: skip
    ledger.record([said])
    assert Message.objects.get(customer=own.customer_id).state == MessageState.WITHDRAWN
    after = closed(own, now=now)
    assert (after.answered, after.void, after.option, after.chance) == (False, True, own.option, own.chance)
    learned = decision_log.closed_decisions(since=own.day, until=own.day + timedelta(days=1))
    learned_of = {customer for each in learned for customer in each.customer.tolist()}
    assert own.customer_id not in learned_of
    assert {each.customer_id for each in others} <= learned_of


def test_a_pin_after_the_choice_lets_what_was_chosen_go(now: datetime) -> None:
    decided(now)
    before, messages = log(), outbox_now()
    pins = (OptionRule(None, Lever.HOUR, Slot.EVENING.value),)
    publish_agent_rules(AgentForm(share=0.8, pins=pins), note="evenings", by=None, now=now)
    decide_pushes(now=now + timedelta(minutes=61))
    assert log() == before
    assert outbox_now() == messages


def test_five_hundred_purchases_of_one_person_are_one_answer(now: datetime) -> None:
    decided(now)
    own = someone()
    message = reach(own.customer_id)
    click(message)
    click(message, place=3)
    for _ in range(500):
        buy(message)
    after = closed(own, now=now)
    assert (after.answered, after.void) == (True, False)
    assert decision_log.answers_since(own.day) == 1


@pytest.mark.parametrize("fault", ["a machine clicked", "nobody clicked", "all of it came back"])
def test_what_is_no_answer_of_a_person_is_none(now: datetime, fault: str) -> None:
    decided(now)
    own = someone()
    message = reach(own.customer_id)
    if fault != "nobody clicked":
        click(message, told_as="" if fault == "a machine clicked" else SETTLED_CLICK)
    buy(message, kept=fault != "all of it came back")
    assert closed(own, now=now).answered is False


def test_where_staff_settle_every_lever_the_groups_go_on_and_it_says_so(now: datetime) -> None:
    own = two_campaigns(now)
    first = own[0].campaign.pk
    pins = (
        OptionRule(None, Lever.CAMPAIGN, str(first)), OptionRule(None, Lever.SUBJECT, "0"),
        OptionRule(None, Lever.CHANNEL, "email"), OptionRule(None, Lever.HOUR, Slot.MIDDAY.value),
    )  # fmt: skip
    acting(now, pins=pins, levers=frozenset(set(Lever) - {Lever.WHETHER}))
    believe(scale=3.0)
    decide_pushes(now=now)
    agents = AgentDecision.objects.filter(group=AgentGroup.AGENT)
    assert agents.exists()
    assert AgentDecision.objects.filter(group=AgentGroup.RULE).exists()
    sent = Message.objects.filter(customer__in=agents.values("customer"))
    assert {(each.campaign_id, each.variant, 12 <= each.due_at.hour < 17) for each in sent} == {(first, 0, True)}
    assert not agents.filter(trial=True, option__gte=0, chance__lt=1).exists()
    refusal = why_not_act(the_agent(), AgentStatus.ACTS, now=now)
    assert refusal is not None
    assert refusal.code is AgentRefusalCode.NOTHING_TO_VARY
    assert Verdict.WAITS not in verdicts_of(*own).values()


def test_nobody_held_out_leaves_what_is_caused_at_a_half(now: datetime) -> None:
    PressureRules.objects.update(holdout=0.0)
    decided(now)
    assert not AgentDecision.objects.filter(held=True).exists()
    made = learn_night(now=now + timedelta(days=40))
    assert made is not None
    assert made.prices["caused"] == pytest.approx([0.5] * 3)
    refusal = why_not_act(the_agent(), AgentStatus.ACTS, now=now + timedelta(days=40))
    assert refusal is not None
    assert refusal.code is AgentRefusalCode.NO_HOLDOUT
    assert Agent.objects.get().status == AgentStatus.ACTS  # what it does goes on; the page says what is missing
