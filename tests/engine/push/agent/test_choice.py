"""Chances: they sum to one, are nothing where nothing is allowed, and are those by which options are drawn."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from recommendations.engine.push.agent.choice import (
    AgentPolicy,
    Chances,
    Stakes,
    chances,
    expected_values,
    exploring_chances,
    pick,
    rule_chances,
    values_of,
)
from recommendations.engine.push.agent.terms import Menu
from tests.engine.push.agent.facts import THREE, TWO, allowances, people, stakes


def policy(menu: Menu, *, seed: int, models: int = 32, spread: float = 0.4, floor: float = 0.02) -> AgentPolicy:
    draw = np.random.default_rng([seed, 9])
    mean = draw.normal(0, 0.3, len(menu.terms))
    mean[0] = -4.0
    return AgentPolicy(
        menu=menu, mean=mean, draws=mean + spread * draw.normal(size=(models, len(menu.terms))), floor=floor
    )  # fmt: skip


def outcome_of(one: AgentPolicy, *, n: int, seed: int, part: float = 0.5) -> tuple[Chances, np.ndarray]:
    allowed = allowances(n, one.menu, seed=seed, part=part)
    return chances(one, people(n, one.menu, seed=seed), allowed, stakes(n, one.menu, seed=seed)), allowed


@settings(max_examples=400)
@given(
    seed=st.integers(0, 2**31), part=st.sampled_from([0.0, 0.05, 0.3, 1.0]), models=st.integers(1, 40),
    floor=st.floats(0, 0.2), spread=st.floats(0, 60), wide=st.booleans(),
)  # fmt: skip
def test_chances_sum_to_one_and_are_none_outside_of_what_is_allowed(
    seed: int, part: float, models: int, floor: float, spread: float, wide: bool
) -> None:
    """Each example has 25 people, so that there are 10,000 cases; a hostile mean is among them."""
    menu = THREE if wide else TWO
    one = policy(menu, seed=seed, models=models, spread=spread, floor=floor)
    outcome, allowed = outcome_of(one, n=25, seed=seed, part=part)
    assert np.abs(outcome.chances.sum(axis=1) - 1).max() < 1e-12
    assert (outcome.chances[:, :-1][~allowed] == 0).all()
    least = floor / (allowed.sum(axis=1) + 1)
    assert (outcome.chances[:, :-1] >= least[:, None] * allowed).all()
    assert (outcome.chances[:, -1] >= least).all()
    u = np.random.default_rng(seed).choice([0.0, 1 - 2**-53, 0.5, 0.02], 25)
    option = pick(outcome.chances, u)
    sent = option < len(menu.options)
    assert allowed[sent, option[sent]].all()


def test_the_floor_is_even_over_what_is_allowed() -> None:
    one = policy(TWO, seed=1)
    outcome, allowed = outcome_of(one, n=200, seed=1)
    everything = np.column_stack([allowed, np.ones(200, bool)])
    floor = 0.02 * everything / everything.sum(axis=1, keepdims=True)
    assert np.abs(outcome.chances - 0.98 * outcome.shares - floor).max() < 1e-15


def test_shares_count_the_models_whose_best_option_it_is() -> None:
    one = policy(TWO, seed=2)
    outcome, allowed = outcome_of(one, n=60, seed=2)
    features, own = people(60, TWO, seed=2), stakes(60, TWO, seed=2)
    for person in range(60):
        counts = np.zeros(25)
        for model in one.draws:
            gain = own.caused[person] * own.worth[person]
            cost = own.price + own.leaving[person] + own.tiredness
            drawn, mean = (
                gain * expit(TWO.scores(features[person : person + 1], weights)[0]) - cost
                for weights in (model, one.mean)
            )
            if not allowed[person].any():
                counts[24] += 1
                continue
            best = max(np.flatnonzero(allowed[person]), key=lambda place: drawn[place])
            counts[best if mean[best] > 0 else 24] += 1
        assert outcome.shares[person] == pytest.approx(counts / 32, abs=1e-12)


def test_nothing_is_sent_that_the_plain_model_does_not_find_worth_it() -> None:
    one = policy(TWO, seed=3, spread=3.0, floor=0.0)
    outcome, allowed = outcome_of(one, n=400, seed=3)
    unworthy = allowed & (outcome.values <= 0)
    assert unworthy.any()
    assert (outcome.chances[:, :-1][unworthy] == 0).all()


def test_a_million_draws_fall_as_the_chances_say() -> None:
    one = policy(TWO, seed=4)
    outcome, allowed = outcome_of(one, n=10, seed=4)
    u = np.random.default_rng(8).random((100_000, 10))
    for person in range(10):
        pi = outcome.chances[person]
        options = pick(np.broadcast_to(pi, (100_000, 25)), u[:, person])
        counts = np.bincount(options, minlength=25)
        assert counts[:-1][~allowed[person]].sum() == 0
        open_to = pi > 0
        z = (counts - 1e5 * pi)[open_to] / np.sqrt(1e5 * (pi * (1 - pi))[open_to] + 1e-9)
        assert np.abs(z).max() < 4.5


def test_the_same_number_draws_the_same_option() -> None:
    """The decision is a function of the version and the person's number: a later pass of the day repeats itself."""
    one = policy(TWO, seed=5)
    u = np.random.default_rng(1).random(300)
    first, second = (outcome_of(one, n=300, seed=5)[0] for _ in range(2))
    assert (first.chances == second.chances).all()
    assert (pick(first.chances, u) == pick(second.chances, u)).all()


