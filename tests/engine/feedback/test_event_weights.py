import numpy as np
import pytest

from recommendations.engine.feedback.event_weights import ACTS, ActOutcomes, learn_points
from recommendations.event_types import EventName

NONE, VIEW, WISH, CART, PURCHASE = range(-1, 4)


def outcomes(*blocks: tuple[int, int, int, float]) -> ActOutcomes:
    """Pairs of customers of their own from blocks of (act, pairs, bought of them, popularity)."""
    act = np.concatenate([np.full(pairs, act, np.int32) for act, pairs, _, _ in blocks])
    return ActOutcomes(
        customer=np.arange(len(act), dtype=np.int32),
        act=act,
        popularity=np.concatenate([np.full(pairs, popularity, np.float32) for _, pairs, _, popularity in blocks]),
        bought=np.concatenate([np.arange(pairs) < bought for _, pairs, bought, _ in blocks]),
    )


def logit(share: float) -> float:
    return float(np.log(share / (1 - share)))


def test_points_by_hand() -> None:
    """Odds of 1 to 99 without an act, of 1 to 9 after a view, of 1 to 1 after a purchase: λ = ln 11 and ln 99."""
    learned = learn_points(
        outcomes((NONE, 100_000, 1_000, 1), (VIEW, 100_000, 10_000, 1), (PURCHASE, 100_000, 50_000, 1))
    )
    assert list(learned) == [EventName.VIEW_ITEM, EventName.PURCHASE]
    view = learned[EventName.VIEW_ITEM]
    assert view.points.value == pytest.approx(5 * np.log(11) / np.log(99), abs=2e-3)
    assert (view.bought, view.expected, view.pairs) == (
        pytest.approx(0.1, abs=1e-4),
        pytest.approx(0.01, abs=1e-4),
        100_000,
    )
    assert learned[EventName.PURCHASE].points == (5, 5, 5)
    # Variances of the logits: 1/990, 1/9,000 and 1/25,000; of r = λ_v / λ_p: (V_v + (1 − r)² V_0 + r² V_p) / λ_p².
    ratio = np.log(11) / np.log(99)
    variance = 1 / 9_000 + (1 - ratio) ** 2 / 990 + ratio**2 / 25_000
    half = 5 * 1.96 * np.sqrt(variance) / np.log(99)
    assert view.points.high - view.points.value == pytest.approx(half, rel=0.01)
    assert view.points.value - view.points.low == pytest.approx(half, rel=0.01)


def test_an_act_is_held_against_items_as_popular() -> None:
    """Views go to the popular item, which everybody buys more: beside it a view says nothing."""
    blocks = [
        (NONE, 50_000, 50, 1), (NONE, 50_000, 5_000, 9), (VIEW, 10_000, 1_000, 9), (PURCHASE, 5_000, 500, 1),
        (PURCHASE, 5_000, 2_500, 9),
    ]  # fmt: skip
    learned = learn_points(outcomes(*blocks))
    view, purchase = learned[EventName.VIEW_ITEM], learned[EventName.PURCHASE]
    assert view.expected == pytest.approx(0.1, abs=1e-3)
    assert view.points.value == pytest.approx(0, abs=0.01)
    assert purchase.expected == pytest.approx((0.001 + 0.1) / 2, abs=1e-3)
    assert purchase.bought == pytest.approx((0.1 + 0.5) / 2, abs=1e-3)


