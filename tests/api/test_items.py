"""``/api/v1/items/``: the catalogue as the shop's system has it, at work in the next answer; nothing past is lost."""

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
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import DjangoCaptureOnCommitCallbacks

from recommendations.event_types import EventName
from recommendations.models import ApiKey, AuditEntry, Category, Event, Item, ItemPrice
from recommendations.store.events.partitions import prepare_partitions
from recommendations.terms import Scope
from tests.api.conftest import ApiClient, problem

BATCH = "/api/v1/items/batch/"
FULL: dict[str, Any] = {
    "title": " Red shoe ",
    "description": "Soft",
    "brand": "Acme",
    "categories": ["Shoes>Running", "Sale"],
    "price": "19.90",
    "original_price": 25,
    "cost": 9.999,
    "currency": "USD",
    "availability": "preorder",
    "available_quantity": 3,
    "available_time": "2026-09-01T00:00:00Z",
    "expire_time": "2026-12-01T00:00:00+01:00",
    "image_url": "https://shop/a1.png",
    "url": "/a1",
    "tags": ["red", " new ", "red"],
    "attributes": {"size": "42", "inner": {"list": [1, 2.5, None, True]}},
    "rating": {"average": 4.5, "count": 12},
    "kind": "product",
}


def at(item_id: str) -> str:
    return reverse("catalogue-item", kwargs={"item_id": item_id})


@pytest.fixture
def api(client_with: Callable[..., ApiClient]) -> ApiClient:
    return client_with(Scope.CATALOGUE_WRITE)


