"""Practice of the agent: made answers of people with a shop's own numbers, by the code that decides in earnest.

The agent, the rule, and the rule with both prices live through the same eight weeks. A fifth of the people are planted
morning people: what is true of them is known, so that it can be seen whether the agent found it.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.push.agent.explain import PersonCase
from recommendations.engine.push.agent.learned import LearnedTerm, answers_of_terms, learned_terms
from recommendations.engine.push.agent.terms import SLOTS, AgentTerm, AgentTermKind, Slot
from recommendations.engine.rng import generator
from recommendations.engine.simulation.recipient_arms import AgentArm, ClosedDay, DecisionDay, PushArm, RuleArm
from recommendations.engine.simulation.recipient_days import RecipientDays
from recommendations.engine.simulation.recipients import (
    MENU,
    NEWS,
    NOT_NOW,
    REMINDER,
    SLOT,
    RecipientModel,
    Recipients,
    RecipientTraits,
    Rows,
    Values,
    recipients_like,
)
from recommendations.push_terms import Channel

DAYS, FORTNIGHT = 56, 14
HELD = 0.1
MORNING_PEOPLE, IN_THE_MORNING = 0.2, 0.8  # share of all, and share of their acts
FOUND_FROM, FOUND_TIMES = 0.5, 2.0  # of their messages in the morning; odds of that beside those of the others
LEAST_BUYS, MOST_BUYS, FARTHEST = 0.003, 0.5, 3.0

type Progress = Callable[[float], None]


@dataclass(frozen=True, kw_only=True)
class PracticeArmResult:
    """What an arm brought, by fortnight: net worth a head, and ``left`` and ``sent`` a week and 1,000 people."""

    net: tuple[float, ...]
    left: tuple[float, ...]
    sent: tuple[float, ...]

    @property
    def leavers(self) -> float:
        """People who left, of all fortnights."""
        return fmean(self.left)

    @property
    def messages(self) -> float:
        return fmean(self.sent)


@dataclass(frozen=True, kw_only=True)
class MorningPeople:
    """Planted morning people, and shares of messages of the last fortnight that left in the morning."""

    planted: int
    theirs: float
    others: float

    @property
    def is_found(self) -> bool:
        """Whether the agent writes to them in the morning: mostly, and by far better odds than to the others."""
        better = self.theirs * (1 - self.others) >= FOUND_TIMES * self.others * (1 - self.theirs)
        return self.theirs >= FOUND_FROM and better


@dataclass(frozen=True, kw_only=True)
class PracticeOutcome:
    """What came of a practice; ``truth`` is what a term adds in truth, where it is known (log odds).

    ``waiting`` is somebody to whom nothing was worth sending on the last day, None where there is nobody.
    """

    arms: Mapping[str, PracticeArmResult]
    terms: tuple[LearnedTerm, ...]
    truth: Mapping[AgentTerm, float]
    morning: MorningPeople
    waiting: PersonCase | None


@dataclass
class _WatchedAgent(AgentArm):
    """The agent with what it was seen to do: answers by term, messages of the last fortnight by slot, who waited."""

    planted: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))
    answers: Values = field(default_factory=lambda: np.zeros(len(MENU.terms)))
    slots: NDArray[np.int64] = field(default_factory=lambda: np.zeros((2, len(SLOTS)), np.int64))
    waiting: PersonCase | None = None

    def decide(self, today: DecisionDay, draw: np.random.Generator) -> tuple[Rows, Values]:
        option, chances = super().decide(today, draw)
        if today.day >= DAYS - FORTNIGHT:
            sent = option < NOT_NOW
            np.add.at(self.slots, (self.planted[today.rows[sent]].astype(np.int64), SLOT[option[sent]]), 1)
        if today.day == DAYS - 1:
            self.waiting = self._waiting(today)
        return option, chances

    def learn(self, closed: ClosedDay) -> None:
        super().learn(closed)
        self.answers += answers_of_terms(closed.closed.rows, closed.closed.answered)

    def _waiting(self, today: DecisionDay) -> PersonCase | None:
        """Return the middle one, by their best option, of those for whom no option is worth what it costs."""
        best = self.outcome(today).values.max(axis=1)
        rows = np.flatnonzero(best <= 0)
        if not len(rows):
            return None
        row = int(rows[np.argsort(best[rows], kind="stable")[len(rows) // 2]])
        return PersonCase(
            menu=MENU, mean=self.belief.mean, features=today.features[row], allowed=today.allowed[row],
            stakes=self.stakes(today).of(slice(row, row + 1)),
        )  # fmt: skip


def practise(known: RecipientTraits, *, seed: int, progress: Progress | None = None) -> PracticeOutcome:
    """Let people with these traits live through eight weeks, once an arm."""
    planted = generator(seed, "morning people").random(len(known.buys)) < MORNING_PEOPLE
    people = recipients_like(_with_morning(known, planted), RecipientModel(people=len(planted)), seed=seed)
    agent = _WatchedAgent(people, seed=seed, planted=planted)
    arms: Mapping[str, PushArm] = {
        "rule": RuleArm(people, seed=seed), "rule_prices": RuleArm(people, seed=seed, prices=True), "agent": agent,
    }  # fmt: skip
    group = (generator(seed, "groups").random(len(planted)) < HELD).astype(np.int64)
    results = {}
    for place, (name, arm) in enumerate(arms.items()):
        days = RecipientDays(recipients=people, arms=[arm], group=group, seed=seed, days=DAYS)
        passed = [(0.0, 0.0)]  # people who left and messages, by the end of each fortnight
        for day in range(1, DAYS + 1):
            days.step()
            if day % FORTNIGHT == 0:
                passed.append((float(days.left[0]), float(days.messages[0])))
            if progress is not None:
                progress((place + day / DAYS) / len(arms))
        results[name] = _result(days, np.diff(np.array(passed), axis=0))
    shares = agent.slots / np.maximum(agent.slots.sum(axis=1, keepdims=True), 1)
    others, theirs = shares[:, SLOTS.index(Slot.MORNING)]
    return PracticeOutcome(
        arms=results, terms=tuple(learned_terms(agent.belief, agent.answers)), truth=dict(true_terms(people)),
        morning=MorningPeople(planted=int(planted.sum()), theirs=float(theirs), others=float(others)),
        waiting=agent.waiting,
    )  # fmt: skip


def traits_of(log_rate: Values, standard: Values, *, worth: Values, hours: Values) -> RecipientTraits:
    """Traits by a shop's numbers: ln of purchases a day, three standardised columns, money of a purchase, hours."""
    return RecipientTraits(
        traits=np.clip(standard, -FARTHEST, FARTHEST),
        buys=np.clip(np.exp(log_rate), LEAST_BUYS, MOST_BUYS),
        worth=worth,
        hours=hours,
    )


