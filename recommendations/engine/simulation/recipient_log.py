"""Logs of made days, as an off-policy estimate reads them, and the truth that it should come to."""

import numpy as np

from recommendations.engine.push.agent.choice import Stakes
from recommendations.engine.push.agent.off_policy import CrossFit, DecisionLog
from recommendations.engine.simulation.recipient_days import RecipientDays
from recommendations.engine.simulation.recipients import MENU, PRICE, Values


def decision_log(days: RecipientDays) -> DecisionLog:
    """All decisions of the days whose log was kept, of one arm; answers count whole."""
    log = days.log
    worth = np.concatenate([each.today.worth for each in log])
    leaving = np.concatenate([each.today.leaving for each in log])
    return DecisionLog(
        menu=MENU, features=np.concatenate([each.today.features for each in log]),
        allowed=np.concatenate([each.today.allowed for each in log]),
        option=np.concatenate([each.option for each in log]), logged=np.concatenate([each.chances for each in log]),
        rule=np.concatenate([each.own for each in log]), answered=np.concatenate([each.answered for each in log]),
        people=np.concatenate([each.today.rows for each in log]),
        stakes=Stakes(worth=worth, caused=np.ones(len(worth)), leaving=leaving, price=PRICE),
    )  # fmt: skip


def true_difference(days: RecipientDays, log: DecisionLog, fit: CrossFit) -> float:
    """What the agent would have made more than the rule, money a decision, with the days as they were."""
    chances = np.concatenate([_answers(days, place) for place in range(len(days.log))])
    model = np.where(log.allowed, log.gains * chances - log.costs[:, :-1], 0.0)
    return float((fit.wanted[:, :-1] * model).sum()) / len(log)


def _answers(days: RecipientDays, place: int) -> Values:
    """Chances of an answer [rows, options] on a logged day, caused or not."""
    people, today = days.recipients, days.log[place].today
    late = today.day >= days.days // 2
    caused = people.caused_by_all(today.rows, due=today.due, week=today.week, late=late)
    answers: Values = caused + (1 - caused) * people.anyway[today.rows][:, None]
    return answers