def test_a_stronger_act_never_gets_fewer_points_and_none_more_than_a_purchase() -> None:
    """A wish of 8 % among 3,000 pairs and a cart of 6 % among 1,000 become one; a view below no act is worth 0."""
    blocks = [
        (NONE, 100_000, 1_000, 1), (VIEW, 50_000, 250, 1), (WISH, 3_000, 240, 1), (CART, 1_000, 60, 1),
        (PURCHASE, 50_000, 10_000, 1),
    ]  # fmt: skip
    learned = learn_points(outcomes(*blocks))
    points = [learned[name].points for name in ACTS]
    ratio = [(logit(share) - logit(0.01)) / (logit(0.2) - logit(0.01)) for share in (0.08, 0.06)]
    both = 5 * (3 * ratio[0] + ratio[1]) / 4
    assert [point.value for point in points] == pytest.approx([0, both, both, 5], abs=0.02)
    assert points[0].low == 0
    assert all(point.low <= point.value <= point.high for point in points)
    blocks[3] = (CART, 1_000, 600, 1)
    assert learn_points(outcomes(*blocks))[EventName.ADD_TO_CART].points == (5, 5, 5)


def test_too_few_pairs_teach_nothing() -> None:
    plenty = ((NONE, 10_000, 100, 1), (PURCHASE, 500, 100, 1))
    assert list(learn_points(outcomes(*plenty, (CART, 500, 50, 1)))) == [EventName.ADD_TO_CART, EventName.PURCHASE]
    assert list(learn_points(outcomes(*plenty, (CART, 499, 50, 1)))) == [EventName.PURCHASE]
    assert not learn_points(outcomes((NONE, 10_000, 100, 1), (PURCHASE, 499, 100, 1)))
    assert not learn_points(outcomes((NONE, 499, 4, 1), (PURCHASE, 500, 100, 1)))


def test_purchases_that_tell_nothing_are_no_unit() -> None:
    assert not learn_points(outcomes((NONE, 10_000, 100, 1), (VIEW, 1_000, 100, 1), (PURCHASE, 1_000, 11, 1)))


def test_pairs_of_one_customer_are_no_more_than_that_customer() -> None:
    """Every pair twice: by the same customers the interval stays, by others it is 1/√2 as wide."""
    once = outcomes((NONE, 20_000, 400, 1), (CART, 5_000, 500, 1), (PURCHASE, 5_000, 1_500, 1))
    twice = [np.repeat(column, 2) for column in (once.customer, once.act, once.popularity, once.bought)]
    same, other = (
        ActOutcomes(customer=customer, act=twice[1], popularity=twice[2], bought=twice[3])
        for customer in (twice[0], np.arange(len(twice[0]), dtype=np.int32))
    )
    widths = [
        learned.high - learned.low
        for learned in (learn_points(pairs)[EventName.ADD_TO_CART].points for pairs in (once, same, other))
    ]
    assert widths[1] == pytest.approx(widths[0], rel=0.01)
    assert widths[2] == pytest.approx(widths[0] / np.sqrt(2), rel=0.01)


def planted(draw: np.random.Generator, *, n: int) -> ActOutcomes:
    """Pairs whose log odds rise with log popularity, and by 1, 1.5, 2.5, 3 for the acts; acts go to popular items."""
    popularity = draw.lognormal(0, 1, n).astype(np.float32)
    acted = draw.random(n) < popularity / (1 + popularity)
    act = np.where(acted, draw.choice(4, n, p=[0.5, 0.15, 0.15, 0.2]), -1).astype(np.int32)
    odds = np.exp(-5 + 0.5 * np.log(popularity) + np.array([1, 1.5, 2.5, 3, 0])[act])  # −1: the last
    bought = draw.random(n) < odds / (1 + odds)
    return ActOutcomes(customer=np.arange(n, dtype=np.int32), act=act, popularity=popularity, bought=bought)


def test_planted_points_are_recovered_and_their_intervals_hold_them() -> None:
    """Without matching, the popular items' own demand would lift a view, the weakest act, by more than .4 points."""
    truth = 5 * np.array([1, 1.5, 2.5]) / 3
    runs = [learn_points(planted(np.random.default_rng(seed), n=60_000)) for seed in range(40)]
    points = np.array([[learned[name].points for name in ACTS[:-1]] for learned in runs])
    value, low, high = np.moveaxis(points, 2, 0)
    assert np.abs(value.mean(axis=0) - truth).max() < 0.17
    assert np.mean((low <= truth) & (truth <= high)) > 0.85
