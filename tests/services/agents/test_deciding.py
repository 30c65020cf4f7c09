"""The agent in the decision: what it watches, what it does for its people, and what it can never do."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from django.utils import timezone

from recommendations.engine.push.agent import choosing
from recommendations.engine.push.agent.belief import draws_of
from recommendations.engine.push.agent.points import OptionRule
from recommendations.engine.push.agent.terms import SLOT_HOURS, Lever, Slot
from recommendations.models import (
    Agent,
    AgentDecision,
    AgentVersion,
    Campaign,
    Considered,
    Customer,
    Message,
    Occurrence,
    PressureRules,
)
from recommendations.push_terms import SENDING, AgentStatus, Channel, MessageState, Purpose, Verdict
from recommendations.services.agents.learning import learn_night, make_version, night_of
from recommendations.services.agents.supervision import (
    AgentForm,
    AgentRefusedError,
    let_go,
    pause_agent,
    publish_agent_rules,
    resume_agent,
    roll_back,
    the_agent,
)
from recommendations.services.push.deciding import Ground
from recommendations.services.push.sendings import LiveCampaign, decide_pushes, plan
from recommendations.services.push_models.agent_facts import live_version
from recommendations.services.push_models.agent_versions import fields_of
from recommendations.simulation.message_lists import current_snapshot
from recommendations.store.agents.outcomes import COULD_GO, outcomes_since
from tests.push_records import contact
from tests.services.campaigns.test_form import what
from tests.services.push.test_sendings import campaign

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop_today")]
PEOPLE = 40
ZONE = ZoneInfo("UTC")


def two_campaigns(now: datetime) -> list[LiveCampaign]:
    """Two campaigns that want forty people, each with two subjects."""
    for number in range(PEOPLE):
        contact(f"u{number}")
    texts = {"en": {"subjects": ["One", "Two"], "heading": "Hello"}}
    return [
        campaign(f"c{number}", now, parts={"what": what(texts=texts, blocks=[{"placement": name, "n": 4}])})
        for number, name in enumerate(("home", "discover"))
    ]  # fmt: skip


def acting(now: datetime, *, share: float = 0.8, **form: object) -> Agent:
    """The agent acts, whatever its data carry."""
    let_go(AgentStatus.WATCHES, note="to see", by=None, now=now)
    publish_agent_rules(AgentForm(share=share, **form), note="so far", by=None, now=now)  # type: ignore[arg-type]
    Agent.objects.update(status=AgentStatus.ACTS)
    return Agent.objects.get()


def believe(mean: np.ndarray | None = None, *, level: float = -2.0, scale: float = 0.0, seed: int = 1) -> None:
    """A version that believes in answers, so that sending is worth it; ``scale`` adds a hostile noise."""
    version = live_version(now=timezone.now())
    assert version is not None
    own = version.belief.start.copy() if mean is None else mean
    own[0] = level
    own = own + scale * np.random.default_rng(seed).normal(size=len(own))
    belief = replace(version.belief, mean=own)
    fields = fields_of(belief, draws_of(belief, seed=seed), version.scales, version.prices)
    AgentVersion.objects.filter(pk=version.version.pk).update(**fields)


def verdicts_of(*campaigns: LiveCampaign) -> dict[tuple[int, int], str]:
    stored = Considered.objects.filter(occurrence__campaign__in=[each.campaign.pk for each in campaigns])
    return {(each.occurrence.campaign_id, each.customer_id): each.verdict for each in stored}


def test_whom_a_budget_stops_counts_among_the_people_of_their_group(now: datetime) -> None:
    """Else whoever waits would count, and whoever was chosen for and came too late would not."""
    for number in range(PEOPLE):
        contact(f"u{number}")
    own = campaign("c", now, parts={"safety": {"per_day": 5}})
    acting(now, share=0.5)
    believe(level=-8.0)  # the agent lets all of its people wait
    decide_pushes(now=now)
    verdicts = Counter(verdicts_of(own).values())
    assert min(verdicts[Verdict.WAITS], verdicts[Verdict.OVER_BUDGET]) > 5
    outcomes = outcomes_since(
        now, zone="UTC", days=timedelta(days=56), before=timedelta(days=28), now=now + timedelta(days=1)
    )
    wanted = {customer for (_campaign, customer), verdict in verdicts_of(own).items() if verdict in COULD_GO}
    assert set(outcomes.customer.tolist()) >= wanted
    assert AgentDecision.objects.count() < len(outcomes)


def test_a_short_budget_takes_the_same_people_whoever_chose(now: datetime) -> None:
    for number in range(PEOPLE):
        contact(f"u{number}")
    own = campaign("c", now, parts={"safety": {"per_day": 10}})
    decide_pushes(now=now)
    plain = {customer for (_campaign, customer), verdict in verdicts_of(own).items() if verdict in SENDING}
    assert len(plain) == 10
    Considered.objects.all().delete()
    Message.objects.all().delete()
    Occurrence.objects.all().delete()
    acting(now, share=0.5)
    believe(level=2.0)  # to the agent every message is worth a lot
    decide_pushes(now=now)
    verdicts = {customer: verdict for (_campaign, customer), verdict in verdicts_of(own).items()}
    waiting = {customer for customer, verdict in verdicts.items() if verdict == Verdict.WAITS}
    assert plain - waiting <= {customer for customer, verdict in verdicts.items() if verdict in SENDING}


def test_without_an_agent_nothing_is_logged(now: datetime) -> None:
    two_campaigns(now)
    decide_pushes(now=now)
    assert not AgentDecision.objects.exists()
    assert not Agent.objects.exists()


def test_while_it_watches_the_rule_sends_and_every_decision_is_there_with_its_chance(now: datetime) -> None:
    own = two_campaigns(now)
    decide_pushes(now=now)
    plain = verdicts_of(*own)
    Considered.objects.all().delete()
    Message.objects.all().delete()
    Occurrence.objects.all().delete()
    let_go(AgentStatus.WATCHES, note="to see what it would do", by=None, now=now)
    decide_pushes(now=now)
    assert verdicts_of(*own) == plain
    decisions = list(AgentDecision.objects.all())
    sent = set(Message.objects.values_list("customer", flat=True))
    assert {each.customer_id for each in decisions} == sent
    assert {each.chance for each in decisions} == {1.0}
    assert all(each.option == each.rule >= 0 for each in decisions)
    assert {each.agents for each in decisions} != {each.rule for each in decisions}
    assert any(each.held for each in decisions)
    decide_pushes(now=now + timedelta(minutes=61))
    assert AgentDecision.objects.count() == len(decisions)


def test_its_people_get_one_message_a_day_or_wait_and_the_counts_add_up(now: datetime) -> None:
    own = two_campaigns(now)
    acting(now)
    PressureRules.objects.update(prices={"email": 2.0})  # worth it to some of them
    believe(level=-2.0, scale=0.6)
    decide_pushes(now=now)
    decisions = {each.customer_id: each for each in AgentDecision.objects.all()}
    agents = {key for key, each in decisions.items() if each.group == "agent"}
    assert 20 <= len(agents) <= 40
    counts = Counter(verdicts_of(*own).values())
    assert sum(counts.values()) == 2 * Customer.objects.count()
    waits = {customer for (_campaign, customer), verdict in verdicts_of(*own).items() if verdict == Verdict.WAITS}
    assert waits <= agents
    assert waits
    menu = live_version(now=now).menu  # type: ignore[union-attr]
    for message in Message.objects.filter(customer__in=agents):
        option = menu.options[decisions[message.customer_id].option]
        first, end = SLOT_HOURS[option.slot]
        assert (message.campaign_id, message.variant, message.channel) == (
            option.campaign,
            option.variant,
            option.channel,
        )
        assert first <= message.due_at.astimezone(ZONE).hour < end
    chances = [np.frombuffer(bytes(each.chances), "<f4") for each in decisions.values()]
    assert all(abs(float(each.sum()) - 1) < 1e-6 for each in chances)


def test_the_plan_is_the_sending_with_the_agent_on(now: datetime, rules: PressureRules) -> None:
    own = two_campaigns(now)
    acting(now)
    believe()
    ground = Ground(snapshot=current_snapshot(), rules=rules, now=now)
    planned = {
        (each.campaign.pk, one.case.customer): (one.verdict, one.items, one.due_at)
        for each in own
        for one in plan(each, ground=ground)
    }
    decide_pushes(now=now)
    stored = {
        (each.occurrence.campaign_id, each.customer_id): (Verdict(each.verdict), tuple(each.items), each.due_at)
        for each in Considered.objects.select_related("occurrence")
    }
    assert stored == planned
    assert Counter(verdict for verdict, _items, _due in stored.values())[Verdict.LATER] > 10


def test_a_later_pass_of_the_day_repeats_itself(now: datetime) -> None:
    own = two_campaigns(now)
    acting(now)
    believe(level=-12.0)
    decide_pushes(now=now)
    first = verdicts_of(*own)
    waiting = {key for key, verdict in first.items() if verdict == Verdict.WAITS}
    decide_pushes(now=now + timedelta(hours=2))
    later = verdicts_of(*own)
    assert waiting
    assert {later[key] for key in waiting} == {Verdict.WAITS}


def test_what_was_chosen_of_a_day_holds_for_a_campaign_that_the_night_does_not_know(now: datetime) -> None:
    own = two_campaigns(now)
    PressureRules.objects.update(caps=[])
    acting(now)
    believe(level=-12.0)
    decide_pushes(now=now)
    sent = AgentDecision.objects.filter(group="agent", held=False).first()
    assert sent is not None
    AgentDecision.objects.filter(pk=sent.pk).update(option=0, campaign=own[0].campaign.pk)
    chosen = {each.customer_id: each for each in AgentDecision.objects.filter(group="agent", held=False)}
    assert len(chosen) > 10
    late = campaign("c2", now + timedelta(minutes=20), parts={"what": what(blocks=[{"placement": "home", "n": 4}])})
    version = live_version(now=now)
    assert version is not None
    assert late.campaign.pk not in {each.campaign for each in version.menu.campaigns}
    decide_pushes(now=now + timedelta(minutes=30))  # the others are not looked at again before an hour is over
    verdicts = {customer: verdict for (_campaign, customer), verdict in verdicts_of(late).items()}
    for customer, each in chosen.items():
        assert verdicts[customer] == (Verdict.WAITS if each.option < 0 else Verdict.OUTRANKED)
    lost = Considered.objects.filter(occurrence__campaign=late.campaign, verdict=Verdict.OUTRANKED)
    assert {each.lost_to_id for each in lost} <= {each.campaign.pk for each in own}
    assert {verdict for customer, verdict in verdicts.items() if customer not in chosen} >= {Verdict.LATER}
    assert AgentDecision.objects.filter(customer__in=chosen).count() == len(chosen)


@pytest.mark.parametrize("seed", range(3))
def test_a_hostile_agent_breaks_no_cap_no_quiet_hour_and_no_consent(now: datetime, seed: int) -> None:
    own = two_campaigns(now)
    silent = Customer.objects.filter(contact__isnull=False).order_by("pk").first()
    assert silent is not None
    silent.contact.permissions.all().delete()
    acting(now)
    believe(scale=50.0, seed=seed)
    for hours in (0, 2, 26, 28):
        Occurrence.objects.update(due_at=now)
        decide_pushes(now=now + timedelta(hours=hours))
    messages = list(Message.objects.exclude(state=MessageState.HELD).order_by("customer", "due_at"))
    assert not [each for each in messages if each.customer_id == silent.pk]
    assert all(8 <= each.due_at.astimezone(ZONE).hour < 21 for each in messages)
    for before, after in pairwise(messages):
        assert before.customer_id != after.customer_id or after.due_at - before.due_at >= timedelta(hours=24)
    assert len(own) == 2


def test_what_staff_forbid_or_pin_is_never_chosen(now: datetime) -> None:
    own = two_campaigns(now)
    first = own[0].campaign.pk
    acting(
        now, forbids=(OptionRule(None, Lever.HOUR, Slot.EVENING.value),),
        pins=(OptionRule(first, Lever.SUBJECT, "1"),),
    )  # fmt: skip
    believe(scale=3.0)
    decide_pushes(now=now)
    agents = set(AgentDecision.objects.filter(group="agent").values_list("customer", flat=True))
    messages = list(Message.objects.filter(customer__in=agents))
    assert messages
    assert all(each.due_at.astimezone(ZONE).hour < 17 for each in messages)
    assert {each.variant for each in messages if each.campaign_id == first} <= {1}


def test_a_lever_that_may_not_vary_is_as_the_rule_has_it(now: datetime) -> None:
    two_campaigns(now)
    acting(now, levers=frozenset({Lever.WHETHER}))
    believe()
    decide_pushes(now=now)
    for each in AgentDecision.objects.filter(group="agent"):
        assert each.option in {each.rule, choosing.NOT_NOW}


def test_where_it_may_not_decide_whether_nobody_waits(now: datetime) -> None:
    own = two_campaigns(now)
    acting(now, levers=frozenset(set(Lever) - {Lever.WHETHER}))
    decide_pushes(now=now)
    assert AgentDecision.objects.filter(group="agent").exists()
    assert not AgentDecision.objects.filter(option=choosing.NOT_NOW).exists()
    assert Verdict.WAITS not in verdicts_of(*own).values()


def test_a_pause_gives_everybody_to_the_rule_at_the_next_pass_and_it_goes_on_from_there(now: datetime) -> None:
    own = two_campaigns(now)
    acting(now)
    pause_agent(reason="to look", by=None, now=now)
    decide_pushes(now=now)
    assert Verdict.WAITS not in verdicts_of(*own).values()
    assert not AgentDecision.objects.exists()
    assert resume_agent(by=None, now=now).status == AgentStatus.ACTS


def test_a_broken_or_old_version_leaves_the_rule_alone(now: datetime) -> None:
    own = two_campaigns(now)
    acting(now)
    AgentVersion.objects.update(digest="0" * 32)
    assert live_version(now=now) is None
    AgentVersion.objects.all().delete()
    make_version(the_agent(), night=night_of(now), now=now)
    AgentVersion.objects.update(created_at=now - timedelta(days=8))
    assert live_version(now=now) is None
    decide_pushes(now=now)
    assert set(verdicts_of(*own).values()) <= set(Verdict) - {Verdict.WAITS}
    assert not AgentDecision.objects.exists()


def test_who_objects_is_never_the_agents(now: datetime) -> None:
    own = two_campaigns(now)
    for each in own:
        Campaign.objects.filter(pk=each.campaign.pk).update(purpose=Purpose.NEWS)
    Customer.objects.update(personalise=False)
    acting(now)
    decide_pushes(now=now)
    assert not AgentDecision.objects.exists()
    assert Message.objects.exclude(state=MessageState.HELD).exists()


def test_two_channels_are_chosen_of_where_both_reach(now: datetime) -> None:
    two_campaigns(now)
    let_go(AgentStatus.WATCHES, note="see", by=None, now=now)
    version = live_version(now=now)
    assert version is not None
    assert version.menu.channels == (Channel.EMAIL,)


def test_the_same_night_seed_and_data_give_the_same_version(now: datetime) -> None:
    two_campaigns(now)
    let_go(AgentStatus.WATCHES, note="see", by=None, now=now)
    decide_pushes(now=now)
    later = now + timedelta(days=9)
    first = learn_night(now=later)
    assert first is not None
    assert learn_night(now=later) is None
    assert first.counts["decisions"] > 0
    digest, mean = first.digest, bytes(first.mean)
    first.delete()
    AgentVersion.objects.order_by("night").first().__class__.objects.update(is_live=True)
    again = learn_night(now=later)
    assert again is not None
    assert (again.digest, bytes(again.mean)) == (digest, mean)


def test_it_may_not_act_before_there_are_answers(now: datetime) -> None:
    two_campaigns(now)
    let_go(AgentStatus.WATCHES, note="see", by=None, now=now)
    decide_pushes(now=now)
    with pytest.raises(AgentRefusedError) as refused:
        let_go(AgentStatus.ACTS, note="go", by=None, now=now)
    assert refused.value.refusal.code == "too_few_answers"
    assert refused.value.refusal.facts == {"there": 0, "needed": 200, "missing": 200}


def test_an_earlier_night_decides_again(now: datetime) -> None:
    two_campaigns(now)
    let_go(AgentStatus.WATCHES, note="see", by=None, now=now)
    first = AgentVersion.objects.get()
    second = make_version(the_agent(), night=night_of(now + timedelta(days=1)), now=now + timedelta(days=1))
    assert AgentVersion.objects.get(is_live=True) == second
    roll_back(first, note="the other was odd", by=None)
    assert AgentVersion.objects.get(is_live=True) == first
