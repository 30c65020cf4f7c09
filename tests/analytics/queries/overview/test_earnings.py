"""Attributed revenue against lines made by hand."""

import uuid
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache

from analytics.queries.overview.earnings import Earnings, Margin, earnings
from analytics.queries.overview.outcomes import outcomes
from analytics.queries.overview.summary import Answers
from recommendations.event_types import EventName
from recommendations.models import AttributedLine, Event, Item, PlacementDay
from recommendations.terms import Trust
from tests.analytics import records

pytestmark = pytest.mark.django_db
TODAY = date(2026, 9, 15)
NOBODY = Answers(total=0, personalised=0, fallback=0, groups=[], replayed=0, lengths={})


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    cache.clear()


@pytest.fixture
def tea() -> Item:
    return records.item("tea")


def line(item: Item, amount: str, *, days_ago: int = 0, **fields: Any) -> None:
    plain = {
        "occurred_at": records.NOW - timedelta(days=days_ago), "event_id": uuid.uuid4(), "line": 0, "name": "purchase",
        "item": item, "amount": amount, "quantity": 1, "position": 1, "recommendation_id": "r-1", "placement": "home",
        "touch": "click", "replay": False, "transaction_id": "t1",
    }  # fmt: skip
    AttributedLine.objects.create(**plain | fields)


def earned(*, days: int = 7) -> Earnings:
    return earnings(today=TODAY, days=days, outcomes=outcomes(today=TODAY, days=days, served=NOBODY))


def test_revenue_by_day_against_the_period_before_less_what_was_taken_back(tea: Item) -> None:
    line(tea, "10")
    line(tea, "4", refunded="1.50")
    line(tea, "9", days_ago=6, transaction_id="t2")
    line(tea, "5", days_ago=7, transaction_id="t3")  # the last day of the period before
    line(tea, "100", days_ago=14)  # before that
    line(tea, "50", name="add_to_cart")
    result = earned()
    assert (result.revenue, result.before) == (Decimal("21.50"), Decimal(5))
    assert (result.orders, result.orders_before) == (2, 1)
    assert [(each.revenue, each.before) for each in result.days] == [(9, 0), *5 * [(0, 0)], (12.5, 5)]


def test_an_order_of_which_all_was_taken_back_is_none(tea: Item) -> None:
    line(tea, "10", refunded="10", kept=False)
    assert (earned().revenue, earned().orders) == (0, 0)


def test_the_share_of_turnover_is_of_purchases_that_count(tea: Item) -> None:
    assert earned().share is None
    cache.clear()
    line(tea, "1")
    for trust in (Trust.SERVER, Trust.PAGE):  # what a page alone says counts for nothing
        bought = records.event(records.customer(f"u{trust}"), tea, days_ago=1)
        Event.objects.filter(pk=bought.pk).update(trust=trust, amount="20")
    records.event(records.customer("v"), tea, days_ago=1, name=EventName.VIEW_ITEM)
    assert (earned().turnover, earned().share) == (Decimal(20), 0.05)


def test_margin_is_of_what_has_a_cost_and_was_kept(tea: Item) -> None:
    line(tea, "10")
    assert earned().margin is None
    milk = records.item("milk")
    Item.objects.filter(pk=milk.pk).update(cost="3")
    line(milk, "10", quantity=2)  # 10 − 2 · 3
    line(milk, "8", quantity=1, refunded="4")  # half is taken back: 4 − 3 / 2
    assert earned().margin == Margin(value=Decimal("6.5"), of=Decimal(14))


def test_placements_by_revenue_with_the_replay_apart(tea: Item) -> None:
    line(tea, "1")
    line(tea, "7", replay=True, transaction_id="t2")
    line(tea, "3", placement="discover", transaction_id="t1")
    counts = dict.fromkeys(("clicked", "carted", "purchases", "revenue", "squares"), 0)
    PlacementDay.objects.create(
        day=TODAY, placement="home", replay=False, position=0, listed=10, seen=10, bought=1, **counts
    )
    rows = earned().placements
    assert [(each.placement, each.replay, each.revenue, each.orders) for each in rows] == [
        ("home", True, 7, 1), ("discover", False, 3, 1), ("home", False, 1, 1),
    ]  # fmt: skip
    assert [each.outcome and each.outcome.now.tries for each in rows] == [None, None, 10]
    assert (earned().replayed, earned().orders) == (7, 2)  # the order of both placements counts once
