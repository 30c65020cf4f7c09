"""What the agent changes: its people beside the rule's and beside those held out, and when nothing is told."""

from datetime import timedelta

import numpy as np
import pytest
from django.conf import LazySettings

from recommendations.engine.experiments.assignment import share_of
from recommendations.engine.push.agent.groups import GuardedRate
from recommendations.engine.push.agent.readiness import AgentRefusalCode
from recommendations.models import Agent, AgentDecision, AgentRules, PressureRules
from recommendations.push_terms import AgentGroup, AgentStatus
from recommendations.services.agents.effects import AgentEffects, agent_effects
from recommendations.services.campaigns.pressure import season_salt
from recommendations.terms import Trust
from tests.agent_records import agent, decisions, people, purchases, version
from tests.push_records import NOW, pressure

pytestmark = pytest.mark.django_db
PEOPLE = 1_000
SINCE = NOW - timedelta(days=20)
DAY = (NOW - timedelta(days=10)).date()


@pytest.fixture(autouse=True)
def rules(settings: LazySettings) -> PressureRules:
    settings.SHOP_TIME_ZONE = "UTC"
    return pressure(holdout=0.2)


def group_of(customer: int, own: Agent, rules: PressureRules) -> AgentGroup:
    """The group by hand: held out first, then by the agent's own draw."""
    if share_of(season_salt(rules), customer) < rules.holdout:
        return AgentGroup.HOLDOUT
    return AgentGroup.AGENT if share_of(own.salt.encode(), customer) < own.rules.share else AgentGroup.RULE


def spent_by_group(rules: PressureRules, amounts: dict[AgentGroup, float], *, number: int = PEOPLE) -> list[int]:
    """Everybody with a decision of one day; before it they spent what they spend, after it what their group does."""
    own, customers = agent(SINCE), people(number)
    decisions(customers, DAY, version(DAY), group=AgentGroup.RULE)  # the log says nothing of groups
    habit = dict(zip(customers, np.random.default_rng(1).uniform(5, 50, number), strict=True))
    purchases(habit, SINCE - timedelta(days=3))
    purchases({each: habit[each] / 4 + amounts[group_of(each, own, rules)] for each in customers}, NOW - timedelta(1))
    return customers


def effects() -> AgentEffects:
    stands = agent_effects(now=NOW)
    assert stands is not None
    return stands


def test_money_is_told_beside_the_rule_and_beside_the_holdout(rules: PressureRules) -> None:
    spent_by_group(rules, {AgentGroup.AGENT: 10.0, AgentGroup.RULE: 4.0, AgentGroup.HOLDOUT: 1.0})
    stands = effects()
    assert stands.refusal is None
    assert sum(stands.people.values()) == PEOPLE
    assert stands.rule is not None
    assert stands.holdout is not None
    assert stands.rule.effect.value == pytest.approx(6.0, abs=0.2)
    assert stands.holdout.effect.value == pytest.approx(9.0, abs=0.2)
    assert stands.rule.always_low > 0
    assert stands.rule.explained > 0.9  # by what they spent before
    assert stands.guarded[GuardedRate.LEAVERS].effect.value == 0.0
    assert not any(each.is_harm for each in stands.guarded.values())


def test_where_nothing_is_changed_nothing_is_claimed(rules: PressureRules) -> None:
    spent_by_group(rules, dict.fromkeys(AgentGroup, 5.0))
    stands = effects()
    assert stands.rule is not None
    assert stands.rule.always_low < 0 < stands.rule.always_high


@pytest.mark.parametrize("status", [AgentStatus.OFF, AgentStatus.WATCHES, AgentStatus.PAUSED])
def test_an_agent_that_decides_for_nobody_has_no_effect(rules: PressureRules, status: AgentStatus) -> None:
    spent_by_group(rules, dict.fromkeys(AgentGroup, 5.0), number=10)
    Agent.objects.update(status=status)
    assert agent_effects(now=NOW) is None


def test_without_a_holdout_nothing_is_told_in_money(rules: PressureRules) -> None:
    spent_by_group(rules, {AgentGroup.AGENT: 10.0, AgentGroup.RULE: 4.0, AgentGroup.HOLDOUT: 1.0})
    PressureRules.objects.update(holdout=0.0)
    stands = effects()
    assert stands.refusal is not None
    assert stands.refusal.code is AgentRefusalCode.NO_HOLDOUT
    assert (stands.rule, stands.holdout) == (None, None)
    assert set(stands.guarded) == set(GuardedRate)  # harm is looked for all the same


def test_below_fifty_people_a_side_nothing_is_told(rules: PressureRules) -> None:
    spent_by_group(rules, dict.fromkeys(AgentGroup, 5.0), number=150)
    stands = effects()
    assert stands.refusal is not None
    assert stands.refusal.code is AgentRefusalCode.TOO_FEW_PEOPLE
    held = stands.people[AgentGroup.HOLDOUT]
    assert stands.refusal.facts == {"there": held, "needed": 50, "missing": 50 - held}
    assert (stands.rule, stands.holdout) == (None, None)


def test_a_broken_split_tells_nothing(rules: PressureRules) -> None:
    customers = spent_by_group(rules, {AgentGroup.AGENT: 10.0, AgentGroup.RULE: 4.0, AgentGroup.HOLDOUT: 1.0})
    own = Agent.objects.get()
    lost = [each for each in customers if group_of(each, own, rules) is AgentGroup.AGENT][::2]
    AgentDecision.objects.filter(customer__in=lost).delete()
    stands = effects()
    assert stands.refusal is not None
    assert stands.refusal.code is AgentRefusalCode.BROKEN_SPLIT
    assert (stands.rule, stands.holdout) == (None, None)


def test_only_what_is_believed_and_of_their_days_counts(rules: PressureRules) -> None:
    customers = spent_by_group(rules, dict.fromkeys(AgentGroup, 5.0))
    plain = effects().rule
    first = customers[0]
    purchases({first: 500.0}, NOW - timedelta(days=15))  # since the agent began, before their first day
    purchases({first: 500.0}, SINCE - timedelta(days=29))
    purchases({first: 500.0}, NOW - timedelta(days=2), trust=Trust.PAGE)
    purchases({first: 500.0}, NOW + timedelta(days=1))
    assert effects().rule == plain


def test_one_person_counts_no_more_than_the_cap(rules: PressureRules) -> None:
    own, customers = agent(SINCE), people(PEOPLE)
    decisions(customers, DAY, version(DAY))
    purchases({each: 10.0 + each % 7 for each in customers}, SINCE - timedelta(days=3))
    [mine, *_] = [each for each in customers if group_of(each, own, rules) is AgentGroup.AGENT]
    purchases({mine: 1e6}, NOW - timedelta(days=2))
    lift = effects().rule
    assert lift is not None
    assert 0 < lift.effect.value < 0.2  # 32 at most, by some hundreds of people


def test_who_changed_sides_is_on_none(rules: PressureRules) -> None:
    customers = spent_by_group(rules, dict.fromkeys(AgentGroup, 5.0))
    own, before = Agent.objects.get(), effects().people
    later = AgentRules.objects.create(number=2, share=0.8, created_at=NOW - timedelta(days=5))
    Agent.objects.update(rules=later)
    after = effects().people
    moved = [
        each for each in customers
        if share_of(season_salt(rules), each) >= 0.2 and 0.5 <= share_of(own.salt.encode(), each) < 0.8
    ]  # fmt: skip
    assert moved
    assert after[AgentGroup.RULE] == before[AgentGroup.RULE] - len(moved)
    assert after[AgentGroup.AGENT] == before[AgentGroup.AGENT]
    assert effects().refusal is None
