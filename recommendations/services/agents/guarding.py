"""Guardrails of the agent: what gives all people to the rule again, what makes trials rarer, what staff are told of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

import numpy as np
import structlog
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from recommendations.engine.push.agent.choice import FLOOR, Stakes, chances, expected_values
from recommendations.engine.push.agent.features import band_of
from recommendations.engine.push.agent.groups import (
    GuardedRate,
    GuardedSides,
    are_trials_dear,
    harmed_rates,
    one_option_rules,
    trial_cost,
)
from recommendations.engine.push.agent.terms import AgentOption
from recommendations.engine.push.choices import NOT_NOW
from recommendations.models import Agent, AgentRules, AgentVersion
from recommendations.services.agents.effects import effects_of, guarded_sides
from recommendations.services.agents.groups import ACTING, AgentSides, sides_now
from recommendations.services.agents.readings import AlertReading, OptionReading, keep_reading, reading_of
from recommendations.services.agents.supervision import LEAST_FLOOR, form_of, pause_agent, publish_agent_rules
from recommendations.services.campaigns.pressure import rules_now
from recommendations.services.push_models.agent_facts import policy_of, staff_rules
from recommendations.services.push_models.agent_versions import BrokenVersionError, RestoredVersion, menu_of, restored
from recommendations.services.push_models.in_use import LearnedModels, costs_under
from recommendations.store.agents import decision_log
from recommendations.store.agents.decision_log import LoggedDecisions
from recommendations.wording.agents import GUARDRAILS

log = structlog.get_logger(__name__)
WEEK = timedelta(days=7)
FEWEST_MESSAGES = 50  # of a day; below, one option is no wonder


class AgentAlertKind(StrEnum):
    """What staff are told of; nothing is changed by it."""

    ONE_OPTION = "one_option"  # of nine in ten messages of a day
    FEWER_TRIALS = "fewer_trials"  # they were dear, so that the floor was halved


@dataclass(frozen=True, kw_only=True)
class AgentAlert:
    """An alert with the figures of its sentence, and the option that it is of."""

    kind: AgentAlertKind
    facts: Mapping[str, float] = field(default_factory=dict)
    option: AgentOption | None = None


@dataclass(frozen=True, kw_only=True)
class TrialCost:
    """What trials cost in a week, and what all decisions of it were worth, in the shop's currency."""

    cost: float
    value: float

    @property
    def is_dear(self) -> bool:
        return are_trials_dear(self.cost, self.value)

    @property
    def share(self) -> float:
        return self.cost / self.value if self.value > 0 else 0.0


def watch_agent(*, now: datetime) -> int:
    """Look at the groups and guardrails, keep what was seen, and say how many fired.

    Nothing is looked at while the agent decides for nobody.
    """
    agent = Agent.objects.select_related("rules").filter(status__in=ACTING).first()
    sides = sides_now(now=now)
    if agent is None or sides is None:
        return 0
    week = trial_cost_of_week(agent.rules, now=now)
    harmed = _harmed(sides)
    halved = not harmed and _halve_floor(agent.rules, week, now=now)
    alerts = [_stored(each) for each in agent_alerts(now=now)]
    keep_reading(reading_of(effects_of(sides), trials=week.share if week else None, alerts=alerts, now=now))
    if harmed:
        rate, own = harmed[0]
        fired = {"rate": rate.value, "agent": own.agent.mean, "rule": own.rule.mean, "at": now.isoformat()}
        pause_agent(reason=_reason(rate, own), by=None, now=now, guardrail=fired)
        log.warning("agent paused", reasons=len(harmed))
    return len(harmed) + int(halved)


def trial_cost_of_week(rules: AgentRules, *, now: datetime) -> TrialCost | None:
    """What trials of the seven days before today cost; None where the agent decided nothing in them."""
    until = now.astimezone(ZoneInfo(settings.SHOP_TIME_ZONE)).date()
    return trial_cost_of_days(rules, since=until - WEEK, until=until, now=now)


def trial_cost_of_days(rules: AgentRules, *, since: date, until: date, now: datetime) -> TrialCost | None:
    """What trials of days in [since, until) cost under these rules; None where the agent decided nothing in them.

    Of many decisions those of some people are added up, so that only the share of the value is of all.
    """
    logs = decision_log.own_decisions(since=since, until=until)
    if not logs:
        return None
    parts = [cost for each in logs if (cost := _cost_of(each, rules, now=now)) is not None]
    return TrialCost(cost=sum(part.cost for part in parts), value=sum(part.value for part in parts))


def agent_alerts(*, now: datetime) -> list[AgentAlert]:
    """What staff should look at: one option that was nine of ten messages of yesterday, and trials that were halved."""
    agent = Agent.objects.select_related("rules").filter(status__in=ACTING).first()
    if agent is None:
        return []
    alerts = _one_option(agent.rules, now=now)
    if agent.rules.floor < FLOOR:
        facts = {"floor": agent.rules.floor, "usual": FLOOR}
        alerts.append(AgentAlert(kind=AgentAlertKind.FEWER_TRIALS, facts=facts))
    return alerts


