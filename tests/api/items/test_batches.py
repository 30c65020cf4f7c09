"""A batch of items gets a verdict on each row, and takes no more statements for more of them."""

import json
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from recommendations.models import AuditEntry, Item
from tests.api.conftest import ApiClient, problem
from tests.api.items.conftest import BATCH, FULL, refused


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
