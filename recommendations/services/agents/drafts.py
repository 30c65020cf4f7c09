"""What other rules of the agent would have changed of its choices of yesterday."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.experiments.assignment import share_of
from recommendations.engine.push.agent.choice import AgentPolicy, pick
from recommendations.engine.push.agent.choosing import choice_salt, without_not_now
from recommendations.engine.push.agent.points import StaffRules, value_of
from recommendations.engine.push.agent.terms import Allowed, Lever, Menu
from recommendations.engine.push.choices import PointKey
from recommendations.models import AgentDecision, AgentRules
from recommendations.push_terms import Channel
from recommendations.services.agents.cases import DecisionsAgain, seen_again
from recommendations.services.agents.supervision import AgentForm
from recommendations.services.campaigns.pressure import rules_now
from recommendations.services.push_models.agent_facts import choice_salt_of, live_version, policy_of, staff_rules
from recommendations.services.push_models.agent_versions import RestoredVersion

MOST = 5_000  # decisions that are looked at
LEVERS = (Lever.CAMPAIGN, Lever.SUBJECT, Lever.CHANNEL, Lever.HOUR)


@dataclass(frozen=True, kw_only=True)
class DraftEffect:
    """Choices that would have been others, of those that were looked at; and options that were not known then.

    ``wider`` says that the rules let it vary what it might not vary then: what it would have chosen of that cannot be
    told.
    """

    differing: int
    looked_at: int
    wider: bool


def effect_of(form: AgentForm, live: AgentRules, *, now: datetime) -> DraftEffect:
    """The effect of rules on the last day that has decisions of the version of now, before today."""
    version = live_version(now=now)
    draft = AgentRules(**form.as_fields())
    wider = not set(draft.levers) <= set(live.levers)
    decisions = list(
        AgentDecision.objects.filter(version__is_live=True, day__gte=(now - timedelta(days=2)).date())
        .order_by("-day", "pk")[:MOST]
    ) if version else []  # fmt: skip
    if version is None or not decisions:
        return DraftEffect(differing=0, looked_at=0, wider=wider)
    again = seen_again(
        decisions, version, prices={Channel(key): price for key, price in rules_now(now=now).prices.items()}
    )
    before, after = (_choices(again, rules, version) for rules in (live, draft))
    return DraftEffect(differing=int((before != after).sum()), looked_at=len(decisions), wider=wider)


def _choices(again: DecisionsAgain, rules: AgentRules, version: RestoredVersion) -> NDArray[np.int64]:
    """What would have been chosen under rules, by the numbers that were drawn then."""
    of_staff, policy = staff_rules(rules), policy_of(version, rules)
    salt = choice_salt_of(version)
    drawn = np.array([
        share_of(choice_salt(salt, PointKey(each.customer_id, each.day, each.rank)), each.customer_id)
        for each in again.decisions
    ])  # fmt: skip
    own = _own(again, policy, of_staff)
    return pick(own, drawn)


def _own(again: DecisionsAgain, policy: AgentPolicy, rules: StaffRules) -> NDArray[np.float64]:
    chances = again.chances_of(policy, _allowed(again, rules)).chances
    return chances if Lever.WHETHER in rules.levers else without_not_now(chances)


def _allowed(again: DecisionsAgain, rules: StaffRules) -> Allowed:
    """What was allowed then and is not closed by rules; what may not vary is as the rule had it."""
    menu = again.version.menu
    let = np.array([rules.let(option) for option in menu.options], bool)
    allowed: Allowed = again.allowed & let & _as_the_rule(again, menu, rules)
    return allowed


def _as_the_rule(again: DecisionsAgain, menu: Menu, rules: StaffRules) -> Allowed:
    fixed = [lever for lever in LEVERS if lever not in rules.levers]
    same = np.ones((len(menu.options) + 1, len(menu.options)), bool)  # [the rule's option, option]
    for place, own in enumerate(menu.options):
        for other, option in enumerate(menu.options):
            same[place, other] = all(value_of(own, lever) == value_of(option, lever) for lever in fixed)
    return same[again.rule]
