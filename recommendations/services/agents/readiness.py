"""Whether the agent's data carry what it is asked to do: what there is, and what is missing."""

from collections import Counter
from datetime import datetime, timedelta

from django.db.models import Count, Q

from recommendations.engine.experiments.mismatch import is_mismatch
from recommendations.engine.push.agent.off_policy import AgentEstimate
from recommendations.engine.push.agent.readiness import (
    OLDEST_VERSION,
    WINDOW_DAYS,
    AgentRecord,
    AgentRefusal,
    AgentRefusalCode,
    acting_refusal,
    lever_refusals,
    off_policy_refusal,
)
from recommendations.engine.push.agent.terms import AgentOption, Lever
from recommendations.models import Agent, AgentDecision, AgentRules, AgentVersion
from recommendations.push_terms import AgentStatus
from recommendations.services.agents.estimates import estimate_of_log
from recommendations.services.campaigns.pressure import rules_now
from recommendations.services.push_models.agent_facts import live_version
from recommendations.services.push_models.agent_versions import RestoredVersion, menu_of


def why_not_act(agent: Agent, status: AgentStatus, *, now: datetime) -> AgentRefusal | None:
    """Why the agent may not explore or act now; None where it may.

    It acts where the rules of readiness hold, and where a log with chances, if there is one, does not speak against it.
    """
    refusal = acting_refusal(record_now(agent, now=now))
    if refusal is not None and not (
        status is AgentStatus.EXPLORES and refusal.code is AgentRefusalCode.TOO_FEW_ANSWERS
    ):
        return refusal
    if status is AgentStatus.ACTS:
        estimate = estimate_of_log(now=now)
        if estimate is not None and off_policy_refusal(estimate) is None and is_worse(estimate):
            return AgentRefusal(
                code=AgentRefusalCode.WORSE_BY_LOG, facts={"low": estimate.low, "high": estimate.high}
            )  # fmt: skip
    return None


def is_worse(estimate: AgentEstimate) -> bool:
    """Whether the log says for certain that the agent would have done worse than the rule."""
    return estimate.high < 0


def record_now(agent: Agent, *, now: datetime) -> AgentRecord:
    """What stands of the agent, by the version that decides and the holdout of now."""
    return record_of(agent, live_version(now=now), holdout=rules_now(now=now).holdout, now=now)


def record_of(agent: Agent, version: RestoredVersion | None, *, holdout: float, now: datetime) -> AgentRecord:
    """What stands of the agent: answers of 56 days, who is held out, decisions and what came of them, its version.

    Before anything was decided somebody is held out as soon as the shop holds out anybody.
    """
    sent, over = Q(held=False), Q(answered__isnull=False)
    totals = AgentDecision.objects.filter(day__gte=(now - timedelta(days=WINDOW_DAYS)).date()).aggregate(
        answers=Count("pk", filter=sent & Q(answered=True, void=False)), decisions=Count("pk", filter=over),
        without=Count("pk", filter=over & sent & Q(void=True)),
        held_out=Count("customer", filter=Q(held=True), distinct=True),
        others=Count("customer", filter=sent, distinct=True),
    )  # fmt: skip
    return AgentRecord(
        answers=totals["answers"], held_out=totals["held_out"] if totals["others"] else int(holdout > 0),
        guardrail_fired=bool(agent.guardrail), decisions=totals["decisions"],
        split_is_even=_is_even(totals["held_out"], totals["others"], holdout), without_outcome=totals["without"],
        version_age=_age(version, now=now), levers=len(levers_left(agent.rules)),
    )  # fmt: skip


def levers_left(rules: AgentRules) -> set[Lever]:
    """The levers that are ticked and not settled for all campaigns."""
    settled = {Lever(pin["lever"]) for pin in rules.pins if pin.get("campaign") is None}
    return {Lever(lever) for lever in rules.levers} - settled


def levers_now(*, now: datetime) -> dict[Lever, AgentRefusal]:
    """Levers whose answers are too few, or all on one side, to be learned of yet."""
    since = (now - timedelta(days=WINDOW_DAYS)).date()
    answered = AgentDecision.objects.filter(day__gte=since, answered=True, void=False, held=False, option__gte=0)
    counted = answered.values_list("version__menu", "option").annotate(count=Count("pk"))
    sides: dict[Lever, Counter[str]] = {lever: Counter() for lever in Lever if lever is not Lever.WHETHER}
    for menu, option, count in counted:
        for lever, value in _values(menu_of(menu).options[option]).items():
            sides[lever][value] += count
    return lever_refusals(sides)


def _age(version: RestoredVersion | None, *, now: datetime) -> float | None:
    """Days since the version was learned that decides, or would if it were not too old; None where there is none."""
    stored = version.version if version else AgentVersion.objects.filter(is_live=True).first()
    age = (now - stored.created_at) / timedelta(days=1) if stored else None
    return age if version or (age is not None and age > OLDEST_VERSION) else None


def _values(option: AgentOption) -> dict[Lever, str]:
    return {
        Lever.CAMPAIGN: str(option.campaign), Lever.SUBJECT: str(option.variant), Lever.CHANNEL: option.channel.value,
        Lever.HOUR: option.slot.value,
    }  # fmt: skip


def _is_even(held: int, others: int, holdout: float) -> bool:
    """Whether as many are held out as were meant to be, but for chance."""
    if not (holdout and held and others):
        return True
    return not is_mismatch([others, held], [1 - holdout, holdout])
