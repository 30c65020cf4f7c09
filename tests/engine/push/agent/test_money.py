"""What messages cause, what one more of them costs, and the terms and sums by which a choice is told."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from recommendations.engine.push.agent.belief import prior
from recommendations.engine.push.agent.caused import CausedRecord, caused_shares
from recommendations.engine.push.agent.choice import AgentPolicy, Stakes, chances
from recommendations.engine.push.agent.explain import (
    PersonCase,
    after_step,
    best_option,
    differences,
    money_line,
    smallest_flip,
    waterfall,
)
from recommendations.engine.push.agent.terms import AgentTermKind, Menu, with_constant
from recommendations.engine.push.agent.tiredness import smoothed_worth, tiredness
from tests.engine.push.agent.facts import THREE, TWO, allowances, people, stakes

TRUE_SHARES = np.array([0.9, 0.6, 0.3])


def record(n: int, *, seed: int, held: float = 0.1) -> CausedRecord:
    """People of whose answers known shares are caused; purchases without a message rise with the band."""
    draw = np.random.default_rng(seed)
    band = draw.integers(0, 3, n)
    out = draw.random(n) < held
    usual = np.array([0.5, 1.5, 4.0])[band]
    answers = np.where(out, 0, draw.poisson(1.5, n))
    caused = draw.binomial(answers, TRUE_SHARES[band])
    return CausedRecord(
        bought=(draw.poisson(usual) + caused).astype(float), before=draw.poisson(usual).astype(float),
        answers=answers.astype(float), band=band, held=out,
    )  # fmt: skip


def test_shares_of_many_people_come_to_the_truth() -> None:
    shares = caused_shares(record(400_000, seed=1))
    assert np.abs(shares.bands - TRUE_SHARES).max() < 0.06
    assert shares.is_told.all()
    assert abs(shares.whole - 0.6) < 0.05


def test_intervals_of_shares_hold_the_truth_as_often_as_they_say() -> None:
    runs = [caused_shares(record(30_000, seed=seed)) for seed in range(80)]
    inside = np.array([np.abs(one.bands - TRUE_SHARES) <= one.halves for one in runs])
    assert inside.mean() > 0.93


def test_few_people_keep_the_prior() -> None:
    small = caused_shares(record(300, seed=2))
    assert (small.bands == 0.5).all()
    assert np.isinf(small.halves).all()
    assert not small.is_told.any()
    nobody = caused_shares(record(3_000, seed=3, held=0.0))
    assert (nobody.bands == 0.5).all()
    assert nobody.held.tolist() == [0, 0, 0]


def test_a_band_with_too_few_held_out_has_the_figure_of_all() -> None:
    one = record(60_000, seed=4)
    few = one.held & ((one.band != 2) | (np.cumsum(one.held & (one.band == 2)) <= 49))
    stays = (one.held == few) | (one.band != 2)
    part = CausedRecord(
        bought=one.bought[stays], before=one.before[stays], answers=one.answers[stays], band=one.band[stays],
        held=few[stays],
    )  # fmt: skip
    shares = caused_shares(part)
    assert shares.held[2] == 49
    assert shares.bands[2] == pytest.approx(shares.whole)
    assert np.isinf(shares.halves[2])
    assert not shares.is_told[2]


@pytest.mark.parametrize("what", ["nobody answers", "nobody buys", "everybody the same"])
def test_degenerate_records_stay_between_their_bounds(what: str) -> None:
    one = record(6_000, seed=5)
    ones = np.ones(6_000)
    one = {
        "nobody answers": replace(one, answers=0 * ones), "nobody buys": replace(one, bought=0 * ones, before=0 * ones),
        "everybody the same": replace(one, bought=ones, before=ones, answers=ones),
    }[what]  # fmt: skip
    shares = caused_shares(one)
    assert np.isfinite(shares.bands).all()
    assert ((shares.bands >= 0.05) & (shares.bands <= 1)).all()


def test_the_price_of_one_message_more_is_the_sum_of_its_parts() -> None:
    belief = prior(TWO, rate=0.015)
    mean = belief.mean.copy()
    mean[TWO.terms.index(next(term for term in TWO.terms if term.kind is AgentTermKind.SENT_7))] = np.log(0.8)
    leave = np.array([0.003, 0.004, 0.006, 0.009])
    one = tiredness(replace(belief, mean=mean), messages=2.0, brings=0.3, leave=leave, lost=5.0)
    assert one.price == pytest.approx(2.0 * (0.2 * 0.3 + 0.002 * 5.0))
    assert (one.fades, one.rise) == (pytest.approx(0.2), pytest.approx(0.002))
    rises = tiredness(replace(belief, mean=-mean), messages=2.0, brings=0.3, leave=leave[:1], lost=5.0)
    assert rises.price == 0.0  # messages that help one another are no gift to the next


def test_what_a_message_brings_is_smoothed_over_nights() -> None:
    assert smoothed_worth(0.0, np.array([1.0, 3.0])) == 2.0
    assert smoothed_worth(2.0, np.array([4.0])) == pytest.approx(2.2)
    assert smoothed_worth(2.0, np.zeros(0)) == 2.0


def cases(menu: Menu, n: int, *, seed: int) -> list[PersonCase]:
    mean = np.random.default_rng([seed, 5]).normal(0, 0.3, len(menu.terms))
    mean[0] = -4.3
    features, allowed, own = (make(n, menu, seed=seed) for make in (people, allowances, stakes))
    return [
        PersonCase(menu=menu, mean=mean, features=features[at], allowed=allowed[at], stakes=own.of(slice(at, at + 1)))
        for at in range(n)
    ]


@pytest.mark.parametrize("menu", [TWO, THREE], ids=["two", "three"])
def test_terms_add_up_to_the_score_and_levers_to_the_difference(menu: Menu) -> None:
    for case in cases(menu, 20, seed=6):
        scores = with_constant(case.features[None])[0] @ (menu.matrix @ case.mean).T
        for option in range(len(menu.options)):
            parts = waterfall(case, option)
            assert abs(sum(part.value for part in parts) - scores[option]) <= 1e-12
            other = (option * 7 + 3) % len(menu.options)
            levers = differences(case, option, other)
            assert abs(sum(part.value for part in levers) - (scores[option] - scores[other])) <= 1e-12
            assert all(part.term.lever is not None for part in levers)
            assert np.all(np.diff([abs(part.value) for part in levers]) <= 0)


def test_the_line_of_money_is_the_value_of_the_choice() -> None:
    for case in cases(TWO, 30, seed=7):
        policy = AgentPolicy(menu=TWO, mean=case.mean, draws=case.mean[None], floor=0.0)
        outcome = chances(policy, case.features[None], case.allowed[None], case.stakes)
        best = int(outcome.chances[0].argmax())
        assert best_option(case) == best
        for option in np.flatnonzero(case.allowed):
            line = money_line(case, int(option))
            assert line.value == pytest.approx(outcome.values[0, option], abs=1e-12)
            assert line.chance == pytest.approx(float(expit(TWO.scores(case.features[None], case.mean)[0, option])))


def test_costs_are_taken_off_once() -> None:
    case = cases(TWO, 1, seed=8)[0]
    own = Stakes(
        worth=np.array([20.0]), caused=np.array([0.5]), leaving=np.array([0.02]), price=np.full(24, 0.001),
        tiredness=0.11,
    )  # fmt: skip
    line = money_line(replace(case, stakes=own), 0)
    assert line.value == pytest.approx(line.chance * 10 - 0.001 - 0.02 - 0.11, abs=1e-15)


def test_the_smallest_flip_flips_and_less_does_not() -> None:
    flipped = 0
    for case in [*cases(TWO, 30, seed=9), *cases(THREE, 10, seed=10)]:
        flip = smallest_flip(case)
        if flip is None:
            assert not case.allowed.any()
            continue
        flipped += 1
        before = best_option(case)
        assert after_step(case, flip) == flip.option != before
        assert after_step(case, replace(flip, step=flip.step * 0.999)) == before
        for term in case.menu.terms:  # no other term needs less
            for sign in (0.98, -0.98):
                assert after_step(case, replace(flip, term=term, step=sign * abs(flip.step))) == before
    assert flipped >= 36
