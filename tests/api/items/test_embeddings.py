"""Vectors of the shop's own: kept as directions in spaces of one model each, refused with their place where bad."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.http import HttpResponse

from recommendations.models import AuditEntry, EmbeddingSpace, Item, ItemVector
from recommendations.store.vectors.item_vectors import as_floats
from tests.api.conftest import ApiClient
from tests.api.items.conftest import BATCH, at, refused, verdict

type Put = Callable[..., HttpResponse]


def vector(*values: Any, space: str = "own") -> dict[str, Any]:
    return {"space": space, "values": list(values)}


def held() -> dict[tuple[str, str], list[float]]:
    rows = ItemVector.objects.select_related("item", "space").order_by("item__shop_id", "space__name")
    return {(row.item.shop_id, row.space.name): as_floats(row).round(3).tolist() for row in rows}


def test_a_vector_is_kept_as_a_direction_until_another_one_is_sent(put: Put) -> None:
    assert verdict(put("A1", title="Shoe", embedding=vector(3, 0, -4)), 201) == "created"
    assert held() == {("A1", "own"): pytest.approx([0.6, 0, -0.8], abs=1e-3)}
    assert verdict(put("A1", title="Shoe", embedding=vector(30, 0, -40))) == "unchanged"
    assert verdict(put("A1", title="Shoe")) == "unchanged"
    assert verdict(put("A1", method="PATCH", embedding=vector(1e308, 1e308, 0))) == "updated"
    assert held() == {("A1", "own"): pytest.approx([0.707, 0.707, 0], abs=1e-3)}
    assert verdict(put("A1", method="PATCH", embedding=vector(2, space="other"))) == "updated"
    assert verdict(put("A1", method="PATCH", embedding=None)) == "updated"
    assert held() == {}
    assert AuditEntry.objects.filter(object_type="item").count() == 1  # that it was made


def test_a_vector_knows_the_text_that_it_came_with(put: Put) -> None:
    put("A1", title="Shoe", embedding=vector(1, 2))
    before = ItemVector.objects.get()
    put("A1", title="Boot")
    assert bytes(ItemVector.objects.get().digest) == bytes(before.digest)
    assert verdict(put("A1", title="Boot", embedding=vector(1, 2))) == "updated"
    assert bytes(ItemVector.objects.get().digest) != bytes(before.digest)


BAD: list[tuple[Any, str, str]] = [
    (vector(0, 0, 0), "/embedding/values", "A vector has finite numbers, not all of them 0."),
    (vector(), "/embedding/values", ""),
    (vector(*[1] * 1025), "/embedding/values", "Send at most 1024"),
    (vector(1, "NaN"), "/embedding/values/1", "Send a number"),
    (vector(1, None), "/embedding/values/1", "Send a number"),
    (vector(1, True), "/embedding/values/1", "Send a number"),
    (vector(1, space="text"), "/embedding/space", "“text” is Recsite's own"),
    (vector(1, space="Not one"), "/embedding/space", ""),
    ({"space": "own"}, "/embedding/values", "The field is missing."),
    ([1, 2], "/embedding", "Send an object"),
]


@pytest.mark.parametrize(("embedding", "pointer", "reason"), BAD)
def test_a_bad_vector_is_refused_with_its_place(api: ApiClient, embedding: Any, pointer: str, reason: str) -> None:
    place, message = refused(api.send("PUT", at("A1"), {"title": "a", "embedding": embedding}))
    assert place == pointer
    assert message.startswith(reason)
    assert not Item.objects.exists()


def raw(api: ApiClient, values: str) -> HttpResponse:
    body = f'{{"title": "a", "embedding": {{"space": "own", "values": [{values}]}}}}'
    return api.send("PUT", at("A1"), body.encode())


@pytest.mark.parametrize("values", ["NaN", "1, Infinity", "-Infinity", "1e999", "1, -1e400"])
def test_what_is_not_finite_is_refused(api: ApiClient, values: str) -> None:
    answer = raw(api, values)
    assert answer.status_code == 400, answer.content
    assert not Item.objects.exists()


def test_a_space_is_of_one_length_until_it_is_empty(put: Put, api: ApiClient) -> None:
    put("A1", title="Shoe", embedding=vector(1, 2))
    pointer, message = refused(put("A2", title="Boot", embedding=vector(1, 2, 3)))
    assert (pointer, message.partition(":")[0]) == (
        "/embedding/values", "Vectors of “own” have 2 numbers, this one has 3",
    )  # fmt: skip
    assert not Item.objects.filter(shop_id="A2").exists()
    put("A1", method="PATCH", embedding=None)
    assert verdict(put("A2", title="Boot", embedding=vector(1, 2, 3)), 201) == "created"
    assert EmbeddingSpace.objects.get().dimensions == 3


def test_a_batch_takes_vectors_row_by_row(api: ApiClient) -> None:
    rows = [
        {"item_id": "A1", "title": "Shoe", "embedding": vector(1, 2)},
        {"item_id": "A2", "title": "Boot", "embedding": vector(1, 2, 3)},
        {"item_id": "A3", "title": "Sock", "embedding": vector(0, 5)},
        {"item_id": "A4", "title": "Lace"},
    ]
    answer = json.loads(api.post(BATCH, {"items": rows}).content)
    assert [one["verdict"] for one in answer["results"]] == ["created", "rejected", "created", "created"]
    assert answer["results"][1]["pointer"] == "/items/1/embedding/values"
    assert sorted(held()) == [("A1", "own"), ("A3", "own")]


def test_there_are_few_spaces(put: Put) -> None:
    for name in ("a", "b", "c", "d"):
        put("A1", title="Shoe", embedding=vector(1, space=name))
    pointer, message = refused(put("A1", title="Shoe", embedding=vector(1, space="e")))
    assert (pointer, message[:25]) == ("/embedding/space", "There are 4 spaces alread")
    assert np.all([values == [1.0] for values in held().values()])
    assert len(held()) == 4