def test_blocks_of_people_change_nothing() -> None:
    one, features, own = policy(THREE, seed=6), people(100, THREE, seed=6), stakes(100, THREE, seed=6)
    allowed = allowances(100, THREE, seed=6)
    whole, parts = (chances(one, features, allowed, own, block=block) for block in (100, 7))
    assert np.abs(whole.chances - parts.chances).max() < 1e-12


def test_staff_may_keep_a_chance_for_a_subject() -> None:
    one = replace(policy(TWO, seed=7), subject_floors={(1, 1): 0.2})
    outcome, allowed = outcome_of(one, n=300, seed=7)
    own = np.array([option.campaign == 1 and option.variant == 1 for option in TWO.options])
    has = (allowed & own).any(axis=1)
    assert (outcome.chances[has][:, :-1][:, own].sum(axis=1) >= 0.2).all()
    assert np.abs(outcome.chances.sum(axis=1) - 1).max() < 1e-12
    assert (outcome.chances[:, :-1][~allowed] == 0).all()
    for floors in ({(1, 1): -0.1}, {(1, 1): 0.5, (2, 1): 0.5}):
        with pytest.raises(ValueError, match="floors"):
            replace(one, subject_floors=floors)


def test_a_message_costs_what_it_costs_once() -> None:
    own = Stakes(
        worth=np.array([10.0]), caused=np.array([0.5]), leaving=np.array([0.3]), price=np.array([0.1, 0.2]),
        tiredness=0.4,
    )  # fmt: skip
    assert values_of(np.array([[0.0, 0.0]]), own)[0] == pytest.approx([1.7, 1.6], abs=1e-12)
    each = replace(own, tiredness=np.array([0.9]))
    assert values_of(np.array([[0.0, 0.0]]), each)[0] == pytest.approx([1.2, 1.1], abs=1e-12)


def test_tiredness_makes_fewer_messages_worth_it() -> None:
    one, features = policy(TWO, seed=8), people(500, TWO, seed=8)
    allowed, own = allowances(500, TWO, seed=8), stakes(500, TWO, seed=8)
    rested, tired = (chances(one, features, allowed, replace(own, tiredness=price)) for price in (0.0, 0.3))
    assert tired.chances[:, -1].mean() > rested.chances[:, -1].mean() + 0.05
    assert (tired.chances[:, -1] >= rested.chances[:, -1] - 1e-12).all()


def test_a_decision_is_worth_the_mean_over_its_chances() -> None:
    outcome, _ = outcome_of(policy(TWO, seed=9), n=50, seed=9)
    worth = np.where(np.isfinite(outcome.values), outcome.values, 0)
    assert expected_values(outcome) == pytest.approx((outcome.chances[:, :24] * worth).sum(axis=1))


def test_exploring_is_half_the_rule_and_half_even() -> None:
    allowed = np.array([[True, False, True], [False, False, False], [True, True, True]])
    pi = exploring_chances(np.array([2, 3, 3]), allowed)
    assert pi[0] == pytest.approx([0.125, 0, 0.625, 0.25])
    assert pi[1] == pytest.approx([0, 0, 0, 1])
    assert pi[2] == pytest.approx([1 / 12, 1 / 12, 1 / 12, 0.75])
    assert rule_chances(np.array([1, 3]), 3).tolist() == [[0, 1, 0, 0], [0, 0, 0, 1]]
