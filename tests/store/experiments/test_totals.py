"""Totals of an experiment on a small shop; every sum is worked out by hand."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from recommendations.models import (
    Arm,
    Customer,
    Experiment,
    Item,
    LiveProfile,
    Placement,
    Segment,
    Unit,
)
from recommendations.services.operations import quarantine
from recommendations.store.events import mergers
from recommendations.store.events.id_cache import person_keys
from recommendations.store.events.mergers import Merger, Told
from recommendations.store.experiments import totals as module
from recommendations.store.experiments.totals import ExperimentTotals, MetricSums, totals
from recommendations.store.experiments.units import settle_units
from recommendations.terms import CustomerKind, Metric
from tests.experiment_records import DAY, HOUR, NOW, START, answer, arms_of, experiment, furnish, unit_of, visitor
from tests.store.test_attribution import act, take

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _shop() -> None:
    furnish()


@pytest.fixture
def own() -> Experiment:
    return experiment()


@pytest.fixture
def arms(own: Experiment) -> list[Arm]:
    return arms_of(own)


def person(name: str, kind: CustomerKind = CustomerKind.SIGNED_IN) -> int:
    return person_keys([name], kind)[name]


def buy(user: str, amount: float, *, at: datetime, order: str | None = None, **fields: Any) -> None:
    """One piece of SKU0, unless the fields say otherwise."""
    line = {"quantity": 1, "price": Decimal(str(amount))} | fields.pop("line", {})
    sku = fields.pop("sku", "SKU0")
    take(act("purchase", sku, at=at, transaction_id=order or f"{user} {at}", line=line, **({"user_id": user} | fields)))


def give_back(user: str, order: str, *, at: datetime, **line: Any) -> None:
    plain = {"quantity": None, "price": None} | line
    take(act("refund", "SKU0", at=at, transaction_id=order, user_id=user, line=plain))


def figures(own: Experiment, now: datetime = NOW) -> ExperimentTotals:
    settle_units(now)
    return totals(own, now=now)


def of(result: ExperimentTotals, arm: Arm, metric: Metric, segment: int | None = None) -> MetricSums:
    return result.sums[arm.pk, segment, metric]


def pair(result: ExperimentTotals, arm: Arm, metric: Metric) -> tuple[float, float]:
    sums = of(result, arm, metric).moments
    return sums.y, sums.x


def test_purchases_count_from_the_first_answer_for_28_days(own: Experiment, arms: list[Arm]) -> None:
    answer(unit_of("u1"), arms[0], at=START)
    answer(unit_of("u2"), arms[1], at=START)
    buy("u1", 10, at=START - HOUR)  # before: only what was so anyway
    buy("u1", 20, at=START + HOUR)
    buy("u1", 5, at=START + 3 * DAY, sku="SKU1")
    buy("u1", 7, at=START + 5 * DAY)
    result = figures(own, START + 4 * DAY)
    revenue = of(result, arms[0], Metric.REVENUE)
    assert (revenue.moments.n, revenue.moments.y, revenue.moments.yy) == pytest.approx((1, 25, 625))
    assert (revenue.moments.x, revenue.moments.xx, revenue.moments.xy) == pytest.approx((10, 100, 250))
    assert revenue.successes == 1
    assert pair(result, arms[0], Metric.CONVERTED) == pytest.approx((1, 0))
    assert pair(result, arms[0], Metric.ORDERS) == pytest.approx((2, 0))
    assert pair(result, arms[0], Metric.BASKET_VALUE) == pytest.approx((25, 2))
    assert pair(result, arms[0], Metric.ITEMS_PER_BASKET) == pytest.approx((2, 2))
    other = of(result, arms[1], Metric.REVENUE)
    assert (other.moments.n, other.moments.y, other.successes) == (1, 0, 0)


def test_the_window_of_a_person_ends_after_28_days_and_the_one_before_is_as_long() -> None:
    own = experiment(started_at=NOW - 40 * DAY)
    first, arm = NOW - 35 * DAY, arms_of(own)[0]
    answer(unit_of("u1"), arm, at=first)
    for amount, at in ((1, first + 28 * DAY), (2, first + 28 * DAY + HOUR), (4, first - 28 * DAY)):
        buy("u1", amount, at=at)
    buy("u1", 8, at=first - 28 * DAY - HOUR)
    assert pair(figures(own), arm, Metric.REVENUE) == pytest.approx((1, 4))


def test_a_late_purchase_is_in_the_next_totals_and_a_repeated_one_counts_once(own: Experiment, arms: list[Arm]) -> None:
    answer(unit_of("u1"), arms[0])
    assert pair(figures(own), arms[0], Metric.REVENUE) == (0, 0)
    for _ in range(2):  # two events of one order
        buy("u1", 20, at=START + HOUR, order="t1")
    assert pair(figures(own), arms[0], Metric.REVENUE) == pytest.approx((20, 0))
    assert pair(figures(own), arms[0], Metric.ORDERS) == pytest.approx((1, 0))


def test_what_is_given_back_is_taken_off(own: Experiment, arms: list[Arm]) -> None:
    for user, arm in (("u1", arms[0]), ("u2", arms[0]), ("u3", arms[1])):
        answer(unit_of(user), arm)
        buy(user, 10, at=START + HOUR, order=user, line={"quantity": 2})  # 20 for two
    give_back("u1", "u1", at=START + DAY, quantity=1)
    give_back("u2", "u2", at=START + DAY)  # without a number: all of it
    give_back("u1", "u3", at=START + DAY)  # another's
    result = figures(own)
    assert pair(result, arms[0], Metric.REVENUE) == pytest.approx((10, 0))
    assert pair(result, arms[0], Metric.REFUNDS) == pytest.approx((30, 40))
    assert of(result, arms[0], Metric.REFUNDS).successes == 2
    assert pair(result, arms[0], Metric.CONVERTED) == pytest.approx((1, 0))
    assert pair(result, arms[0], Metric.ORDERS) == pytest.approx((1, 0))
    assert pair(result, arms[1], Metric.REVENUE) == pytest.approx((20, 0))


def test_a_refund_after_the_first_answer_leaves_what_was_spent_before(own: Experiment, arms: list[Arm]) -> None:
    buy("u1", 30, at=START - 2 * DAY, order="t1")
    buy("u1", 40, at=START - 2 * DAY, order="t2")
    give_back("u1", "t1", at=START - DAY)
    give_back("u1", "t2", at=START + DAY)
    answer(unit_of("u1"), arms[0])
    assert pair(figures(own), arms[0], Metric.REVENUE) == pytest.approx((0, 40))
    assert pair(figures(own), arms[0], Metric.REFUNDS) == pytest.approx((0, 0))


def test_a_person_counts_at_most_the_cap_in_both_stretches_and_what_it_cuts_is_said() -> None:
    own = experiment(caps={Metric.REVENUE: 50.0, Metric.ATTRIBUTED: 15.0})
    arm, _other = arms_of(own)
    for user, before, after in (("u1", 10, 20), ("u2", 80, 120)):
        key = answer(unit_of(user), arm)
        buy(user, before, at=START - DAY)
        buy(user, after, at=START + HOUR, order=user, recommendation_id=key)
    give_back("u2", "u2", at=START + DAY, quantity=1, price=Decimal(60))
    result = figures(own)
    sums = of(result, arm, Metric.REVENUE).moments
    assert (sums.y, sums.yy, sums.x, sums.xy) == pytest.approx((20, 400, 60, 200))  # u2 gave all of it back
    buy("u2", 70, at=START + 2 * DAY)
    result = figures(own)
    sums = of(result, arm, Metric.REVENUE).moments
    assert (sums.y, sums.yy, sums.xy) == pytest.approx((70, 2_900, 2_700))
    assert (result.uncapped[arm.pk], result.above_cap[arm.pk]) == (pytest.approx(90), 1)
    assert pair(result, arm, Metric.ATTRIBUTED) == pytest.approx((15, 0))
    assert pair(result, arm, Metric.REFUNDS) == pytest.approx((120 * 50 / 190, 20 + 50))


def test_who_saw_two_arms_is_left_out(own: Experiment, arms: list[Arm]) -> None:
    answer(unit_of("u1"), arms[0])
    answer(unit_of("u1"), arms[1], at=START + HOUR)
    answer(unit_of("u2"), arms[0])
    buy("u1", 10, at=START + 2 * HOUR)
    result = figures(own)
    assert of(result, arms[0], Metric.REVENUE).moments.n == 1
    assert of(result, arms[0], Metric.REVENUE).moments.y == 0
    assert result.facts["mixed"] == 1


def test_merged_keys_are_one_person_and_parted_two(own: Experiment, arms: list[Arm]) -> None:
    answer(visitor("a1"), arms[0])
    answer(unit_of("u1"), arms[0], at=START + DAY)
    buy("", 5, at=START + HOUR, user_id=None, anonymous_id="a1")
    buy("u1", 7, at=START + 2 * DAY)
    keys = person("a1", CustomerKind.ANONYMOUS), person("u1")
    sums = of(figures(own), arms[0], Metric.REVENUE).moments
    assert (sums.n, sums.y, sums.yy) == pytest.approx((2, 12, 74))
    mergers.merge_again(Merger(*keys, NOW), told=Told.API)
    sums = of(figures(own), arms[0], Metric.REVENUE).moments
    assert (sums.n, sums.y, sums.yy) == pytest.approx((1, 12, 144))
    assert mergers.undo(*keys, now=NOW)
    sums = of(figures(own), arms[0], Metric.REVENUE).moments
    assert (sums.n, sums.y, sums.yy) == pytest.approx((2, 12, 74))


def test_a_merged_person_who_saw_two_arms_is_left_out_until_parted(own: Experiment, arms: list[Arm]) -> None:
    answer(visitor("a1"), arms[1])
    answer(unit_of("u1"), arms[0], at=START + DAY)
    keys = person("a1", CustomerKind.ANONYMOUS), person("u1")
    mergers.merge_again(Merger(*keys, NOW), told=Told.API)
    result = figures(own)
    assert not result.sums
    assert result.facts["mixed"] == 1
    mergers.undo(*keys, now=NOW)
    result = figures(own)
    assert [of(result, arm, Metric.REVENUE).moments.n for arm in arms] == [1, 1]


def test_a_merger_brings_what_the_other_key_did(own: Experiment, arms: list[Arm]) -> None:
    answer(unit_of("u1"), arms[0])
    buy("", 5, at=START + HOUR, user_id=None, anonymous_id="a1")
    assert pair(figures(own), arms[0], Metric.REVENUE) == (0, 0)
    merger = Merger(person("a1", CustomerKind.ANONYMOUS), person("u1"), NOW)
    mergers.merge_again(merger, told=Told.API)
    result = figures(own)
    assert of(result, arms[0], Metric.REVENUE).moments.n == 1
    assert pair(result, arms[0], Metric.REVENUE) == pytest.approx((5, 0))


def test_who_objects_later_drops_out(own: Experiment, arms: list[Arm]) -> None:
    for user in ("u1", "u2"):
        answer(unit_of(user), arms[0])
        buy(user, 10, at=START + HOUR)
    Customer.objects.filter(pk=person("u1")).update(personalise=False)
    result = figures(own)
    assert of(result, arms[0], Metric.REVENUE).moments.n == 1
    assert result.facts["objected"] == 1


def test_what_is_set_aside_does_not_count(own: Experiment, arms: list[Arm]) -> None:
    for user in ("u1", "u2"):
        answer(unit_of(user), arms[0])
        buy(user, 10, at=START + HOUR)
    customer = Customer.objects.get(pk=person("u1"))
    case = quarantine.set_aside_customer(customer=customer, by=None, note="a robot")
    result = figures(own)
    assert of(result, arms[0], Metric.REVENUE).moments.n == 1
    assert result.facts["set_aside"] == 1
    quarantine.restore(quarantine=case, by=None, note="no robot", now=NOW)
    assert pair(figures(own), arms[0], Metric.REVENUE) == pytest.approx((20, 0))


def test_lists_clicked_are_of_those_seen_at_the_placements_touched(own: Experiment, arms: list[Arm]) -> None:
    keys = [answer(unit_of("u1"), arms[0], at=START + number * HOUR) for number in range(4)]
    other = answer(unit_of("u1"), None, placement="discover", at=START + HOUR)
    for key in (*keys[:3], other):
        take(act("view_item_list", of=key, at=START + 5 * HOUR))
        take(act("select_item", "SKU1", of=key, at=START + 5 * HOUR)) if key in {keys[0], other} else None
    result = figures(own)
    assert pair(result, arms[0], Metric.CTR) == pytest.approx((1, 3))
    assert of(result, arms[0], Metric.CTR).successes == 1
    assert result.facts["listed"] == 3


def test_where_no_list_is_reported_those_served_count(own: Experiment, arms: list[Arm]) -> None:
    keys = [answer(unit_of("u1"), arms[0], at=START + number * HOUR) for number in range(4)]
    take(act("select_item", "SKU1", of=keys[0], at=START + 5 * HOUR))
    result = figures(own)
    assert pair(result, arms[0], Metric.CTR) == pytest.approx((1, 4))
    assert result.facts["listed"] == 0


def test_answers_after_the_end_do_not_count_but_purchases_do() -> None:
    own = experiment(status="stopped", ended_at=START + DAY)
    arm = arms_of(own)[0]
    answer(unit_of("u1"), arm)
    answer(unit_of("u1"), None, at=START + 2 * DAY)
    buy("u1", 10, at=START + 3 * DAY)
    result = figures(own)
    assert pair(result, arm, Metric.FALLBACK) == pytest.approx((0, 1))
    assert pair(result, arm, Metric.REVENUE) == pytest.approx((10, 0))


def test_guardrails_are_of_the_answers(own: Experiment, arms: list[Arm]) -> None:
    answer(unit_of("u1"), arms[0], latency_us=7_000)
    answer(unit_of("u1"), arms[0], at=START + HOUR, latency_us=2_000_000, fallback_reason="no_model")
    answer(unit_of("u1"), arms[0], at=START + 2 * HOUR, latency_us=None)
    take(act("dislike_item", "SKU1", at=START + HOUR), act("dislike_item", "SKU2", at=START - HOUR))
    result = figures(own)
    assert pair(result, arms[0], Metric.FALLBACK) == pytest.approx((1, 3))
    assert pair(result, arms[0], Metric.LATENCY) == pytest.approx((7 + 1_000, 2))
    assert pair(result, arms[0], Metric.DISLIKES) == pytest.approx((1, 0))
    assert result.items[arms[0].pk] == (4, 3)
    assert (result.facts["answers"], result.facts["heaviest_answers"]) == (3, 3)


def test_different_items_are_those_of_as_many_answers_as_the_arm_with_fewest_has(arms: list[Arm]) -> None:
    """A shows the four items once each in four answers, B always the first two in two: of two answers A has two."""
    keys = list(Item.objects.order_by("shop_id").values_list("pk", flat=True))
    for place, key in enumerate(keys):
        answer(unit_of("u1"), arms[0], at=START + place * HOUR, items=[key])
    for place in range(2):
        answer(unit_of("u2"), arms[1], at=START + place * HOUR, items=keys[:2])
    result = figures(arms[0].experiment)
    assert result.items == {arms[0].pk: (pytest.approx(2), 2), arms[1].pk: (2, 2)}


def test_answers_without_an_id_are_told(own: Experiment, arms: list[Arm]) -> None:
    answer(unit_of("u1"), arms[0])
    answer(None, None)
    answer(None, None, placement="discover")
    assert figures(own).facts["answers_without_id"] == 1


def test_segments_have_sums_of_their_own(own: Experiment, arms: list[Arm]) -> None:
    segments = [Segment.objects.create(number=number) for number in (3, 7)]
    for place, user in enumerate(("u1", "u2", "u3", "u4")):
        answer(unit_of(user), arms[0])
        buy(user, 10 + place, at=START + HOUR)
        if place < 3:
            LiveProfile.objects.create(customer_id=person(user), segment=segments[int(place == 2)], weight=1, shift=0)
    result = figures(own)
    sums = {segment: result.sums[arms[0].pk, segment, Metric.REVENUE].moments for segment in (None, 3, 7)}
    assert {segment: (one.n, one.y) for segment, one in sums.items()} == {None: (4, 46), 3: (2, 21), 7: (1, 12)}
    assert {segment for _, segment, _ in result.sums} == {None, 3, 7}


def test_parts_are_people_as_they_came(own: Experiment, arms: list[Arm]) -> None:
    own.placements.add(Placement.objects.get(name="discover"))
    person("u1")
    answer(unit_of("u1"), arms[0], placement="discover")
    answer(unit_of("u1"), arms[0], at=START + HOUR)
    answer(visitor("a1"), arms[1])
    result = figures(own)
    assert result.parts == {
        ("kind", "signed_in"): {arms[0].pk: 1}, ("kind", "anonymous"): {arms[1].pk: 1},
        ("placement", "discover"): {arms[0].pk: 1}, ("placement", "home"): {arms[1].pk: 1},
    }  # fmt: skip


def test_beyond_the_most_a_fixed_sample_is_summed(
    own: Experiment, arms: list[Arm], monkeypatch: pytest.MonkeyPatch
) -> None:
    Unit.objects.bulk_create(
        Unit(experiment=own, unit=number * 7_919, arm=arms[number % 2], first_at=START) for number in range(2_000)
    )
    monkeypatch.setattr(module, "MOST_UNITS", 500)
    results = [totals(own, now=NOW) for _ in range(2)]
    assert results[0] == results[1]
    sizes = [of(results[0], arm, Metric.REVENUE).moments.n for arm in arms]
    assert 420 <= sum(sizes) <= 580  # 500 of 2,000: four standard deviations are 77
    assert results[0].facts["sample"] == pytest.approx(0.25)


def test_an_experiment_that_has_not_started_has_no_totals() -> None:
    own = Experiment.objects.create(name="Draft", kind="ab", primary=Metric.REVENUE)
    with pytest.raises(ValueError, match="not started"):
        totals(own, now=NOW)
