"""Three groups, always: the agent's people, the rule's, and those held out; and what gives all to the rule again."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from recommendations.engine.experiments.assignment import arm_of
from recommendations.engine.experiments.effects import TreatmentEffect, mean_difference
from recommendations.engine.experiments.moments import Moments
from recommendations.engine.experiments.sequences import half_width, mixture_scale
from recommendations.engine.push.agent.belief import Belief
from recommendations.engine.push.agent.terms import Values
from recommendations.engine.push.lift import Z_VISIBLE
from recommendations.push_terms import AgentGroup

PROOF, STANDING = 0.45, 0.80
"""The agent's share of all people until the verdict, and after it."""

LEAST_RULE = 0.1
ALPHA = 0.05
MOST_TRIALS = 0.05  # of a week's value
MOST_OF_ONE = 0.9  # of a day's messages
FARTHEST_MOVE = 4.0  # standard deviations in a night


class GuardedRate(StrEnum):
    """What the agent must not make more of than the rule does."""

    LEAVERS = "leavers"
    COMPLAINTS = "complaints"
    MESSAGES = "messages"


RATE_ALPHA = 2 * ALPHA / len(GuardedRate)
"""Of an interval of one rate: harm is one-sided, and α is split evenly over the rates."""
HARMS: Mapping[GuardedRate, float] = {
    GuardedRate.LEAVERS: 0.03, GuardedRate.COMPLAINTS: 0.01, GuardedRate.MESSAGES: 0.5,
}  # fmt: skip
"""Harm a head for which the interval of all looks is narrowest: settled before anything is seen."""


@dataclass(frozen=True, kw_only=True)
class GuardedSides:
    """Moments a head of both groups, and the scale of intervals that was settled at the start."""

    agent: Moments
    rule: Moments
    tau2: float


def group_of(point: float, *, held: bool, share: float, holdout: float) -> AgentGroup:
    """The group of a person by the agent's own point in [0, 1); who is held out of everything stays so.

    ``share`` is the agent's, of all people; the rule keeps a tenth of those who are not held out at least. Raises
    ValueError where there is no holdout.
    """
    if not 0 < holdout < 1:
        raise ValueError("a group must be held out")
    if held:
        return AgentGroup.HOLDOUT
    own = min(share / (1 - holdout), 1 - LEAST_RULE)
    return (AgentGroup.AGENT, AgentGroup.RULE)[arm_of(point, (own, 1 - own))]


def sides_of_rate(rate: GuardedRate, agent: Values, rule: Values) -> GuardedSides:
    """The sides of a rate, by what each person has of it [people]."""
    tau2 = mixture_scale(HARMS[rate] / Z_VISIBLE, RATE_ALPHA)
    return GuardedSides(agent=Moments.of(agent), rule=Moments.of(rule), tau2=tau2)


def harm_of(sides: GuardedSides) -> TreatmentEffect:
    """How much more the agent's people have a head than the rule's."""
    return mean_difference(sides.agent, sides.rule)


def harmed_rates(sides: Mapping[GuardedRate, GuardedSides]) -> list[GuardedRate]:
    """Rates that are higher for certain, at all looks together."""
    effects = {rate: harm_of(side) for rate, side in sides.items()}
    return [rate for rate, one in effects.items() if one.value - half_width(one.se, sides[rate].tau2, RATE_ALPHA) > 0]


def are_trials_dear(cost: float, value: float) -> bool:
    """Whether what trials cost in a week passes 5 % of its value: the floor is halved then."""
    return cost > MOST_TRIALS * max(value, 0.0) and cost > 0


def trial_cost(chances: Values, shares: Values, values: Values) -> float:
    """What the floor costs beside the drawn models' choices, money of all people; ``values`` are −∞ if not allowed."""
    worth = np.where(np.isfinite(values), values, 0.0)
    return float(((shares - chances)[:, :-1] * worth).sum())


def one_option_rules(counts: Values) -> int | None:
    """The option that more than 90 % of a day's messages are [options]; None where none is."""
    total = counts.sum()
    best = int(counts.argmax()) if len(counts) else 0
    return best if total > 0 and counts[best] > MOST_OF_ONE * total else None


def moved_too_far(before: Belief, after: Belief) -> bool:
    """Whether a term moved by more than four of its standard deviations in one night: the version is not taken."""
    return bool((np.abs(after.mean - before.mean) > FARTHEST_MOVE * before.errors).any())
