"""The agent with a value function in place of the price of tiredness: what a whole look ahead would be worth.

Fitted Q iteration on the last 15 days of up to 5,000 people: what waiting and what sending leave for later, linear in
the state. Their difference is a price that knows the person. It stands in the bench alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.push.agent.caused import CausedRecord
from recommendations.engine.push.agent.choice import Stakes, values_of
from recommendations.engine.simulation.recipient_arms import AgentArm, DecisionDay
from recommendations.engine.simulation.recipient_days import RecipientDays
from recommendations.engine.simulation.recipients import MENU, NOT_NOW, PRICE, Rows, Values

FADES = 0.95  # of a next day's worth
ROUNDS, KEPT_DAYS, KEPT_PEOPLE = 40, 15, 5_000
FEWEST_DAYS = 10
WORST = -50.0


@dataclass(frozen=True, eq=False)
class StateDay:
    """A day's states [people, numbers], who was sent something, and what the best option was worth (0 without any)."""

    state: Values
    sent: NDArray[np.bool_]
    best: Values


@dataclass
class FittedQArm(AgentArm):
    """The agent whose price of one message more is what a fitted value function says of the person."""

    state: Values = field(default_factory=lambda: np.zeros((0, 0)))
    _best: Values = field(default_factory=lambda: np.zeros(0))
    _days: list[StateDay] = field(default_factory=list)
    _future: Values | None = None

    def tired(self, today: DecisionDay) -> float | Values:
        scores = MENU.scores(today.features, self.belief.mean)
        plain = Stakes(worth=today.worth, caused=self.caused.bands[today.band], leaving=today.leaving, price=PRICE)
        values = np.where(today.allowed, values_of(scores, plain), -np.inf).max(axis=1)
        self._best[today.rows] = np.maximum(values, WORST)
        if self._future is None:
            return self.price
        price: Values = np.clip(self.state[today.rows] @ (self._future[0] - self._future[1]), 0, None)
        return price

    def begin(self, state: Values) -> None:
        """Take the states of all people this morning."""
        self.state, self._best = state, np.zeros(len(state))

    def remember(self, option: Rows) -> None:
        """Keep the day for the fit."""
        kept = slice(0, KEPT_PEOPLE)
        self._days.append(StateDay(self.state[kept], option[kept] < NOT_NOW, self._best[kept]))
        self._days = self._days[-KEPT_DAYS:]

    def learn_caused(self, record: CausedRecord) -> None:
        super().learn_caused(record)
        if len(self._days) > FEWEST_DAYS:
            self._future = _fitted(self._days)


@dataclass(eq=False)
class FittedQDays(RecipientDays):
    """Made days that show their states to a fitted Q."""

    def _decide(self, due: Values, week: Values) -> Rows:
        arms = [arm for arm in self.arms if isinstance(arm, FittedQArm)]
        for arm in arms:
            arm.begin(_state(self.features(due, week), week, self._reach))
        option = super()._decide(due, week)
        for arm in arms:
            arm.remember(option)
        return option


def _state(features: Values, week: Values, reach: NDArray[np.bool_]) -> Values:
    who = features[:, :4]
    return np.column_stack([
        np.ones(len(who)), who, week, week**2, features[:, 5], features[:, 6], reach, week[:, None] * who[:, :3],
        reach[:, 0] * week,
    ]).astype(np.float64)  # fmt: skip


def _fitted(days: Iterable[StateDay]) -> Values:
    """Weights [wait and send, numbers] of what is left for later."""
    every = list(days)
    state, after = (np.concatenate([each.state for each in part]) for part in (every[:-1], every[1:]))
    sent = np.concatenate([each.sent for each in every[:-1]])
    best = np.concatenate([each.best for each in every[1:]])
    weights = np.zeros((2, state.shape[1]))
    solve = [
        np.linalg.inv(state[sent == act].T @ state[sent == act] + 10 * np.eye(state.shape[1])) @ state[sent == act].T
        for act in (False, True)
    ]
    for _ in range(ROUNDS):
        wait, send = after @ weights[0], best + after @ weights[1]
        later = FADES * np.where(best == 0, wait, np.maximum(wait, send))
        weights = np.stack([solve[act] @ later[sent == bool(act)] for act in (0, 1)])
    return weights