@pytest.fixture
def put(
    api: ApiClient, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> Callable[..., HttpResponse]:
    """Sender of items: ``put("A1", title="Shoe")``; as a request does, it tells the processes after its commit."""

    def send(item_id: str, method: str = "PUT", **fields: Any) -> HttpResponse:
        with django_capture_on_commit_callbacks(execute=True):
            return api.send(method, at(item_id), fields)

    return send


def verdict(answer: HttpResponse, status: int = 200) -> str:
    assert answer.status_code == status, answer.content
    return str(json.loads(answer.content)["verdict"])


def refused(answer: HttpResponse) -> tuple[str, str]:
    """Pointer and message of the only flaw."""
    [error] = problem(answer, 400)["errors"]
    return error["pointer"], error["message"]


def trail() -> list[tuple[str, dict[str, Any] | None, dict[str, Any]]]:
    entries = AuditEntry.objects.filter(object_type="item").order_by("pk")
    return list(entries.values_list("verb", "before", "after"))


# --- one item


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
    assert (item.rating_average, item.rating_count, item.kind, item.parent) == (4.5, 12, "product", None)
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
    assert refused(put("V", "PATCH", parent_id="V")) == ("/parent_id", "An item is no variant of itself.")
    assert refused(put("V", "PATCH", parent_id="Q"))[0] == "/parent_id"
    assert verdict(put("V", "PATCH", parent_id=None)) == "updated"
    assert Item.objects.get(shop_id="V").parent is None


# --- what is refused

BAD: list[tuple[Any, str, str]] = [
    ({}, "/title", "The field is missing."),
    ({"title": None}, "/title", "Expected `str`, got `null`"),
    ({"title": "  "}, "/title", "The field is empty but needed."),
    ({"title": "x" * 301}, "/title", "Expected `str` of length <= 300"),
    ({"title": "a\x00b"}, "/title", "The text holds a NUL character; remove it."),
    ({"title": "a", "brand": "x" * 201}, "/brand", "Expected `str` of length <= 200"),
    ({"title": "a", "description": "a\x00"}, "/description", "The text holds a NUL character; remove it."),
    ({"title": "a", "price": "NaN"}, "/price", "This is no number; write it like 19.90."),
    ({"title": "a", "price": "-inf"}, "/price", "This is no number; write it like 19.90."),
    ({"title": "a", "price": "19,90"}, "/price", "Invalid decimal string"),
    ({"title": "a", "price": True}, "/price", "Expected `decimal | null`, got `bool`"),
    ({"title": "a", "price": -1}, "/price", "The amount is negative"),
    ({"title": "a", "cost": "1e308"}, "/cost", "The amount is larger than"),
    ({"title": "a", "original_price": "9999999999.991"}, "/original_price", "The amount is larger than"),
    ({"title": "a", "currency": "EUR"}, "/currency", "This shop counts in USD; convert the amounts"),
    ({"title": "a", "availability": "gone"}, "/availability", "Invalid enum value 'gone'"),
    ({"title": "a", "available_quantity": -1}, "/available_quantity", "Expected `int` >= 0"),
    ({"title": "a", "available_quantity": 1.5}, "/available_quantity", "Expected `int | null`, got `float`"),
    ({"title": "a", "available_quantity": 2**31}, "/available_quantity", "Expected `int` <= 2147483647"),
    ({"title": "a", "available_time": "2026-09-01T00:00:00"}, "/available_time", "The time has no time zone"),
    ({"title": "a", "available_time": "tomorrow"}, "/available_time", "Invalid RFC3339"),
    ({"title": "a", "expire_time": "9999-12-31T23:59:59Z"}, "/expire_time", "A time lies between 1990 and 2999"),
    ({"title": "a", "expire_time": "0001-01-01T00:00:00+14:00"}, "/expire_time", "A time lies between 1990 and 2999"),
    (
        {"title": "a", "available_time": "2026-09-02T00:00:00Z", "expire_time": "2026-09-01T00:00:00Z"},
        "/expire_time",
        "It would be for sale only after",
    ),
    ({"title": "a", "image_url": "javascript:alert(1)"}, "/image_url", "An address begins with https://"),
    ({"title": "a", "url": "data:text/html,x"}, "/url", "An address begins with https://"),
    ({"title": "a", "categories": ["Shoes", "Shoes >> Running"]}, "/categories/1", "A category is written"),
    ({"title": "a", "categories": [""]}, "/categories/0", "A category is written"),
    ({"title": "a", "categories": ["x" * 201]}, "/categories/0", "A category is written"),
    ({"title": "a", "categories": ["A|B"]}, "/categories/0", "A category or tag holds no |"),
    ({"title": "a", "categories": "Shoes"}, "/categories", "Expected `array | null`, got `str`"),
    ({"title": "a", "tags": ["ok", "x" * 101]}, "/tags/1", "Expected `str` of length <= 100"),
    ({"title": "a", "tags": ["ok", " "]}, "/tags/1", "The field is empty but needed."),
    ({"title": "a", "attributes": []}, "/attributes", "Expected `object | null`, got `array`"),
    ({"title": "a", "attributes": {"a": {"b\x00": 1}}}, "/attributes", "The text holds a NUL character; remove it."),
    ({"title": "a", "attributes": {"a": "x" * 100_001}}, "/attributes", "The text is too long for this field."),
    ({"title": "a", "rating": {"average": -1}}, "/rating/average", "Expected `float` >= 0"),
    ({"title": "a", "rating": {"stars": 1}}, "/rating/stars", "The field is unknown."),
    ({"title": "a", "kind": "song"}, "/kind", "Invalid enum value 'song'"),
    ({"title": "a", "parent_id": "Q"}, "/parent_id", "There is no item of this id"),
    ({"title": "a", "colour~/": "red"}, "/colour~0~1", "The field is unknown."),
    ({"title": "a", "item_id": "A1"}, "/item_id", "The field is unknown."),
    ([], "", "Expected `object`, got `array`"),
]


@pytest.mark.parametrize(("body", "pointer", "reason"), BAD, ids=[f"{n}-{bad[1]}" for n, bad in enumerate(BAD)])
def test_a_bad_value_is_refused_with_its_place(body: Any, pointer: str, reason: str, api: ApiClient) -> None:
    place, message = refused(api.send("PUT", at("A1"), body))
    assert (place, message[: len(reason)]) == (pointer, reason)
    assert not Item.objects.exists()
    if isinstance(body, dict) and "item_id" not in body:  # the same rules in a batch, where the neighbour is kept
        rows = {"items": [{"item_id": "A1", **body}, {"item_id": "A2", "title": "Boot"}]}
        answer = json.loads(api.post(BATCH, rows).content)
        assert (answer["created"], answer["rejected"]) == (1, 1)
        assert answer["results"][0]["pointer"] == f"/items/0{pointer}"
        assert answer["results"][0]["reason"].startswith(reason)
        assert list(Item.objects.values_list("shop_id", flat=True)) == ["A2"]


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff", b'{"title": "\\ud800"}', b'{"title": 1' + b"1" * 5_000 + b"}", b"[" * 100_000],
    ids=["empty", "broken", "not UTF-8", "half a surrogate pair", "a long number", "deep"],
)  # fmt: skip
def test_a_body_that_is_no_json(body: bytes, api: ApiClient) -> None:
    problem(api.send("PUT", at("A1"), body), 400)
    problem(api.post(BATCH, body), 400)


