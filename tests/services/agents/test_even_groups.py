"""The A/A of the agent's groups: alike before it does anything, and seen where they are not."""

from datetime import datetime, timedelta
from io import StringIO

import numpy as np
import pytest
from django.core.management import call_command

from recommendations.models import Agent, AgentVersion, PressureRules
from recommendations.push_terms import AgentGroup, AgentStatus
from recommendations.services.agents.even_groups import GroupsBefore, claims, groups_before, sides_by, spending_before
from recommendations.services.agents.learning import make_version, night_of
from recommendations.services.campaigns.pressure import season_salt
from recommendations.store.agents.spending import PartedSpending
from recommendations.terms import Trust
from tests.agent_records import agent, people, purchases

pytestmark = pytest.mark.django_db
PEOPLE = 600


def spent(now: datetime, rules: PressureRules, *, agents_more: float = 0.0) -> Agent:
    """People who spent 5 to 12 in the 28 days before, and again in the 56 that count; the agent's people more."""
    own, customers = agent(now, status=AgentStatus.WATCHES, share=0.5), people(PEOPLE)
    amounts = {each: 5.0 + each % 8 for each in customers}
    purchases(amounts, now - timedelta(days=60))
    everybody = PartedSpending(customer=np.array(customers), before=np.zeros(PEOPLE), spent=np.zeros((PEOPLE, 1)))
    mine = sides_by(
        everybody, salt=own.salt.encode(), season=season_salt(rules), share=0.5, holdout=rules.holdout
    )[AgentGroup.AGENT]  # fmt: skip
    later = {
        each: amount + each % 3 + agents_more * bool(own)
        for (each, amount), own in zip(amounts.items(), mine, strict=True)
    }
    purchases(later, now - timedelta(days=30))
    return own


def test_groups_are_alike_before_it_does_anything(now: datetime, rules: PressureRules) -> None:
    own = spent(now, rules)
    alike = groups_before(own, now=now)
    assert alike is not None
    assert alike.are_alike
    assert abs(alike.share) < 0.05
    assert 450 < alike.people < PEOPLE


def test_groups_that_differ_are_seen(now: datetime, rules: PressureRules) -> None:
    alike = groups_before(spent(now, rules, agents_more=3.0), now=now)
    assert alike is not None
    assert not alike.are_alike
    assert alike.low > 0.1


def test_money_is_of_its_week_of_its_person_and_believed(now: datetime) -> None:
    first, second = people(2)
    purchases({first: 3.0}, now - timedelta(days=57))
    purchases({first: 5.0, second: 7.0}, now - timedelta(days=50))
    purchases({first: 11.0}, now - timedelta(days=1))
    purchases({first: 100.0}, now - timedelta(days=85))
    purchases({first: 100.0}, now + timedelta(hours=1))
    purchases({first: 100.0}, now - timedelta(days=2), trust=Trust.PAGE)
    purchases({None: 100.0}, now - timedelta(days=2))
    spending = spending_before(now=now)
    assert spending.customer.tolist() == [first, second]
    assert spending.before.tolist() == [3.0, 0.0]
    assert spending.spent.tolist() == [[5.0] * 7 + [16.0], [7.0] * 8]


def test_other_draws_claim_a_difference_in_one_of_twenty_at_most(now: datetime, rules: PressureRules) -> None:
    spent(now, rules)
    shares = claims(spending_before(now=now), salts=200, share=0.45, holdout=0.1)
    assert set(shares) == {AgentGroup.RULE, AgentGroup.HOLDOUT}
    assert max(shares.values()) <= 0.07


def test_a_night_of_watching_stores_it_and_one_of_acting_does_not(now: datetime, rules: PressureRules) -> None:
    own = spent(now, rules)
    made = make_version(own, night=night_of(now), now=now)
    assert GroupsBefore.of(AgentVersion.objects.get(pk=made.pk).counts["alike"]) == groups_before(own, now=now)
    own.status = AgentStatus.ACTS
    assert make_version(own, night=night_of(now) + timedelta(days=1), now=now).counts["alike"] is None


def test_too_few_people_tell_nothing(now: datetime) -> None:
    own = agent(now, status=AgentStatus.WATCHES)
    purchases(dict.fromkeys(people(20), 5.0), now - timedelta(days=5))
    assert groups_before(own, now=now) is None
    out = StringIO()
    call_command("push_agent", "aa", "--salts", "3", stdout=out)
    assert "too few people" in out.getvalue()
    assert "differs at some look in 0.0% of 3 draws" in out.getvalue()
