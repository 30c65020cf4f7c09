"""Plans of experiments and their A/A check, against numbers known by hand."""

import math
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from recommendations.engine.experiments.decision import FEWEST
from recommendations.engine.preprocess.influence import drawn
from recommendations.experiment_terms import PlanRefusal
from recommendations.models import Customer, Event, Slate
from recommendations.services.experiments.aa_check import aa_check
from recommendations.services.experiments.plan import LOOKS, ExperimentPlan, figures, outcomes, plan, plan_of
from recommendations.store.experiments.past import DAYS, PastVisitors
from recommendations.terms import Metric
from tests.trained import NOW

TAU2 = 2 * math.log(20) + math.log(1 + 2 * math.log(20))
"""Of the mixture, in squares of the planned standard error."""
NEEDED = math.sqrt((1 + 1 / TAU2) * (2 * math.log(20) + math.log(1 + TAU2))) + 0.8416
"""Standard errors that a lift of two arms must have: half of an interval at its planned end, and the power."""


def visitors(n: int, *, per_day: int = 100, seed: int = 7, first: int = 0, **given: Any) -> PastVisitors:
    """So many came, ``per_day`` of them each day from ``first`` on; half buy for 10 on their first day."""
    generator = np.random.default_rng(seed)
    first_day = np.minimum(first + np.arange(n) // per_day, DAYS - 1)
    spent, purchases, clicked = np.zeros((3, n, DAYS))
    buys = np.arange(n) % 2 == 0
    spent[np.flatnonzero(buys), first_day[buys]] = 10.0
    purchases[spent > 0] = 1
    seen = (np.arange(DAYS) >= first_day[:, None]).astype(np.float64)
    clicked[seen > 0] = generator.random(int(seen.sum())) < 0.1
    arrays: dict[str, Any] = {
        "keys": np.arange(1, n + 1), "newcomers": np.bincount(first_day, minlength=DAYS)[:DAYS], "first_day": first_day,
        "before": np.zeros(n), "spent": spent, "purchases": purchases, "seen": seen, "clicked": clicked, "listed": True,
    }  # fmt: skip
    return PastVisitors(**arrays | given)


def planned(past: PastVisitors, **given: Any) -> ExperimentPlan:
    return plan_of(past, **{"metric": Metric.CONVERTED, "smallest": 0.1, "arms": 2, "traffic": 1.0} | given)


def test_the_smallest_lift_follows_from_scatter_and_visitors() -> None:
    own = planned(visitors(2_800)).metrics[Metric.CONVERTED]
    # half of them buy: the mean is .5, the standard deviation .5; 1,400 to an arm
    assert own.base == pytest.approx(0.5)
    assert own.sigma == pytest.approx(0.5, abs=1e-3)
    assert own.lifts[28] == pytest.approx(NEEDED * math.sqrt(2 / 1_400), rel=1e-3)
    assert own.lifts[7] == pytest.approx(2 * own.lifts[28], rel=2e-3)  # a quarter of the visitors
    assert own.lifts[56] == pytest.approx(own.lifts[28] / math.sqrt(2), rel=1e-3)  # they go on as in the last week
    assert set(own.at_looks) == set(LOOKS)


def test_the_days_are_the_first_on_which_the_lift_shows() -> None:
    own = planned(visitors(2_800), smallest=0.17)
    assert own.days is not None
    lifts = own.metrics[Metric.CONVERTED].lifts
    assert lifts[own.days] <= 0.17 < lifts[own.days - 1]
    # 2 · (3.87 · .5 / .085)² = 1,038 to an arm, at 50 a day
    assert own.days == 21
    assert own.refusal is None


def test_half_the_traffic_in_twice_the_time() -> None:
    whole, half = (planned(visitors(2_800), traffic=traffic).metrics[Metric.CONVERTED] for traffic in (1, 0.5))
    assert half.lifts[28] == pytest.approx(whole.lifts[14], rel=1e-3)


def test_three_arms_need_more_than_a_third_of_the_visitors_each() -> None:
    two, three = (planned(visitors(2_800), arms=arms).metrics[Metric.CONVERTED].lifts[28] for arms in (2, 3))
    assert three > two * math.sqrt(3 / 2) * 1.03  # each is held against the control at half the error


def test_a_verdict_waits_for_a_week_and_a_hundred_buyers_in_each_arm() -> None:
    crowd = planned(visitors(28_000, per_day=1_000), smallest=1.0)
    assert crowd.days == 7
    # 10 buyers a day come: 100 in each arm after 20 days, whatever lift is wanted
    few = planned(visitors(560, per_day=20), smallest=1.0)
    assert few.days == 20


def test_spending_counts_up_to_what_one_in_a_hundred_buyers_spends() -> None:
    past = visitors(2_800)
    past.spent[0, 0] = 1e6
    own = planned(past).metrics[Metric.REVENUE]
    assert (own.cap, own.capped) == (pytest.approx(10), 1)
    assert own.base == pytest.approx(5)
    assert own.sigma == pytest.approx(5, abs=0.01)


def test_past_spending_takes_out_the_scatter_that_it_explains() -> None:
    noise = np.random.default_rng(1).normal(0, 5, 2_800)
    plain = visitors(2_800)
    past = visitors(2_800, before=plain.spent.sum(axis=1) + noise)
    with_past, without = (planned(each).metrics[Metric.REVENUE] for each in (past, plain))
    # the noise scatters as the spending does (5 and 5), so half of the variance is explained, less what the cap cuts
    correlation = np.corrcoef(plain.spent.sum(axis=1), np.minimum(past.before, 10))[0, 1]
    assert with_past.explained == pytest.approx(correlation**2, abs=1e-6)
    assert with_past.sigma == pytest.approx(without.sigma * math.sqrt(1 - correlation**2), rel=1e-6)


def test_clicks_are_a_share_of_the_lists_that_were_seen() -> None:
    past = visitors(2_800)
    came = figures(outcomes(past, Metric.CTR), DAYS - 1)
    assert came.base == pytest.approx(past.clicked.sum() / past.seen.sum())
    # clicks are drawn one by one, so a visitor's ratio scatters as lists do: p(1 − p)/lists, by weight of the lists
    lists = past.seen.sum(axis=1)
    assert came.sigma == pytest.approx(math.sqrt(came.base * (1 - came.base) / lists.mean()), rel=0.05)


def test_a_shop_that_began_lately_is_planned_from_its_first_day() -> None:
    own = planned(visitors(1_000, first=18))
    assert own.curve == [100 * day for day in range(1, 11)]
    assert own.metrics[Metric.CONVERTED].lifts[14] == pytest.approx(NEEDED * math.sqrt(2 / 700), rel=1e-2)


def test_why_there_is_no_plan() -> None:
    nobody = planned(visitors(0))
    assert (nobody.refusal, nobody.metrics, nobody.days) == (PlanRefusal.NOTHING_KNOWN, {}, None)
    new = planned(visitors(500, first=23))
    assert (new.refusal, new.facts) == (PlanRefusal.TOO_NEW, {"days": 5, "more": 2})
    clicks = planned(visitors(2_800, spent=np.zeros((2_800, DAYS)), purchases=np.zeros((2_800, DAYS))), smallest=0.2)
    assert clicks.refusal == PlanRefusal.NOTHING_HAPPENED
    assert clicks.facts["click_days"] == clicks.metrics[Metric.CTR].days is not None


def test_a_lift_beyond_the_traffic_says_how_long_it_would_take() -> None:
    own = planned(visitors(2_800), smallest=0.05)
    # 2 · (3.87 · .5 / .025)² = 11,998 to an arm, at 50 a day
    assert (own.refusal, own.days) == (PlanRefusal.TOO_LONG, None)
    assert own.facts["days"] == pytest.approx(240, abs=1)
    assert (own.facts["arms"], own.facts["traffic"]) == (2, 1.0)


def test_an_aa_test_agrees_with_the_same_test_by_hand() -> None:
    past = visitors(2_800, seed=3)
    splits = 40
    check = aa_check(past, Metric.CONVERTED, splits=splits)
    bought = np.cumsum(past.purchases, axis=1) > 0
    se = 0.5 * math.sqrt(2 / 1_400)
    tau2 = TAU2 * se**2
    alarms = 0
    for salt in range(splits):
        arm = drawn(past.keys.view(np.uint64) ^ drawn(np.asarray([salt], np.uint64))) >> np.uint64(63) == 1
        for day in range(6, DAYS):
            here = past.first_day <= day
            sides = [bought[here & side, day].astype(float) for side in (arm, ~arm)]
            variance = sum(side.var(ddof=1) / len(side) for side in sides)
            half = math.sqrt(variance * (1 + variance / tau2) * (2 * math.log(20) + math.log(1 + tau2 / variance)))
            if abs(sides[0].mean() - sides[1].mean()) > half:
                alarms += 1
                break
    assert check.share == pytest.approx(alarms / splits)
    assert check.is_even is (alarms / splits <= 0.07)


def test_an_aa_test_of_even_spending_is_passed() -> None:
    check = aa_check(visitors(5_600, per_day=200), Metric.REVENUE)
    assert check.splits == 500
    assert check.share is not None
    assert check.share <= 0.05
    assert check.is_even


def test_an_aa_test_needs_buyers() -> None:
    assert aa_check(visitors(2 * FEWEST), Metric.REVENUE).share is None
    assert aa_check(visitors(0), Metric.REVENUE).share is None
    assert not aa_check(visitors(0), Metric.REVENUE).is_even


@pytest.mark.django_db
@pytest.mark.usefixtures("shop")
def test_the_plan_of_a_real_shop_counts_what_its_record_holds() -> None:
    customers = list(Customer.objects.order_by("pk")[:40])
    first = {who.pk: NOW - timedelta(days=DAYS - place % 20 - 0.5) for place, who in enumerate(customers)}
    Slate.objects.bulk_create(
        Slate(
            served_at=first[who.pk], recommendation_id=f"p-{who.pk}", customer=who, placement="home", source="model",
            personalised=True, items=[], scores=[], propensities=[],
        )
        for who in customers
    )  # fmt: skip
    own = plan(["home"], segments=[], signed_in=None, metric=Metric.REVENUE, smallest=0.1, arms=2, traffic=1, now=NOW)
    lines = Event.objects.purchases().filter(occurred_at__lt=NOW).values_list("customer", "occurred_at", "amount")
    spent = dict.fromkeys(first, 0.0)
    for who, at, amount in lines:
        if who in first and at >= first[who]:
            spent[who] += float(amount)
    assert own.visitors == 40
    assert list(own.curve[:20]) == [2 * day for day in range(1, 21)]
    revenue = own.metrics[Metric.REVENUE]
    assert revenue.base == pytest.approx(np.minimum(list(spent.values()), revenue.cap).mean())
    assert revenue.base > 0
    # 40 people are far too few, also where they buy every week
    assert own.refusal == PlanRefusal.TOO_LONG
