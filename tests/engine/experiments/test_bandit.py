"""Daily shares: the posterior by hand and by simulation, P(best) against draws, floors, ceiling, borrowing."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, norm

from recommendations.engine.experiments.bandit import (
    DailyArms,
    among,
    best_chances,
    borrowed,
    daily_chances,
    daily_shares,
    floors_of,
    posterior,
    rate_posterior,
    segment_beliefs,
    shares,
)

RNG = np.random.default_rng


def rates(n: list[list[float]], converted: list[list[float]]) -> DailyArms:
    y = np.array(converted, float)
    return DailyArms(n=np.array(n, float), y=y, yy=y, successes=y)


def test_days_weigh_the_same_for_every_arm() -> None:
    """Simpson's trap: B has the larger share on the good day, yet both convert alike on each."""
    days = rates([[900, 100], [100, 900]], [[90, 10], [20, 180]])
    belief = posterior(days, half_life=math.inf, prior=0.0)
    assert belief.mean == pytest.approx([0.15, 0.15])
    assert (days.y.sum(axis=0) / days.n.sum(axis=0)).tolist() == pytest.approx([0.11, 0.19])


def test_days_with_more_units_weigh_more() -> None:
    days = rates([[600, 300], [50, 50]], [[60, 60], [10, 5]])
    expected = [(900 * 0.1 + 100 * 0.2) / 1000, (900 * 0.2 + 100 * 0.1) / 1000]
    assert posterior(days, half_life=math.inf, prior=0.0).mean == pytest.approx(expected)


def test_old_days_fade_by_the_half_life() -> None:
    days = rates([[500, 500]] * 3, [[50, 100], [50, 100], [100, 50]])
    weights = np.array([0.25, 0.5, 1.0])
    expected = (weights @ days.means) / weights.sum()
    assert posterior(days, half_life=1.0, prior=0.0).mean == pytest.approx(expected)


def test_the_variance_is_that_of_the_weighted_mean() -> None:
    """2,000 records of 6 days with unlike shares: how the means scatter."""
    draw, n = RNG(0), np.array([[200, 300], [400, 50], [100, 100], [60, 500], [300, 20], [150, 250]], float)
    means = []
    for _ in range(2000):
        y = draw.binomial(n.astype(int), 0.2).astype(float)
        belief = posterior(DailyArms(n=n, y=y, yy=y, successes=y), half_life=3.0, prior=0.0)
        means.append((belief.mean, belief.sd))
    scatter, claimed = np.array([mean for mean, _ in means]).std(axis=0), np.array([sd for _, sd in means]).mean(axis=0)
    assert claimed == pytest.approx(scatter, rel=0.05)


def test_the_prior_draws_towards_what_all_have() -> None:
    days = rates([[1000, 1000]] * 4, [[20, 40]] * 4)
    free, held = posterior(days, prior=0.0), posterior(days, prior=0.2)
    pooled, spread = 0.03, 0.2 * 0.03
    precision = 1 / free.sd**2
    expected = (precision * free.mean + pooled / spread**2) / (precision + 1 / spread**2)
    assert held.mean == pytest.approx(expected)
    assert held.sd == pytest.approx((precision + 1 / spread**2) ** -0.5)


def test_an_arm_without_units_has_the_prior() -> None:
    days = rates([[1000, 0], [1000, 0]], [[20, 0], [20, 0]])
    for belief in (posterior(days), rate_posterior(days)):
        assert belief.mean[1] == pytest.approx(0.02)
        assert belief.sd[1] == pytest.approx(0.2 * 0.02)
    assert daily_chances(rates([[0, 0]] * 5, [[0, 0]] * 5)) == pytest.approx([0.5, 0.5])


def test_days_without_units_of_an_arm_do_not_count_as_zero() -> None:
    days = rates([[500, 500], [500, 0]], [[50, 50], [50, 0]])
    assert posterior(days, prior=0.0).mean == pytest.approx([0.1, 0.1])


