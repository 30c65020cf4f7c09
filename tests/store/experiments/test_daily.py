"""Days of a bandit on a small shop; every sum is worked out by hand."""

from datetime import timedelta

import numpy as np
import pytest
from django.utils import timezone

from recommendations.models import (
    Arm,
    Customer,
    Experiment,
    LiveProfile,
    RetentionDrop,
    Segment,
)
from recommendations.store.events.id_cache import person_keys
from recommendations.store.events.partitions import month_after, month_of, partition_of
from recommendations.store.experiments.daily import BanditDays, bandit_days
from recommendations.store.rules.conditions import shop_day
from recommendations.terms import CustomerKind, Metric
from tests.experiment_records import DAY, HOUR, START, answer, arms_of, bandit, furnish, unit_of
from tests.store.experiments.test_totals import buy
from tests.store.test_attribution import act, take

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _shop() -> None:
    furnish()


@pytest.fixture
def own() -> Experiment:
    return bandit()


@pytest.fixture
def arms(own: Experiment) -> list[Arm]:
    return arms_of(own)


def days(own: Experiment, number: int = 3) -> BanditDays:
    """The first days of a bandit."""
    return bandit_days(own, until=shop_day(START) + timedelta(days=number - 1))


def test_a_person_is_a_unit_a_day_and_its_outcomes_are_those_of_the_lists_of_the_day(
    own: Experiment, arms: list[Arm]
) -> None:
    """Answered under A on the first day and under B on the second; the purchase on the second is of the first list.

    Were the arm read when the purchase comes, it would be B's.
    """
    first = answer(unit_of("u1"), arms[0], at=START)
    second = answer(unit_of("u1"), arms[1], at=START + DAY)
    answer(unit_of("u2"), arms[1], at=START + DAY)
    take(act("select_item", "SKU0", at=START + HOUR, of=first, user_id="u1"))
    buy("u1", 20, of=first, at=START + DAY + HOUR, order="t1")
    take(act("select_item", "SKU1", at=START + DAY + 2 * HOUR, of=second, user_id="u1"))
    result = days(own)
    assert result.of(Metric.CONVERTED).n.tolist() == [[1, 0], [0, 2], [0, 0]]
    assert result.of(Metric.CONVERTED).y.tolist() == [[1, 0], [0, 0], [0, 0]]
    assert result.of(Metric.ATTRIBUTED).y.tolist() == [[20, 0], [0, 0], [0, 0]]
    assert result.of(Metric.ATTRIBUTED).yy.tolist() == [[400, 0], [0, 0], [0, 0]]
    assert result.of(Metric.CTR).y.tolist() == [[1, 0], [0, 1], [0, 0]]
    assert result.mixed == 0


def test_clicks_are_a_share_of_the_lists_of_the_day(own: Experiment, arms: list[Arm]) -> None:
    keys = [answer(unit_of("u1"), arms[0], at=START + minutes * timedelta(minutes=1)) for minutes in range(4)]
    take(act("select_item", "SKU0", at=START + HOUR, of=keys[0], user_id="u1"))
    take(act("select_item", "SKU0", at=START + HOUR, of=keys[1], user_id="u1"))
    clicks = days(own).of(Metric.CTR)
    assert (clicks.n[0, 0], clicks.y[0, 0], clicks.yy[0, 0], clicks.successes[0, 0]) == (1, 0.5, 0.25, 1)
    take(act("view_item_list", "SKU0", at=START + HOUR, of=keys[2], user_id="u1"))  # the shop says what is seen
    clicks = days(own).of(Metric.CTR)
    assert clicks.y[0, 0] == pytest.approx(2 / 3)


def test_who_had_two_arms_on_a_day_is_left_out_of_it(own: Experiment, arms: list[Arm]) -> None:
    """Shares that move during the day give some people another arm: they count on neither side."""
    answer(unit_of("u1"), arms[0], at=START)
    answer(unit_of("u1"), arms[1], at=START + HOUR)
    answer(unit_of("u1"), arms[1], at=START + DAY)
    result = days(own)
    assert result.of(Metric.CONVERTED).n.tolist() == [[0, 0], [0, 1], [0, 0]]
    assert result.mixed == 1


def test_a_refund_takes_back_and_the_cap_holds_down(arms: list[Arm], own: Experiment) -> None:
    own.caps = {Metric.ATTRIBUTED: 50.0}
    own.save()
    for user, amount in (("u1", 20), ("u2", 80)):
        key = answer(unit_of(user), arms[0])
        buy(user, amount, of=key, at=START + HOUR, order=user)
    whole = days(own).of(Metric.ATTRIBUTED)
    assert (whole.y[0, 0], whole.yy[0, 0], whole.successes[0, 0]) == (70, 2_900, 2)
    line = {"quantity": None, "price": None}
    take(act("refund", "SKU0", at=START + 3 * DAY, transaction_id="u1", user_id="u1", line=line))
    assert days(own).of(Metric.ATTRIBUTED).y[0, 0] == 50
    assert days(own).of(Metric.CONVERTED).y[0, 0] == 1


def test_slates_of_others_and_of_before_do_not_count(own: Experiment, arms: list[Arm]) -> None:
    other = arms_of(bandit())[0]
    answer(unit_of("u1"), other)
    answer(unit_of("u2"), None)
    answer(None, arms[0])
    answer(unit_of("u3"), arms[0], at=START - HOUR)
    answer(unit_of("u4"), arms[0], at=START + 3 * DAY)  # the day after the last
    assert not days(own).of(Metric.LATENCY).n.any()


def test_who_objects_since_is_out_and_segments_are_those_of_the_live_model(own: Experiment, arms: list[Arm]) -> None:
    for number, user in enumerate(("u1", "u2", "u3")):
        key = person_keys([user], CustomerKind.SIGNED_IN)[user]
        answer(unit_of(user), arms[number % 2])
        if number < 2:
            segment = Segment.objects.create(number=number + 1)
            LiveProfile.objects.create(segment=segment, customer_id=key, weight=1, shift=0)
    result = days(own)
    assert result.segments == [1, 2]
    assert result.of(Metric.CONVERTED).n[0].tolist() == [2, 1]
    assert result.of(Metric.CONVERTED, 1).n[0].tolist() == [1, 0]
    assert result.of(Metric.CONVERTED, 2).n[0].tolist() == [0, 1]
    Customer.objects.filter(pk=person_keys(["u1"], CustomerKind.SIGNED_IN)["u1"]).update(personalise=False)
    assert days(own).of(Metric.CONVERTED).n[0].tolist() == [1, 1]


def test_days_of_which_anything_is_gone_are_none(own: Experiment) -> None:
    every, month = days(own, 10).days, month_of(START)
    RetentionDrop.objects.create(kind="slates", partition=partition_of("recommendations_slate", month), rows=1)
    end = timezone.localdate(month_after(month))
    assert days(own, 10).days == [day for day in every if day > end]
    assert days(own, 10).days != every


def test_a_bandit_of_today_has_no_day_yet(own: Experiment) -> None:
    result = days(own, 0)
    assert np.shape(result.of(Metric.CTR).n) == (0, 2)
