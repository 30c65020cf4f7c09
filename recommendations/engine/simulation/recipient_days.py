"""Made days of messages: who is allowed what, what they answer days later, who buys, who leaves, who is tired."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.push.agent.belief import ClosedDecisions
from recommendations.engine.push.agent.caused import CausedRecord
from recommendations.engine.push.agent.choice import exploring_chances, pick
from recommendations.engine.push.agent.features import PersonNumbers, features_of
from recommendations.engine.rng import generator
from recommendations.engine.simulation.recipient_arms import ClosedDay, DecisionDay, PushArm
from recommendations.engine.simulation.recipients import (
    CAMPAIGN,
    CHANNEL,
    MENU,
    NOT_NOW,
    PRICE,
    SCALES,
    Recipients,
    Rows,
    Values,
)

DAYS = 56
ANSWER_DAYS = 3  # after which a message is closed
MOST_MAILS, MOST_MESSAGES = 3, 5  # of seven days
NEWS_PART, DUE_FROM = 0.5, 0.8  # chance of news today; from which score on a reminder is in question
LEAVE_PRIOR, LEAVE_WEIGHT = 0.003, 400.0
MONTH, WEEK = 28, 7
FIRST_CAUSED = 13  # day on which what is caused is first told


@dataclass(frozen=True, kw_only=True, eq=False)
class SentMessages:
    """A day's messages, and what came of them."""

    who: Rows
    option: Rows
    answered: Values
    left: NDArray[np.bool_]
    week: Values  # messages of the seven days before
    rows: Values  # [messages, terms]


@dataclass(frozen=True, kw_only=True, eq=False)
class LoggedDay:
    """A day's decisions of one arm with their chances, what the arm itself would have taken, and the answers."""

    today: DecisionDay
    option: Rows
    chances: Values
    own: Rows
    answered: Values


