"""Made people to whom messages are sent, and short forms of the worlds in which the agent is judged."""

from functools import cache

import numpy as np
import pytest

from recommendations.engine.push.agent.choice import AgentPolicy, chances
from recommendations.engine.push.agent.terms import AgentTermKind
from recommendations.engine.simulation.recipient_arms import AgentArm, RuleArm
from recommendations.engine.simulation.recipient_days import MOST_MAILS, MOST_MESSAGES, RecipientDays
from recommendations.engine.simulation.recipients import (
    CHANNEL,
    MENU,
    NOT_NOW,
    RecipientKind,
    RecipientModel,
    made_recipients,
)

RUNS = 3


@cache
def lived(kind: RecipientKind, arm: str, *, people: int, seed: int, days: int = 56) -> RecipientDays:
    made = made_recipients(RecipientModel(people=people, kind=kind), seed=seed)
    group = (np.random.default_rng(seed).random(people) >= 0.9).astype(np.int64)
    one = AgentArm(made, seed=seed) if arm == "agent" else RuleArm(made, seed=seed, prices=arm == "prices")
    return RecipientDays(recipients=made, arms=[one], group=group, seed=seed, days=days, keeps_log=days < 56).run()


def net(kind: RecipientKind, arm: str, *, people: int = 2_500, runs: int = RUNS) -> np.ndarray:
    """Money a head [runs, fortnights]."""
    every = [lived(kind, arm, people=people, seed=seed) for seed in range(runs)]
    return np.array([each.net[:, 0].reshape(4, 14).sum(axis=1) / each.sizes[0] for each in every])


def test_where_people_differ_the_agent_earns_more_than_the_rule_with_both_prices() -> None:
    agent, rule, prices = (net(RecipientKind.STRONG, arm) for arm in ("agent", "rule", "prices"))
    assert agent.sum() > 1.12 * rule.sum()
    assert agent.sum() > 1.03 * prices.sum()
    assert agent[:, 2:].sum() > 1.2 * rule[:, 2:].sum()


def test_where_people_are_alike_the_agent_loses_next_to_nothing() -> None:
    agent, prices = (net(RecipientKind.ALIKE, arm) for arm in ("agent", "prices"))
    assert agent.sum() > 0.95 * prices.sum()


@pytest.mark.parametrize("kind", [RecipientKind.STRONG, RecipientKind.ALIKE])
def test_fewer_leave_by_the_agent_than_by_the_rule(kind: RecipientKind) -> None:
    agent, rule = (
        sum(lived(kind, arm, people=2_500, seed=seed).left[0] for seed in range(4)) for arm in ("agent", "rule")
    )
    assert agent < 0.85 * rule


def test_the_agent_learns_who_answers_where() -> None:
    """The planted differences: browsers answer the notification, own hours count, messages tire."""
    belief = lived(RecipientKind.STRONG, "agent", people=5_000, seed=5, days=30).arms[0].belief  # type: ignore[attr-defined]
    value = {term.kind: mean for term, mean in zip(belief.menu.terms, belief.mean, strict=True)}
    assert value[AgentTermKind.CHANNEL_BROWSES] > 0.15
    assert value[AgentTermKind.OWN_HOURS] > 0.4
    assert value[AgentTermKind.SENT_7] < -0.05
    assert value[AgentTermKind.BUYS_OFTEN] < 0.2  # clicks that nobody caused pull it up


def test_nothing_is_caused_where_nothing_can_be() -> None:
    days = lived(RecipientKind.DEAD, "agent", people=1_500, seed=1)
    assert days.caused.sum() < 1e-6
    assert days.answers.sum() > 10  # of people who would have bought anyway


