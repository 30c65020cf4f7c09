"""Who decides in made days: the agent, as it stands in the product, and the rule that it has to beat."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from recommendations.engine.push.agent.belief import Belief, ClosedDecisions, draws_of, learn, prior
from recommendations.engine.push.agent.caused import NOTHING_KNOWN, CausedRecord, CausedShares, caused_shares
from recommendations.engine.push.agent.choice import FLOOR, AgentPolicy, Chances, Stakes, chances, pick, rule_chances
from recommendations.engine.push.agent.terms import Lever, is_of
from recommendations.engine.push.agent.tiredness import smoothed_worth, tiredness
from recommendations.engine.simulation.recipients import (
    CAMPAIGN,
    CHANNEL,
    MENU,
    NOT_NOW,
    PRICE,
    SCALES,
    SUBJECT,
    Recipients,
    Rows,
    Values,
)

RANDOM_HOURS = 0.1  # of the rule's messages
VARIANT_DAYS = 14  # in which the rule deals subjects out evenly
LEVERS = is_of(MENU.terms, [Lever.SUBJECT, Lever.HOUR])
OF_CHANNEL = np.array([term.lever is Lever.CHANNEL and term.channel is not None for term in MENU.terms])
RULE_KEEPS = LEVERS | OF_CHANNEL
"""Terms of levers: the rule learns of campaigns and of who answers, as ``response`` does."""


@dataclass(frozen=True, kw_only=True, eq=False)
class DecisionDay:
    """What is known of people for whom something is allowed today; ``rows`` are their numbers among all people."""

    day: int
    rows: Rows
    features: Values  # [rows, columns]
    allowed: NDArray[np.bool_]  # [rows, options]
    week: Values  # [all people]: messages of seven days
    due: Values  # [all people]
    leaving: Values  # [rows]: P(leave) · what a lost contact costs
    worth: Values  # [rows]
    band: NDArray[np.int64]  # [rows]


@dataclass(frozen=True, kw_only=True, eq=False)
class ClosedDay:
    """Messages whose days are over, and the pressure that people of the arm are under."""

    closed: ClosedDecisions
    option: Rows  # [messages]
    worth: Values  # [messages]
    band: NDArray[np.int64]  # [messages]
    messages: float  # of the arm's people, a head and week
    leave: Values  # P(leave) by messages of the week
    lost: float


class PushArm(Protocol):
    """An arm of made days."""

    learns_from_all: bool

    def decide(self, today: DecisionDay, draw: np.random.Generator) -> tuple[Rows, Values]:
        """Options [rows] and the chances [rows, options + 1] by which they were drawn."""

    def learn(self, closed: ClosedDay) -> None:
        """Learn from a night's messages."""

    def learn_caused(self, record: CausedRecord) -> None:
        """Learn how many answers messages cause."""


@dataclass
class _Learning:
    """What every arm knows: its belief, what is caused, what a message brings and costs."""

    recipients: Recipients
    seed: int = 0
    belief: Belief = field(default_factory=lambda: prior(MENU, rate=SCALES.rate))
    caused: CausedShares = NOTHING_KNOWN
    price: float = 0.0
    nights: int = 0
    _brings: float = 0.0

    def learn_caused(self, record: CausedRecord) -> None:
        self.caused = caused_shares(record)

    def _learn(self, closed: ClosedDay, *, still: NDArray[np.bool_] | None = None) -> None:
        self.nights += 1
        self.belief = learn(self.belief, closed.closed, still=still)
        worth = self.caused.bands[closed.band] * closed.closed.answered * closed.worth
        self._brings = smoothed_worth(self._brings, worth)
        self.price = tiredness(
            self.belief, messages=closed.messages, brings=self._brings, leave=closed.leave, lost=closed.lost
        ).price


@dataclass
class AgentArm(_Learning):
    """The agent: drawn models choose how, the mean decides whether, prices of leaving and tiredness are taken off."""

    floor: float = FLOOR
    counts_caused: bool = True
    learns_from_all: bool = True

    def decide(self, today: DecisionDay, draw: np.random.Generator) -> tuple[Rows, Values]:
        outcome = self.outcome(today)
        return pick(outcome.chances, draw.random(len(today.rows))), outcome.chances

    def outcome(self, today: DecisionDay) -> Chances:
        """What each option is worth today, and the chances of all."""
        drawn = draws_of(self.belief, seed=self.seed * 1_000 + self.nights)
        policy = AgentPolicy(menu=MENU, mean=self.belief.mean, draws=drawn, floor=self.floor)
        return chances(policy, today.features, today.allowed, self.stakes(today))

    def stakes(self, today: DecisionDay) -> Stakes:
        caused = self.caused.bands[today.band] if self.counts_caused else np.ones(len(today.rows))
        return Stakes(
            worth=today.worth, caused=caused, leaving=today.leaving, price=PRICE,
            tiredness=self.tired(today),
        )  # fmt: skip

    def tired(self, today: DecisionDay) -> float | Values:
        """The price of one message more."""
        del today
        return self.price

    def learn(self, closed: ClosedDay) -> None:
        self._learn(closed)


@dataclass
class RuleArm(_Learning):
    """The rule: one chance of an answer a person, their own best hour, the better channel, the better subject.

    With ``prices`` it takes off tiredness and counts only what is caused.
    """

    prices: bool = False
    learns_from_all: bool = False
    _subjects: Values = field(default_factory=lambda: np.zeros((2, 2, 2)))  # campaign, subject, messages and answers

    def decide(self, today: DecisionDay, draw: np.random.Generator) -> tuple[Rows, Values]:
        n, own = len(today.rows), today.features[:, -2:]
        mail, browser = (today.allowed[:, channel == CHANNEL].any(axis=1) for channel in (0, 1))
        channel = np.where(browser & (~mail | (own[:, 1] > own[:, 0])), 1, 0)
        best_hour = self.recipients.hours[today.rows].argmax(axis=1)
        slot = np.where(draw.random(n) < RANDOM_HOURS, draw.integers(0, 3, n), best_hour)
        caused = self.caused.bands[today.band] if self.prices else np.ones(n)
        cost = today.leaving + (self.price if self.prices else 0.0)
        scores = MENU.scores(today.features, self.belief.mean)
        best, choice = np.zeros(n), np.full(n, NOT_NOW)
        for campaign in (0, 1):
            option = campaign * 12 + self._subject(campaign, today.day, n, draw) * 6 + channel * 3 + slot
            answers = expit(scores[np.arange(n), option])
            value = caused * answers * today.worth - PRICE[option] - cost
            value = np.where(today.allowed[:, campaign == CAMPAIGN].any(axis=1), value, -np.inf)
            choice, best = np.where(value > best, option, choice), np.maximum(value, best)
        return choice, rule_chances(choice, NOT_NOW)

    def learn(self, closed: ClosedDay) -> None:
        self._learn(closed, still=RULE_KEEPS)
        at = CAMPAIGN[closed.option] * 2 + SUBJECT[closed.option]
        for column, each in enumerate((np.ones(len(at)), closed.closed.answered)):
            self._subjects[:, :, column] += np.bincount(at, each, 4).reshape(2, 2)

    def _subject(self, campaign: int, day: int, n: int, draw: np.random.Generator) -> Rows:
        even = draw.integers(0, 2, n)
        if day < VARIANT_DAYS:
            return even
        sent, answered = self._subjects[campaign].T
        return np.full(n, int((answered / np.maximum(sent, 1)).argmax()))
