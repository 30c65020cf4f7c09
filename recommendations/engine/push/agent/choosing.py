"""What the agent does in a decision: who gets which option today, who waits, and what is to be remembered of it.

It chooses among what all gates allow, for its own people; the rule chooses for the others, and who is held out is
given what the same draw would have given them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.experiments.assignment import share_of
from recommendations.engine.push.agent.choice import (
    AgentPolicy,
    Stakes,
    chances,
    exploring_chances,
    pick,
    rule_chances,
)
from recommendations.engine.push.agent.points import DecisionPoint, StaffRules
from recommendations.engine.push.agent.terms import Lever, Values
from recommendations.engine.push.cases import CaseVerdict
from recommendations.engine.push.choices import NOT_NOW, AgentChoice, PointKey, TakenOption
from recommendations.push_terms import AgentGroup, AgentStatus, Verdict

EXPLORERS = 0.2  # of all people, while it explores
LEAST_RULE = 0.1  # of those who are not held out


@dataclass(frozen=True, kw_only=True, eq=False)
class PersonFacts:
    """What the agent knows of people, by row: numbers [people, columns], their share of caused answers, the price of a
    contact that leaves (P(leave) · what it is worth) and what an answer is worth.
    """

    rows: Mapping[int, int]  # customer → row
    features: Values
    caused: Values
    leaving: Values
    worth: Values


@dataclass(frozen=True, kw_only=True, eq=False)
class AgentFacts:
    """The agent as it decides now. ``salt`` draws choices, ``group_salt`` says whose people somebody belongs to.

    ``prices`` [options] of sending; ``share`` is the agent's of all people that are not held out.
    """

    version: int
    status: AgentStatus
    policy: AgentPolicy
    rules: StaffRules
    salt: bytes
    group_salt: bytes
    share: float
    people: PersonFacts
    prices: Values
    tiredness: float
    decided: Mapping[PointKey, TakenOption] = field(default_factory=dict)

    def stakes_of(self, at: NDArray[np.integer]) -> Stakes:
        """What messages bring and cost of some people."""
        people = self.people
        return Stakes(
            worth=people.worth[at], caused=people.caused[at], leaving=people.leaving[at], price=self.prices,
            tiredness=self.tiredness,
        )  # fmt: skip


def group_of(customer: int, agent: AgentFacts) -> AgentGroup:
    """Whose people somebody belongs to: the agent's by its share of all, the rule's else; shadows as well."""
    share = min(agent.share, 1 - LEAST_RULE)
    acting = agent.status in {AgentStatus.ACTS, AgentStatus.EXPLORES}
    mine = acting and share_of(agent.group_salt, customer) < (share if agent.status is AgentStatus.ACTS else EXPLORERS)
    return AgentGroup.AGENT if mine else AgentGroup.RULE


def choose(points: Sequence[DecisionPoint], agent: AgentFacts) -> list[AgentChoice]:
    """The choice at each point, in their order. People whom nothing is known of are the rule's, and have none."""
    known = [point for point in points if point.key.customer in agent.people.rows]
    if not known:
        return []
    at = np.array([agent.people.rows[point.key.customer] for point in known])
    allowed = np.stack([point.allowed(len(agent.policy.menu.options)) for point in known])
    last = allowed.shape[1]
    rule = np.array([last if point.rule == NOT_NOW else point.rule for point in known])
    mine = np.array([group_of(point.key.customer, agent) is AgentGroup.AGENT for point in known])
    u = np.array([share_of(choice_salt(agent.salt, point.key), point.key.customer) for point in known])
    outcome = chances(agent.policy, agent.people.features[at], allowed, agent.stakes_of(at))
    shares, own = outcome.shares, outcome.chances
    if Lever.WHETHER not in agent.rules.levers:
        shares, own = without_not_now(shares), without_not_now(own)
    used = exploring_chances(rule, allowed) if agent.status is AgentStatus.EXPLORES else own
    used = np.where(mine[:, None], used, rule_chances(rule, allowed.shape[1]))
    agents, taken = pick(own, u), np.where(mine, pick(used, u), rule)
    campaigns = [option.campaign for option in agent.policy.menu.options]
    return [
        AgentChoice(
            key=point.key, version=agent.version, group=AgentGroup.AGENT if mine[row] else AgentGroup.RULE,
            held=point.held, allowed=allowed[row], features=agent.people.features[at[row]],
            worth=float(agent.people.worth[at[row]]), leaving=float(agent.people.leaving[at[row]]), rule=point.rule,
            option=_option(taken[row], last), agents=_option(agents[row], last),
            campaign=None if taken[row] == last else campaigns[taken[row]],
            chances=used[row],
            value=0.0 if taken[row] == last else _finite(outcome.values[row, taken[row]]),
            trial=bool(mine[row] and shares[row, taken[row]] == 0),
        )
        for row, point in enumerate(known)
    ]  # fmt: skip


def applied(
    listed: Sequence[CaseVerdict], points: Sequence[DecisionPoint], choices: Sequence[AgentChoice]
) -> list[CaseVerdict]:
    """The verdicts as the agent has them: of its people one message a class and day goes, and the others wait.

    Each keeps the value that the rule gives it, by which a short budget is shared: by values of two models one group
    would take the budget of the other, and the groups could not be compared.
    """
    every, by_key = list(listed), {choice.key: choice for choice in choices}
    for point in points:
        if point.key in by_key:
            _apply(every, point, by_key[point.key])
    return every


def after_taken(each: CaseVerdict, taken: TakenOption) -> CaseVerdict:
    """A case as what was taken before, on the same day, leaves it: whatever the agent knows of its campaign."""
    return _waiting(each, taken.campaign) if taken.group is AgentGroup.AGENT else each


def choice_salt(salt: bytes, key: PointKey) -> bytes:
    """Return the salt by which a choice is drawn: another one for every day and class."""
    return b"%s:%d:%d" % (salt[:40], key.day.toordinal(), key.rank)


def _apply(every: list[CaseVerdict], point: DecisionPoint, choice: AgentChoice) -> None:
    for place in point.cases:
        every[place] = replace(every[place], agent=choice)
    if choice.group is not AgentGroup.AGENT:
        return
    taken = None if choice.option == NOT_NOW else point.messages[choice.option]
    for place in point.cases:
        if taken is None:
            every[place] = _waiting(every[place], None)
        elif place != taken.place:
            every[place] = _waiting(every[place], every[taken.place].case.campaign)
        else:
            every[place] = replace(
                every[place], verdict=Verdict.NOW, reach=taken.reach, due_at=taken.at, variant=taken.variant,
                hour_propensity=None,
            )  # fmt: skip


def _waiting(each: CaseVerdict, lost_to: int | None) -> CaseVerdict:
    """A case that the agent does not send today; of one that another message went before it is outranked."""
    return replace(each, verdict=Verdict.WAITS if lost_to is None else Verdict.OUTRANKED, lost_to=lost_to)


def without_not_now(chances_of: Values) -> Values:
    """Chances without *not now*, where staff do not let the agent decide whether; as they are where nothing is left."""
    sends = chances_of[:, :-1].sum(axis=1, keepdims=True)
    scaled = np.concatenate([chances_of[:, :-1] / np.maximum(sends, 1e-300), np.zeros_like(sends)], axis=1)
    return np.where(sends > 0, scaled, chances_of)


def _option(number: np.integer, last: int) -> int:
    return NOT_NOW if number == last else int(number)


def _finite(value: np.floating) -> float:
    return float(value) if np.isfinite(value) else 0.0