def test_attributes_that_are_nested_too_deeply(api: ApiClient) -> None:
    deep = b'{"title":"a","attributes":' + b'{"a":' * 500 + b"1" + b"}" * 501
    assert refused(api.send("PUT", at("A1"), deep)) == ("/attributes", "Attributes are nested at most 20 levels.")


def test_an_end_of_sale_before_the_stored_start(put: Callable[..., HttpResponse]) -> None:
    put("A1", title="Shoe", available_time="2026-09-10T00:00:00Z")
    place, reason = refused(put("A1", "PATCH", expire_time="2026-09-05T00:00:00Z"))
    assert (place, reason[:20]) == ("/expire_time", "It would be for sale")


def test_a_body_that_is_too_large(api: ApiClient) -> None:
    problem(api.post(BATCH, b" " * (2 * 1024 * 1024 + 1)), 413)


# --- many items


def rows(number: int, **fields: Any) -> dict[str, Any]:
    return {"items": [{"item_id": f"A{n}", **FULL, **fields} for n in range(number)]}


def test_a_verdict_on_each_row(api: ApiClient) -> None:
    api.post(BATCH, {"items": [{"item_id": "A1", "title": "Shoe"}, {"item_id": "A2", "title": "Boot"}]})
    mixed = [
        {"item_id": "A1", "title": "Shoe"},
        {"item_id": "A2", "title": "Red boot"},
        {"item_id": "A3", "title": "Sock"},
        {"item_id": "A4"},
        {"item_id": "A3", "title": "Another sock"},
        {"title": "Nameless"},
        {"item_id": "a\x00", "title": "x"},
        {"item_id": "", "title": "x"},
        "A5",
    ]
    answer = api.post(BATCH, {"items": mixed})
    assert answer.status_code == 200
    content = json.loads(answer.content)
    assert {name: content[name] for name in ("created", "updated", "unchanged", "rejected")} == {
        "created": 1,
        "updated": 1,
        "unchanged": 1,
        "rejected": 6,
    }
    assert [(row["verdict"], row.get("item_id"), row.get("pointer")) for row in content["results"]] == [
        ("unchanged", "A1", None),
        ("updated", "A2", None),
        ("created", "A3", None),
        ("rejected", "A4", "/items/3/title"),
        ("rejected", "A3", "/items/4/item_id"),
        ("rejected", None, "/items/5/item_id"),
        ("rejected", "a\x00", "/items/6/item_id"),
        ("rejected", "", "/items/7/item_id"),
        ("rejected", None, "/items/8"),
    ]
    assert all(row["reason"] for row in content["results"] if row["verdict"] == "rejected")
    assert dict(Item.objects.values_list("shop_id", "title")) == {"A1": "Shoe", "A2": "Red boot", "A3": "Sock"}


def test_a_batch_whose_rows_are_all_refused_is_a_400(api: ApiClient) -> None:
    answer = problem(api.post(BATCH, {"items": [{"item_id": "A1"}, 1]}), 400)
    assert [error["pointer"] for error in answer["errors"]] == ["/items/0/title", "/items/1"]
    assert [result["verdict"] for result in answer["results"]] == ["rejected", "rejected"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({}, "/items"), ({"items": []}, "/items"), (rows(1_001), "/items"), ({"items": [], "x": 1}, "/x"), ([], "")],
    ids=["nothing", "no row", "too many", "unknown field", "a list"],
)
def test_a_body_that_is_no_batch_is_refused(body: Any, pointer: str, api: ApiClient) -> None:
    assert refused(api.post(BATCH, body))[0] in {pointer, "/items"}
    assert not Item.objects.exists()


def test_a_batch_of_changes(api: ApiClient) -> None:
    api.post(BATCH, rows(3))
    changes = [
        {"item_id": "A0", "price": 5},
        {"item_id": "A1", "available_quantity": 0},
        {"item_id": "A2", "price": "19.90"},
        {"item_id": "A3", "price": 5},
    ]
    answer = json.loads(api.send("PATCH", BATCH, {"items": changes}).content)
    assert [(row["verdict"], row.get("pointer")) for row in answer["results"]] == [
        ("updated", None),
        ("updated", None),
        ("unchanged", None),
        ("rejected", "/items/3/item_id"),
    ]
    stored = Item.objects.order_by("shop_id").values_list("price", "available_quantity", "availability")
    assert list(stored) == [(Decimal(5), 3, "preorder"), (Decimal("19.90"), 0, "preorder"), (Decimal("19.90"), 3, "preorder")]  # fmt: skip  # noqa: E501
    assert Item.objects.filter(categories__path="Sale").count() == 3