def test_caps_consents_and_the_holdout_are_kept() -> None:
    days = lived(RecipientKind.STRONG, "agent", people=1_500, seed=2, days=30)
    sent, mails = np.zeros((30, 1_500), bool), np.zeros((30, 1_500), bool)
    for each in days.log:
        option, rows = each.option, each.today.rows
        went = option < NOT_NOW
        assert each.today.allowed[went, option[went]].all()
        assert days.recipients.reach[rows[went], CHANNEL[option[went]]].all()
        sent[each.today.day, rows[went]] = True
        mails[each.today.day, rows[went]] = CHANNEL[option[went]] == 0
    week = np.array([sent[max(0, day - 6) : day + 1].sum(axis=0).max() for day in range(30)])
    assert week.max() <= MOST_MESSAGES
    assert max(mails[max(0, day - 6) : day + 1].sum(axis=0).max() for day in range(30)) <= MOST_MAILS
    assert not sent[:, days.group == 1].any()
    assert sent.any()


def test_the_log_tells_the_chances_by_which_options_were_drawn() -> None:
    days = lived(RecipientKind.STRONG, "agent", people=1_500, seed=2, days=30)
    expected, counts = np.zeros(NOT_NOW + 1), np.zeros(NOT_NOW + 1)
    variance = np.zeros(NOT_NOW + 1)
    for each in days.log:
        expected += each.chances.sum(axis=0)
        variance += (each.chances * (1 - each.chances)).sum(axis=0)
        counts += np.bincount(each.option, minlength=NOT_NOW + 1)
    assert (np.abs(counts - expected) < 4.5 * np.sqrt(variance)).all()


def test_the_log_holds_the_answers_of_every_arm() -> None:
    made = made_recipients(RecipientModel(people=600), seed=9)
    group = (np.arange(600) % 2).astype(np.int64)
    arms = [AgentArm(made, seed=9), RuleArm(made, seed=9)]
    days = RecipientDays(recipients=made, arms=arms, group=group, seed=9, days=20, keeps_log=True).run()
    closed = [each for each in days.log if each.today.day < 17]  # answers of the last three days are not in yet
    assert sum(each.answered.sum() for each in closed) == days.answers.sum() > 5
    assert not any(each.answered[each.option == NOT_NOW].any() for each in days.log)


def test_the_same_seed_lives_the_same_days() -> None:
    one, two = (
        RecipientDays(
            recipients=(made := made_recipients(RecipientModel(people=400), seed=4)), arms=[AgentArm(made, seed=4)],
            group=np.zeros(400, np.int64), seed=4, days=20,
        ).run()
        for _ in range(2)
    )  # fmt: skip
    assert (one.caused == two.caused).all()
    assert (one.net == two.net).all()


def test_answers_come_as_often_as_their_chances() -> None:
    days = lived(RecipientKind.STRONG, "rule", people=4_000, seed=6)
    expected = days.hits[:, 1].sum()
    unanswered = 3 * days.messages[0] / 56 * 0.03  # of the last three days
    assert abs(days.answers.sum() - expected) < 4 * np.sqrt(expected) + unanswered


def test_a_tired_person_is_persuaded_less_and_leaves_more_easily() -> None:
    made = made_recipients(RecipientModel(people=100), seed=7)
    who, option, due = np.arange(100), np.zeros(100, int), np.zeros(100)
    rested, tired = (made.caused(who, option, due=due, week=np.full(100, week), late=False) for week in (0.0, 3.0))
    assert tired == pytest.approx(rested * 0.8**3)
    assert (made.leaves(who, np.full(100, 3.0)) > made.leaves(who, np.zeros(100))).all()


def test_a_hostile_mean_sends_nothing_that_is_not_allowed() -> None:
    draw = np.random.default_rng(8)
    for seed in range(20):
        mean = 50 * draw.normal(size=len(MENU.terms))
        policy = AgentPolicy(menu=MENU, mean=mean, draws=50 * draw.normal(size=(32, len(mean))))
        days = lived(RecipientKind.STRONG, "agent", people=1_500, seed=2, days=30)
        today = days.log[seed].today
        arm = days.arms[0]
        assert isinstance(arm, AgentArm)
        outcome = chances(policy, today.features, today.allowed, arm.stakes(today))
        assert (outcome.chances[:, :NOT_NOW][~today.allowed] == 0).all()
