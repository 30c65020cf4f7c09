"""Vectors from outside in the record: whose text is due, what is written, and what the engine is given."""

from typing import Any

import numpy as np
import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from recommendations.models import Category, EmbeddingSpace, Item, ItemVector
from recommendations.store.vectors.item_texts import OLD, digests_of, due_texts
from recommendations.store.vectors.item_vectors import (
    NewVector,
    OtherDimensionError,
    as_floats,
    known_vectors,
    save_vectors,
    unit,
)
from recommendations.vector_terms import VectorProvider

pytestmark = pytest.mark.django_db


@pytest.fixture
def space() -> EmbeddingSpace:
    return EmbeddingSpace.objects.create(name="http", provider=VectorProvider.HTTP, model="one")


def item(shop_id: str, **fields: Any) -> Item:
    return Item.objects.create(shop_id=shop_id, **{"title": "Oat milk", **fields})


def embed(space: EmbeddingSpace, *items: Item, values: tuple[float, ...] = (3, 4)) -> set[int]:
    digests = digests_of(space, [each.pk for each in items])
    vector = unit(values)
    assert vector is not None
    return save_vectors(space, {key: NewVector(own, vector) for key, own in digests.items()}, now=timezone.now())


def old() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(OLD)
        return [key for (key,) in cursor.fetchall()]


def test_a_text_is_what_the_catalogue_says_in_public(space: EmbeddingSpace) -> None:
    told = item(
        "A", brand="Acme", description="Soft. " * 1_000, tags=["vegan", "new"], attributes={"size": "1 l", "b": "x"},
        price=3, cost=2, available_quantity=7, url="https://shop.example/a",
    )  # fmt: skip
    told.categories.set([Category.objects.create(path="Drinks > Milk", name="Milk")])
    [due] = due_texts(space, most=9)
    assert due.item == told.pk
    assert due.text == "Oat milk Acme Drinks > Milk vegan new x 1 l " + ("Soft. " * 1_000)[:2_000]


def test_an_unchanged_text_is_due_once(space: EmbeddingSpace) -> None:
    one, other = item("A"), item("B", title="豆")
    item("C", title="Gone", retired_at=timezone.now())
    item("D", title="-- . !")
    assert {due.item for due in due_texts(space, most=9)} == {one.pk, other.pk}
    assert len(due_texts(space, most=1)) == 1
    assert embed(space, one, other) == {one.pk, other.pk}
    assert embed(space, one, other) == set()
    Item.objects.filter(pk=one.pk).update(price=9)
    assert due_texts(space, most=9) == []
    Item.objects.filter(pk=one.pk).update(title="Oat drink")
    assert [due.text for due in due_texts(space, most=9)] == ["Oat drink"]
    assert old() == [one.pk]
    EmbeddingSpace.objects.update(model="two")  # the digest is of the model, too
    assert len(due_texts(space, most=9)) == 2


def test_a_space_has_one_length(space: EmbeddingSpace) -> None:
    one = item("A")
    embed(space, one)
    with pytest.raises(OtherDimensionError, match="have 2 dimensions"):
        embed(space, one, values=(1, 2, 3))
    with pytest.raises(IntegrityError), transaction.atomic():
        ItemVector.objects.update(dimensions=3)
    np.testing.assert_allclose(as_floats(ItemVector.objects.get()), [0.6, 0.8], atol=1e-3)


def test_the_engine_is_given_one_matrix_a_space(space: EmbeddingSpace) -> None:
    one, two, three = item("A"), item("B"), item("C")
    EmbeddingSpace.objects.create(name="empty", provider=VectorProvider.GIVEN, dimensions=3)
    own = EmbeddingSpace.objects.create(name="own", provider=VectorProvider.GIVEN)
    embed(space, three, one)
    embed(own, two, values=(0, 0, 5))
    http, given = known_vectors()
    assert (http.space, http.ids.tolist(), given.space) == ("http", [one.pk, three.pk], "own")
    np.testing.assert_allclose(http.vectors, [[0.6, 0.8], [0.6, 0.8]], atol=1e-3)
    assert given.vectors.tolist() == [[0, 0, 1]]


@pytest.mark.parametrize("values", [[0, 0], [], [float("nan"), 1], [1, float("inf")], [-float("inf")]])
def test_what_has_no_direction_is_no_vector(values: list[float]) -> None:
    assert unit(values) is None


def test_any_length_will_do() -> None:
    for factor in (1e-300, 1, 1e300):
        np.testing.assert_allclose(unit([3 * factor, -4 * factor]), [0.6, -0.8], atol=1e-3)
