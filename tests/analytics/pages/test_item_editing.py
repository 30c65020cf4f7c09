"""Items edited in the dashboard: what a reader touched is changed, with a trail; faults stand at their fields."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from recommendations.models import AuditEntry, Category, Item
from recommendations.terms import Role

pytestmark = pytest.mark.django_db
FIELD = re.compile(r"<(?:input|select|textarea)\b[^>]*>")


@pytest.fixture
def tea() -> Item:
    drinks, teas, gifts = (
        Category.objects.create(path=path, name=path) for path in ("Drinks", "Drinks > Tea", "Gifts")
    )
    item = Item.objects.create(
        shop_id="A1", title="Tea", brand="Leaf", price=Decimal("3.00"), description="Two\nlines", tags=["new", "a, b"],
        available_at=datetime(2026, 9, 1, 8, 0, 7, tzinfo=UTC),
        attributes={"bags": 20, "organic": True, "origin": "Japan", "sizes": ["S", "M"], "box": {"w": 3}},
    )  # fmt: skip
    item.categories.set([drinks, teas])
    assert gifts.pk
    return item


def form_of(client: Client, item: Item, **changes: Any) -> dict[str, Any]:
    """The form as a browser would send it, with some fields typed over."""
    form = client.get(reverse("edit_item", args=[item.pk])).context["form"]
    sent: dict[str, Any] = {}
    for field in form:
        value = unescape(str(field.value() if field.value() is not None else ""))
        if field.name in {"available_at", "expires_at"}:
            value = field.field.widget.format_value(field.value()) or ""
        sent[field.html_name] = sent[field.html_initial_name] = value
    sent |= {"category": [row.text for row in form.categories], "was_category": [row.was[1] for row in form.categories]}
    sent |= {"attribute": [row.name for row in form.attributes], "value": [row.text for row in form.attributes]}
    sent |= {"was_attribute": [row.was[0] for row in form.attributes]}
    sent |= {"was_value": [row.was[1] for row in form.attributes]}
    return {**sent, **changes}


def save(client: Client, item: Item, query: Mapping[str, Any] | None = None, **changes: Any) -> Any:
    return client.post(reverse("edit_item", args=[item.pk], query=query), form_of(client, item, **changes))


def typed_over(client: Client, item: Item, name: str, text: str) -> list[str]:
    form = client.get(reverse("edit_item", args=[item.pk])).context["form"]
    return [text if row.name == name else row.text for row in form.attributes]


def test_what_nobody_touched_is_not_changed(admin: Client, tea: Item) -> None:
    answer = save(admin, tea)
    assert answer["Location"] == reverse("item", args=[tea.pk])
    assert "Nothing was changed." in admin.get(answer["Location"]).content.decode()
    assert not AuditEntry.objects.exists()


def test_every_field_is_edited_with_a_trail(admin: Client, tea: Item) -> None:
    Item.objects.create(shop_id="A0", title="All teas")
    answer = save(
        admin, tea, title="Green tea", price="3.50", original_price="4", cost="1.20", availability="backorder",
        available_quantity="7", expires_at="2027-01-01T00:00:00", image_url="https://shop.example/a.jpg",
        url="/tea", tags="new\r\n\r\nspring \r\nnew", parent="A0", brand="", description="One line",
        category=["Drinks > Tea", "", "Gifts"],
    )  # fmt: skip
    assert answer.status_code == 302, answer.context["form"].errors
    tea.refresh_from_db()
    assert (tea.title, tea.price, tea.original_price, tea.cost) == (
        "Green tea", Decimal("3.50"), Decimal("4.00"), Decimal("1.20"),
    )  # fmt: skip
    assert (tea.availability, tea.available_quantity, tea.tags) == ("backorder", 7, ["new", "spring"])
    assert (tea.brand, tea.description, tea.url) == ("", "One line", "/tea")
    assert tea.parent is not None
    assert tea.parent.shop_id == "A0"
    assert tea.available_at == datetime(2026, 9, 1, 8, 0, 7, tzinfo=UTC)  # to the second
    assert sorted(tea.categories.values_list("path", flat=True)) == ["Drinks > Tea", "Gifts"]
    entry = AuditEntry.objects.get()
    assert entry.verb == "change"
    assert entry.before is not None
    assert "attributes" not in entry.before
    assert entry.before["price"] == "3.00"


def test_what_somebody_else_changed_meanwhile_stays(admin: Client, tea: Item) -> None:
    form = form_of(admin, tea, title="Green tea")
    Item.objects.filter(pk=tea.pk).update(price=Decimal("9.99"), attributes={"bags": 25})
    assert admin.post(reverse("edit_item", args=[tea.pk]), form).status_code == 302
    tea.refresh_from_db()
    assert (tea.title, tea.price, tea.attributes) == ("Green tea", Decimal("9.99"), {"bags": 25})


@pytest.mark.parametrize(
    ("name", "typed", "value"),
    [
        ("bags", "25", 25),
        ("bags", "2.5", 2.5),
        ("organic", "no", False),
        ("origin", "China", "China"),
        ("origin", "7", "7"),
        ("sizes", "S, XL", ["S", "XL"]),
        ("box", '{"w": 4}', {"w": 4}),
    ],
)
def test_an_attribute_keeps_its_kind(admin: Client, tea: Item, name: str, typed: str, value: object) -> None:
    before = dict(tea.attributes)
    assert save(admin, tea, value=typed_over(admin, tea, name, typed)).status_code == 302
    tea.refresh_from_db()
    assert tea.attributes == before | {name: value}


@pytest.mark.parametrize(
    ("name", "typed", "words"),
    [
        ("bags", "many", "Not a number. Use a format like 19.90."),
        ("bags", "NaN", "Not a number. Use a format like 19.90."),
        ("organic", "perhaps", "Write yes or no."),
        ("box", "[" * 1500, "Keep this format:"),
    ],
)
def test_an_attribute_of_another_kind_is_refused_in_its_row(
    admin: Client, tea: Item, name: str, typed: str, words: str
) -> None:
    answer = save(admin, tea, value=typed_over(admin, tea, name, typed))
    assert answer.status_code == 422
    assert words in answer.content.decode()
    tea.refresh_from_db()
    assert tea.attributes[name] == {"bags": 20, "organic": True, "box": {"w": 3}}[name]


def test_attributes_are_added_renamed_and_removed(admin: Client, tea: Item) -> None:
    names = ["bags", "box", "from", "", "sizes", "grade"]
    assert save(admin, tea, attribute=names, value=["20", '{"w": 3}', "Japan", "", "S, M", "A"]).status_code == 302
    tea.refresh_from_db()
    assert tea.attributes == {"bags": 20, "box": {"w": 3}, "from": "Japan", "sizes": ["S", "M"], "grade": "A"}


@pytest.mark.parametrize(
    ("change", "place", "words"),
    [
        ({"price": "-5"}, "id_price_error", "A price cannot be negative."),
        ({"price": "cheap"}, "id_price_error", "Not a number. Use a format like 19.90."),
        ({"cost": "12345678901"}, "id_cost_error", "The amount is larger than 9,999,999,999.99."),
        ({"title": "x" * 301}, "id_title_error", "At most 300 characters."),
        ({"description": "x" * 100_001}, "id_description_error", "At most 100,000 characters."),
        ({"tags": "x" * 101}, "id_tags_error", "A tag has at most 100 characters."),
        ({"tags": "a|b"}, "id_tags_error", "Categories and tags cannot contain |"),
        ({"available_quantity": "-1"}, "id_available_quantity_error", "a whole number from 0 to 2,147,483,647"),
        ({"expires_at": "3026-01-01T00:00:00"}, "id_expires_at_error", "A time must be between 1990 and 2999"),
        ({"image_url": "javascript:alert(1)"}, "id_image_url_error", "An address must begin with https://"),
        ({"url": "图片"}, "id_url_error", "An address must begin with https://"),
        ({"title": ""}, "id_title_error", "This field is required."),
        ({"expires_at": "2026-01-01T00:00:00"}, "id_expires_at_error", "It must be later than the start."),
        ({"parent": "ZZ"}, "id_parent_error", "No item has the id “ZZ”."),
        ({"parent": "A1"}, "id_parent_error", "An item cannot be a variant of itself."),
        ({"category": ["Drinks", "Teapots", ""]}, "category-2-error", "There is no such category."),
        ({"attribute": ["a", "a"], "value": ["1", "2"]}, "attribute-2-error", "There is a row with this name already."),
        ({"attribute": [""], "value": ["1"]}, "attribute-1-error", "Give the attribute a name."),
    ],
)
def test_a_fault_stands_at_its_field(admin: Client, tea: Item, change: dict[str, Any], place: str, words: str) -> None:
    answer = save(admin, tea, **change)
    page = unescape(answer.content.decode())
    assert answer.status_code == 422
    assert words in page[page.index(f'id="{place}"') :][:300]
    assert not AuditEntry.objects.exists()


def test_faults_are_counted_and_in_our_own_words(admin: Client, tea: Item) -> None:
    answer = save(
        admin, tea, title="长" * 5000, price="-1", url="图片", brand="x" * 201, cost="12345678901",
        attribute=["a", "a"], value=["1", "2"],
    )  # fmt: skip
    assert "6 fields below say what is wrong." in answer.content.decode()
    admin.cookies["django_language"] = "zh-hans"
    page = save(admin, tea, title="长" * 5000, price="-1").content.decode()
    assert "下方有 2 个字段需要修改。" in page
    assert "最多 300 个字符。" in page
    assert "价格不能为负。" in page


def test_an_amount_is_rounded_to_cents_as_by_the_api(admin: Client, tea: Item) -> None:
    assert save(admin, tea, price="3.456").status_code == 302
    tea.refresh_from_db()
    assert tea.price == Decimal("3.46")


def test_the_same_field_is_not_overwritten_unseen(admin: Client, tea: Item) -> None:
    first, second = form_of(admin, tea, price="41", brand="Mine"), form_of(admin, tea, price="39", description="Long")
    address = reverse("edit_item", args=[tea.pk])
    admin.post(address, first)
    answer = admin.post(address, second)
    tea.refresh_from_db()
    assert (answer.status_code, tea.price, tea.description) == (409, Decimal("41.00"), "Two\nlines")
    page = answer.content.decode()
    assert "Someone else changed the same fields while you were editing" in page
    assert "The admin saved it" in page
    assert '<th scope="row">Price</th><td>41.00</td><td>39.00</td>' in page
    assert 'value="39"' in page
    over = answer.context["stale"]["over"]
    Item.objects.filter(pk=tea.pk).update(price=Decimal("42.00"))
    assert admin.post(address, {**second, "over": over}).status_code == 409  # changed once more
    Item.objects.filter(pk=tea.pk).update(price=Decimal("41.00"))
    saved = admin.post(address, {**second, "over": over}, follow=True)
    assert "What someone else changed meanwhile is kept: brand." in saved.content.decode()
    tea.refresh_from_db()
    assert (tea.price, tea.brand, tea.description) == (Decimal("39.00"), "Mine", "Long")


def test_rows_are_not_overwritten_unseen_either(admin: Client, tea: Item) -> None:
    names = ["bags", "box", "organic", "origin", "sizes", ""]
    mine = form_of(
        admin, tea, category=["Drinks", "", ""], attribute=names, value=["25", '{"w": 3}', "yes", "Japan", "S, M", ""]
    )
    tea.categories.set([Category.objects.get(path="Gifts")])
    Item.objects.filter(pk=tea.pk).update(attributes={"bags": 30})
    answer = admin.post(reverse("edit_item", args=[tea.pk]), mine)
    assert answer.status_code == 409
    assert [each.words for each in answer.context["stale"]["differences"]] == ["categories", "attributes"]


def test_what_both_set_alike_is_no_quarrel(admin: Client, tea: Item) -> None:
    mine = form_of(admin, tea, price="41", tags="new\r\nold", description="Three\r\nlines")
    admin.post(reverse("edit_item", args=[tea.pk]), mine)
    assert admin.post(reverse("edit_item", args=[tea.pk]), mine).status_code == 302


def test_a_price_is_said_to_be_right(admin: Client, tea: Item) -> None:
    cup = Item.objects.create(shop_id="B1", title="Cup", price=Decimal(2))
    first = admin.get(reverse("mend_item", query={"flaw": "stale_price"}))["Location"]
    page = admin.get(first).content.decode()
    assert "<strong>1 of 2</strong>" in page
    assert 'value="right"' in page
    assert re.search(r'<button class="btn btn-primary" name="then" value="next">', page)
    on = admin.post(first, form_of(admin, tea, then="right"), follow=True)
    assert "The price of “Tea” counts as checked." in on.content.decode()
    assert on.request["PATH_INFO"] == reverse("edit_item", args=[cup.pk])
    assert "<strong>1 of 1</strong>" in on.content.decode()
    tea.refresh_from_db()
    assert tea.price == Decimal("3.00")
    assert AuditEntry.objects.get().verb == "confirm price"
    assert "confirmed the price of" in admin.get(reverse("activity")).content.decode()
    assert 'value="right"' not in admin.get(reverse("edit_item", args=[tea.pk])).content.decode()


def test_one_more_row_is_offered_and_nothing_saved(admin: Client, tea: Item) -> None:
    answer = save(admin, tea, edit="attribute", title="Not yet")
    assert answer.status_code == 200
    assert len(answer.context["form"].attributes) == 7
    tea.refresh_from_db()
    assert tea.title == "Tea"


def test_a_fault_leads_to_its_field_and_on_to_the_next(admin: Client, tea: Item) -> None:
    cups = [Item.objects.create(shop_id=f"B{n}", title=f"Cup {n}", brand="Clay") for n in (1, 2)]
    first = admin.get(reverse("mend_item", query={"flaw": "no_price"}))
    assert first["Location"].startswith(reverse("edit_item", args=[cups[0].pk]))
    page = admin.get(first["Location"]).content.decode()
    [focused] = [tag for tag in FIELD.findall(page) if "autofocus" in tag]
    assert 'name="price"' in focused
    on = admin.post(first["Location"], form_of(admin, cups[0], price="2", then="next"), follow=True)
    assert on.request["PATH_INFO"] == reverse("edit_item", args=[cups[1].pk])
    skipped = admin.post(
        first["Location"].replace(f"/{cups[0].pk}/", f"/{cups[1].pk}/"),
        form_of(admin, cups[1], then="next"),
        follow=True,
    )
    assert "“No price”: that was the last item." in skipped.content.decode()
    back = admin.post(
        reverse("edit_item", args=[cups[1].pk], query={"next": "/catalogue/items/?flaw=no_price"}),
        form_of(admin, cups[1], price="2"),
    )
    assert back["Location"] == "/catalogue/items/?flaw=no_price"
    assert admin.get(reverse("mend_item", query={"flaw": "no_events"})).status_code == 404


def test_the_way_back_leads_nowhere_else(admin: Client, tea: Item) -> None:
    answer = save(admin, tea, query={"next": "https://evil.example/"})
    assert answer["Location"] == reverse("item", args=[tea.pk])


def test_an_item_is_retired_and_comes_back(admin: Client, tea: Item) -> None:
    address = reverse("set_item_on_sale", args=[tea.pk])
    assert "is retired" in admin.post(address, {"on_sale": "no"}, follow=True).content.decode()
    tea.refresh_from_db()
    assert tea.retired_at
    assert "Bring back" in admin.get(reverse("item", args=[tea.pk])).content.decode()
    admin.post(address, {"on_sale": "yes"})
    tea.refresh_from_db()
    assert not tea.retired_at
    assert [entry.verb for entry in AuditEntry.objects.order_by("pk")] == ["retire", "bring back"]


@pytest.mark.parametrize("role", list(Role))
def test_links_to_the_form_are_for_those_who_may_edit(
    client_of: Callable[[Role], Client], tea: Item, role: Role
) -> None:
    client, may = client_of(role), role in {Role.CATALOGUE_ADMIN, Role.ADMIN}
    for page in (reverse("item", args=[tea.pk]), reverse("catalogue_items")):
        assert (reverse("edit_item", args=[tea.pk]) in client.get(page).content.decode()) is may
    assert (reverse("mend_item") in client.get(reverse("catalogue")).content.decode()) is may
