"""The agent on the pages of a plan and of a sending: what it chose of a person, and what it does not know yet."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from django.db.models import Exists
from django.utils.translation import gettext as _

from analytics.queries.agents.person import money_text, trial_text
from analytics.queries.agents.words import AgentNames
from recommendations.engine.push.agent.explain import money_line
from recommendations.engine.push.choices import NOT_NOW
from recommendations.models import Agent, AgentDecision, AgentVersion, Considered
from recommendations.push_terms import AgentStatus, Channel, Verdict
from recommendations.services.agents.cases import DecisionsAgain, seen_again
from recommendations.services.push.person import PersonNow
from recommendations.services.push_models.agent_versions import BrokenVersionError, restored

CHOOSING = (AgentStatus.EXPLORES, AgentStatus.ACTS)


@dataclass(frozen=True, kw_only=True)
class ChosenByAgent:
    """A choice of the agent as the page of a sending tells it.

    ``sentence`` and ``change`` stand for those of the verdict, where it waits; ``worth`` is its own sum of the message,
    "" where it had no such option, or its version cannot be read; ``trial`` is "" where models chose it.
    """

    decision: AgentDecision
    sentence: str
    change: str
    trial: str
    worth: str


def is_new_to_agent(campaign: int) -> bool:
    """Whether the agent chooses for people, and the night that decides does not know the campaign."""
    chooses = Exists(Agent.objects.filter(status__in=CHOOSING))
    menu = AgentVersion.objects.filter(chooses, is_live=True).values_list("menu", flat=True).first()
    return menu is not None and campaign not in {key for key, _subjects in menu["campaigns"]}


def chosen_by_agent(case: Considered, now: PersonNow) -> ChosenByAgent | None:
    """What the agent chose of a verdict in words; None where it did not."""
    decision, waits = now.decision, case.verdict == Verdict.WAITS
    if decision is None:
        return None
    closed = not any(bytes(decision.allowed))
    sentence, change = _waiting_words(decision, closed=closed) if waits else ("", "")
    return ChosenByAgent(
        decision=decision, sentence=sentence, change=change, worth=_worth(decision, case, now.prices),
        trial=trial_text(decision) if decision.trial and not closed else "",
    )  # fmt: skip


def _waiting_words(decision: AgentDecision, *, closed: bool) -> tuple[str, str]:
    """Why none of the class is sent, and what would have to change."""
    if closed:
        return (
            _("No message of this class today: the rules of staff leave the agent none that it may send."),
            _("Its rules would have to leave a way open, on the page Agent; it is decided anew tomorrow."),
        )
    if decision.trial:
        return (
            _("No message of this class today: a trial of the agent, which drew to send none."),
            _("Nothing: it was drawn by chance, and is decided anew tomorrow."),
        )
    return "", ""


def _worth(decision: AgentDecision, case: Considered, prices: Mapping[Channel, float]) -> str:
    """The sum of the message that it chose; where it waits, of the one of the campaign that came nearest."""
    try:
        again = seen_again([decision], restored(decision.version), prices=prices)
    except BrokenVersionError:
        return ""
    option = decision.option if decision.option != NOT_NOW else _nearest_of(again, case.occurrence.campaign_id)
    if option is None:
        return ""
    names = AgentNames(campaigns={case.occurrence.campaign_id: case.occurrence.campaign.name})
    return money_text(money_line(again.case(0), option), names.option(again.version.menu.options[option]))


def _nearest_of(again: DecisionsAgain, campaign: int) -> int | None:
    own = [
        place for place in np.flatnonzero(again.allowed[0]).tolist()
        if again.version.menu.options[place].campaign == campaign
    ]  # fmt: skip
    return max(own, key=lambda place: money_line(again.case(0), place).value, default=None)
