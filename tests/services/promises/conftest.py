"""A placement that answers, and items that are new to it; what the moment is has no say in any of it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from recommendations.models import Item, NewItem, NewItemPromise, Placement, Slate
from recommendations.services.promises.publishing import PromiseForm, publish_promise
from recommendations.store.events.partitions import prepare_partitions

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
FORM = PromiseForm(impressions=10, days=5, highest_share=0.4, new_days=20)


@pytest.fixture
def home() -> Placement:
    return Placement.objects.get(name="home")


@pytest.fixture
def promise(home: Placement) -> NewItemPromise:
    return publish_promise(home, FORM, note="to be seen", by=None, now=NOW)


@pytest.fixture
def listed() -> Callable[..., Item]:
    """Make an item that was listed some days ago."""

    def make(name: str, *, days_ago: float = 1, **fields: object) -> Item:
        values = {"title": name, "price": Decimal(2), "listed_at": NOW - timedelta(days=days_ago)} | fields
        return Item.objects.create(shop_id=name, **values)

    return make


@pytest.fixture
def answered() -> Callable[..., None]:
    """Note answers of "home" with these items, spread over the minutes before a moment."""
    prepare_partitions(NOW - timedelta(days=30), NOW + timedelta(days=10))

    def note(*items: Item, times: int, until: datetime = NOW, minutes: float = 60) -> None:
        keys = [item.pk for item in items]
        first = Slate.objects.count()
        Slate.objects.bulk_create(
            Slate(
                served_at=until - timedelta(minutes=minutes * (number + 1) / times), placement="home", source="model",
                recommendation_id=f"r-{first + number}", personalised=True, items=keys, scores=[1.0] * len(keys),
                propensities=[1.0] * len(keys),
            )
            for number in range(times)
        )  # fmt: skip

    return note


def state_of(item: Item) -> str:
    return NewItem.objects.get(item=item).state