def test_the_rate_posterior_is_the_beta() -> None:
    """One day, so that nothing has to be weighed: the conjugate update of the Beta with the pooled mean."""
    days = rates([[400, 200]], [[10, 2]])
    pooled = 12 / 600
    strength = (1 - pooled) / (pooled * 0.04) - 1
    exact = beta(pooled * strength + np.array([10, 2]), (1 - pooled) * strength + np.array([390, 198]))
    assert beta(pooled * strength, (1 - pooled) * strength).std() == pytest.approx(0.2 * pooled)
    belief = rate_posterior(days)
    assert belief.mean == pytest.approx(exact.mean())
    assert belief.sd == pytest.approx(exact.std())


def test_chances_equal_a_million_draws() -> None:
    draw = RNG(1)
    for arms in (2, 3, 4, 6):
        mean, sd = draw.normal(0, 1, arms), draw.uniform(0.05, 1.5, arms)
        sampled = np.zeros(arms)
        for _ in range(10):
            sampled += np.bincount(draw.normal(mean, sd, (100_000, arms)).argmax(axis=1), minlength=arms)
        assert np.abs(best_chances(mean, sd) - sampled / 1e6).max() < 0.0022  # .002 and what draws scatter: 4.4 sd


def test_chances_of_two_arms_are_the_normal_distributions() -> None:
    for spread in (1.0, 0.05, 20.0):
        expected = norm.cdf(0.3 / math.hypot(1, spread))
        assert best_chances([0.3, 0.0], [1.0, spread])[0] == pytest.approx(expected, abs=2e-3)


@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(0.01, 5)), min_size=1, max_size=6))
def test_chances_sum_to_1_and_follow_the_order_of_arms(arms: list[tuple[float, float]]) -> None:
    mean, sd = np.array(arms).T
    chances = best_chances(mean, sd)
    assert chances.sum() == pytest.approx(1)
    assert (chances >= 0).all()
    assert best_chances(mean[::-1], sd[::-1]) == pytest.approx(chances[::-1])


def test_floors_are_added() -> None:
    assert floors_of(4).tolist() == [0.10, 0.05, 0.05, 0.05]
    assert shares([0.2, 0.5, 0.3, 0.0], floors_of(4)) == pytest.approx([0.25, 0.425, 0.275, 0.05])


def test_what_is_above_the_ceiling_goes_to_the_others_in_proportion() -> None:
    assert shares([0.0, 1.0], [0.02, 0.01]) == pytest.approx([0.10, 0.90])
    assert shares([0.0, 1.0, 0.0], [0.02, 0.01, 0.01]) == pytest.approx([0.2 / 3, 0.9, 0.1 / 3])


@given(st.lists(st.floats(0.001, 1), min_size=2, max_size=6), st.floats(0.6, 1))
def test_shares_are_shares(raw: list[float], ceiling: float) -> None:
    chances = np.array(raw) / sum(raw)
    share = shares(chances, floors_of(len(raw)), ceiling)
    assert share.sum() == pytest.approx(1)
    assert share.max() <= ceiling + 1e-12
    assert (share >= floors_of(len(raw)) - 1e-12).all()


def test_floors_that_are_too_high_are_refused() -> None:
    with pytest.raises(ValueError, match="floors"):
        shares([0.5, 0.5], [0.6, 0.6])


def test_an_arm_taken_out_gives_its_share_to_the_others() -> None:
    assert among([0.2, 0.6, 0.2], [0, 2], floors_of(3)) == pytest.approx([0.1 + 0.425, 0, 0.05 + 0.425])
    assert among([0.2, 0.8], [0], floors_of(2)) == pytest.approx([1, 0])


def test_the_first_days_are_even() -> None:
    two = rates([[1000, 1000]] * 2, [[100, 500]] * 2)
    assert daily_chances(two) == pytest.approx([0.5, 0.5])
    assert daily_chances(rates([[1000, 1000]] * 3, [[100, 500]] * 3))[1] > 0.99


def test_the_money_of_few_successes_is_not_believed() -> None:
    """Under 100 buyers of an arm their number decides, then what they spent."""
    few, many = rates([[1000, 1000]] * 4, [[24, 24]] * 4), rates([[1000, 1000]] * 4, [[25, 25]] * 4)
    chances = []
    for days in (few, many):
        worth = np.array([10.0, 30.0])
        chances.append(daily_chances(DailyArms(n=days.n, y=days.y * worth, yy=days.y * worth**2, successes=days.y)))
    assert chances[0] == pytest.approx([0.5, 0.5])
    assert chances[1][1] > 0.9


