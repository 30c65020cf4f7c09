"""Made visitors of given lists: what is true is what was wanted, and what comes of them is what is true."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommendations.engine.rng import generator
from recommendations.engine.simulation.list_clicks import BUYS, ListClicks, attention_of, list_clicks, true_lifts
from recommendations.engine.simulation.list_visitors import UNITS, ListDays, list_visitors
from recommendations.engine.simulation.visitors import VisitorModel
from recommendations.terms import Metric

FLAT = VisitorModel(people=6_000, days=20)


def lists(
    arms: int = 2, customers: int = 8, slots: int = 5, *, seed: int = 0
) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    return generator(seed, "items").integers(0, 40, (arms, customers, slots))


def by_hand() -> ListClicks:
    """One customer, two slots: A is clicked with chances .2 and .1, B with .4 and .1."""
    chances = np.array([[[0.2, 0.1]], [[0.4, 0.1]]])
    return ListClicks(chances=chances, fallback=np.array([[False], [True]]))


def test_worth_of_lists_by_hand() -> None:
    clicks = by_hand()
    assert clicks.listed[:, 0] == pytest.approx([1 - 0.8 * 0.9, 1 - 0.6 * 0.9])
    assert clicks.orders[:, 0] == pytest.approx([0.3 * BUYS, 0.5 * BUYS])
    assert clicks.bought[:, 0] == pytest.approx([1 - 0.95 * 0.975, 1 - 0.9 * 0.975])


def test_true_lifts_by_hand() -> None:
    """Two people, of whom one comes twice and spends thrice as much."""
    true = true_lifts(by_hand(), rows=np.zeros(2, np.int64), visits=np.array([1.0, 2.0]), purse=np.array([1.0, 3.0]))
    assert true["ctr"] == pytest.approx([0.46 / 0.28 - 1])
    assert true["revenue"] == true["attributed"] == pytest.approx([0.5 / 0.3 - 1])
    bought = [(1 - none) + (1 - none**2) for none in (0.95 * 0.975, 0.9 * 0.975)]
    assert true["converted"] == pytest.approx([bought[1] / bought[0] - 1])


@given(seed=st.integers(0, 200), lift=st.sampled_from([-0.4, -0.1, 0.0, 0.3]))
@settings(max_examples=40)
def test_lists_are_as_good_as_wanted_by_the_metric_that_decides(seed: int, lift: float) -> None:
    items = lists(seed=seed)
    items[1, :, 3:] = -1  # shorter, and still as good as wanted
    nothing = np.zeros(items.shape[:2], np.bool_)
    everybody, once = np.arange(items.shape[1]), np.ones(items.shape[1])
    for primary, name in ((Metric.CTR, "ctr"), (Metric.REVENUE, "orders")):
        clicks = list_clicks(items, nothing, lifts=[0, lift], primary=primary, draw=generator(seed, "relevance"))
        assert true_lifts(clicks, rows=everybody, visits=once, purse=once)[name] == pytest.approx([lift], abs=1e-9)
        assert not clicks.chances[1, :, 3:].any()


def test_the_same_lists_are_the_same_in_truth() -> None:
    items = np.repeat(lists(arms=1), 2, axis=0)
    nothing = np.zeros(items.shape[:2], np.bool_)
    clicks = list_clicks(items, nothing, lifts=[0, 0], primary=Metric.CTR, draw=generator(1, "relevance"))
    assert clicks.chances[0] == pytest.approx(clicks.chances[1])


def test_a_slot_is_looked_at_by_its_place_and_that_of_its_list() -> None:
    """Two lists of two on a page: (r k)^−.6, worked out by hand; what stands lower is clicked less."""
    attention = attention_of(np.array([[1, 1, 2, 2]]), np.array([[1, 2, 1, 2]]))
    assert attention == pytest.approx(np.array([[1, 0.659754, 0.659754, 0.435275]]), abs=1e-6)
    items = np.tile(np.arange(4), (1, 50, 1))
    nothing = np.zeros((1, 50), np.bool_)
    parts = {"lifts": [0], "primary": Metric.REVENUE}
    even = list_clicks(items, nothing, attention=np.ones((1, 4)), draw=generator(1, "relevance"), **parts)
    down = list_clicks(items, nothing, attention=attention, draw=generator(1, "relevance"), **parts)
    assert down.chances == pytest.approx(even.chances * attention, abs=1e-9)


def test_sums_of_the_people_are_those_of_the_chances() -> None:
    """Within five standard errors; the seed is fixed, and so is the outcome."""
    came = list_visitors(by_hand(), FLAT, shares=(0.5, 0.5), draw=generator(3, "visitors"))
    for arm, chance in enumerate((0.28, 0.46)):
        sums = {metric: own for metric, (own, _n) in came.sums(arm=arm, days=20, cap=np.inf).items()}
        seen = sums[Metric.CTR]
        assert abs(seen.y / seen.x - chance) < 5 * (chance * (1 - chance) / seen.x) ** 0.5
        orders = sums[Metric.ORDERS].y
        expected = seen.x * (0.3, 0.5)[arm] * BUYS
        assert abs(orders - expected) < 5 * expected**0.5
        assert sums[Metric.FALLBACK].y == pytest.approx(arm * seen.x)
        assert sums[Metric.REVENUE].y == pytest.approx(sums[Metric.BASKET_VALUE].y)
        assert sums[Metric.REFUNDS].x - sums[Metric.REFUNDS].y == pytest.approx(sums[Metric.REVENUE].y)
    half = came.sums(arm=0, days=10, cap=1.0)
    assert half[Metric.REVENUE][0].n < came.sums(arm=0, days=20, cap=1.0)[Metric.REVENUE][0].n
    assert came.above(arm=0, days=10, cap=1.0) <= half[Metric.REVENUE][1]
    assert came.above(arm=0, days=10, cap=np.inf) == 0 < came.above(arm=0, days=10, cap=1.0)
    assert half[Metric.REVENUE][0].y <= half[Metric.REVENUE][1]  # nobody counts more than the cap


def test_the_same_seed_gives_the_same_people() -> None:
    one, other = (list_visitors(by_hand(), FLAT, shares=(0.5, 0.5), draw=generator(5, "visitors")) for _ in range(2))
    assert np.array_equal(one.clicked, other.clicked)
    assert np.array_equal(one.money, other.money)


def test_days_of_a_bandit_come_in_late_and_add_up() -> None:
    days = ListDays(clicks=by_hand(), model=FLAT)
    for day in range(5):
        days.add(np.array([0.25, 0.75]), draw=generator(7, str(day)))
    early, late = days.record(3), days.record(5)
    assert early[Metric.CTR].n.sum(axis=1) == pytest.approx([UNITS] * 3)
    assert late[Metric.CTR].y[:3] == pytest.approx(early[Metric.CTR].y)  # clicks are never late
    grown = late[Metric.CONVERTED].y[:3] - early[Metric.CONVERTED].y
    assert (grown >= 0).all()
    assert grown[:1] == pytest.approx(0)  # two days old
    assert grown[2].sum() > 0
    rate = late[Metric.CTR].y.sum(axis=0) / late[Metric.CTR].n.sum(axis=0)
    assert abs(rate - [0.28, 0.46]).max() < 5 * (0.25 / 2_400) ** 0.5