def true_terms(people: Recipients) -> Iterator[tuple[AgentTerm, float]]:
    """What each term of people who differ adds to the chance that a message causes a purchase, in log odds.

    A term that is not here adds nothing; of own answers no truth is known, as they tell what is hidden.
    """
    kind, browser = AgentTermKind, Channel.WEB_PUSH
    yield AgentTerm(kind.BUYS_OFTEN), -0.7
    yield AgentTerm(kind.NEWNESS), 0.3
    yield AgentTerm(kind.SENT_7), math.log(people.model.tiring)
    yield AgentTerm(kind.CAMPAIGN_DUE, REMINDER), 0.8
    yield AgentTerm(kind.SUBJECT, NEWS, 1), 0.25
    yield AgentTerm(kind.SUBJECT, REMINDER, 1), -0.25
    yield AgentTerm(kind.SUBJECT_BUYS_OFTEN, NEWS, 1), 0.5
    yield AgentTerm(kind.SUBJECT_BROWSES, REMINDER, 1), -0.5
    yield AgentTerm(kind.CHANNEL, channel=browser), -0.15
    yield AgentTerm(kind.CHANNEL_BUYS_OFTEN, channel=browser), -0.3
    yield AgentTerm(kind.CHANNEL_BROWSES, channel=browser), 0.6
    yield AgentTerm(kind.SLOT, slot=Slot.EVENING), 0.2
    yield AgentTerm(kind.OWN_HOURS), 1.0


def _with_morning(known: RecipientTraits, planted: NDArray[np.bool_]) -> RecipientTraits:
    rest = (1 - IN_THE_MORNING) / (len(SLOTS) - 1)
    theirs = np.array([IN_THE_MORNING if slot is Slot.MORNING else rest for slot in SLOTS])
    hours = np.where(planted[:, None], theirs, known.hours)
    return RecipientTraits(traits=known.traits, buys=known.buys, worth=known.worth, hours=hours)


def _result(days: RecipientDays, passed: Values) -> PracticeArmResult:
    """What an arm brought; ``passed`` [fortnights, 2] are people who left, and messages."""
    heads = float(days.sizes[0])
    left, sent = (passed * 1_000 / heads / (FORTNIGHT / 7)).T
    net = days.net[:, 0].reshape(-1, FORTNIGHT).sum(axis=1) / heads
    return PracticeArmResult(net=tuple(net.tolist()), left=tuple(left.tolist()), sent=tuple(sent.tolist()))
