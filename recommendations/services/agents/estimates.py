"""What the log says of the agent beside the rule, one decision at a time."""

from datetime import datetime, timedelta

import numpy as np

from recommendations.engine.push.agent.choice import Stakes
from recommendations.engine.push.agent.features import band_of
from recommendations.engine.push.agent.off_policy import AgentEstimate, DecisionLog, agent_minus_rule
from recommendations.engine.push.agent.readiness import WINDOW_DAYS
from recommendations.engine.push.choices import NOT_NOW
from recommendations.models import AgentVersion
from recommendations.services.campaigns.pressure import rules_now
from recommendations.services.push_models.agent_facts import live_version
from recommendations.services.push_models.agent_versions import RestoredVersion
from recommendations.services.push_models.in_use import LearnedModels, costs_under
from recommendations.store.agents import decision_log
from recommendations.store.agents.decision_log import LoggedDecisions


def estimate_of_log(*, now: datetime) -> AgentEstimate | None:
    """Agent less rule in money a decision, of 56 days under the menu of now; None where nothing was drawn by chance."""
    version = live_version(now=now)
    if version is None:
        return None
    since, until = (now - timedelta(days=WINDOW_DAYS)).date(), now.date() + timedelta(days=1)
    same = {key for key, menu in AgentVersion.objects.values_list("pk", "menu") if menu == version.version.menu}
    logs = [log for log in decision_log.closed_decisions(since=since, until=until) if log.version in same]
    if not logs:
        return None
    return agent_minus_rule(
        _joined(logs, version, now=now), rate=version.version.rate, seed=version.version.seed % 2**31
    )


def _joined(logs: list[LoggedDecisions], version: RestoredVersion, *, now: datetime) -> DecisionLog:
    """The decisions of people who are not held out, as the estimator takes them."""
    kept = [~log.held for log in logs]
    features = np.concatenate([log.features[keep] for log, keep in zip(logs, kept, strict=True)])
    columns = {
        name: np.concatenate([getattr(log, name)[keep] for log, keep in zip(logs, kept, strict=True)])
        for name in ("allowed", "option", "rule", "answered", "customer", "chances", "worth", "leaving")
    }
    last, costs = len(version.menu.options), costs_under(rules_now(now=now), models=LearnedModels.in_use(), now=now)
    bands = band_of(features, version.scales, version.menu)
    stakes = Stakes(
        worth=columns["worth"], leaving=columns["leaving"], caused=np.array(version.prices.caused)[bands],
        price=np.array([costs.prices.get(option.channel, 0.0) for option in version.menu.options]),
        tiredness=version.prices.tiredness.price,
    )  # fmt: skip
    return DecisionLog(
        menu=version.menu, features=features, allowed=columns["allowed"], logged=columns["chances"],
        option=np.where(columns["option"] == NOT_NOW, last, columns["option"]), rule=columns["rule"],
        answered=columns["answered"].astype(float), people=columns["customer"], stakes=stakes,
    )  # fmt: skip
