"""What the agent refuses and what gives all to the rule again, each at its very number."""

from dataclasses import replace

import numpy as np
import pytest

from recommendations.engine.experiments.assignment import share_of
from recommendations.engine.experiments.moments import Moments
from recommendations.engine.experiments.sequences import mixture_scale
from recommendations.engine.push.agent.belief import prior
from recommendations.engine.push.agent.caused import NOTHING_KNOWN
from recommendations.engine.push.agent.groups import (
    PROOF,
    STANDING,
    AgentGroup,
    GuardedRate,
    GuardedSides,
    are_trials_dear,
    group_of,
    harmed_rates,
    moved_too_far,
    one_option_rules,
    trial_cost,
)
from recommendations.engine.push.agent.off_policy import AgentEstimate
from recommendations.engine.push.agent.readiness import (
    AgentRecord,
    AgentRefusalCode,
    acting_refusal,
    caused_refusal,
    lever_refusal,
    lever_refusals,
    money_refusal,
    off_policy_refusal,
)
from recommendations.engine.push.agent.terms import Lever
from tests.engine.push.agent.facts import TWO

READY = AgentRecord(
    answers=200, held_out=250, split_is_even=True, guardrail_fired=False, decisions=1_000, without_outcome=200,
    version_age=7.0, levers=1,
)  # fmt: skip
ESTIMATE = AgentEstimate(
    value=0.1, low=0.0, high=0.2, decisions=30_000, answers=1_000, largest=90, heaviest=0.1
)  # fmt: skip


def test_two_hundred_answers_are_enough_and_199_are_not() -> None:
    assert acting_refusal(READY) is None
    refusal = acting_refusal(replace(READY, answers=199))
    assert refusal is not None
    assert refusal.code is AgentRefusalCode.TOO_FEW_ANSWERS
    assert refusal.facts == {"there": 199, "needed": 200, "missing": 1}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"held_out": 0}, AgentRefusalCode.NO_HOLDOUT), ({"split_is_even": False}, AgentRefusalCode.BROKEN_SPLIT),
        ({"guardrail_fired": True}, AgentRefusalCode.GUARDRAIL),
        ({"without_outcome": 201}, AgentRefusalCode.NO_OUTCOMES),
        ({"version_age": None}, AgentRefusalCode.NO_VERSION), ({"version_age": 7.01}, AgentRefusalCode.OLD_VERSION),
        ({"levers": 0}, AgentRefusalCode.NOTHING_TO_VARY), ({"answers": 150}, AgentRefusalCode.TOO_FEW_ANSWERS),
    ],
)  # fmt: skip
def test_each_fault_is_refused_by_its_name(change: dict[str, object], code: AgentRefusalCode) -> None:
    refusal = acting_refusal(replace(READY, **change))  # type: ignore[arg-type]
    assert refusal is not None
    assert refusal.code is code


def test_a_lever_needs_a_hundred_answers_and_twenty_on_each_side() -> None:
    assert lever_refusal({"a": 80, "b": 20}) is None
    few = lever_refusal({"a": 41, "b": 20})
    assert few is not None
    assert (few.code, few.facts["there"], few.facts["missing"]) == (AgentRefusalCode.LEVER_TOO_FEW, 61, 39)
    one_sided = lever_refusal({"a": 181, "b": 19})
    assert one_sided is not None
    assert (one_sided.code, one_sided.facts["missing"]) == (AgentRefusalCode.LEVER_ONE_SIDED, 1)
    alone = lever_refusal({"a": 500})
    assert alone is not None
    assert (alone.code, alone.facts["there"], alone.facts["missing"]) == (AgentRefusalCode.LEVER_ONE_SIDED, 0, 20)
    assert list(lever_refusals({Lever.HOUR: {"a": 99, "b": 0}, Lever.CHANNEL: {"a": 50, "b": 50}})) == [Lever.HOUR]


