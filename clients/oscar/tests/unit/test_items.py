"""Products as items: what an item says, what is sent when something changes, and what the command reports."""

from collections.abc import Callable
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from fakes import FakeRecsite

from oscar_recsite.items import item_of

Get = Callable[[str], Any]


def send_all() -> str:
    out = StringIO()
    call_command("recsite_items", stdout=out, stderr=out)
    return out.getvalue()


def test_a_product_is_an_item_with_all_that_the_shop_says_of_it(product: Get) -> None:
    book = product("Crime 1")
    picture = book.primary_image().original.url
    assert item_of(book) == {
        "item_id": str(book.pk),
        "title": "Crime 1",
        "description": "All of Crime & more.",
        "categories": ["Books > Crime"],
        "attributes": {"pages": 101},
        "price": Decimal("1.99"),
        "currency": "GBP",
        "availability": "in_stock",
        "available_quantity": 50,
        "url": f"https://shop.example{book.get_absolute_url()}",
        "image_url": f"https://shop.example{picture}",
    }


def test_variants_are_items_of_their_own_and_a_parent_is_never_for_sale(product: Get) -> None:
    parent, sold_out, ready = item_of(product("Shirt")), item_of(product("Shirt S")), item_of(product("Shirt M"))
    assert parent is not None
    assert sold_out is not None
    assert ready is not None
    assert "parent_id" not in parent
    assert parent["availability"] == sold_out["availability"] == "out_of_stock"
    assert ready["availability"] == "in_stock"
    assert sold_out["parent_id"] == ready["parent_id"] == parent["item_id"]
    assert (ready["categories"], ready["attributes"]) == (["Clothes"], {"size": "M"})


def test_a_category_whose_name_has_the_sign_between_names_is_one(product: Get) -> None:
    book = product("Crime 1")
    category = book.categories.get()
    category.name = "Crime > Thriller | Noir"
    category.save()
    item = item_of(book)
    assert item is not None
    assert item["categories"] == ["Books > Crime - Thriller / Noir"]


def test_the_command_sends_parents_first_and_retires_what_the_shop_hides(product: Get, recsite: FakeRecsite) -> None:
    assert send_all().startswith("40 items created, 0 updated, 0 unchanged, 1 retired, 0 refused")
    order = list(recsite.sent_items())
    assert order.index(str(product("Shirt").pk)) < order.index(str(product("Shirt S").pk))
    assert ("DELETE", f"/api/v1/items/{product('Not yet').pk}/") in [request[:2] for request in recsite.got]


def test_what_was_never_at_recsite_is_not_counted_as_retired(product: Get, recsite: FakeRecsite) -> None:
    recsite.unknown = {str(product("Not yet").pk)}
    assert ", 0 retired," in send_all()


def test_refusals_are_named_with_what_helps(product: Get, recsite: FakeRecsite) -> None:
    book, other = product("Crime 1"), product("Crime 2")
    recsite.refused = {
        str(book.pk): ("/currency", "The shop counts in USD."),
        str(other.pk): ("/title", "This is longer than 300 characters."),
    }
    out = StringIO()
    with pytest.raises(CommandError, match="2 products are not at Recsite"):
        call_command("recsite_items", stdout=out, stderr=out)
    assert f"product {book.pk}, /currency: The shop counts in USD. (Recsite's SHOP_CURRENCY and" in out.getvalue()
    assert f"product {other.pk}, /title: This is longer than 300 characters. (mend the product" in out.getvalue()
    assert "2 refused" in out.getvalue()


def test_a_batch_of_which_everything_is_refused_is_reported_as_well(product: Get, recsite: FakeRecsite) -> None:
    recsite.refused = {str(number): ("/currency", "The shop counts in USD.") for number in range(1, 100)}
    with pytest.raises(CommandError, match="40 products"):
        call_command("recsite_items", stdout=StringIO(), stderr=StringIO())


def test_a_recsite_that_is_away_is_an_error_of_the_command(recsite: FakeRecsite, settings: Any) -> None:
    recsite.status = 403
    with pytest.raises(CommandError, match="did not take the items: 403"):
        call_command("recsite_items", stdout=StringIO())


def test_the_shops_own_function_changes_items_and_keeps_some_out(
    product: Get, recsite: FakeRecsite, settings: Any
) -> None:
    def branded(thing: Any, item: Any) -> Any:
        return None if thing.title.startswith("Travel") else {**item, "brand": "House"}

    settings.RECSITE_ITEM = branded
    assert send_all().startswith("28 items created, 0 updated, 0 unchanged, 13 retired")
    assert recsite.sent_items()[str(product("Crime 1").pk)]["brand"] == "House"


def test_items_go_into_a_file_that_import_items_takes(tmp_path: Path, recsite: FakeRecsite) -> None:
    call_command("recsite_items", file=tmp_path / "items.jsonl", stdout=StringIO())
    lines = (tmp_path / "items.jsonl").read_text().splitlines()
    assert len(lines) == 40
    assert recsite.got == []


@pytest.mark.parametrize("change", ["title", "stock", "category", "picture"])
def test_a_product_that_changes_is_sent_after_the_commit(
    change: str, product: Get, recsite: FakeRecsite, django_capture_on_commit_callbacks: Any
) -> None:
    book = product("Crime 1")
    with django_capture_on_commit_callbacks(execute=True):
        if change == "title":
            book.title = "Crime One"
            book.save()
        elif change == "stock":
            record = book.stockrecords.get()
            record.num_in_stock = 0
            record.save()
        elif change == "category":
            book.productcategory_set.get().delete()
        else:
            book.images.get().delete()
        assert recsite.sent_items() == {}
    [(item_id, item)] = recsite.sent_items().items()
    assert item_id == str(book.pk)
    expected = {
        "title": item["title"] == "Crime One",
        "stock": (item["availability"], item.get("available_quantity")) == ("out_of_stock", 0),
        "category": item["categories"] == [],
        "picture": "image_url" not in item,
    }
    assert expected[change]


def test_a_parent_that_is_hidden_takes_its_variants_along(
    product: Get, recsite: FakeRecsite, django_capture_on_commit_callbacks: Any
) -> None:
    shirt = product("Shirt")
    with django_capture_on_commit_callbacks(execute=True):
        shirt.is_public = False
        shirt.save()
    retired = {path.split("/")[-2] for method, path, _body in recsite.asked() if method == "DELETE"}
    assert retired == {str(shirt.pk), *(str(child.pk) for child in shirt.children.all())}


def test_a_product_that_is_deleted_is_retired(
    product: Get, recsite: FakeRecsite, django_capture_on_commit_callbacks: Any
) -> None:
    book = product("Crime 5")
    key = book.pk
    with django_capture_on_commit_callbacks(execute=True):
        book.delete()
    assert ("DELETE", f"/api/v1/items/{key}/", {}) in recsite.asked()
    assert recsite.sent_items() == {}


def test_an_order_changes_the_stock_that_recsite_knows(
    product: Get, recsite: FakeRecsite, django_capture_on_commit_callbacks: Any
) -> None:
    book = product("Crime 6")
    with django_capture_on_commit_callbacks(execute=True):
        book.stockrecords.get().allocate(3)
    assert recsite.sent_items()[str(book.pk)]["available_quantity"] == 47
