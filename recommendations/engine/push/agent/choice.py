"""The choice of an option: what each is worth, the exact chance of each, and the one that a number draws.

Drawn models choose *how*, the mean model decides *whether*: a drawn model that tries many options finds a reason to
send. The policy is the even mixture of the drawn models' choices and of a floor over all that is allowed, so that its
chances are known to the last digit.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from recommendations.engine.push.agent.terms import Allowed, Menu, Rows, Values

FLOOR = 0.02
BLOCK = 20_000  # people at a time: what is in memory at once
EVEN_PART, NOT_NOW_PART = 0.5, 0.5  # of exploring: half even over what is allowed, half of that *not now*


@dataclass(frozen=True, kw_only=True, eq=False)
class Stakes:
    """What an answer brings and what a message costs, in the shop's currency.

    ``tiredness`` is the price of one message more, the same for all or [people].
    """

    worth: Values  # [people]: of an answer
    caused: Values  # [people]: share of answers that messages cause
    leaving: Values  # [people]: P(leave | messages of 7 days) · what a lost contact costs
    price: Values  # [options]: of sending
    tiredness: float | Values = 0.0

    def of(self, people: slice | Rows) -> "Stakes":
        """The stakes of some of the people."""
        tiredness = self.tiredness[people] if isinstance(self.tiredness, np.ndarray) else self.tiredness
        return Stakes(
            worth=self.worth[people], caused=self.caused[people], leaving=self.leaving[people], price=self.price,
            tiredness=tiredness,
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class AgentPolicy:
    """A version as it decides: the mean model [terms], drawn models [models, terms], and floors.

    ``subject_floors`` are chances, by campaign and subject, that staff keep for a subject wherever it is allowed.
    Raises ValueError where floors are below 0 or leave nothing to the drawn models.
    """

    menu: Menu
    mean: Values
    draws: Values
    floor: float = FLOOR
    subject_floors: Mapping[tuple[int, int], float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        floors = (self.floor, *self.subject_floors.values())
        if min(floors) < 0 or sum(floors) >= 1:
            raise ValueError(f"floors of {floors}")


@dataclass(frozen=True, kw_only=True, eq=False)
class Chances:
    """Chances [people, options + 1] and the drawn models' shares of them; the last column is *not now*.

    ``values`` [people, options] are those of the mean model, −∞ where an option is not allowed.
    """

    chances: Values
    shares: Values
    values: Values


def values_of(scores: Values, stakes: Stakes) -> Values:
    """What each option is worth [people, options]: σ(score) · caused · worth − price − leaving − tiredness."""
    gain = (stakes.caused * stakes.worth)[:, None]
    values: Values = gain * expit(scores) - stakes.price - (stakes.leaving + stakes.tiredness)[:, None]
    return values


def chances(policy: AgentPolicy, features: Values, allowed: Allowed, stakes: Stakes, *, block: int = BLOCK) -> Chances:
    """The chances of each option and of *not now*, of people [people, columns] by what is allowed [people, options].

    π = (1 − floors) · share + floor / |allowed|, *not now* being always allowed. A share counts the drawn models whose
    best option it is, if the mean model finds that option worth sending; else they count for *not now*.
    """
    people, options = allowed.shape
    shares, values = np.zeros((people, options + 1)), np.empty((people, options))
    for start in range(0, people, block):
        some = slice(start, start + block)
        own = stakes.of(some)
        values[some] = _allowed_values(policy.menu.scores(features[some], policy.mean), own, allowed[some])
        shares[some] = _shares(policy, features[some], allowed[some], own, values[some])
    return Chances(chances=_with_floors(policy, shares, allowed), shares=shares, values=values)


def pick(chances_of: Values, u: Values) -> NDArray[np.int64]:
    """The option [people] whose stretch of the summed chances holds u in [0, 1); the last number is *not now*."""
    total = chances_of.cumsum(axis=1)
    passed = np.sum(total <= (u * total[:, -1])[:, None], axis=1, dtype=np.int64)
    option: NDArray[np.int64] = np.minimum(passed, chances_of.shape[1] - 1)
    return option


def expected_values(outcome: Chances) -> Values:
    """What a decision is worth before it is drawn [people], Σ π · value: people over a budget are told by it."""
    worth = np.where(np.isfinite(outcome.values), outcome.values, 0.0)
    values: Values = (outcome.chances[:, :-1] * worth).sum(axis=1)
    return values


def exploring_chances(rule: Rows, allowed: Allowed) -> Values:
    """Chances [people, options + 1] while exploring: half the rule's option, a quarter *not now*, the rest even."""
    return _mixed(_certain(rule, allowed.shape[1]), allowed)


def rule_chances(rule: Rows, options: int) -> Values:
    """Chances of a rule that draws nothing: 1 for its option, which is ``options`` where it says *not now*."""
    return _certain(rule, options)


def _shares(policy: AgentPolicy, features: Values, allowed: Allowed, stakes: Stakes, values: Values) -> Values:
    people, options = allowed.shape
    shares, at = np.zeros((people, options + 1)), np.arange(people)
    worth_it = np.concatenate([values > 0, np.ones((people, 1), bool)], axis=1)
    for model in policy.draws:
        drawn = _allowed_values(policy.menu.scores(features, model), stakes, allowed)
        best = drawn.argmax(axis=1)
        shares[at, np.where(worth_it[at, best], best, options)] += 1.0
    return shares / max(len(policy.draws), 1)


def _allowed_values(scores: Values, stakes: Stakes, allowed: Allowed) -> Values:
    return np.where(allowed, values_of(scores, stakes), -np.inf)


def _with_floors(policy: AgentPolicy, shares: Values, allowed: Allowed) -> Values:
    everything = np.concatenate([allowed, np.ones((len(allowed), 1), bool)], axis=1)
    floors = policy.floor * everything / everything.sum(axis=1, keepdims=True)
    for (campaign, variant), floor in policy.subject_floors.items():
        own = [option.campaign == campaign and option.variant == variant for option in policy.menu.options]
        open_to = allowed & np.array(own)
        floors[:, :-1] += floor * open_to / np.maximum(open_to.sum(axis=1, keepdims=True), 1)
    mixture: Values = (1 - floors.sum(axis=1, keepdims=True)) * shares + floors
    return mixture


def _certain(option: Rows, options: int) -> Values:
    certain = np.zeros((len(option), options + 1))
    certain[np.arange(len(option)), option] = 1.0
    return certain


def _mixed(chosen: Values, allowed: Allowed) -> Values:
    count = allowed.sum(axis=1, keepdims=True)
    even = (1 - NOT_NOW_PART) * allowed / np.maximum(count, 1)
    spread = np.concatenate([even, np.where(count > 0, NOT_NOW_PART, 1.0)], axis=1)
    mixture: Values = (1 - EVEN_PART) * chosen + EVEN_PART * spread
    return mixture
