"""Items and categories in the admin: edits in the list and on the page, actions, filters, search."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from recommendations.models import AuditEntry, Category, Item, ItemPrice, Staff
from recommendations.terms import Role

pytestmark = pytest.mark.django_db
LIST = reverse("admin:recommendations_item_changelist")


@pytest.fixture
def items() -> list[Item]:
    shoes = [Item.objects.create(shop_id=f"A{n}", title=f"Shoe {n}", price=Decimal(10 + n)) for n in range(5)]
    meat = Category.objects.create(path="MEAT-PCKGD", name="Packaged meat")
    shoes[0].categories.add(Category.objects.create(path="MEAT-PCKGD > BACON", name="Bacon", parent=meat))
    shoes[1].categories.add(Category.objects.create(path="MEAT-PCKGD2", name="Other"))
    return shoes


def save_list(client: Client, changes: dict[int, dict[str, Any]], **data: Any) -> HttpResponse:
    """Post the list as the browser does: every row, with some values changed; rows by primary key, newest first."""
    rows = list(Item.objects.order_by("-pk"))
    form: dict[str, Any] = {"form-TOTAL_FORMS": len(rows), "form-INITIAL_FORMS": len(rows), "_save": "Save", **data}
    for place, item in enumerate(rows):
        values = {"id": item.pk, "price": item.price, "availability": item.availability, **changes.get(item.pk, {})}
        form |= {f"form-{place}-{name}": value for name, value in values.items()}
    return client.post(LIST, form)


def listed(client: Client, **parameters: Any) -> set[str]:
    answer = client.get(LIST, parameters)
    assert answer.status_code == 200
    return {item.shop_id for item in answer.context["cl"].result_list}


def test_price_and_availability_are_edited_in_the_list(admin: Client, items: list[Item]) -> None:
    answer = save_list(
        admin, {items[0].pk: {"price": "7.50"}, items[1].pk: {"availability": "out_of_stock", "price": "1"}}
    )
    assert answer.status_code == 302
    assert list(Item.objects.order_by("shop_id").values_list("price", "availability")[:3]) == [
        (Decimal("7.50"), "in_stock"),
        (Decimal("1.00"), "out_of_stock"),
        (Decimal("12.00"), "in_stock"),
    ]
    entries = AuditEntry.objects.order_by("object_id").values_list("object_id", "staff__email", "after")
    assert list(entries) == [
        (str(items[0].pk), "admin@example.com", {"price": "7.50"}),
        (str(items[1].pk), "admin@example.com", {"price": "1", "availability": "out_of_stock"}),
    ]
    assert sorted(ItemPrice.objects.values_list("item", "price")) == [
        (items[0].pk, Decimal("7.50")),
        (items[1].pk, Decimal("1.00")),
    ]


def test_untouched_rows_of_the_list_cost_no_query(admin: Client, items: list[Item]) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert save_list(admin, {items[0].pk: {"price": f"{Item.objects.count()}.50"}}).status_code == 302
        return len(captured)

    few = queries()
    Item.objects.bulk_create([Item(shop_id=f"B{n}", title="Boot", price=1) for n in range(40)])
    assert queries() <= few + 1


def test_an_impossible_price_is_refused_in_the_list(admin: Client, items: list[Item]) -> None:
    answer = save_list(admin, {items[0].pk: {"price": "-1"}, items[1].pk: {"price": "3"}})
    assert answer.status_code == 200
    errors = [form.errors for form in answer.context["cl"].formset.forms if form.errors]
    assert errors == [{"price": ["Ensure this value is greater than or equal to 0."]}]
    assert not AuditEntry.objects.exists()
    items[1].refresh_from_db()
    assert items[1].price == Decimal(11)


def test_an_item_is_edited_on_its_page(admin: Client, items: list[Item]) -> None:
    item = items[0]
    sale = Category.objects.create(path="SALE", name="Sale")
    form = {
        "title": "Red shoe", "description": "", "brand": "Acme", "categories": [sale.pk], "tags": "red,new",
        "price": "9.99", "original_price": "", "cost": "", "availability": "preorder", "available_quantity": "",
        "available_at_0": "", "available_at_1": "", "expires_at_0": "", "expires_at_1": "", "image_url": "", "url": "",
        "parent": "", "attributes": '{"size": "42"}',
    }  # fmt: skip
    answer = admin.post(reverse("admin:recommendations_item_change", args=[item.pk]), form)
    assert answer.status_code == 302, answer.context["errors"]
    item.refresh_from_db()
    assert (item.title, item.brand, item.tags, item.attributes) == ("Red shoe", "Acme", ["red", "new"], {"size": "42"})
    assert list(item.categories.all()) == [sale]
    entry = AuditEntry.objects.get()
    assert entry.before["categories"] == ["MEAT-PCKGD > BACON"]
    assert entry.after["categories"] == ["SALE"]
    assert ItemPrice.objects.get().price == Decimal("9.99")
    # saved once more without a change: nothing happens
    assert admin.post(reverse("admin:recommendations_item_change", args=[item.pk]), form).status_code == 302
    assert AuditEntry.objects.count() == 1


@pytest.mark.parametrize(
    ("action", "field", "expected"),
    [("set_out_of_stock", "availability", "out_of_stock"), ("retire", "retired_at", None)],
)
def test_actions_change_the_chosen_items(
    admin: Client, items: list[Item], action: str, field: str, expected: str | None
) -> None:
    chosen = [item.pk for item in items[:3]]
    answer = admin.post(LIST, {"action": action, "_selected_action": chosen}, follow=True)
    assert "3 items were changed." in answer.content.decode()
    changed = set(Item.objects.exclude(**{field: "in_stock" if expected else None}).values_list("pk", flat=True))
    assert changed == set(chosen)
    assert AuditEntry.objects.count() == 3
    undo = {"set_out_of_stock": "set_in_stock", "retire": "bring_back"}[action]
    admin.post(LIST, {"action": undo, "_selected_action": chosen[:1]})
    items[0].refresh_from_db()
    assert (items[0].availability, items[0].retired_at) == ("in_stock", None)


def test_all_pages_can_be_chosen_at_once(admin: Client, items: list[Item]) -> None:
    data = {"action": "set_out_of_stock", "select_across": "1", "index": "0", "_selected_action": [items[0].pk]}
    admin.post(f"{LIST}?q=Shoe", data)
    assert Item.objects.filter(availability="out_of_stock").count() == 5


def test_only_the_catalogue_roles_edit(signed_in: Callable[[Role], Client], items: list[Item]) -> None:
    catalogue_admin = signed_in(Role.CATALOGUE_ADMIN)
    assert save_list(catalogue_admin, {items[0].pk: {"price": "5"}}).status_code == 302
    assert AuditEntry.objects.get().staff == Staff.objects.get(role=Role.CATALOGUE_ADMIN)
    assert save_list(signed_in(Role.MERCHANDISER), {items[0].pk: {"price": "6"}}).status_code == 302  # to the login
    items[0].refresh_from_db()
    assert items[0].price == Decimal(5)


def test_filters(admin: Client, items: list[Item]) -> None:
    Item.objects.filter(shop_id="A2").update(availability="out_of_stock", image_url="https://x/y.png")
    Item.objects.filter(shop_id="A3").update(retired_at="2026-01-01T00:00:00Z")
    meat = Category.objects.get(path="MEAT-PCKGD")
    assert listed(admin, department=meat.pk) == {"A0"}
    assert listed(admin, availability__exact="out_of_stock") == {"A2"}
    assert listed(admin, retired="yes") == {"A3"}
    assert listed(admin, retired="no", no_picture="yes") == {"A0", "A1", "A4"}
    assert listed(admin, department="x") == set()


def test_search_by_title_and_id(admin: Client, items: list[Item]) -> None:
    assert listed(admin, q="shoe 3") == {"A3"}
    assert listed(admin, q="A3") == {"A3"}
    assert listed(admin, q="A") == set()
    assert listed(admin, q="%") == set()


def test_the_department_is_the_name_of_the_top_of_the_tree(admin: Client, items: list[Item]) -> None:
    rows = {item.shop_id: item.top_category for item in admin.get(LIST).context["cl"].result_list}
    assert rows == {"A0": "Packaged meat", "A1": "Other", "A2": None, "A3": None, "A4": None}


def test_markup_in_a_title_is_text(admin: Client) -> None:
    item = Item.objects.create(shop_id='"><b>', title="<script>alert(1)</script>", image_url='https://x/"onerror="y')
    for address in (LIST, reverse("admin:recommendations_item_change", args=[item.pk])):
        page = admin.get(address).content.decode()
        assert "<script>alert" not in page
        assert 'x/"onerror' not in page


def test_a_category_is_renamed(admin: Client, items: list[Item]) -> None:
    category = Category.objects.get(path="MEAT-PCKGD")
    address = reverse("admin:recommendations_category_change", args=[category.pk])
    assert admin.post(address, {"name": "Meat, packed"}).status_code == 302
    category.refresh_from_db()
    assert (category.name, category.path) == ("Meat, packed", "MEAT-PCKGD")
    assert AuditEntry.objects.values_list("verb", "before", "after").get() == (
        "rename", {"name": "Packaged meat"}, {"name": "Meat, packed"},
    )  # fmt: skip
