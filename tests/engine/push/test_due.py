"""Due: features by hand, lessons that know nothing of the tested weeks, and a model that beats the naive rules."""

import numpy as np
import pytest

from recommendations.engine.push import due
from recommendations.engine.push.due import FEATURES, BuyingDays, buying_days, item_habits, learn, pairs_at
from recommendations.engine.push.figures import LEARNED
from tests.shop import Act, interactions

AT = 20_000


def days_of(*bought: tuple[int, int, int], n_items: int = 5) -> BuyingDays:
    user, item, day = np.array(sorted(bought), np.int32).T
    return BuyingDays(user=user, item=item, day=day, n_items=n_items)


def features(days: BuyingDays, *, at: int = AT) -> dict[str, list[float]]:
    pairs = pairs_at(days, item_habits(days, at=at), at=at)
    return {name: pairs.of(name).tolist() for name in FEATURES}


def test_a_pair_by_hand() -> None:
    bought = [(0, 1, AT - 40), (0, 1, AT - 30), (0, 1, AT - 10), (0, 2, AT - 4)]
    own = features(days_of(*bought))
    assert own["times"] == pytest.approx([3])
    assert own["times_56d"] == pytest.approx([3])
    assert (own["since"], own["gap"], own["last_gap"]) == (
        pytest.approx([10]), pytest.approx([15]), pytest.approx([20]),
    )  # fmt: skip
    assert own["median_gap"] == pytest.approx([15])
    assert own["gap_deviation"] == pytest.approx([5])
    assert own["due"] == pytest.approx([10 / 15])
    assert own["late"] == pytest.approx([(10 - 15) / 6])
    assert own["trip_gap"] == pytest.approx([12])  # 40, 30, 10 and 4 days ago
    assert own["since_trip"] == pytest.approx([4])
    assert own["item_gap"] == pytest.approx([15])
    assert own["item_habit"] == pytest.approx([3 / 40])
    assert own["left"] == pytest.approx([15 - 10])


def test_the_rhythm_of_an_item_is_everybodys() -> None:
    weekly = [(user, 1, AT - 7 * week) for user in range(1, 6) for week in range(1, 6)]
    own = features(days_of((0, 1, AT - 90), (0, 1, AT - 60), (0, 1, AT - 30), *weekly))
    assert own["item_gap"] == pytest.approx([7] * 6)
    assert own["left"][0] == pytest.approx((2 * 30 + 4 * 7) / 6 - 30)


def test_nothing_of_the_day_itself_or_later_counts() -> None:
    bought = [(0, 1, AT - 40), (0, 1, AT - 30), (0, 1, AT - 10)]
    assert features(days_of(*bought)) == features(days_of(*bought, (0, 1, AT), (0, 1, AT + 3), (0, 2, AT + 1)))
    assert features(days_of(*bought[:2], (0, 1, AT)))["times"] == []


def test_days_are_the_shops_and_each_counts_once() -> None:
    ages = [10.1, 10.2, 9.9, 30.0]
    acts = interactions([Act(user=0, item=1, basket=n, age=age) for n, age in enumerate(ages)], n_users=1, n_items=2)
    assert buying_days(acts, until=AT + 0.5).day.tolist() == [AT - 30, AT - 10]
    assert buying_days(acts, until=AT + 0.5, offset=0.4).day.tolist() == [AT - 30, AT - 10, AT - 9]
    assert len(buying_days(interactions([Act(user=0, item=1, basket=0, age=3, bought=False)], n_users=1, n_items=2),
                           until=AT)) == 0  # fmt: skip


def test_users_are_taken_a_few_at_a_time() -> None:
    days = days_of(*[(user, item, AT - 7 * week) for user in range(9) for item in (0, 3) for week in range(1, 5)])
    parts = list(days.parts(at_once=20))
    assert len(parts) == 3
    assert np.concatenate([part.day for part in parts]).tolist() == days.day.tolist()
    assert all(not set(one.user) & set(other.user) for one in parts for other in parts if one is not other)
    assert len(days.sample(most=24)) == 24


def regulars(users: int = 300, *, seed: int = 1) -> BuyingDays:
    """Users who buy some items every few days and stop buying others, as most overdue items are."""
    rng = np.random.default_rng(seed)
    bought = set()
    for user in range(users):
        for item in range(8):
            gap, day = int(rng.integers(4, 30)), AT - 400 + int(rng.integers(0, 30))
            ends = AT - int(rng.integers(30, 300)) if item % 2 else AT
            while day < ends:
                bought.add((user, item, day))
                day += max(1, int(rng.normal(gap, gap / 6)))
    return days_of(*bought, n_items=8)


def test_it_beats_the_naive_rules_where_people_have_rhythms() -> None:
    lessons = learn(regulars(), end=AT, seed=0)
    assert lessons.model is not None
    assert lessons.figures is not None
    assert all(lessons.figures.beats(baseline, "top") for baseline in (due.MEAN_GAP, due.FREQUENCY))
    assert lessons.figures.table[LEARNED]["area"].value > 0.8
    said, was = (
        np.average(
            [tenth[part] for tenth in lessons.figures.tenths], weights=[tenth.rows for tenth in lessons.figures.tenths]
        )
        for part in (0, 1)
    )
    assert said == pytest.approx(was, abs=0.02)
    assert learn(regulars(), end=AT, seed=0).figures == lessons.figures


def test_lessons_end_before_the_first_tested_week() -> None:
    days, changed = regulars(), regulars()
    late = changed.day >= AT - 35
    changed = BuyingDays(
        user=changed.user, item=np.where(late, 7 - changed.item, changed.item).astype(np.int32), day=changed.day,
        n_items=8,
    )  # fmt: skip
    order = np.lexsort((changed.day, changed.item, changed.user))
    changed = BuyingDays(user=changed.user[order], item=changed.item[order], day=changed.day[order], n_items=8)
    one, other = (learn(each, end=AT, seed=0) for each in (days, changed))
    assert one.until == other.until == AT - 35
    assert one.model is not None
    assert other.model is not None
    assert one.model.parameters() == other.model.parameters()
    assert one.figures != other.figures


def test_too_few_lessons_teach_nothing() -> None:
    assert learn(regulars(20), end=AT, seed=0).model is None
    none = np.empty(0, np.int32)
    assert learn(BuyingDays(user=none, item=none, day=none, n_items=3), end=AT, seed=0).model is None
