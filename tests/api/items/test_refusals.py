"""A value that no item may have is refused with its place, alone and in a batch."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse

from recommendations.models import Item
from tests.api.conftest import ApiClient, problem
from tests.api.items.conftest import BATCH, at, refused

BAD: list[tuple[Any, str, str]] = [
    ({}, "/title", "The field is missing."),
    ({"title": None}, "/title", "Send a string, not null."),
    ({"title": "  "}, "/title", "The field is required but empty."),
    ({"title": "x" * 301}, "/title", "Send at most 300 characters."),
    ({"title": "a\x00b"}, "/title", "The text holds a NUL character; remove it."),
    ({"title": "a", "brand": "x" * 201}, "/brand", "Send at most 200 characters."),
    ({"title": "a", "description": "a\x00"}, "/description", "The text holds a NUL character; remove it."),
    ({"title": "a", "price": "NaN"}, "/price", "Not a number. Use a format like 19.90."),
    ({"title": "a", "price": "-inf"}, "/price", "Not a number. Use a format like 19.90."),
    ({"title": "a", "price": "19,90"}, "/price", "Send a number such as 19.90."),
    ({"title": "a", "price": True}, "/price", "Send a number such as 19.90 or null, not a boolean."),
    ({"title": "a", "price": -1}, "/price", "A price cannot be negative."),
    ({"title": "a", "cost": "1e308"}, "/cost", "The amount is larger than"),
    ({"title": "a", "original_price": "9999999999.991"}, "/original_price", "The amount is larger than"),
    ({"title": "a", "currency": "EUR"}, "/currency", "This shop's currency is USD; convert the amounts"),
    ({"title": "a", "availability": "gone"}, "/availability", "“gone” is not a valid value for this field"),
    ({"title": "a", "available_quantity": -1}, "/available_quantity", "Send a number of at least 0."),
    (
        {"title": "a", "available_quantity": 1.5},
        "/available_quantity",
        "Send a whole number or null, not",
    ),
    ({"title": "a", "available_quantity": 2**31}, "/available_quantity", "Send a number of at most 2147483647."),
    ({"title": "a", "available_time": "2026-09-01T00:00:00"}, "/available_time", "The time has no time zone"),
    ({"title": "a", "available_time": "tomorrow"}, "/available_time", "Send a time such as 2026-09-01T10:02:11Z."),
    ({"title": "a", "expire_time": "9999-12-31T23:59:59Z"}, "/expire_time", "A time must be between 1990 and 2999"),
    (
        {"title": "a", "expire_time": "0001-01-01T00:00:00+14:00"},
        "/expire_time",
        "A time must be between 1990 and 2999",
    ),
    (
        {"title": "a", "available_time": "2026-09-02T00:00:00Z", "expire_time": "2026-09-01T00:00:00Z"},
        "/expire_time",
        "It would go on sale only after",
    ),
    ({"title": "a", "image_url": "javascript:alert(1)"}, "/image_url", "An address must begin with https://"),
    ({"title": "a", "url": "data:text/html,x"}, "/url", "An address must begin with https://"),
    ({"title": "a", "categories": ["Shoes", "Shoes >> Running"]}, "/categories/1", "Write a category as"),
    ({"title": "a", "categories": [""]}, "/categories/0", "Write a category as"),
    ({"title": "a", "categories": ["x" * 201]}, "/categories/0", "Write a category as"),
    ({"title": "a", "categories": ["A|B"]}, "/categories/0", "Categories and tags cannot contain |"),
    ({"title": "a", "categories": "Shoes"}, "/categories", "Send an array or null, not a string."),
    ({"title": "a", "tags": ["ok", "x" * 101]}, "/tags/1", "Send at most 100 characters."),
    ({"title": "a", "tags": ["ok", " "]}, "/tags/1", "The field is required but empty."),
    ({"title": "a", "attributes": []}, "/attributes", "Send an object or null, not an array."),
    ({"title": "a", "attributes": {"a": {"b\x00": 1}}}, "/attributes", "The text holds a NUL character; remove it."),
    ({"title": "a", "attributes": {"a": "x" * 100_001}}, "/attributes", "The text is too long for this field."),
    ({"title": "a", "rating": {"average": -1}}, "/rating/average", "Send a number of at least 0."),
    ({"title": "a", "rating": {"stars": 1}}, "/rating/stars", "The field is unknown."),
    ({"title": "a", "kind": "song"}, "/kind", "“song” is not a valid value for this field"),
    ({"title": "a", "parent_id": "Q"}, "/parent_id", "There is no item with this id"),
    ({"title": "a", "colour~/": "red"}, "/colour~0~1", "The field is unknown."),
    ({"title": "a", "item_id": "A1"}, "/item_id", "The field is unknown."),
    ([], "", "Send an object, not an array."),
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
    assert (place, reason[:19]) == ("/expire_time", "It would go on sale")


def test_a_body_that_is_too_large(api: ApiClient) -> None:
    problem(api.post(BATCH, b" " * (2 * 1024 * 1024 + 1)), 413)
