"""What the agent found of all messages counts for the rule as well: which answers are caused, and what tires."""

from contextlib import closing
from dataclasses import replace
from datetime import datetime, time

import pytest
from django.utils import timezone

from recommendations.channels.smtp import Smtp, SmtpServer
from recommendations.engine.push.agent.tiredness import Tiredness
from recommendations.models import AgentDecision, AgentVersion, Considered, Customer, Message, Occurrence, PressureRules
from recommendations.push_terms import AgentStatus, Channel, MessageState, Verdict
from recommendations.services.agents.supervision import let_go, pause_agent
from recommendations.services.push.person import person_now
from recommendations.services.push.sender import ChannelSender
from recommendations.services.push.sendings import LiveCampaign, decide_pushes
from recommendations.services.push_models.agent_versions import AgentPrices
from recommendations.simulation.message_lists import current_snapshot
from tests.post_office import post_office
from tests.services.agents.test_deciding import acting, believe, two_campaigns

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop_today")]
TIRED = Tiredness(messages=2.0, fades=0.2, brings=0.01, rise=0.0, lost=0.0)


def values_of(own: LiveCampaign) -> dict[int, float]:
    stored = Considered.objects.filter(occurrence__campaign=own.campaign.pk, chance__gt=0)
    return dict(stored.values_list("customer", "value"))


def again(now: datetime) -> None:
    for each in (Considered, Message, AgentDecision, Occurrence):
        each._default_manager.all().delete()
    decide_pushes(now=now)


def price(caused: tuple[float, float, float], tired: Tiredness) -> None:
    AgentVersion.objects.update(prices=replace(AgentPrices(), caused=caused, tiredness=tired).as_json())


@pytest.mark.parametrize("paused", [False, True])
def test_the_rule_counts_what_is_caused_and_what_tires_from_the_first_version_on(now: datetime, paused: bool) -> None:
    own = two_campaigns(now)[0]
    decide_pushes(now=now)
    plain = values_of(own)
    assert plain
    let_go(AgentStatus.WATCHES, note="see", by=None, now=now)
    price((0.5, 0.5, 0.5), TIRED)
    if paused:
        pause_agent(reason="to look", by=None, now=now)
    again(now)
    lost = PressureRules.objects.get().lost_contact
    assert lost is None
    priced, chance = values_of(own), Considered.objects.filter(chance__gt=0).first()
    assert chance is not None
    assert set(priced) == set(plain)
    halves = {plain[key] - priced[key] - TIRED.price for key in plain}
    assert all(half > 0 for half in halves)
    let_go(AgentStatus.OFF, note="enough", by=None, now=now)
    again(now)
    assert values_of(own) == plain


def test_who_objects_has_the_mean_of_the_bands(now: datetime) -> None:
    own = two_campaigns(now)[0]
    Customer.objects.update(personalise=False)
    type(own.campaign).objects.update(purpose="news")
    decide_pushes(now=now)
    plain = values_of(own)
    let_go(AgentStatus.WATCHES, note="see", by=None, now=now)
    price((0.1, 0.2, 0.9), replace(TIRED, messages=0.0))
    again(now)
    priced = values_of(own)
    assert plain
    stored = {each.customer_id: each for each in Considered.objects.filter(occurrence__campaign=own.campaign.pk)}
    for customer, value in plain.items():
        facts = person_now(stored[customer], form=own.form, messages=[], now=now)
        assert facts.line.caused == pytest.approx(0.4)
        assert value - priced[customer] == pytest.approx(0.6 * facts.line.chance * facts.line.worth, rel=1e-6)


def test_the_last_look_asks_the_gates_of_what_the_agent_chose_and_not_its_value(now: datetime) -> None:
    two_campaigns(now)
    PressureRules.objects.update(quiet_from=time(), quiet_until=time())
    acting(now)
    believe()
    decide_pushes(now=now)
    PressureRules.objects.update(prices={"email": 100.0})
    Message.objects.filter(state=MessageState.DUE).update(due_at=timezone.now())
    chose = AgentDecision.objects.filter(group="agent", held=False, option__gte=0)  # to send; it may try to wait, too
    agents = set(chose.values_list("customer", flat=True))
    with post_office() as office:
        server = SmtpServer(host="127.0.0.1", port=office.port, timeout=2)
        with closing(Smtp(server, sender=lambda parcel: "back@shop.example")) as line:
            sender = ChannelSender(channel=Channel.EMAIL, line=line, holder="me", clock=timezone.now)
            while sender.send_some(current_snapshot()):
                pass
    left = Message.objects.exclude(state=MessageState.HELD)
    assert set(left.filter(state=MessageState.TAKEN).values_list("customer", flat=True)) == agents
    rest = left.exclude(customer__in=agents)
    assert {(each.state, each.reason) for each in rest} == {(MessageState.WITHDRAWN, Verdict.NOT_WORTH.value)}
