"""What Valkey has lost of many customers is asked of PostgreSQL for all at once, and is what each asked alone gets."""

import uuid
from datetime import timedelta

import pytest
import redis
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from recommendations.event_types import EventName
from recommendations.models import Customer, CustomerAlias, Event, Item, StatedTaste
from recommendations.store.live import fetch
from recommendations.terms import Trust

PEOPLE = 12
NOW = timezone.now()


def did(name: EventName, customer: Customer, hours: int, *, item: Item | None = None, brand: str | None = None) -> None:
    Event.objects.create(
        occurred_at=NOW - timedelta(hours=hours), event_id=uuid.uuid4(), name=name, customer=customer, item=item,
        target_type="brand" if brand else None, target_id=brand, trust=Trust.PROVEN,
        transaction_id=f"t{hours}" if name == EventName.PURCHASE else None,
    )  # fmt: skip


@pytest.fixture
def customers(db: None) -> list[int]:
    """Everybody did something of their own; the first came as a visitor before, and the last objects."""
    items = [Item.objects.create(shop_id=f"i{number}", title=f"Item {number}") for number in range(3)]
    people = [Customer.objects.create(pseudonym=bytes([number]) * 32) for number in range(PEOPLE)]
    visitor = Customer.objects.create(pseudonym=b"v" * 32)
    CustomerAlias.objects.create(anonymous=visitor, customer=people[0], source="test")
    did(EventName.PURCHASE, visitor, 5, item=items[2])
    did(EventName.FOLLOW, visitor, 6, brand="Cleats")
    for number, person in enumerate(people):
        did(EventName.VIEW_ITEM, person, number, item=items[number % 3])
        did(EventName.FOLLOW, person, number, brand=f"Brand {number}")
    StatedTaste.objects.create(customer=people[1], categories=["FOOD"], stated_at=NOW)
    Customer.objects.filter(pk=people[-1].pk).update(personalise=False)
    return [person.pk for person in people]


def test_many_are_read_as_each_alone_by_as_many_queries_as_one(customers: list[int], valkey: redis.Redis) -> None:
    alone, counts = [], []
    for customer in customers:
        with CaptureQueriesContext(connection) as of_one:
            alone.append(fetch.state_of(customer, since=None, showings=True))
        counts.append(len(of_one))
    raw = fetch.fetch_raw_of_all([*customers, None], showings=True)
    with CaptureQueriesContext(connection) as of_all:
        together = fetch.decode_all(raw, [*customers, None], since=None)
    assert together[:-1] == alone
    assert together[-1].state == fetch.state_of(None, since=None).state
    assert len(of_all) == max(counts)  # the one with a visitor takes one more
    first, second, *_, last = (reading.state for reading in together[:-1])
    assert [liking.name for liking in first.liked] == ["Cleats", "Brand 0"]
    assert len(first.bought) == 1
    assert [liking.name for liking in second.liked] == ["FOOD", "Brand 1"]
    assert last.objected is True
