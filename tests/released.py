"""Purchases that a release counts, and draws in place of OpenDP's: none of noise, or one that differs each time."""

import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from recommendations.models import Category, Customer, Event, Item, Release
from recommendations.privacy_terms import ReleaseDomain
from recommendations.services.releases.asking import ReleaseAsk, ask_release
from recommendations.services.releases.making import work
from recommendations.store.events.partitions import prepare_partitions
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.terms import PATH_SEPARATOR, Trust

NOW = datetime(2026, 9, 15, 6, tzinfo=UTC)
LAST_DAY = date(2026, 9, 13)  # the Sunday before


def exact(counts: np.ndarray, *, bound: int, epsilon: Decimal) -> np.ndarray:
    """No noise, so that answers are known by hand."""
    return counts


class OtherEachTime:
    """Noise that is another one with every draw."""

    def __init__(self) -> None:
        self.draws = 0

    def __call__(self, counts: np.ndarray, *, bound: int, epsilon: Decimal) -> np.ndarray:
        self.draws += 1
        return counts + self.draws * np.arange(len(counts), 0, -1)


def shelf(*types: str, each: int = 1) -> list[Item]:
    """Items of product types such as ``Food > Tea``; ``each`` of every type, called by it and a number."""
    prepare_partitions(NOW - timedelta(days=40), NOW)
    items = []
    for path in types:
        root, _, _ = path.partition(PATH_SEPARATOR)
        parent, _ = Category.objects.get_or_create(path=root, defaults={"name": root})
        category = parent
        if path != root:
            category, _ = Category.objects.get_or_create(path=path, defaults={"name": path, "parent": parent})
        for number in range(each):
            items.append(Item.objects.create(shop_id=f"{path}/{number}", title=f"{path} {number}"))
            items[-1].categories.add(category)
    return items


def customer(name: str, **fields: Any) -> Customer:
    return Customer.objects.get_or_create(pseudonym=pseudonym(name), defaults=fields)[0]


def purchase(who: Customer | None, item: Item, *, day: int = 10, **fields: Any) -> Event:
    """A purchase in September, by the word of the shop's server."""
    values = {
        "trust": Trust.SERVER, "received_at": NOW, "occurred_at": datetime(2026, 9, day, 12, tzinfo=UTC),
        "transaction_id": str(uuid.uuid4()),
    }  # fmt: skip
    return Event.objects.create(customer=who, item=item, name="purchase", event_id=uuid.uuid4(), **values | fields)


def crowd(items: list[Item], *, people: int) -> None:
    """So many customers, each of whom buys the first item; every other one the second, every third the third…"""
    customers = Customer.objects.bulk_create([Customer(pseudonym=pseudonym(f"one of many {n}")) for n in range(people)])
    at = datetime(2026, 9, 10, 12, tzinfo=UTC)
    Event.objects.bulk_create(
        Event(
            customer=one, item=item, name="purchase", event_id=uuid.uuid4(), trust=Trust.SERVER, received_at=NOW,
            occurred_at=at, transaction_id=f"{n}",
        )
        for n, one in enumerate(customers)
        for place, item in enumerate(items)
        if n % (place + 1) == 0
    )  # fmt: skip


def wish(domain: ReleaseDomain = ReleaseDomain.TYPES, *, epsilon: str = "1", **fields: Any) -> ReleaseAsk:
    return ReleaseAsk(domain=domain, epsilon=Decimal(epsilon), **{"weeks": 4, "last_day": LAST_DAY} | fields)


def made(ask: ReleaseAsk, *, draw: Any = exact, now: datetime = NOW) -> Release:
    """The release of a wish, made."""
    release = ask_release(ask, by=None, now=now)
    work(release.pk, clock=lambda: now, draw=draw)
    release.refresh_from_db()
    return release