@dataclass(eq=False)
class RecipientDays:
    """Made days as they go by. ``group`` [people] numbers the arms; one that is no arm's is held out.

    In the first ``exploring`` days half of the decisions are even over what is allowed.
    """

    recipients: Recipients
    arms: Sequence[PushArm]
    group: NDArray[np.int64]
    days: int = DAYS
    seed: int = 0
    exploring: int = 0
    keeps_log: bool = False
    log: list[LoggedDay] = field(default_factory=list)
    net: Values = field(init=False)  # [days, arms]: money caused less prices and contacts lost, as expected
    left: Values = field(init=False)  # [arms]: people who leave, as expected
    messages: Values = field(init=False)  # [arms]
    spent: Values = field(init=False)  # [people]
    caused: Values = field(init=False)  # [people]: money that messages caused, as expected
    answers: Values = field(init=False)  # [people, channels]
    spent_before: Values = field(init=False)  # [people]: money of the 28 days before the first
    hits: Values = field(init=False)  # [bands, 2]: answers that were caused, and all answers, as expected
    _day: int = 0

    def __post_init__(self) -> None:
        n, arms = self.recipients.model.people, len(self.arms)
        self._draw, self._choose = generator(self.seed, "days"), generator(self.seed, "choices")
        self._reach, self._before = self.recipients.reach.copy(), self._draw.binomial(MONTH, self.recipients.buys)
        self.spent_before = self._before * self.recipients.worth
        self._sent, self._mails = (np.zeros((self.days, n), np.int8) for _ in range(2))
        self._taken, self.answers = np.zeros((n, 2)), np.zeros((n, 2))
        self._silence = self._draw.integers(0, MONTH, n).astype(np.float64)
        self._bought, self.spent, self.caused = np.zeros(n), np.zeros(n), np.zeros(n)
        self._left_sent, self._left = np.zeros(4), np.zeros(4)
        self._waiting: list[SentMessages] = []
        self.net, self.left, self.messages = np.zeros((self.days, arms)), np.zeros(arms), np.zeros(arms)
        self.hits = np.zeros((3, 2))

    @property
    def sizes(self) -> Values:
        """People by arm, those held out last."""
        return np.bincount(self.group, minlength=len(self.arms) + 1).astype(np.float64)

    def run(self) -> "RecipientDays":
        """Live through all days."""
        while self._day < self.days:
            self.step()
        return self

    def step(self) -> None:
        """Live through one day: decide, send, answer, buy, leave; at night learn what closed three days ago."""
        n = self.recipients.model.people
        due = np.clip(self._draw.normal(size=n), -2, 2)
        week = self._in_days(self._sent, WEEK - 1)
        option = self._decide(due, week)
        who = np.flatnonzero(option < NOT_NOW)
        self._send(who, option[who], due, week)
        if self._day >= ANSWER_DAYS:
            self._close(self._waiting.pop(0))
        if self._day % WEEK == WEEK - 1 and self._day >= FIRST_CAUSED:
            self._learn_caused()
        self._day += 1

    def leave_table(self) -> Values:
        """P(leave) by messages of the week: 0, 1, 2, 3 and more; it does not fall."""
        rates = (self._left + LEAVE_PRIOR * LEAVE_WEIGHT) / (self._left_sent + LEAVE_WEIGHT)
        table: Values = np.maximum.accumulate(rates)
        return table

    def _in_days(self, sent: NDArray[np.int8], days: int) -> Values:
        return sent[max(0, self._day - days) : self._day].sum(axis=0).astype(np.float64)

    def features(self, due: Values, week: Values) -> Values:
        """Numbers of all people today [people, columns]."""
        r = self.recipients
        rate = (self.answers.sum() + 1) / (self._taken.sum() + 60)
        numbers = PersonNumbers(
            log_rate=r.traits[:, 0], browsing=r.traits[:, 1], newness=r.traits[:, 2], due=due, sent_7=week,
            sent_28=self._in_days(self._sent, MONTH - 1), silence=self._silence, hours=r.hours, taken=self._taken,
            answers=self.answers,
        )  # fmt: skip
        scales = type(SCALES)(means=SCALES.means, deviations=SCALES.deviations, edges=SCALES.edges, rate=rate)
        return features_of(numbers, scales, MENU)

    def _allowed(self, due: Values, week: Values) -> NDArray[np.bool_]:
        n = len(due)
        news, reminder = self._draw.random(n) < NEWS_PART, due > DUE_FROM
        mail = self._in_days(self._mails, WEEK - 1) < MOST_MAILS
        open_to = np.column_stack([mail, np.ones(n, bool)]) & self._reach
        open_to &= ((week < MOST_MESSAGES) & (self.group < len(self.arms)))[:, None]
        return open_to[:, CHANNEL] & np.where(CAMPAIGN == 0, news[:, None], reminder[:, None])

    def _decide(self, due: Values, week: Values) -> Rows:
        """Options [people] of all arms' people."""
        r, allowed, features = self.recipients, self._allowed(due, week), self.features(due, week)
        option, leave = np.full(len(due), NOT_NOW), self.leave_table()
        for number, arm in enumerate(self.arms):
            rows = np.flatnonzero((self.group == number) & allowed.any(axis=1))
            if not len(rows):
                continue
            leaving = leave[np.minimum(week[rows], 3).astype(np.int64)] * r.lost[rows]
            today = DecisionDay(
                day=self._day, rows=rows, features=features[rows], allowed=allowed[rows], week=week, due=due,
                leaving=leaving, worth=r.worth[rows], band=r.band[rows],
            )  # fmt: skip
            own, chances = arm.decide(today, self._choose)
            taken = own
            if self._day < self.exploring:
                chances = exploring_chances(own, allowed[rows])
                taken = pick(chances, self._choose.random(len(rows)))
            option[rows] = taken
            if self.keeps_log:
                self.log.append(
                    LoggedDay(today=today, option=taken, chances=chances, own=own, answered=np.zeros(len(rows)))
                )
        return option

    def _send(self, who: Rows, option: Rows, due: Values, week: Values) -> None:
        r, n, draw = self.recipients, self.recipients.model.people, self._draw
        chance = r.caused(who, option, due=due, week=week, late=self._day >= self.days // 2)
        leaving = r.leaves(who, week)
        self._account(who, option, chance, leaving)
        because = draw.random(len(who)) < chance
        answered = because | (draw.random(len(who)) < r.anyway[who])
        buys = draw.random(n) < r.buys
        self._bought += buys
        self._bought[who] += because
        self.spent += buys * r.worth
        self.spent[who] += because * r.worth[who]
        self._silence = np.where(buys, 0, self._silence + 1)
        gone = draw.random(len(who)) < leaving
        self._reach[who[gone], CHANNEL[option[gone]]] = False
        rows = MENU.rows(self.features(due, week)[who], option)
        self._waiting.append(
            SentMessages(
                who=who, option=option, answered=answered.astype(np.float64), left=gone, week=week[who], rows=rows
            )
        )
        self._sent[self._day, who] = 1
        self._mails[self._day, who] = CHANNEL[option] == 0
        came = np.zeros(n)
        came[who] = answered
        for each in self.log[-len(self.arms) :]:
            if each.today.day == self._day:
                each.answered[:] = came[each.today.rows]

    def _account(self, who: Rows, option: Rows, chance: Values, leaving: Values) -> None:
        """Write down what is expected of a day's messages."""
        r, arms = self.recipients, len(self.arms)
        gain, group = chance * r.worth[who], self.group[who]
        net = gain - PRICE[option] - leaving * r.lost[who]
        self.caused[who] += gain
        self.net[self._day] = np.bincount(group, net, arms)
        self.left += np.bincount(group, leaving, arms)
        self.messages += np.bincount(group, minlength=arms)
        answers = chance + (1 - chance) * r.anyway[who]
        self.hits += np.column_stack([np.bincount(r.band[who], each, 3) for each in (chance, answers)])

    def _close(self, messages: SentMessages) -> None:
        """Learn from messages whose answers are in."""
        r, channel = self.recipients, CHANNEL[messages.option]
        np.add.at(self._taken, (messages.who, channel), 1)
        np.add.at(self.answers, (messages.who, channel), messages.answered)
        step = np.minimum(messages.week, 3).astype(np.int64)
        self._left_sent += np.bincount(step, minlength=4)
        self._left += np.bincount(step, messages.left, 4)
        for number, arm in enumerate(self.arms):
            mine = np.flatnonzero((self.group[messages.who] == number) | arm.learns_from_all)
            if not len(mine):
                continue
            who = messages.who[mine]
            week = self._sent[max(0, self._day - WEEK + 1) : self._day + 1, self.group == number]
            arm.learn(
                ClosedDay(
                    closed=ClosedDecisions(rows=messages.rows[mine], answered=messages.answered[mine], people=who),
                    option=messages.option[mine], worth=r.worth[who], band=r.band[who],
                    messages=float(week.sum(axis=0).mean()), leave=self.leave_table(), lost=float(r.lost.mean()),
                )
            )  # fmt: skip

    def _learn_caused(self) -> None:
        held = self.group >= len(self.arms)
        for number, arm in enumerate(self.arms):
            both = (self.group == number) | held
            arm.learn_caused(
                CausedRecord(
                    bought=self._bought[both], before=self._before[both].astype(np.float64),
                    answers=self.answers.sum(axis=1)[both], band=self.recipients.band[both], held=held[both],
                )
            )  # fmt: skip
