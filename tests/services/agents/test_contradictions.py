"""Rules of the agent that cannot hold together are refused at their field, with what to do; the others count."""

from collections.abc import Iterable
from datetime import datetime

import pytest
from django.core.exceptions import ValidationError

from recommendations.engine.push.agent.points import ANY, OptionRule
from recommendations.engine.push.agent.terms import Lever, Slot
from recommendations.models import AgentRules
from recommendations.push_terms import AgentStatus, Channel
from recommendations.services.agents.supervision import (
    AgentForm,
    FloorRule,
    form_of,
    let_go,
    publish_agent_rules,
    the_agent,
)
from tests.services.agents.test_deciding import two_campaigns

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop_today")]


@pytest.fixture
def first(now: datetime) -> int:
    """A campaign with two subjects that goes by e-mail alone."""
    own = two_campaigns(now)
    let_go(AgentStatus.WATCHES, note="to see", by=None, now=now)
    return own[0].campaign.pk


def hour(slot: Slot, campaign: int | None = ANY) -> OptionRule:
    return OptionRule(campaign, Lever.HOUR, slot.value)


def refused(now: datetime, **form: Iterable[object]) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as error:
        publish_agent_rules(AgentForm(**form), note="so", by=None, now=now)  # type: ignore[arg-type]
    assert AgentRules.objects.count() == 1
    return dict(error.value.message_dict)


def test_what_is_forbidden_cannot_be_pinned(first: int, now: datetime) -> None:
    for pin, other in ((ANY, ANY), (first, ANY), (ANY, first)):
        errors = refused(now, pins=[hour(Slot.EVENING, pin)], forbids=[hour(Slot.EVENING, other)])
        assert "pinned and forbidden at once: take one of the two away." in errors["pins"][0]


def test_no_lever_may_be_left_without_a_value(first: int, now: datetime) -> None:
    every = [hour(slot) for slot in Slot]
    assert "Leave one way open, or pause the campaign." in refused(now, forbids=every)["forbids"][0]
    assert "for c0" in refused(now, forbids=[hour(slot, first) for slot in Slot])["forbids"][0]
    assert "for c" in refused(now, forbids=[OptionRule(ANY, Lever.CHANNEL, Channel.EMAIL)])["forbids"][0]
    assert "for c" in refused(now, pins=[OptionRule(ANY, Lever.CHANNEL, Channel.WEB_PUSH)])["pins"][0]


def test_a_value_that_the_campaign_does_not_have_is_refused(first: int, now: datetime) -> None:
    third = OptionRule(first, Lever.SUBJECT, "2")
    assert refused(now, pins=[third])["pins"] == ["“c0” has no “Subject 3”: choose one that it has."]
    assert (
        "has no “Browser notification”"
        in refused(now, forbids=[OptionRule(first, Lever.CHANNEL, "web_push")])["forbids"][0]
    )
    assert "floors" in refused(now, floors=[FloorRule(campaign=first, variant=2, chance=0.1)])


def test_what_is_kept_in_play_must_be_open_and_leave_something_to_be_chosen(first: int, now: datetime) -> None:
    kept = [FloorRule(campaign=first, variant=1, chance=0.1)]
    pins = [OptionRule(first, Lever.SUBJECT, "0")]
    assert "cannot be kept in play" in refused(now, floors=kept, pins=pins)["floors"][0]
    many = [FloorRule(campaign=campaign, variant=0, chance=0.2) for campaign in range(first, first + 5)]
    assert "leave something to be chosen" in refused(now, floors=many)["floors"][0]


def test_rules_that_stand_do_not_hinder_another_share(first: int, now: datetime) -> None:
    pins = [hour(Slot.EVENING), OptionRule(first, Lever.SUBJECT, "1")]
    forbids = [hour(Slot.MORNING)]
    kept = [FloorRule(campaign=first, variant=1, chance=0.1)]
    publish_agent_rules(AgentForm(pins=pins, forbids=forbids, floors=kept), note="so", by=None, now=now)
    AgentRules.objects.update(forbids=[{"campaign": None, "lever": "hour", "value": slot.value} for slot in Slot])
    live = form_of(the_agent().rules)
    other = AgentForm(pins=live.pins, forbids=live.forbids, floors=live.floors, floor=0.01)
    assert publish_agent_rules(other, note="dear", by=None, now=now).floor == 0.01