def test_few_successes_are_judged_more_carefully_than_many() -> None:
    """The Beta of the prior keeps an arm without any success from being written off."""
    days = rates([[100, 100]] * 3, [[2, 0]] * 3)
    chances = daily_chances(days)
    assert 0.5 < chances[0] < 0.9


def test_segments_that_do_not_differ_have_the_overall_effect() -> None:
    mean, variance = np.array([[1.0, 2.0], [1.0, 2.0], [1.0, 2.0]]), np.full((3, 2), 0.3)
    belief = borrowed(mean, variance)
    assert belief.mean == pytest.approx(mean)
    assert belief.sd == pytest.approx(np.full((3, 2), math.sqrt(0.1)))


def test_segments_that_differ_keep_most_of_their_own() -> None:
    """DerSimonian–Laird by hand: means 0, 10, variances 1: Q = 50, c = 2 − 1 = 1, between = 49."""
    belief = borrowed(np.array([[0.0], [10.0]]), np.ones((2, 1)))
    assert belief.mean[:, 0] == pytest.approx([5 / 50, 10 - 5 / 50])
    assert belief.sd[:, 0] == pytest.approx([math.sqrt(49 / 50 + (1 / 50) ** 2 * 25)] * 2)


def test_a_segment_of_which_nothing_is_known_borrows_all() -> None:
    belief = borrowed(np.array([[0.0], [10.0], [np.nan]]), np.array([[1.0], [1.0], [np.inf]]))
    assert belief.mean[2, 0] == pytest.approx(5)
    assert belief.sd[2, 0] > 5
    assert borrowed(np.array([[3.0, 4.0]]), np.array([[1.0, 4.0]])).mean.tolist() == [[3.0, 4.0]]


def test_pinned_arms_have_theirs_and_the_others_share_the_rest() -> None:
    """.4 is pinned; of the .6 left the floors take .15, and .45 go by the chances .25 and .75 of those two."""
    share = daily_shares([0.2, 0.2, 0.6], running=[0, 1, 2], floors=[0.1, 0.05, 0.05], pinned={1: 0.4})
    assert share == pytest.approx([0.1 + 0.45 * 0.25, 0.4, 0.05 + 0.45 * 0.75])
    assert daily_shares([0.5, 0.5], running=[0, 1], floors=[0.1, 0.05], pinned={0: 0.3, 1: 0.3}).tolist() == [0.5, 0.5]
    assert daily_shares([0.1, 0.1, 0.8], running=[0, 1], floors=[0.1, 0.05, 0], pinned={})[2] == 0
    with pytest.raises(ValueError, match="nothing to the other"):
        daily_shares([0.5, 0.5], running=[0, 1], floors=[0, 0], pinned={0: 1.0})


@given(st.lists(st.floats(0.01, 1), min_size=2, max_size=6), st.data())
def test_shares_with_pins_sum_to_one_and_respect_floors(chances: list[float], data: st.DataObject) -> None:
    arms, whole = len(chances), sum(chances)
    running = sorted(data.draw(st.sets(st.integers(0, arms - 1), min_size=1)))
    pinned = {arm: 0.1 for arm in running[:-1] if data.draw(st.booleans())}
    floors = floors_of(arms)
    share = daily_shares([each / whole for each in chances], running=running, floors=floors, pinned=pinned)
    assert share.sum() == pytest.approx(1)
    for arm in range(arms):
        assert share[arm] == 0 if arm not in running else share[arm] >= (pinned.get(arm) or floors[arm]) - 1e-9


def test_segments_borrow_effects_and_not_levels() -> None:
    """B is a fifth better in both, whatever they click at all: each keeps its level, and the effect is that of both."""
    rich = rates([[4000, 4000]], [[800, 960]])
    poor = rates([[4000, 4000]], [[200, 240]])
    own, belief = segment_beliefs([rich, poor], half_life=math.inf)
    assert own[0].mean == pytest.approx([0.2, 0.24])
    assert belief.mean == pytest.approx(np.array([[0.2, 0.24], [0.05, 0.06]]), rel=1e-9)
    assert (belief.sd[1] < own[1].sd).all()
