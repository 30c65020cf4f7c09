"""Agent less rule from decisions with chances: it comes to the truth, and refuses where it cannot know."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from recommendations.engine.push.agent.off_policy import (
    CrossFit,
    DecisionLog,
    agent_minus_rule,
    cross_fit,
    difference_of,
)
from recommendations.engine.push.agent.readiness import (
    HEAVIEST_PERSON,
    LOGGED_ANSWERS,
    AgentRefusalCode,
    off_policy_refusal,
)
from recommendations.engine.simulation.recipient_arms import RuleArm
from recommendations.engine.simulation.recipient_days import RecipientDays
from recommendations.engine.simulation.recipient_log import decision_log, true_difference
from recommendations.engine.simulation.recipients import NOT_NOW, SCALES, RecipientModel, made_recipients

RATE = SCALES.rate


@cache
def explored(seed: int, *, exploring: bool = True, people: int = 1_000) -> RecipientDays:
    made = made_recipients(RecipientModel(people=people), seed=seed)
    group = (np.arange(people) % 10 == 0).astype(np.int64)
    return RecipientDays(
        recipients=made, arms=[RuleArm(made, seed=seed)], group=group, seed=seed, days=21,
        exploring=21 if exploring else 0, keeps_log=True,
    ).run()  # fmt: skip


def test_intervals_hold_the_truth() -> None:
    inside = []
    for seed in range(6):
        days = explored(seed)
        log = decision_log(days)
        fit = cross_fit(log, rate=RATE, seed=seed)
        estimate, truth = difference_of(log, fit), true_difference(days, log, fit)
        inside.append(estimate.low <= truth <= estimate.high)
    assert sum(inside) >= 5


def test_the_estimate_is_unbiased_whatever_the_model_says() -> None:
    """Answers drawn anew many times: their mean is the truth, also where r̂ is far off."""
    days = explored(1, people=200)
    log = decision_log(days)
    fit = cross_fit(log, rate=RATE, seed=1)
    wrong = CrossFit(wanted=fit.wanted, chance=np.full_like(fit.chance, 0.2))
    truth, draw, values = true_difference(days, log, fit), np.random.default_rng(2), []
    chance = np.concatenate([
        days.recipients.caused_by_all(each.today.rows, due=each.today.due, week=each.today.week, late=False)
        for each in days.log
    ])  # fmt: skip
    chance = chance + (1 - chance) * days.recipients.anyway[log.people][:, None]
    at, total = np.arange(len(log)), log.logged.cumsum(axis=1)
    for _ in range(200):
        option = np.minimum((total < draw.random(len(log))[:, None]).sum(axis=1), NOT_NOW)
        hit = draw.random(len(log)) < np.column_stack([chance, np.zeros(len(log))])[at, option]
        values.append(difference_of(replace(log, option=option, answered=hit.astype(float)), wrong).value)
    assert abs(np.mean(values) - truth) < 4 * np.std(values) / np.sqrt(200)


def test_chances_that_are_not_those_of_the_draw_are_seen_as_bias() -> None:
    """The floor must be in π: without it the estimate is another one."""
    log = decision_log(explored(1))
    fit = cross_fit(log, rate=RATE, seed=1)
    sent = log.option < NOT_NOW
    doubled = log.logged.copy()
    doubled[:, :NOT_NOW] *= 2
    other = difference_of(replace(log, logged=doubled), fit)
    assert sent.any()
    assert abs(other.value - difference_of(log, fit).value) > 1e-3


def test_the_model_is_learned_on_the_other_half() -> None:
    """What somebody answers changes nothing of what is expected of them, and something of others."""
    log = decision_log(explored(4, people=200))
    own = log.people == log.people[0]
    other = replace(log, answered=np.where(own & (log.option < NOT_NOW), 1.0, log.answered))
    before, after = (cross_fit(each, rate=RATE, seed=4) for each in (log, other))
    assert (before.chance[own] == after.chance[own]).all()
    assert (before.wanted[own] == after.wanted[own]).all()
    assert (before.chance[~own] != after.chance[~own]).any()


def test_a_rule_that_draws_nothing_tells_nothing() -> None:
    estimate = agent_minus_rule(decision_log(explored(2, exploring=False)), rate=RATE, seed=2)
    assert estimate is None
    refusal = off_policy_refusal(estimate)
    assert refusal is not None
    assert refusal.code is AgentRefusalCode.NO_CHANCES


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_hardly_any_decision_tells_nothing(rows: int) -> None:
    log = decision_log(explored(2))
    few = _head(log, rows)
    assert agent_minus_rule(few, rate=RATE, seed=1) is None


def test_one_person_with_all_the_answers_is_seen() -> None:
    log = decision_log(explored(3))
    loud = np.where(log.people == log.people[0], 1.0, 0.0) * (log.option < NOT_NOW)
    estimate = agent_minus_rule(replace(log, answered=loud), rate=RATE, seed=3)
    assert estimate is not None
    assert estimate.answers == int(loud.sum())
    assert estimate.heaviest > HEAVIEST_PERSON
    refusal = off_policy_refusal(replace(estimate, answers=LOGGED_ANSWERS))
    assert refusal is not None
    assert refusal.code is AgentRefusalCode.ONE_PERSON_CARRIES


def _head(log: DecisionLog, rows: int) -> DecisionLog:
    return replace(
        log, features=log.features[:rows], allowed=log.allowed[:rows], option=log.option[:rows],
        logged=log.logged[:rows], rule=log.rule[:rows], answered=log.answered[:rows], people=log.people[:rows],
        stakes=log.stakes.of(slice(0, rows)),
    )  # fmt: skip
