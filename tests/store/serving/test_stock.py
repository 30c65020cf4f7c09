"""The stock of a process says what the record says."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import product
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.db.models import Q
from django.test.utils import CaptureQueriesContext

from recommendations.models import Category, Item
from recommendations.store.serving.stock import (
    Stock,
    load_stock,
    of_brands,
    of_categories,
    with_changes,
)
from recommendations.terms import Availability

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 9, 15, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)


def add(number: int, **fields: Any) -> Item:
    return Item.objects.create(shop_id=f"i{number}", title=f"Item {number}", **fields)


def assert_same(left: Stock, right: Stock) -> None:
    assert left.products == right.products
    assert left.row_of == right.row_of
    np.testing.assert_array_equal(left.ids.ids, right.ids.ids)
    for name in ("offered", "in_stock", "starts", "ends", "listed", "price"):
        np.testing.assert_array_equal(left.column(name), right.column(name))
    for mine, theirs, column in ((left.brands, right.brands, "brand"), (left.kinds, right.kinds, "kind")):
        names = [{number: name for name, number in codes.items()} for codes in (mine, theirs)]
        assert [names[0][code] for code in left.column(column).tolist()] == [
            names[1][code] for code in right.column(column).tolist()
        ]


def test_an_edit_of_a_price_leaves_the_words_of_the_stock_alone() -> None:
    add(1, price=Decimal("1.00"))
    add(2)
    stock = load_stock()
    Item.objects.filter(shop_id="i1").update(price=Decimal("2.00"), updated_at=NOW)
    priced = with_changes(stock, since=NOW)
    assert priced.products[0].price == Decimal("2.00")
    assert priced.words is stock.words
    Item.objects.filter(shop_id="i1").update(title="Wine", updated_at=NOW + HOUR)
    add(3)
    renamed = with_changes(priced, since=NOW)
    assert renamed.words.with_word("wine").tolist() == [True, False, False]
    assert renamed.words.with_word("item").tolist() == [False, True, True]
    assert priced.words.with_word("item").tolist() == [True, True]


def for_sale(at: datetime) -> set[int]:
    """Keys of the items that are on sale, in their time, and not known to be out of stock."""
    items = Item.objects.filter(
        Q(available_at=None) | Q(available_at__lte=at),
        Q(expires_at=None) | Q(expires_at__gt=at),
        ~Q(availability=Availability.OUT_OF_STOCK),
        Q(available_quantity=None) | Q(available_quantity__gt=0) | ~Q(availability=Availability.IN_STOCK),
        retired_at=None,
    )
    return set(items.values_list("pk", flat=True))


def test_sellable_items_are_those_that_a_query_finds_for_sale() -> None:
    states = product(
        Availability, (None, 0, 3), (None, NOW - HOUR, NOW, NOW + HOUR), (None, NOW, NOW + 2 * HOUR), (None, NOW - HOUR)
    )
    number = 0
    for availability, quantity, starts, ends, retired in states:
        if starts and ends and starts >= ends:
            continue
        number += 1
        add(number, availability=availability, available_quantity=quantity, available_at=starts, expires_at=ends,
            retired_at=retired)  # fmt: skip
    stock = load_stock()
    assert len(stock) == number > 100
    for moment in (NOW - 2 * HOUR, NOW, NOW + timedelta(minutes=59), NOW + HOUR, NOW + 3 * HOUR, NOW):
        assert set(stock.ids.ids[stock.sellable(moment)].tolist()) == for_sale(moment)
    assert stock.sellable(NOW) is stock.sellable(NOW + timedelta(minutes=59))


def test_edited_items_are_read_again_as_a_fresh_process_reads_them() -> None:
    bread, tea = (Category.objects.create(path=path, name=path) for path in ("BREAD", "TEA"))
    items = [add(number, brand="A", price=Decimal(number)) for number in range(5)]
    tea.items.set(items[:2])
    stock = load_stock()
    Item.objects.all().update(updated_at=NOW - HOUR)
    assert with_changes(stock, since=NOW) is stock

    items[1].brand, items[1].price, items[1].availability = "B", Decimal("9.50"), Availability.OUT_OF_STOCK
    items[1].save()
    items[1].categories.set([bread, tea])
    add(7, brand="C", expires_at=NOW + HOUR)
    add(8, brand="A")
    with CaptureQueriesContext(connection) as queries:
        changed = with_changes(stock, since=NOW)
    assert len(queries) == 1
    assert_same(changed, load_stock())
    assert stock.products[1].brand == "A"  # the one before is as it was
    assert len(stock) == 5


def test_an_item_that_was_committed_after_one_with_a_higher_key_is_found() -> None:
    late = add(1)
    Item.objects.filter(pk=late.pk).delete()
    add(2)
    stock = load_stock()
    Item.objects.create(pk=late.pk, shop_id="late", title="Late")
    assert_same(with_changes(stock, since=NOW - timedelta(days=10_000)), load_stock())


def rows_of(stock: Stock, marked: np.ndarray) -> Sequence[str]:
    return [stock.products[row].shop_id for row in np.flatnonzero(marked)]


def test_filters_by_brand_and_category() -> None:
    parent = Category.objects.create(path="FOOD", name="Food")
    child = Category.objects.create(path="FOOD > TEA", name="Tea", parent=parent)
    parent.items.set([add(1, brand="A")])
    child.items.set([add(2, brand="B"), add(3, brand="A")])
    add(4)
    stock = load_stock()
    assert rows_of(stock, of_brands(stock, ["A", "unheard of"])) == ["i1", "i3"]
    assert rows_of(stock, of_brands(stock, [])) == []
    assert rows_of(stock, of_categories(stock, frozenset({child.pk}))) == ["i2", "i3"]
    assert rows_of(stock, of_categories(stock, frozenset())) == []


def test_an_empty_shop_has_an_empty_stock() -> None:
    stock = load_stock()
    assert len(stock) == 0
    assert stock.sellable(NOW).tolist() == []


def test_the_mark_tells_whether_two_stocks_say_the_same() -> None:
    first, other = add(1, price="2.00"), add(2)
    stock = load_stock()
    assert stock.mark == load_stock().mark != 0
    Item.objects.filter(pk=first.pk).update(price="3.21", updated_at=NOW + HOUR)
    changed = with_changes(stock, since=NOW)
    assert changed.mark == load_stock().mark != stock.mark
    Item.objects.filter(pk=first.pk).update(price="2.00", updated_at=NOW + 2 * HOUR)
    assert with_changes(changed, since=NOW).mark == stock.mark  # as before, whenever it was edited
    other.categories.add(*(Category.objects.create(path=name, name=name) for name in ("B", "A")))
    assert load_stock().mark != stock.mark
