"""The promise to new items: given only where it can be kept, kept under load, and drawn with exact chances."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendations.engine.ranking.promise import Budget, Promise, admitted, budget, chances
from recommendations.engine.rng import generator

PROMISE = Promise()


def test_the_arithmetic_of_the_page() -> None:
    """1,487 requests a day carry 17 new items a day at 30 impressions each."""
    assert PROMISE.a_day(1_487) == pytest.approx(17.35, abs=0.01)
    assert PROMISE.room(1_000) == pytest.approx(0.6 * 1_000 * 0.35 * 7)


def test_a_promise_is_given_while_all_of_them_fit() -> None:
    room = PROMISE.room(100)  # 147 impressions: four items
    assert admitted(9, promised=0, rate=100, promise=PROMISE) == int(room // 30) == 4
    assert admitted(9, promised=60, rate=100, promise=PROMISE) == 2
    assert admitted(1, promised=0, rate=100, promise=PROMISE) == 1
    assert admitted(9, promised=room, rate=100, promise=PROMISE) == 0
    assert admitted(9, promised=0, rate=0, promise=PROMISE) == 0


def test_the_share_is_what_is_needed_and_never_more_than_the_highest() -> None:
    one = budget(np.array([30.0]), np.array([0.0]), rate=100, promise=PROMISE)
    assert one.share == pytest.approx(1.2 * 30 / (0.65 * 7 * 100))
    assert one.load == pytest.approx(one.share / 0.35)
    many = budget(np.full(50, 30.0), np.zeros(50), rate=100, promise=PROMISE)
    assert many == Budget(share=0.35, load=1.0)
    late = budget(np.array([30.0]), np.array([6.9]), rate=100, promise=PROMISE)
    assert late.share == 0.35
    assert budget(np.empty(0), np.empty(0), rate=100, promise=PROMISE) == Budget(share=0, load=0)
    assert budget(np.array([30.0]), np.array([0.0]), rate=0, promise=PROMISE).share == 0


@pytest.mark.parametrize("changed", [{"impressions": 0}, {"days": 0.0}, {"highest_share": 0.0}])
def test_nothing_is_promised_by_a_promise_of_nothing(changed: dict[str, float]) -> None:
    promise = Promise(**changed)  # type: ignore[arg-type]
    got = budget(np.array([3.0]), np.array([0.0]), rate=10, promise=promise)
    assert 0 <= got.share <= promise.highest_share


def test_with_an_empty_budget_the_best_fit_is_the_likeliest_and_with_a_full_one_the_oldest() -> None:
    age, fit = np.array([0.0, 1.0, 2.0, 3.0]), np.array([2.0, 0.0, 0.0, -2.0])
    assert chances(age, fit, load=0.0).argmax() == 0
    assert chances(age, fit, load=1.0).tolist() == [0, 0, 0, 1]
    half = chances(age, fit, load=0.5)
    assert half[:2].tolist() == [0, 0]
    assert half[2] > half[3] > 0


def test_what_nobody_can_say_of_fits_as_the_average() -> None:
    age = np.zeros(3)
    got = chances(age, np.array([1.0, np.nan, -1.0]), load=0.0)
    assert got[0] > got[1] > got[2] > 0
    np.testing.assert_allclose(chances(age, np.full(3, np.nan), load=0.0), 1 / 3)
    assert len(chances(np.empty(0), np.empty(0), load=0.5)) == 0


@given(st.lists(st.tuples(st.floats(0, 9), st.floats(-5, 5)), min_size=1, max_size=30), st.floats(0, 1))
def test_chances_add_up_to_one(open_: list[tuple[float, float]], load: float) -> None:
    age, fit = np.array(open_).T
    got = chances(age, fit, load=load)
    assert got.sum() == pytest.approx(1)
    assert (got >= 0).all()
    assert got[age.argmax()] > 0 or (age == age.max()).sum() > 1


@pytest.mark.parametrize(("a_day", "admits"), [(10, 1.0), (60, 0.25)])
def test_what_is_promised_is_kept(a_day: float, admits: float) -> None:
    """Twenty days of 1,000 requests each, more new items than fit in the second."""
    promised, kept, share = _replayed(a_day, rate=1_000, days=20)
    assert promised >= admits
    assert kept >= 0.95
    assert share <= 0.35


def _replayed(a_day: float, *, rate: int, days: int) -> tuple[float, float, float]:
    draw = generator(5, "promise")
    came = np.sort(draw.uniform(0, days - 8, int(a_day * (days - 8))))
    since, shown = np.full(len(came), np.inf), np.zeros(len(came))
    done = np.full(len(came), np.inf)
    spent, open_ = 0, np.zeros(len(came), np.bool_)
    state = Budget(share=0, load=0)
    for number, now in enumerate(np.arange(0, days, 1 / rate)):
        open_ = (since <= now) & (now < since + PROMISE.days) & (shown < PROMISE.impressions)
        if number % 20 == 0:
            waiting = np.flatnonzero((came <= now) & np.isinf(since))
            left = (PROMISE.impressions - shown[open_]).sum()
            since[waiting[: admitted(len(waiting), promised=left, rate=rate, promise=PROMISE)]] = now
            live = np.flatnonzero(open_)
            state = budget(PROMISE.impressions - shown[live], now - since[live], rate=rate, promise=PROMISE)
        live = np.flatnonzero(open_)
        if not len(live) or draw.random() >= state.share:
            continue
        age, fit = now - since[live], draw.normal(size=len(live))
        item = draw.choice(live, p=chances(age, fit, load=state.load))
        shown[item] += 1
        spent += 1
        if shown[item] == PROMISE.impressions:
            done[item] = now - since[item]
    due = since + PROMISE.days <= days
    return np.isfinite(since).mean(), (done[due] <= PROMISE.days).mean(), spent / (rate * days)