def test_parents_and_variants_in_any_order(api: ApiClient) -> None:
    family = [
        {"item_id": "V1", "title": "Shoe, 42", "parent_id": "P"},
        {"item_id": "W", "title": "Lace", "parent_id": "V1"},
        {"item_id": "P", "title": "Shoe"},
        {"item_id": "O", "title": "Orphan", "parent_id": "Q"},
    ]
    answer = json.loads(api.post(BATCH, {"items": family}).content)
    assert [row["verdict"] for row in answer["results"]] == ["created", "created", "created", "rejected"]
    assert dict(Item.objects.values_list("shop_id", "parent__shop_id")) == {"P": None, "V1": "P", "W": "V1"}
    assert {row["verdict"] for row in json.loads(api.post(BATCH, {"items": family[:3]}).content)["results"]} == {
        "unchanged"
    }


def test_as_many_statements_for_a_thousand_rows_as_for_two(api: ApiClient) -> None:
    counts = []
    for number, fields in ((2, {}), (1_000, {}), (2, {"price": 1}), (1_000, {"price": 2})):
        with CaptureQueriesContext(connection) as seen:
            assert api.post(BATCH, rows(number, description="", **fields)).status_code == 200
        counts.append(len(seen))
    assert Item.objects.filter(price=2).count() == 1_000
    assert AuditEntry.objects.filter(object_type="item").count() == 2 + 998 + 2 + 1_000
    assert max(counts) <= 60, counts


# --- at once


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


# --- the next answer


@pytest.fixture
def shown(client_with: Callable[..., ApiClient]) -> Callable[[], set[str]]:
    """What the next answer shows."""
    reader = client_with(Scope.RECOMMENDATIONS_READ)

    def ask() -> set[str]:
        answer = reader.get("/api/v1/placements/home/recommend/", n=100)
        assert answer.status_code == 200
        return {result["item_id"] for result in json.loads(answer.content)["results"]}

    return ask


@pytest.fixture
def three(put: Callable[..., HttpResponse]) -> None:
    for name in ("A1", "A2", "A3"):
        put(name, title="Shoe")


@pytest.mark.parametrize(
    "change",
    [
        {"available_quantity": 0},
        {"availability": "out_of_stock"},
        {"expire_time": "2026-01-01T00:00:00Z"},
        {"available_time": "2990-01-01T00:00:00Z"},
    ],
    ids=["quantity", "availability", "expired", "not yet"],
)
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_an_item_not_for_sale_is_not_in_the_next_answer(
    change: dict[str, Any],
    method: str,
    three: None,
    put: Callable[..., HttpResponse],
    shown: Callable[[], set[str]],
) -> None:
    assert shown() == {"A1", "A2", "A3"}
    assert verdict(put("A2", method, title="Shoe", **change)) == "updated"
    assert shown() == {"A1", "A3"}
    put("A2", title="Shoe")
    assert shown() == {"A1", "A2", "A3"}


def test_a_retired_item_is_not_in_the_next_answer(
    three: None, put: Callable[..., HttpResponse], shown: Callable[[], set[str]]
) -> None:
    assert shown() == {"A1", "A2", "A3"}
    put("A2", "DELETE")
    assert shown() == {"A1", "A3"}
    put("A2", title="Shoe")
    put("A4", title="Boot")
    assert shown() == {"A1", "A2", "A3", "A4"}


def test_a_batch_is_in_the_next_answer(
    three: None,
    api: ApiClient,
    shown: Callable[[], set[str]],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    assert shown() == {"A1", "A2", "A3"}
    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        api.send("PATCH", BATCH, {"items": [{"item_id": name, "available_quantity": 0} for name in ("A1", "A3")]})
    assert len(callbacks) == 1
    assert shown() == {"A2"}
    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        api.send("PATCH", BATCH, {"items": [{"item_id": name, "available_quantity": 0} for name in ("A1", "A3")]})
    assert callbacks == []
