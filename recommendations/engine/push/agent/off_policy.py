"""Would the agent have done better than the rule, one decision at a time? Doubly robust, from decisions with chances.

    Δ = Σ_a (agent_a − rule_a) r̂_a + (agent_k − rule_k) / π_k · (outcome − r̂_k)      for a decision that took k

The model r̂ and the agent's choice are learned on the other half of the people. Days are taken as they were, so that
it cannot see how messages tire.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from recommendations.engine.push.agent.belief import ClosedDecisions, draws_of, learn, prior
from recommendations.engine.push.agent.choice import FLOOR, AgentPolicy, Stakes, chances
from recommendations.engine.push.agent.terms import Allowed, Menu, Rows, Values
from recommendations.engine.rng import generator

Z = 1.959964
FEWEST_PEOPLE = 4  # two halves with a variance each
CERTAIN = 1 - 1e-9  # a chance from which on nothing was drawn


@dataclass(frozen=True, kw_only=True, eq=False)
class DecisionLog:
    """Decisions whose days are over. The last column of chances, and the number of options, is *not now*.

    ``logged`` are the chances by which the decision was drawn; ``rule`` is what the rule would have taken.
    """

    menu: Menu
    features: Values  # [decisions, columns]
    allowed: Allowed  # [decisions, options]
    option: Rows  # [decisions]: what was taken
    logged: Values  # [decisions, options + 1]
    rule: Rows  # [decisions]
    answered: Values  # [decisions], 0 or 1; 0 of *not now*
    people: Rows  # [decisions]
    stakes: Stakes  # of each decision; what an answer is worth here counts whole

    def __len__(self) -> int:
        return len(self.option)

    @property
    def is_drawn(self) -> NDArray[np.bool_]:
        """Whether something else might have been taken [decisions]."""
        return self.logged[np.arange(len(self)), self.option] < CERTAIN

    @property
    def gains(self) -> Values:
        """Money that an answer brings [decisions, 1]."""
        return (self.stakes.caused * self.stakes.worth)[:, None]

    @property
    def costs(self) -> Values:
        """Money that each option costs [decisions, options + 1]; *not now* costs nothing."""
        cost = self.stakes.price + (self.stakes.leaving + self.stakes.tiredness)[:, None]
        return np.concatenate([cost, np.zeros((len(self), 1))], axis=1)


@dataclass(frozen=True, kw_only=True)
class AgentEstimate:
    """Difference agent − rule, money a decision, with the ends of its interval at 95 %."""

    value: float
    low: float
    high: float
    decisions: int
    answers: int  # of messages whose chance was no certainty
    largest: float  # weight of an answer
    heaviest: float  # part of the scatter that one person makes


@dataclass(frozen=True, kw_only=True, eq=False)
class CrossFit:
    """What is learned on the other half of the people, for each decision.

    ``wanted`` are the agent's chances less the rule's; ``chance`` is r̂, of an answer, by option.
    """

    wanted: Values  # [decisions, options + 1]
    chance: Values  # [decisions, options]


def agent_minus_rule(log: DecisionLog, *, rate: float, seed: int, floor: float = FLOOR) -> AgentEstimate | None:
    """The difference with its interval; None where nothing was drawn, or fewer than four people decided."""
    if not log.is_drawn.any() or len(np.unique(log.people)) < FEWEST_PEOPLE:
        return None
    return difference_of(log, cross_fit(log, rate=rate, seed=seed, floor=floor))


def difference_of(log: DecisionLog, fit: CrossFit) -> AgentEstimate:
    """The difference by what was learned on other halves.

    s² is the larger of the variance by person and of the draw itself, which counts the rare heavy answers that a
    sample happens not to have.
    """
    at, cost, gain = np.arange(len(log)), log.costs, log.gains
    model = np.concatenate([np.where(log.allowed, gain * fit.chance - cost[:, :-1], 0.0), cost[:, -1:]], axis=1)
    outcome = log.answered * gain[:, 0] - cost[at, log.option]
    weight = fit.wanted[at, log.option] / log.logged[at, log.option]
    difference = (fit.wanted * model).sum(axis=1) + weight * (outcome - model[at, log.option])
    return _estimate(log, difference, weight, design=_design(log, fit))


def cross_fit(log: DecisionLog, *, rate: float, seed: int, floor: float = FLOOR) -> CrossFit:
    """Learn the model and the agent on one half of the people for the decisions of the other, and the other way."""
    people = np.unique(log.people)
    order = generator(seed, "push_off_policy").permutation(len(people))
    side = (order % 2 == 0)[np.searchsorted(people, log.people)]
    wanted, chance = np.empty_like(log.logged), np.empty(log.allowed.shape)
    for half in (side, ~side):
        policy, own = _policy_of(_part(log, ~half), rate=rate, seed=seed, floor=floor), _part(log, half)
        wanted[half] = chances(policy, own.features, own.allowed, own.stakes).chances
        chance[half] = expit(log.menu.scores(own.features, policy.mean))
    wanted[np.arange(len(log)), log.rule] -= 1.0
    return CrossFit(wanted=wanted, chance=chance)


def _policy_of(log: DecisionLog, *, rate: float, seed: int, floor: float) -> AgentPolicy:
    """The agent that these decisions would have made."""
    sent = log.option < len(log.menu.options)
    rows = log.menu.rows(log.features[sent], log.option[sent])
    closed = ClosedDecisions(rows=rows, answered=log.answered[sent], people=log.people[sent])
    belief = learn(prior(log.menu, rate=rate), closed)
    return AgentPolicy(menu=log.menu, mean=belief.mean, draws=draws_of(belief, seed=seed), floor=floor)


def _design(log: DecisionLog, fit: CrossFit) -> float:
    """Variance of the sum of Δ by the draw of answers, of all options that might have been taken."""
    logged, wanted = log.logged[:, :-1], fit.wanted[:, :-1]
    squares = np.divide(wanted**2, logged, out=np.zeros_like(logged), where=logged > 0)
    return float((squares * log.gains**2 * fit.chance * (1 - fit.chance) * log.allowed).sum())


def _estimate(log: DecisionLog, difference: Values, weight: Values, *, design: float) -> AgentEstimate:
    n, value = len(log), float(difference.mean())
    _, cluster = np.unique(log.people, return_inverse=True)
    sums = np.bincount(cluster, difference - value)
    clustered = float((sums**2).sum()) * len(sums) / (len(sums) - 1)
    scatter = max(clustered, design)
    half = Z * math.sqrt(scatter) / n
    return AgentEstimate(
        value=value, low=value - half, high=value + half, decisions=n, answers=int(log.answered[log.is_drawn].sum()),
        largest=float(np.abs(weight).max()), heaviest=float((sums**2).max()) / scatter if scatter > 0 else 0.0,
    )  # fmt: skip


def _part(log: DecisionLog, chosen: NDArray[np.bool_]) -> DecisionLog:
    return DecisionLog(
        menu=log.menu, features=log.features[chosen], allowed=log.allowed[chosen], option=log.option[chosen],
        logged=log.logged[chosen], rule=log.rule[chosen], answered=log.answered[chosen], people=log.people[chosen],
        stakes=log.stakes.of(np.flatnonzero(chosen)),
    )  # fmt: skip
