"""Made visitors: as many, as often and as dear as the model says, and lifts where they are planted."""

import numpy as np
import pytest

from recommendations.engine.simulation.days import ArmDays, DayModel
from recommendations.engine.simulation.visitors import VisitorModel, visitors

RNG = np.random.default_rng
MODEL = VisitorModel(people=40_000)


def test_rates_are_those_of_the_model() -> None:
    shop = visitors(MODEL, draw=RNG(0))
    assert shop.seen.sum() / 40_000 == pytest.approx(7, rel=0.03)
    assert len(shop.first) / 40_000 == pytest.approx(1 - 1 / 8, abs=0.01)  # gamma–Poisson: (1 + 7)^−1 never come
    assert shop.clicks.sum() / shop.seen.sum() == pytest.approx(1 / 20, rel=0.05)
    assert shop.orders.sum() / shop.seen.sum() == pytest.approx(1 / 40, rel=0.06)
    assert shop.arm.mean() == pytest.approx(0.5, abs=0.012)


def test_nobody_counts_before_the_first_visit() -> None:
    shop = visitors(MODEL, draw=RNG(1))
    assert (shop.seen.cumsum(axis=1) > 0).tolist() == shop.present.tolist()
    assert shop.curve[-1] == len(shop.first)
    assert (np.diff(shop.curve, n=2) < 30).all()  # fewer and fewer are new
    assert len(np.unique(shop.key)) == len(shop.key)


def test_refunds_take_back_three_to_ten_days_later() -> None:
    gross = visitors(VisitorModel(people=40_000, refunds=0.0), draw=RNG(2)).revenue
    net = visitors(VisitorModel(people=40_000, refunds=1.0), draw=RNG(2)).revenue
    assert net[:, :3] == pytest.approx(gross[:, :3])
    assert net.cumsum(axis=1).min() > -1e-6  # nothing comes back before it was bought
    assert gross[:, 25:].sum() < net.sum() < gross[:, 18:].sum()  # what is bought last cannot be back, all else is


def test_planted_lifts_come_out() -> None:
    plain = visitors(MODEL, draw=RNG(3), shares=(1.0,), buys=(0.0,), clicks=(0.0,))
    lifted = visitors(MODEL, draw=RNG(3), shares=(1.0,), buys=(0.2,), clicks=(0.3,))
    assert lifted.seen.tolist() == plain.seen.tolist()
    assert lifted.orders.sum() / plain.orders.sum() == pytest.approx(1.2, abs=0.02)
    assert lifted.clicks.sum() / plain.clicks.sum() == pytest.approx(1.3, abs=0.02)
    assert (lifted.orders >= plain.orders).all()


def test_wealth_makes_the_past_speak() -> None:
    def correlation(wealth: float) -> float:
        shop = visitors(VisitorModel(people=40_000, orders=(2.0, 8.0), wealth=wealth, refunds=0.0), draw=RNG(4))
        return float(np.corrcoef(shop.past, shop.revenue.sum(axis=1))[0, 1])

    assert correlation(1.0) > correlation(0.0) > 0.2


def test_late_outcomes_come_in_on_their_day() -> None:
    days, draw, even = ArmDays(DayModel(units=100_000), arms=2, rate=True), RNG(5), np.full(2, 0.5)
    seen = []
    for _ in range(3):
        days.add(even, [0.0, 0.0], draw=draw)
        seen.append(days.record().y[0].sum())
    assert np.array(seen[:2]) / seen[2] == pytest.approx([0.6, 0.9], abs=0.05)
    assert days.record().n.sum(axis=1).tolist() == [100_000] * 3


def test_lifts_of_arms_and_the_season_they_share() -> None:
    days, draw, even = ArmDays(DayModel(units=50_000), arms=2), RNG(6), np.full(2, 0.5)
    for _ in range(28):
        days.add(even, [0.0, 0.5], draw=draw)
    record = days.record()
    total = record.successes[:26].sum(axis=0)
    assert total[1] / total[0] == pytest.approx(1.5, rel=0.08)
    by_day = record.successes[:26].sum(axis=1) / record.n[:26].sum(axis=1)
    assert by_day.max() / by_day.min() > 1.4
