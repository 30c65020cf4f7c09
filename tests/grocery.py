"""A small shop in the database whose habits are known by construction.

Sixty customers of five tastes buy three staples of their taste every week, and a new item of it now and then, for
sixteen weeks; the sixth taste's items are on sale but nobody buys them.
"""

import uuid
from datetime import datetime, timedelta
from decimal import Decimal

from recommendations.event_types import EventName
from recommendations.models import Category, Customer, Event, Item
from recommendations.store.events.partitions import prepare_partitions
from recommendations.store.events.pseudonyms import pseudonym

TASTES = ("Bread", "Cheese", "Fruit", "Tea", "Wine", "Soap")
ITEMS_EACH = 12
CUSTOMERS_EACH = 12
WEEKS = 16


def open_shop(*, now: datetime) -> None:
    """Fill the database; the last purchase happened the day before ``now``."""
    prepare_partitions(now - timedelta(weeks=WEEKS + 1), now)
    items = _items(now)
    customers = [Customer(pseudonym=pseudonym(f"u{number}")) for number in range(5 * CUSTOMERS_EACH)]
    Customer.objects.bulk_create(customers)
    events = []
    for number, customer in enumerate(customers):
        shelf = items[TASTES[number % 5]]
        for week in range(WEEKS):
            at = now - timedelta(days=1 + 7 * (WEEKS - 1 - week), minutes=number)
            basket = [shelf[(number // 5 + step) % 3] for step in range(3)]
            if (week + number) % 2:
                basket.append(shelf[3 + (week + number // 5) % (ITEMS_EACH - 3)])
            events += _basket(customer, basket, at=at, transaction=f"t{number}-{week}")
    Event.objects.bulk_create(events, batch_size=2_000)


def _items(now: datetime) -> dict[str, list[Item]]:
    shelves = {}
    for taste in TASTES:
        category = Category.objects.create(path=f"FOOD > {taste.upper()}", name=taste)
        shelf = [
            Item(
                shop_id=f"{taste.lower()}-{number}",
                title=f"{taste} {number}",
                brand=f"Brand {number % 3}",
                price=Decimal(number + 1),
                listed_at=now - timedelta(weeks=WEEKS + 1),
            )
            for number in range(ITEMS_EACH)
        ]
        Item.objects.bulk_create(shelf)
        category.items.set(shelf)
        shelves[taste] = shelf
    return shelves


def _basket(customer: Customer, basket: list[Item], *, at: datetime, transaction: str) -> list[Event]:
    return [
        Event(
            occurred_at=at,
            event_id=uuid.uuid5(uuid.NAMESPACE_OID, transaction),
            line=line,
            name=EventName.PURCHASE,
            customer=customer,
            item=item,
            quantity=1,
            price=item.price,
            amount=item.price,
            transaction_id=transaction,
        )
        for line, item in enumerate(basket)
    ]
