"""A small shop for tests of triggers: what people did, so many hours before the present."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from recommendations.event_types import TRADES, EventName
from recommendations.models import (
    ApiKey,
    Aside,
    Category,
    Customer,
    CustomerAlias,
    Event,
    Item,
    ItemPrice,
    Quarantine,
)
from recommendations.store.events.partitions import prepare_partitions
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.push.triggers.look import Happening, TriggerLook
from recommendations.terms import CustomerKind

NOW = datetime(2026, 9, 15, 12, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)

type Trigger = Callable[[TriggerLook], list[Happening]]


def person(name: str) -> int:
    return Customer.objects.get_or_create(pseudonym=pseudonym(name))[0].pk


def visitor(name: str, *, of: int | None = None) -> int:
    """A browser, which turned out to be a customer's."""
    own = Customer.objects.create(pseudonym=pseudonym(name), kind=CustomerKind.ANONYMOUS)
    if of is not None:
        CustomerAlias.objects.create(anonymous=own, customer_id=of, source="api")
    return own.pk


def product(name: str, *, category: str = "", **fields: Any) -> int:
    values = {"title": name, "price": Decimal(10), "listed_at": NOW - timedelta(days=400)}
    item = Item.objects.create(shop_id=name, **values | fields)
    if category:
        item.categories.add(Category.objects.get_or_create(path=category, defaults={"name": category})[0])
    return item.pk


def act(name: EventName, who: int, item: int, *, hours: float, **fields: Any) -> str:
    """The id of an event of so many hours ago."""
    at, event_id = NOW - hours * HOUR, uuid.uuid4()
    prepare_partitions(at, at)
    transaction = str(event_id) if name in TRADES else None
    Event.objects.create(
        occurred_at=at,
        event_id=event_id,
        name=name,
        customer_id=who,
        item_id=item,
        transaction_id=transaction,
        **fields,
    )
    return str(event_id)


def view(who: int, item: int, *, hours: float, **fields: Any) -> str:
    return act(EventName.VIEW_ITEM, who, item, hours=hours, **fields)


def cart(who: int, item: int, *, hours: float, **fields: Any) -> str:
    return act(EventName.ADD_TO_CART, who, item, hours=hours, **fields)


def uncart(who: int, item: int, *, hours: float, **fields: Any) -> str:
    return act(EventName.REMOVE_FROM_CART, who, item, hours=hours, **fields)


def wish(who: int, item: int, *, hours: float, **fields: Any) -> str:
    return act(EventName.ADD_TO_WISHLIST, who, item, hours=hours, **fields)


def buy(who: int, item: int, *, hours: float, **fields: Any) -> str:
    return act(EventName.PURCHASE, who, item, hours=hours, **fields)


def price(item: int, amount: float, *, hours: float) -> None:
    ItemPrice.objects.create(item_id=item, price=Decimal(str(amount)), valid_from=NOW - hours * HOUR)


def set_aside(who: int) -> None:
    Aside.objects.create(quarantine=Quarantine.objects.create(rule="staff"), customer_id=who)


def key_set_aside() -> int:
    """A key of which nothing counts."""
    key = ApiKey.objects.create(name="bots", prefix="p", digest="d", scopes=[])
    Aside.objects.create(quarantine=Quarantine.objects.create(rule="staff"), key=key, since=NOW - timedelta(days=900))
    return key.pk


def at(moment: datetime = NOW, *, people: list[int] | None = None, since: datetime | None = None) -> TriggerLook:
    return TriggerLook(now=moment, people=people, since=since)


def of_a_moment_later(trigger: Trigger, happening: Happening) -> None:
    """The occasion is the same at the next look, and in a look at the person when a message of it leaves at last."""
    assert happening in trigger(at(NOW + MINUTE))
    for later in (timedelta(0), timedelta(days=14)):
        assert happening in trigger(at(NOW + later, people=[happening.customer]))
