"""An item of ``/api/v1/items/`` is as the shop's system has it, with its prices and its trail; nothing past is lost."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse

from recommendations.event_types import EventName
from recommendations.models import ApiKey, AuditEntry, Category, Event, Item, ItemPrice
from recommendations.store.events.partitions import prepare_partitions
from recommendations.terms import Scope
from tests.api.conftest import ApiClient, problem
from tests.api.items.conftest import FULL, at, refused, verdict


def trail() -> list[tuple[str, dict[str, Any] | None, dict[str, Any]]]:
    entries = AuditEntry.objects.filter(object_type="item").order_by("pk")
    return list(entries.values_list("verb", "before", "after"))


def test_every_field_is_kept(put: Callable[..., HttpResponse]) -> None:
    assert verdict(put("A1", **FULL), 201) == "created"
    item = Item.objects.get(shop_id="A1")
    assert (item.title, item.description, item.brand) == ("Red shoe", "Soft", "Acme")
    assert (item.price, item.original_price, item.cost) == (Decimal("19.90"), Decimal(25), Decimal("10.00"))
    assert (item.availability, item.available_quantity) == ("preorder", 3)
    assert item.available_at == datetime(2026, 9, 1, tzinfo=UTC)
    assert item.expires_at == datetime(2026, 11, 30, 23, tzinfo=UTC)
    assert (item.image_url, item.url, item.tags) == ("https://shop/a1.png", "/a1", ["red", "new"])
    assert item.attributes == {"size": "42", "inner": {"list": [1, 2.5, None, True]}}
    assert (item.rating_average, item.rating_count, item.kind, item.parent) == (4.5, 12, "film", None)
    assert (item.creator, item.collection, item.number, item.duration) == ("Ann", "Spring", 2, 90)
    assert (item.published_at, item.language) == (datetime(2026, 8, 1, tzinfo=UTC), "en")
    assert sorted(item.categories.values_list("path", flat=True)) == ["Sale", "Shoes > Running"]
    assert Category.objects.get(path="Shoes > Running").parent == Category.objects.get(path="Shoes")
    assert list(ItemPrice.objects.values_list("item__shop_id", "price")) == [("A1", Decimal("19.90"))]


def test_repeating_a_put_changes_nothing(put: Callable[..., HttpResponse]) -> None:
    put("A1", **FULL)
    before = list(Item.objects.values())
    assert verdict(put("A1", **FULL)) == "unchanged"
    assert list(Item.objects.values()) == before
    assert ItemPrice.objects.count() == 1
    assert [verb for verb, _before, _after in trail()] == ["create"]


def test_a_field_missing_from_a_put_gets_its_default(put: Callable[..., HttpResponse]) -> None:
    put("A1", **FULL)
    assert verdict(put("A1", title="Shoe", brand=None)) == "updated"
    put("A2", title="Shoe")
    one, other = Item.objects.order_by("shop_id").values()
    same = one.keys() - {"id", "shop_id", "listed_at", "updated_at"}
    assert {name: one[name] for name in same} == {name: other[name] for name in same}
    assert not Item.objects.get(shop_id="A1").categories.exists()


def test_a_patch_changes_the_fields_that_it_names(put: Callable[..., HttpResponse]) -> None:
    put("A1", **FULL)
    assert verdict(put("A1", "PATCH", price=17, brand=None, attributes={"size": "43"})) == "updated"
    item = Item.objects.get()
    assert (item.price, item.brand, item.attributes) == (Decimal(17), "", {"size": "43"})
    assert (item.title, item.availability, item.tags, item.rating_count) == ("Red shoe", "preorder", ["red", "new"], 12)
    assert item.categories.count() == 2
    assert verdict(put("A1", "PATCH", price=17)) == "unchanged"
    assert verdict(put("A1", "PATCH")) == "unchanged"
    assert verdict(put("A1", "PATCH", categories=["Sale"])) == "updated"
    assert list(item.categories.values_list("path", flat=True)) == ["Sale"]
    assert Item.objects.get().price == Decimal(17)


def test_prices_are_kept_with_their_times(put: Callable[..., HttpResponse]) -> None:
    put("A1", title="Shoe", price="19.90")
    put("A1", "PATCH", price="17.00")
    put("A1", "PATCH", title="Red shoe")
    put("A1", title="Red shoe", price="17.00")
    put("A1", title="Red shoe", price="19.90")
    history = ItemPrice.objects.order_by("valid_from").values_list("price", flat=True)
    assert list(history) == [Decimal("19.90"), Decimal("17.00"), Decimal("19.90")]


def test_every_change_is_in_the_trail_with_the_key(put: Callable[..., HttpResponse]) -> None:
    put("A1", title="Shoe", price="19.90", categories=["Shoes"])
    put("A1", "PATCH", price=17, available_time="2026-09-01T00:00:00Z", categories=["Sale"])
    assert put("A1", "DELETE").status_code == 204
    created, changed, retired = trail()
    assert created[:2] == ("create", None)
    assert (created[2]["title"], created[2]["price"], created[2]["categories"]) == ("Shoe", "19.90", ["Shoes"])
    assert changed == (
        "change",
        {"price": "19.90", "available_at": None, "categories": ["Shoes"]},
        {"price": "17.00", "available_at": "2026-09-01T00:00:00Z", "categories": ["Sale"]},
    )
    assert (retired[0], retired[1]) == ("retire", {"retired_at": None})
    key = ApiKey.objects.get()
    assert {entry.author for entry in AuditEntry.objects.filter(object_type="item")} == {key}


def test_a_retired_item_keeps_its_past_and_comes_back(put: Callable[..., HttpResponse]) -> None:
    put("A1", title="Shoe", price="19.90")
    item = Item.objects.get()
    now = datetime(2026, 11, 20, tzinfo=UTC)
    prepare_partitions(now, now)
    Event.objects.create(
        occurred_at=now, event_id="0192f0c1-2b3c-7d4e-8f90-a1b2c3d4e5f6", line=0, name=EventName.VIEW_ITEM, item=item
    )
    assert put("A1", "DELETE").status_code == 204
    retired_at = Item.objects.get().retired_at
    assert retired_at is not None
    assert put("A1", "DELETE").status_code == 204
    assert verdict(put("A1", "PATCH", title="Boot")) == "updated"
    assert Item.objects.get().retired_at == retired_at
    assert (Event.objects.count(), ItemPrice.objects.count()) == (1, 1)
    assert verdict(put("A1", title="Boot", price="19.90")) == "updated"
    back = Item.objects.get()
    assert (back.pk, back.retired_at, back.listed_at) == (item.pk, None, item.listed_at)
    assert (Event.objects.filter(item=back).count(), ItemPrice.objects.count()) == (1, 1)
    assert [verb for verb, _before, _after in trail()] == ["create", "retire", "change", "bring back"]


def test_an_item_that_does_not_exist_is_a_404(put: Callable[..., HttpResponse]) -> None:
    problem(put("A1", "PATCH", title="Shoe"), 404)
    problem(put("A1", "DELETE"), 404)
    assert not Item.objects.exists()


@pytest.mark.parametrize("item_id", ["a/b", "/a/", "a b+c", "ä%2F€", "..", "A1?x=1#y", "'; DROP TABLE x;--", "x" * 128])
def test_any_id_can_be_named(item_id: str, put: Callable[..., HttpResponse]) -> None:
    assert verdict(put(item_id, title="Shoe"), 201) == "created"
    assert Item.objects.get().shop_id == item_id
    assert verdict(put(item_id, "PATCH", title="Boot")) == "updated"
    assert put(item_id, "DELETE").status_code == 204


@pytest.mark.parametrize("item_id", ["x" * 129, "a\x00b"])
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_an_impossible_id_is_refused(item_id: str, method: str, put: Callable[..., HttpResponse]) -> None:
    assert refused(put(item_id, method, title="Shoe"))[0] == "item_id"


def test_variants(put: Callable[..., HttpResponse]) -> None:
    put("P", title="Shoe")
    put("V", title="Shoe, 42", parent_id="P")
    assert Item.objects.get(shop_id="V").parent == Item.objects.get(shop_id="P")
    assert verdict(put("V", "PATCH", title="Shoe, 43")) == "updated"
    assert Item.objects.get(shop_id="V").parent is not None
    assert refused(put("V", "PATCH", parent_id="V")) == ("/parent_id", "An item cannot be a variant of itself.")
    assert refused(put("V", "PATCH", parent_id="Q"))[0] == "/parent_id"
    assert verdict(put("V", "PATCH", parent_id=None)) == "updated"
    assert Item.objects.get(shop_id="V").parent is None


def test_two_puts_of_one_item_at_once(transactional_db: None, client_with: Callable[..., ApiClient]) -> None:
    """One request makes the item and another changes it, or finds it as it is; none fails, and the trail has both."""
    api = client_with(Scope.CATALOGUE_WRITE)
    start = threading.Barrier(4)

    def send(number: int) -> list[tuple[int, str]]:
        try:
            start.wait(10)
            answers = [
                api.send("PUT", at(f"A{n}"), {"title": f"Of {number}", "price": number, "categories": [f"C{number}"]})
                for n in range(5)
            ]
            return [(answer.status_code, json.loads(answer.content)["verdict"]) for answer in answers]
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        answers = [answer for each in pool.map(send, range(4)) for answer in each]
    assert sorted(answers) == [(200, "updated")] * 15 + [(201, "created")] * 5
    assert Item.objects.count() == 5
    for item in Item.objects.all():
        entries = AuditEntry.objects.filter(object_type="item", object_id=str(item.pk)).order_by("pk")
        assert [entry.verb for entry in entries] == ["create", "change", "change", "change"]
        assert {name: entries[3].after[name] for name in ("title", "categories")} == {
            "title": item.title,
            "categories": list(item.categories.values_list("path", flat=True)),
        }
        for earlier, later in pairwise(entries):
            assert earlier.after["title"] == later.before["title"]
