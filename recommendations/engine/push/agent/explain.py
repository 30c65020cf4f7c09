"""Why a person gets what they get: terms that add up to the score, the line of money, and what would change it."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit

from recommendations.engine.push.agent.choice import Stakes
from recommendations.engine.push.agent.terms import AgentTerm, Allowed, Menu, Values, with_constant

FARTHEST = 4.0  # of a step of a term's weight, log odds
STEPS = 400  # in which a flip is looked for on either side
HALVINGS = 40


@dataclass(frozen=True, kw_only=True, eq=False)
class PersonCase:
    """One person's decision: numbers [columns], what is allowed [options], and the stakes of this one person."""

    menu: Menu
    mean: Values  # [terms]: weights of the mean model
    features: Values
    allowed: Allowed
    stakes: Stakes

    @property
    def not_now(self) -> int:
        return len(self.allowed)

    @property
    def rows(self) -> Values:
        """What each term weighs in each option [options, terms]."""
        rows: Values = with_constant(self.features[None])[0] @ self.menu.matrix
        return rows


@dataclass(frozen=True, kw_only=True)
class TermPart:
    """A term and what it adds to a score, in log odds."""

    term: AgentTerm
    value: float


@dataclass(frozen=True, kw_only=True)
class MoneyLine:
    """What a message is worth, in the shop's currency: ``brings`` less what it costs.

    ``brings`` is chance × caused × worth. The cost of sending, of people who leave and of tiredness are each taken off
    once.
    """

    chance: float
    caused: float
    worth: float
    sending: float
    leaving: float
    tiredness: float

    @property
    def brings(self) -> float:
        return self.chance * self.caused * self.worth

    @property
    def value(self) -> float:
        return self.brings - self.sending - self.leaving - self.tiredness


@dataclass(frozen=True, kw_only=True)
class TermFlip:
    """The smallest step of one term's weight that changes the choice, and what would be chosen then."""

    term: AgentTerm
    step: float
    option: int


def waterfall(case: PersonCase, option: int) -> list[TermPart]:
    """All terms of an option; they add up to its score."""
    parts = case.rows[option] * case.mean
    return [
        TermPart(term=term, value=float(part))
        for term, part, row in zip(case.menu.terms, parts, case.rows[option], strict=True)
        if row
    ]


def differences(case: PersonCase, option: int, other: int) -> list[TermPart]:
    """What an option's terms add beside another's, the largest first: terms of the person cancel, levers stay.

    They add up to the difference of the scores.
    """
    parts = (case.rows[option] - case.rows[other]) * case.mean
    order = np.argsort(-np.abs(parts), kind="stable")
    return [TermPart(term=case.menu.terms[place], value=float(parts[place])) for place in order if parts[place]]


def money_line(case: PersonCase, option: int) -> MoneyLine:
    """The parts of what an option is worth to the shop."""
    stakes = case.stakes
    return MoneyLine(
        chance=float(expit(case.rows[option] @ case.mean)), caused=float(stakes.caused[0]),
        worth=float(stakes.worth[0]), sending=float(stakes.price[option]), leaving=float(stakes.leaving[0]),
        tiredness=float(np.ravel(stakes.tiredness)[0]),
    )  # fmt: skip


def best_option(case: PersonCase) -> int:
    """What the mean model chooses: the best option if it is worth sending, else *not now*."""
    return int(_choices(case, case.rows, np.zeros((1, len(case.mean))))[0])


def smallest_flip(case: PersonCase) -> TermFlip | None:
    """The smallest step of one term's weight by which the mean model chooses something else; None within 4 log odds.

    A step is looked for on a grid of a hundredth and then halved; the one that is told lies on the far side.
    """
    now, rows, flips = best_option(case), case.rows, []
    steps = np.linspace(0.0, FARTHEST, STEPS + 1)[1:]
    for place, term in enumerate(case.menu.terms):
        if not rows[case.allowed, place].any():
            continue
        for sign in (1.0, -1.0):
            shifts = np.zeros((STEPS, len(case.mean)))
            shifts[:, place] = sign * steps
            changed = np.flatnonzero(_choices(case, rows, shifts) != now)
            if len(changed):
                far = float(steps[changed[0]])
                flips.append(_halved(case, rows, TermFlip(term=term, step=sign * far, option=now), place))
    return min(flips, key=lambda flip: abs(flip.step)) if flips else None


def after_step(case: PersonCase, flip: TermFlip) -> int:
    """What is chosen when a term's weight is moved by a step."""
    mean = case.mean.copy()
    mean[case.menu.terms.index(flip.term)] += flip.step
    return best_option(replace(case, mean=mean))


def _halved(case: PersonCase, rows: Values, flip: TermFlip, place: int) -> TermFlip:
    """The flip with the smallest step of its sign, and what is chosen there."""
    near, far, option = 0.0, flip.step, flip.option
    for _ in range(HALVINGS):
        shift = np.zeros((2, len(case.mean)))
        shift[:, place] = (near + far) / 2, far
        middle, beyond = (int(each) for each in _choices(case, rows, shift))
        option = beyond
        if middle == flip.option:
            near = (near + far) / 2
        else:
            far, option = (near + far) / 2, middle
    return TermFlip(term=flip.term, step=far, option=option)


def _choices(case: PersonCase, rows: Values, shifts: Values) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """What is chosen under each shift [shifts, terms] of the weights: a number of an option, or *not now*."""
    scores = rows[case.allowed] @ (case.mean + shifts).T  # [allowed, shifts]
    if not len(scores):
        return np.full(len(shifts), case.not_now)
    stakes = case.stakes
    cost = stakes.price[case.allowed] + float(stakes.leaving[0]) + float(np.ravel(stakes.tiredness)[0])
    values = float(stakes.caused[0] * stakes.worth[0]) * expit(scores) - cost[:, None]
    best = values.argmax(axis=0)
    return np.where(values.max(axis=0) > 0, np.flatnonzero(case.allowed)[best], case.not_now)
