"""A thousand orders of a page, of the page that was loaded again and of the shop's server count a thousand times.

Whatever comes first: attributed, as the turnover of the shop, and as what a customer spent.
"""

import random
import uuid
from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.cache import cache
from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from analytics.queries.overview.earnings import earnings
from analytics.queries.overview.outcomes import outcomes
from analytics.queries.overview.summary import Answers
from recommendations.ingest.accept import accept
from recommendations.ingest.event_schema import EventForm, EventItemForm
from recommendations.ingest.facts import Sender
from recommendations.models import AttributedLine, Event, Item, PlacementDay, Slate
from recommendations.store.attribution.settle import settle
from recommendations.store.audiences.conditions import as_statement
from recommendations.store.events.partitions import prepare_partitions
from recommendations.terms import Side, Trust

pytestmark = pytest.mark.django_db
ORDERS, PRICE = 1_000, Decimal("2.50")
NOW = timezone.now().replace(microsecond=0)
LATELY = NOW - timedelta(hours=6)
NOBODY = Answers(total=0, personalised=0, fallback=0, groups=[], replayed=0, lengths={})


def told(number: int, sender: Sender, *, minutes: int) -> tuple[Sender, EventForm]:
    """An order of two items, of which the first had been recommended."""
    who = {"anonymous_id": f"a{number % 50}", "user_id": None if sender.side is Side.PAGE else f"u{number % 50}"}
    items = [EventItemForm("SKU1", quantity=2, price=PRICE), EventItemForm("SKU2", quantity=1, price=PRICE)]
    at = LATELY + timedelta(minutes=minutes)
    return sender, EventForm(
        uuid.uuid4(), "purchase", at, items=items, transaction_id=f"order-{number}",
        recommendation_id=f"r-{number % 50}", **who,
    )  # fmt: skip


@pytest.fixture
def orders() -> None:
    """The orders in all senses of the word, in any order."""
    prepare_partitions(NOW - timedelta(days=40), NOW)
    cache.clear()
    items = [Item.objects.create(shop_id=f"SKU{number}", title="x", price=PRICE) for number in (1, 2)]
    Slate.objects.bulk_create(
        Slate(
            served_at=LATELY - timedelta(hours=1), recommendation_id=f"r-{number}", placement="home", source="model",
            personalised=True, items=[items[0].pk], scores=[1.0], propensities=[1.0],
        )
        for number in range(50)
    )  # fmt: skip
    page, server = Sender(side=Side.PAGE), Sender()
    acts = [
        told(number, sender, minutes=minutes)
        for number in range(ORDERS)
        for sender, minutes in ((page, 0), (page, 3), (server, 9))
    ]
    random.Random(5).shuffle(acts)  # a page is loaded again tomorrow, a server was away
    for start in range(0, len(acts), 500):
        some = acts[start : start + 500]
        for sender in (page, server):
            verdicts = accept([form for one, form in some if one is sender], sender, now=NOW)
            assert {verdict.verdict for verdict in verdicts} == {"accepted"}
    while settle():
        pass


@pytest.mark.parametrize("believed", [Trust.SERVER, Trust.PAGE])
def test_a_thousand_orders_count_a_thousand_times(believed: Trust, settings: Any, request: Any) -> None:
    settings.PURCHASES_FROM = believed
    request.getfixturevalue("orders")
    assert Event.objects.count() == 2 * 3 * ORDERS
    attributed = AttributedLine.objects.filter(name="purchase")
    assert attributed.values("transaction_id").distinct().count() == attributed.count() == ORDERS
    assert attributed.aggregate(all=Sum("amount"))["all"] == 2 * PRICE * ORDERS
    days = PlacementDay.objects.filter(placement="home", position=0)
    assert sum(day.purchases for day in days) == ORDERS
    today = timezone.localtime(NOW, ZoneInfo(settings.SHOP_TIME_ZONE)).date()
    earned = earnings(today=today, days=7, outcomes=outcomes(today=today, days=7, served=NOBODY))
    assert (earned.orders, earned.revenue, earned.turnover) == (ORDERS, 2 * PRICE * ORDERS, 3 * PRICE * ORDERS)
    each = 3 * PRICE * ORDERS / 50
    statement, values = as_statement({"kind": "spent", "days": 30, "operator": "at_least", "amount": 1}, now=NOW)
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        assert {Decimal(fact) for _person, fact in cursor.fetchall()} == {each}