def _harmed(sides: AgentSides) -> list[tuple[GuardedRate, GuardedSides]]:
    """Rates that the agent raises for certain."""
    own = guarded_sides(sides)
    return [(rate, own[rate]) for rate in harmed_rates(own)]


def _stored(alert: AgentAlert) -> AlertReading:
    option = alert.option and OptionReading(
        campaign=alert.option.campaign, variant=alert.option.variant, channel=alert.option.channel.value,
        slot=alert.option.slot.value,
    )  # fmt: skip
    return AlertReading(kind=alert.kind.value, facts=dict(alert.facts), option=option)


def _reason(rate: GuardedRate, sides: GuardedSides) -> str:
    way = "{:.1f}" if rate is GuardedRate.MESSAGES else "{:.1%}"
    with translation.override(settings.SHOP_LANGUAGE):
        rates = {"agent": way.format(sides.agent.mean), "rule": way.format(sides.rule.mean)}
        return str(GUARDRAILS[rate.value]) % rates


def _halve_floor(rules: AgentRules, week: TrialCost | None, *, now: datetime) -> bool:
    """Halve the chance of trials where they were dear for a whole week under it; whether it was."""
    if rules.floor / 2 < LEAST_FLOOR or _since_floor(rules) > now - WEEK - timedelta(days=1):
        return False
    if week is None or not week.is_dear:
        return False
    with translation.override(settings.SHOP_LANGUAGE):
        note = _("Trials cost %(share)s of the week's value: half as many from now on.")
    form = replace(form_of(rules), floor=rules.floor / 2)
    publish_agent_rules(form, note=note % {"share": f"{week.share:.1%}"}, by=None, now=now, based_on=rules.number)
    return True


def _since_floor(rules: AgentRules) -> datetime:
    """Since when the floor is what it is: rules that change something else leave it alone."""
    before = AgentRules.objects.filter(number__lt=rules.number).exclude(floor=rules.floor).first()
    same = AgentRules.objects.filter(number__gt=before.number if before else 0, number__lte=rules.number)
    first = same.order_by("number").first()
    return first.created_at if first else rules.created_at


def _cost_of(decisions: LoggedDecisions, rules: AgentRules, *, now: datetime) -> TrialCost | None:
    """The costs of decisions of one version, by what that version made of them; None where it is broken by now."""
    try:
        version = restored(AgentVersion.objects.get(pk=decisions.version))
    except BrokenVersionError:
        return None
    stakes = _stakes(decisions, version, now=now)
    outcome = chances(policy_of(version, rules), decisions.features, decisions.allowed, stakes)
    return TrialCost(
        cost=trial_cost(outcome.chances, outcome.shares, outcome.values), value=float(expected_values(outcome).sum())
    )


def _stakes(decisions: LoggedDecisions, version: RestoredVersion, *, now: datetime) -> Stakes:
    costs = costs_under(rules_now(now=now), models=LearnedModels.in_use(), now=now)
    bands = band_of(decisions.features, version.scales, version.menu)
    return Stakes(
        worth=decisions.worth, leaving=decisions.leaving, caused=np.array(version.prices.caused)[bands],
        price=np.array([costs.prices.get(option.channel, 0.0) for option in version.menu.options]),
        tiredness=version.prices.tiredness.price,
    )  # fmt: skip


def _one_option(rules: AgentRules, *, now: datetime) -> list[AgentAlert]:
    """An alert where nine of ten of yesterday's messages were one option, others were allowed, and none is pinned."""
    today = now.astimezone(ZoneInfo(settings.SHOP_TIME_ZONE)).date()
    sent, allowed = _options_of(decision_log.own_decisions(since=today - timedelta(days=1), until=today))
    options = sorted(set(sent) | allowed)
    counts = np.array([sent.count(option) for option in options], np.float64)
    place = one_option_rules(counts) if len(options) > 1 and len(sent) >= FEWEST_MESSAGES else None
    if place is None or any(pin.holds_for(options[place]) for pin in staff_rules(rules).pins):
        return []
    facts = {"share": float(counts[place] / counts.sum()), "messages": float(counts.sum())}
    return [AgentAlert(kind=AgentAlertKind.ONE_OPTION, facts=facts, option=options[place])]


def _options_of(logs: Sequence[LoggedDecisions]) -> tuple[list[AgentOption], set[AgentOption]]:
    """The options that were taken, message by message, and all that were allowed."""
    sent: list[AgentOption] = []
    allowed: set[AgentOption] = set()
    for each in logs:
        options = menu_of(AgentVersion.objects.get(pk=each.version).menu).options
        sent += [options[number] for number in each.option if number != NOT_NOW]
        allowed |= {options[place] for place in np.flatnonzero(each.allowed.any(axis=0))}
    return sent, allowed