def test_a_band_needs_fifty_held_out_and_a_narrow_interval() -> None:
    narrow = replace(NOTHING_KNOWN, held=np.array([50, 49, 50]), halves=np.array([0.25, 0.1, 0.26]))
    codes = [caused_refusal(narrow, band) for band in range(3)]
    assert codes[0] is None
    assert [one.code for one in codes[1:] if one] == [
        AgentRefusalCode.CAUSED_TOO_FEW_HELD, AgentRefusalCode.CAUSED_TOO_WIDE,
    ]  # fmt: skip


def test_a_log_needs_chances_a_thousand_answers_and_no_giant() -> None:
    assert off_policy_refusal(ESTIMATE) is None
    wrong = (None, replace(ESTIMATE, answers=999), replace(ESTIMATE, heaviest=0.101))
    codes = [refusal.code for refusal in map(off_policy_refusal, wrong) if refusal]
    assert codes == [
        AgentRefusalCode.NO_CHANCES, AgentRefusalCode.TOO_FEW_LOGGED, AgentRefusalCode.ONE_PERSON_CARRIES,
    ]  # fmt: skip


def test_money_is_claimed_only_above_nothing() -> None:
    assert money_refusal(0.01, 3.0) is None
    refusal = money_refusal(-1.2, 2.8)
    assert refusal is not None
    assert refusal.facts == {"low": -1.2, "high": 2.8}


@pytest.mark.parametrize(("share", "agent", "rule"), [(PROOF, 0.45, 0.45), (STANDING, 0.8, 0.1)])
def test_three_groups_have_their_shares(share: float, agent: float, rule: float) -> None:
    groups = [
        group_of(share_of(b"agent", key), held=share_of(b"season", key) < 0.1, share=share, holdout=0.1)
        for key in range(20_000)
    ]
    parts = [groups.count(group) / 20_000 for group in AgentGroup]
    assert parts == pytest.approx([agent, rule, 0.1], abs=0.011)
    assert min(group_of(point, held=False, share=1.0, holdout=0.1) for point in (0.95, 0.99)) is AgentGroup.RULE
    with pytest.raises(ValueError, match="held out"):
        group_of(0.5, held=False, share=0.8, holdout=0.0)


def sides(rate: float, *, seed: int, people: int = 4_000) -> GuardedSides:
    draw = np.random.default_rng(seed)
    agent, rule = draw.poisson(rate, people), draw.poisson(1.0, people)
    return GuardedSides(
        agent=Moments.of(agent), rule=Moments.of(rule), tau2=mixture_scale(float(np.sqrt(2 / people)), 0.05)
    )  # fmt: skip


def test_more_leavers_than_by_the_rule_give_all_to_the_rule() -> None:
    same = {rate: sides(1.0, seed=place) for place, rate in enumerate(GuardedRate)}
    assert harmed_rates(same) == []
    assert harmed_rates(same | {GuardedRate.LEAVERS: sides(1.3, seed=9)}) == [GuardedRate.LEAVERS]
    assert harmed_rates(same | {GuardedRate.MESSAGES: sides(0.7, seed=9)}) == []
    alarms = sum(bool(harmed_rates({GuardedRate.LEAVERS: sides(1.0, seed=seed)})) for seed in range(300))
    assert alarms <= 5


def test_trials_single_options_and_leaps_are_seen() -> None:
    assert are_trials_dear(5.1, 100)
    assert not are_trials_dear(5.0, 100)
    shares, chances = np.array([[1.0, 0.0, 0.0]]), np.array([[0.98, 0.01, 0.01]])
    assert trial_cost(chances, shares, np.array([[2.0, -np.inf]])) == pytest.approx(0.04)
    assert one_option_rules(np.array([91, 9])) == 0
    assert one_option_rules(np.array([90, 10])) is None
    assert one_option_rules(np.zeros(3)) is None
    belief = prior(TWO, rate=0.015)
    for step, leaps in ((3.9, False), (4.1, True)):
        mean = belief.mean.copy()
        mean[4] += step * 0.35
        assert moved_too_far(belief, replace(belief, mean=mean)) is leaps
