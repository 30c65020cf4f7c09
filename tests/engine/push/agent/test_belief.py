"""The belief: what a night teaches, what is forgotten, what faults cannot break, what another machine comes to."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize

from recommendations.engine.push.agent.belief import (
    Belief,
    ClosedDecisions,
    draws_of,
    learn,
    moved_to,
    prior,
    restore,
    store,
    weights_of,
)
from recommendations.engine.push.agent.terms import AgentTerm, AgentTermKind, Lever, Menu, MenuCampaign, Values, is_of
from recommendations.push_terms import Channel
from tests.engine.push.agent.facts import THREE, TWO, messages, people

RATE = 0.015
NEVER_FORGETS = float("inf")
TRUTH = np.concatenate([[np.log(RATE / (1 - RATE))], np.random.default_rng(5).normal(0, 0.3, 22)])


def begun() -> Belief:
    return prior(TWO, rate=RATE)


def night(n: int, *, seed: int, persons: int | None = None) -> ClosedDecisions:
    return messages(n, TWO, TRUTH, seed=seed, persons=persons)


def joined(parts: list[ClosedDecisions]) -> ClosedDecisions:
    return ClosedDecisions(
        rows=np.concatenate([part.rows for part in parts]),
        answered=np.concatenate([part.answered for part in parts]),
        people=np.arange(sum(len(part.people) for part in parts)),
    )


def optimum(before: Belief, closed: ClosedDecisions) -> Values:
    """The mode of the posterior, by scipy."""
    weights = weights_of(closed.people)

    def depth(mean: Values) -> float:
        score, off = closed.rows @ mean, mean - before.mean
        fits = weights @ (closed.answered * score - np.logaddexp(0, score))
        return float(off @ before.precision @ off / 2 - fits)

    def slope(mean: Values) -> Values:
        chance = 1 / (1 + np.exp(-(closed.rows @ mean)))
        gradient = before.precision @ (mean - before.mean) - closed.rows.T @ (weights * (closed.answered - chance))
        return np.asarray(gradient, np.float64)

    return np.asarray(minimize(depth, before.mean, jac=slope, method="BFGS", options={"gtol": 1e-8}).x, np.float64)


@pytest.mark.parametrize("persons", [None, 40])
def test_a_night_comes_to_the_optimum(persons: int | None) -> None:
    closed = night(3_000, seed=1, persons=persons)
    once = learn(begun(), closed, half_life=NEVER_FORGETS)
    assert np.abs(once.mean - optimum(begun(), closed)).max() < 1e-6
    again = learn(once, night(2_000, seed=2), half_life=NEVER_FORGETS)
    assert np.abs(again.mean - optimum(once, night(2_000, seed=2))).max() < 1e-6


def test_nights_in_any_order_come_close_to_all_at_once() -> None:
    nights = [night(400, seed=seed) for seed in range(10, 22)]
    batch = learn(begun(), joined(nights), half_life=NEVER_FORGETS)
    gaps = []
    for order in range(50):
        belief = begun()
        for number in np.random.default_rng(order).permutation(len(nights)):
            belief = learn(belief, nights[number], half_life=NEVER_FORGETS)
        gaps.append((belief.mean - batch.mean) / batch.errors)
    # In standard deviations: each night is a normal approximation, so that orders are not quite alike.
    assert np.mean(np.abs(gaps)) < 0.1
    assert np.max(np.abs(gaps)) < 0.75


def test_what_is_forgotten_is_half_after_ninety_nights() -> None:
    taught = learn(begun(), night(5_000, seed=3), half_life=NEVER_FORGETS)
    nobody = ClosedDecisions(rows=np.zeros((0, 23)), answered=np.zeros(0), people=np.zeros(0, int))
    later = learn(taught, nobody, nights=90)
    half = (taught.precision + begun().precision) / 2
    assert np.abs(later.precision - half).max() < 1e-6 * half.max()
    mean = np.linalg.solve(half, (taught.precision @ taught.mean + begun().precision @ begun().mean) / 2)
    assert np.abs(later.mean - mean).max() < 1e-8
    ages = learn(taught, nobody, nights=9_000)
    assert np.abs(ages.mean - begun().mean).max() < 1e-6


def test_many_answers_come_to_the_truth() -> None:
    belief = begun()
    for seed in range(12):
        belief = learn(belief, night(20_000, seed=seed), half_life=NEVER_FORGETS)
    z = (belief.mean - TRUTH) / belief.errors
    assert np.abs(z).max() < 4
    assert belief.errors.max() < 0.1


def faults() -> dict[str, ClosedDecisions]:
    closed = night(500, seed=6)
    rows = closed.rows.copy()
    rows[::7, 3] = np.nan
    rows[::11, 4] = np.inf
    constant = closed.rows.copy()
    constant[:, 6] = 3.0
    same = closed.rows.copy()
    same[:, 10] = same[:, 9]
    return {
        "not a number": replace(closed, rows=rows),
        "constant": replace(closed, rows=constant),
        "collinear": replace(closed, rows=same),
        "no answer": replace(closed, answered=np.zeros(500)),
        "one answer": replace(closed, answered=np.eye(500)[0]),
        "all answer": replace(closed, answered=np.ones(500)),
        "huge": replace(closed, rows=closed.rows * 1_000),
        "one message": ClosedDecisions(rows=closed.rows[:1], answered=np.ones(1), people=np.zeros(1, int)),
        "none": ClosedDecisions(rows=np.zeros((0, 23)), answered=np.zeros(0), people=np.zeros(0, int)),
    }


@pytest.mark.parametrize("fault", faults())
def test_no_fault_makes_a_belief_that_is_not_finite(fault: str) -> None:
    belief, closed = begun(), faults()[fault]
    for _ in range(30):
        belief = learn(belief, closed)
    assert np.isfinite(belief.mean).all()
    assert np.linalg.eigvalsh(belief.precision).min() > 1
    assert np.isfinite(draws_of(belief, seed=1)).all()
    assert np.abs(belief.mean).max() < 12


def test_all_of_a_large_night_answering_does_not_overshoot() -> None:
    closed = night(50_000, seed=7)
    belief = learn(begun(), replace(closed, answered=np.ones(50_000)))
    assert 0.9 < float((1 / (1 + np.exp(-closed.rows @ belief.mean))).mean()) < 1
    assert np.abs(belief.mean).max() < 12


def test_one_person_counts_a_hundredth_of_a_night_at_most() -> None:
    whose = np.concatenate([np.zeros(500, int), np.arange(1, 1_501)])
    weights = weights_of(whose)
    assert weights[:500].sum() == pytest.approx(20)
    assert (weights[500:] == 1).all()
    assert weights_of(np.zeros(7, int)).sum() == pytest.approx(1)  # never less than one message
    alone = night(2_000, seed=8)
    loud = ClosedDecisions(rows=alone.rows, answered=np.ones(2_000), people=whose)
    quiet = ClosedDecisions(rows=alone.rows, answered=alone.answered, people=np.arange(2_000))
    both = learn(begun(), joined([quiet, quiet]))
    mixed = ClosedDecisions(
        rows=np.concatenate([quiet.rows, quiet.rows[:500]]),
        answered=np.concatenate([quiet.answered, loud.answered[:500]]),
        people=np.concatenate([quiet.people + 1, np.zeros(500, int)]),
    )
    unweighted = learn(begun(), replace(mixed, people=np.arange(2_500)))
    raised, without = (one.mean[0] - both.mean[0] for one in (learn(begun(), mixed), unweighted))
    assert 0 < raised < without / 2


def test_terms_that_may_not_be_learned_keep_their_prior() -> None:
    still = is_of(TWO.terms, [Lever.HOUR])
    belief = learn(begun(), night(5_000, seed=9), still=still)
    assert (belief.mean[still] == 0).all()
    assert belief.errors[still] == pytest.approx(0.35, abs=1e-6)
    assert (belief.mean[~still] != 0).all()


def test_models_are_drawn_from_half_the_spread() -> None:
    belief = learn(begun(), night(5_000, seed=9))
    draws = draws_of(belief, seed=4, count=20_000)
    assert np.abs(draws.mean(axis=0) - belief.mean).max() < 4 * 0.35 / np.sqrt(20_000)
    assert np.cov(draws.T) == pytest.approx(belief.covariance / 4, abs=1.5e-3)
    assert (draws_of(belief, seed=4) == draws_of(belief, seed=4)).all()
    assert (draws_of(belief, seed=5) != draws_of(belief, seed=4)).any()


def test_another_machine_comes_to_the_same_digest() -> None:
    """Sums in another order differ in their last digits, and only in these."""
    closed = night(4_000, seed=10)
    digests = set()
    for seed in range(12):
        order = np.random.default_rng(seed).permutation(4_000)
        noise = 1 + 1e-15 * np.random.default_rng(seed).normal(size=(4_000, 1))
        other = ClosedDecisions(rows=closed.rows[order] * noise, answered=closed.answered[order], people=closed.people)
        belief = learn(begun(), other)
        digests.add(store(belief, draws_of(belief, seed=1)).digest)
    assert len(digests) == 1


def test_what_is_stored_is_read_again_and_a_changed_bit_is_seen() -> None:
    belief = learn(begun(), night(900, seed=11))
    stored = store(belief, draws_of(belief, seed=2))
    back, draws = restore(stored, TWO, rate=RATE)
    assert (back.mean == belief.mean).all()
    assert (back.precision == belief.precision).all()
    assert (draws == draws_of(belief, seed=2)).all()
    for name in ("mean", "precision", "draws"):
        bad = bytearray(getattr(stored, name))
        bad[5] ^= 1
        with pytest.raises(ValueError, match="digest"):
            restore(replace(stored, **{name: bytes(bad)}), TWO, rate=RATE)
    with pytest.raises(ValueError, match="other terms"):
        restore(stored, THREE, rate=RATE)
    other = Menu(campaigns=(MenuCampaign(1, 2), MenuCampaign(3, 2)), channels=TWO.channels)
    with pytest.raises(ValueError, match="digest"):
        restore(stored, other, rate=RATE)


def test_a_new_campaign_begins_at_its_prior_and_the_others_stay() -> None:
    belief = learn(begun(), night(3_000, seed=12))
    wider = Menu(campaigns=(*TWO.campaigns, MenuCampaign(3, 2)), channels=TWO.channels)
    moved = moved_to(belief, wider, rate=RATE)
    features = people(30, TWO, seed=13)
    old, new = (menu.scores(features, one.mean) for menu, one in ((TWO, belief), (wider, moved)))
    assert np.abs(new[:, :24] - old).max() < 1e-7
    fresh = [wider.terms.index(AgentTerm(AgentTermKind.CAMPAIGN, 3)), wider.terms.index(
        AgentTerm(AgentTermKind.SUBJECT, 3, 1))]  # fmt: skip
    assert (moved.mean[fresh] == 0).all()
    assert moved.errors[fresh] == pytest.approx(0.35, abs=1e-6)
    back = moved_to(moved, TWO, rate=RATE)
    assert np.abs(back.mean - belief.mean).max() < 1e-7
    assert np.abs(back.covariance - belief.covariance).max() < 1e-6


def test_a_shop_whose_campaigns_all_ended_keeps_what_it_knows_of_people() -> None:
    belief = learn(begun(), night(3_000, seed=12))
    none = Menu(campaigns=(), channels=TWO.channels)
    moved = moved_to(belief, none, rate=RATE)
    assert not none.options
    assert moved.mean[0] == pytest.approx(belief.mean[0], abs=1e-7)
    assert np.isfinite(draws_of(moved, seed=1)).all()
    again = moved_to(moved, TWO, rate=RATE)
    shared = [TWO.terms.index(term) for term in none.terms]
    assert again.mean[shared] == pytest.approx(belief.mean[shared], abs=1e-7)
    assert moved_to(prior(none, rate=RATE), none, rate=RATE).mean == pytest.approx(prior(none, rate=RATE).mean)


def test_scores_stay_where_another_campaign_is_the_first() -> None:
    belief = learn(begun(), night(3_000, seed=14))
    turned = Menu(campaigns=TWO.campaigns[::-1], channels=(Channel.EMAIL, Channel.WEB_PUSH))
    moved = moved_to(belief, turned, rate=RATE)
    features = people(30, TWO, seed=15)
    old, new = TWO.scores(features, belief.mean), turned.scores(features, moved.mean)
    at = [turned.options.index(option) for option in TWO.options]
    assert np.abs(new[:, at] - old).max() < 1e-7
    kept = moved_to(belief, Menu(campaigns=TWO.campaigns[1:], channels=TWO.channels), rate=RATE)
    left = kept.menu.scores(features, kept.mean)
    assert np.abs(left - old[:, 12:]).max() < 1e-7
