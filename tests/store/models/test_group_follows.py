"""What is followed beside people, from the record: which items belong to it."""

import uuid
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from pytest_django import DjangoAssertNumQueries

from recommendations.engine.ids import id_map
from recommendations.models import Category, Customer, Event, Item
from recommendations.store.events.partitions import prepare_partitions
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.models.group_follows import group_follows
from recommendations.store.models.training_data import item_attributes
from recommendations.terms import Trust

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 9, 15, 6, 0, tzinfo=UTC)


def follow(who: Customer, kind: str, *names: str) -> None:
    Event.objects.bulk_create(
        Event(
            customer=who, name="follow", event_id=uuid.uuid4(), target_type=kind, target_id=name, trust=Trust.PROVEN,
            occurred_at=NOW - timedelta(days=1),
        )
        for name in names
    )  # fmt: skip


def test_a_category_has_what_lies_under_it_and_many_names_take_no_more_queries(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    prepare_partitions(NOW - timedelta(days=40), NOW)
    shoes, running, shoelaces = (
        Category.objects.create(path=path) for path in ("Shoes", "Shoes > Running", "Shoes and laces")
    )
    for shop_id, category, brand, creator in (
        ("a", shoes, "Acme", ""), ("b", running, "Acme", "Ann"), ("c", shoelaces, "Bolt", "Ann"), ("d", None, "", ""),
    ):  # fmt: skip
        item = Item.objects.create(shop_id=shop_id, title=shop_id, brand=brand, creator=creator)
        if category:
            item.categories.add(category)
    who = Customer.objects.create(pseudonym=pseudonym("ann"))
    follow(who, "category", "Shoes", "Shoes > Running")
    follow(who, "brand", "Bolt", "Nobody's")
    follow(who, "creator", "Ann")
    attributes, columns = item_attributes()
    users = id_map(np.array([who.pk]))

    def acts() -> dict[str, float]:
        made = group_follows(attributes, until=NOW).of_users(users, cut=NOW.timestamp() / 86_400)
        assert made is not None
        paths = dict(Category.objects.values_list("pk", "path"))
        return {paths[key]: float(share) for key, share in zip(columns.ids.tolist(), made.toarray()[0], strict=True)}

    # Shoes: half and half; Running: its own; Bolt: laces; Ann: half and half.
    assert acts() == {"Shoes": 1.5, "Shoes > Running": 1.5 + 3 + 1.5, "Shoes and laces": 3 + 1.5}
    follow(who, "brand", *(f"Made up {number}" for number in range(50)))
    with django_assert_num_queries(4):  # the follows, and one for each kind
        group_follows(attributes, until=NOW)
