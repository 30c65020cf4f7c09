"""The lift of the promotion plan, against numbers worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest

from recommendations.engine.frames import Promotions, TrainingSet
from recommendations.engine.preprocess.promotions import (
    HORIZON,
    MAILER_EDGES,
    SHRINKAGE,
    TAUGHT,
    USUAL,
    level_lifts,
    levels,
    lift,
)
from tests.shop import Act, training_set

DISPLAYED = 6 * (len(MAILER_EDGES) + 1)  # the level of an item that all stores display and no mailer shows
FIRST = -1.0  # the week that the cut falls into began the day before


def told(*rows: tuple[int, int, float, float]) -> Promotions:
    """Promotions from rows of (item, number of the week, display, mailer)."""
    return Promotions(
        item=np.array([row[0] for row in rows], np.int32),
        start=np.array([FIRST + 7 * row[1] for row in rows], np.float32),
        display=np.array([row[2] for row in rows], np.float32),
        mailer=np.array([row[3] for row in rows], np.float32),
    )


def shop(*, promoted_week: int = 3, plain: int = 10, promoted: int = 40) -> TrainingSet:
    """Two items, bought so many times in each of 16 weeks; item 0 more in one of them, and item 1 less by as much."""
    acts = []
    for before in range(1, TAUGHT + 1):
        more = before == promoted_week
        for item, times in ((0, promoted if more else plain), (1, 100 - (promoted if more else plain))):
            acts += [Act(0, item, 2 * before + item, age=-FIRST + 7 * before - 3) for _ in range(times)]
    return training_set(acts, n_users=1, category_of=[0, 0])


def test_levels_are_told_apart_by_shares() -> None:
    rows = told((0, 0, 0, 0), (0, 0, 0, 0.01), (0, 0, 0.02, 0), (0, 0, 1, 0), (0, 0, 1, 1))
    assert levels(rows).tolist() == [0, 1, 6, DISPLAYED, DISPLAYED + 5]


def test_a_display_that_sells_four_times_as_well_has_a_lift_towards_four() -> None:
    promotions = told((0, -3, 1, 0))
    lifts = level_lifts(shop().interactions, promotions)
    assert lifts[0] == 1
    base = 1.0  # by hand, one round after the other: 190 purchases over 15 plain weeks and one displayed
    lifted = 1.0
    for _ in range(3):
        base = 190 / (15 + lifted)
        plain = (150 + SHRINKAGE) / (15 * base + SHRINKAGE)
        lifted = (40 + SHRINKAGE) / (base + SHRINKAGE) / plain
    assert lifts[DISPLAYED] == pytest.approx(lifted)
    assert 1.7 < lifts[DISPLAYED] < 4
    never = np.delete(lifts, [0, DISPLAYED])
    np.testing.assert_allclose(never, never[0])  # a level without a purchase is as good as none


def test_more_purchases_bring_a_lift_nearer_to_the_observed() -> None:
    much = level_lifts(shop(plain=20, promoted=80).interactions, told((0, -3, 1, 0)))
    little = level_lifts(shop(plain=2, promoted=8).interactions, told((0, -3, 1, 0)))
    assert 1 < little[DISPLAYED] < much[DISPLAYED] < 4


def test_lift_is_the_coming_weeks_over_the_usual() -> None:
    promotions = told((0, -3, 1, 0), (0, 0, 1, 0), (0, 1, 1, 0), (1, 2, 0, 0), (1, 3, 0, 0))
    training = replace(shop(), promotions=promotions)
    of_display = level_lifts(training.interactions, promotions)[DISPLAYED]
    fading = [2 ** (-week / 3) for week in range(USUAL)]
    usual = 1 + (of_display - 1) * fading[2] / sum(fading)
    np.testing.assert_allclose(lift(training), [(2 * of_display + 2) / HORIZON / usual, 1], rtol=1e-6)


def test_a_week_without_a_plan_is_as_usual() -> None:
    one, four = (
        lift(replace(shop(), promotions=told((0, -3, 1, 0), (0, 0, 1, 0), *((1, week, 0, 0) for week in weeks))))
        for weeks in ((), (1, 2, 3))
    )
    past_only = lift(replace(shop(), promotions=told((0, -3, 1, 0))))
    assert one[0] > four[0] > past_only[0] == 1  # in the second the other three weeks are known to be plain


def test_purchases_after_the_cut_and_weeks_beyond_the_horizon_do_not_count() -> None:
    near = told((0, -3, 1, 0), (0, 0, 1, 0))
    far = told((0, -3, 1, 0), (0, 0, 1, 0), (0, HORIZON, 1, 1), (0, -TAUGHT - 1, 0.5, 1))
    np.testing.assert_array_equal(lift(replace(shop(), promotions=near)), lift(replace(shop(), promotions=far)))


@pytest.mark.parametrize("promotions", [None, told()])
def test_without_promotions_the_lift_is_one(promotions: Promotions | None) -> None:
    np.testing.assert_array_equal(lift(replace(shop(), promotions=promotions)), [1, 1])


def test_a_shop_without_sales_learns_nothing() -> None:
    empty = training_set([], n_users=0, category_of=[0, 0])
    np.testing.assert_array_equal(lift(replace(empty, promotions=told((0, -1, 1, 0), (1, 0, 1, 1)))), [1, 1])
