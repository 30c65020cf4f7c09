"""What staff do to the catalogue: the item, its audit entry, its prices, and the mark that makes all look again."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest
import redis
from django.core.exceptions import ValidationError
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks

from recommendations.models import AuditEntry, Category, Item, ItemPrice, Staff
from recommendations.services.catalogue import editing
from recommendations.services.catalogue.editing import TileFacts, UnknownFieldError
from recommendations.store.live import fetch
from recommendations.store.live.change_watch import LOOK
from recommendations.store.serving.stock import load_stock
from recommendations.terms import Availability, Role

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
LATER = datetime(2026, 9, 2, 12, tzinfo=UTC)


@pytest.fixture
def staff() -> Staff:
    return Staff.objects.create_user("ann@example.com", role=Role.CATALOGUE_ADMIN)


@pytest.fixture
def item() -> Item:
    shoe = Item.objects.create(shop_id="A1", title="Shoe", price=Decimal("19.90"), listed_at=NOW)
    Item.objects.update(updated_at=NOW)
    shoe.categories.add(Category.objects.create(path="SHOES", name="Shoes"))
    return shoe


def entries() -> list[tuple[str, str, object, object]]:
    return list(AuditEntry.objects.order_by("pk").values_list("verb", "label", "before", "after"))


def test_a_changed_item_leaves_an_audit_entry_and_a_price(item: Item, staff: Staff) -> None:
    changed = editing.update_item(
        item=item, changes={"price": Decimal("17.50"), "title": "Red shoe", "brand": ""}, by=staff, now=LATER
    )
    item.refresh_from_db()
    assert (changed.title, item.title, item.price, item.updated_at) == ("Red shoe", "Red shoe", Decimal("17.50"), LATER)
    assert entries() == [
        ("change", "Red shoe", {"price": "19.90", "title": "Shoe"}, {"price": "17.50", "title": "Red shoe"})
    ]
    assert AuditEntry.objects.get().staff == staff
    assert list(ItemPrice.objects.values_list("item", "valid_from", "price")) == [(item.pk, LATER, Decimal("17.50"))]


def test_an_unchanged_item_leaves_no_audit_entry(item: Item, staff: Staff) -> None:
    categories = list(item.categories.all())
    editing.update_item(item=item, changes={"title": "Shoe", "categories": categories}, by=staff, now=LATER)
    item.refresh_from_db()
    assert (item.updated_at, entries(), ItemPrice.objects.count()) == (NOW, [], 0)


def test_categories_are_changed_as_a_whole(item: Item) -> None:
    sale = Category.objects.create(path="SALE", name="Sale")
    editing.update_item(item=item, changes={"categories": [sale]}, by=None, now=LATER)
    item.refresh_from_db()
    assert list(item.categories.all()) == [sale]
    assert item.updated_at == LATER
    assert entries() == [("change", "Shoe", {"categories": ["SHOES"]}, {"categories": ["SALE"]})]


def test_a_change_applies_to_the_stored_item_not_to_the_one_read(item: Item) -> None:
    """Two people have the item open: the second to save keeps what the first changed."""
    stale = Item.objects.get(pk=item.pk)
    editing.update_item(item=item, changes={"title": "Red shoe"}, by=None, now=NOW)
    stale.price = Decimal(1)
    changed = editing.update_item(item=stale, changes={"price": Decimal(1)}, by=None, now=LATER)
    assert (changed.title, changed.price) == ("Red shoe", Decimal(1))
    assert entries()[-1][2] == {"price": "19.90"}


@pytest.mark.parametrize(
    "changes",
    [{"price": Decimal(-1)}, {"title": ""}, {"availability": "gone"}, {"available_at": LATER, "expires_at": NOW}],
)
def test_an_invalid_value_refuses_the_whole_change(item: Item, changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        editing.update_item(item=item, changes={"brand": "Acme", **changes}, by=None, now=LATER)
    item.refresh_from_db()
    assert (item.brand, entries()) == ("", [])


@pytest.mark.parametrize("field", ["shop_id", "id", "retired_at", "updated_at", "nonsense"])
def test_fields_that_are_not_changeable_are_refused(item: Item, field: str) -> None:
    with pytest.raises(UnknownFieldError, match=field):
        editing.update_item(item=item, changes={field: "x"}, by=None, now=LATER)


def test_availability_is_set_for_many_items_at_once(item: Item, staff: Staff) -> None:
    sold_out = Item.objects.create(shop_id="A2", title="Boot", availability=Availability.OUT_OF_STOCK)
    Item.objects.create(shop_id="A3", title="Sandal")
    keys = [item.pk, sold_out.pk]
    changed = editing.set_availability(items=keys, availability=Availability.OUT_OF_STOCK, by=staff, now=LATER)
    assert changed == 1
    assert sorted(Item.objects.values_list("shop_id", "availability")) == [
        ("A1", "out_of_stock"),
        ("A2", "out_of_stock"),
        ("A3", "in_stock"),
    ]
    assert list(Item.objects.filter(updated_at=LATER)) == [item]
    assert entries() == [("change", "Shoe", {"availability": "in_stock"}, {"availability": "out_of_stock"})]


def test_a_retired_item_can_come_back(item: Item, staff: Staff) -> None:
    assert editing.retire(items=[item.pk], by=staff, now=NOW) == 1
    assert editing.retire(items=[item.pk], by=staff, now=LATER) == 0
    item.refresh_from_db()
    assert item.retired_at == NOW
    assert not load_stock().sellable(LATER).any()
    assert editing.bring_back(items=[item.pk], by=staff, now=LATER) == 1
    assert load_stock().sellable(LATER).tolist() == [True]
    assert [verb for verb, *_ in entries()] == ["retire", "bring back"]


@pytest.mark.parametrize(
    "change",
    [
        lambda item: editing.update_item(item=item, changes={"title": "Boot"}, by=None, now=LATER),
        lambda item: editing.set_availability(
            items=[item.pk], availability=Availability.OUT_OF_STOCK, by=None, now=LATER
        ),
        lambda item: editing.retire(items=[item.pk], by=None, now=LATER),
    ],
    ids=["update", "availability", "retire"],
)
def test_every_change_is_announced(
    change: Callable[[Item], object],
    item: Item,
    valkey: redis.Redis,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        change(item)
        assert valkey.hget(fetch.CHANGED, "catalogue") is None
    assert valkey.hget(fetch.CHANGED, "catalogue") is not None


def test_the_texts_of_an_item_s_drawn_picture(item: Item) -> None:
    item.categories.set([Category.objects.create(path="MEAT > BEEF", name="Beef")])
    Item.objects.update(brand="Acme")
    assert editing.tile_facts(shop_id="A1") == TileFacts(title="Shoe", brand="Acme", path="MEAT > BEEF")
    assert editing.tile_facts(shop_id="A2") is None
    assert editing.tile_facts(shop_id="A\x00") is None


def test_the_texts_of_a_picture_are_read_once_until_the_catalogue_changes(
    item: Item, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(3):
        facts = [editing.tile_facts(shop_id=name) for name in ("A1", "A1", "A2", "A2")]
    assert [each is None for each in facts] == [False, False, True, True]
    Item.objects.update(title="Boot")
    fetch.announce(fetch.Changed.CATALOGUE)
    time.sleep(LOOK)
    changed = editing.tile_facts(shop_id="A1")
    assert changed is not None
    assert changed.title == "Boot"
