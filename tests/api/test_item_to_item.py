"""``/api/v1/items/{id}/similar/`` and ``/also-bought/``: the placements with the item in view."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from django.utils import timezone

from recommendations.engine.frames import Space
from recommendations.models import Item, ModelVersion, Placement, RuleBook
from recommendations.services.catalogue.similar import Resemblance
from recommendations.store.models.model import load_model
from recommendations.store.serving.snapshot_holder import snapshot_holder
from recommendations.terms import Cut, Scope
from recommendations.vector_terms import LikenessBy
from tests.api.conftest import ApiClient, problem
from tests.api.test_recommend import body, ids, path

BOOK = dict.fromkeys(("placement", "segment", "customer", "starts_at", "ends_at", "slot", "most", "share", "strength"))

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]

BOTH = [("similar", "item"), ("also-bought", "also_bought")]


@pytest.fixture
def api(client_with: Callable[..., ApiClient]) -> ApiClient:
    return client_with(Scope.RECOMMENDATIONS_READ)


def beside(name: str, shop_id: str) -> str:
    return f"/api/v1/items/{quote(shop_id)}/{name}/"


@pytest.mark.parametrize(("name", "placement"), BOTH)
def test_the_answer_is_that_of_the_placement(api: ApiClient, name: str, placement: str) -> None:
    for query in ({}, {"user_id": "u1", "n": 4, "fields": "score", "exclude_item_id": ["cheese-1", "cheese-2"]}):
        answer = body(api.get(beside(name, "cheese-0"), **query))
        same = body(api.get(path(placement), item_id="cheese-0", **query))
        assert answer.pop("recommendation_id") != same.pop("recommendation_id")
        assert answer == same
        assert answer["source"] == "model"
        assert "cheese-0" not in ids(answer)
    assert len(answer["results"]) == 4
    assert not {"cheese-1", "cheese-2"} & set(ids(answer))


@pytest.mark.parametrize(("name", "placement"), BOTH)
def test_an_item_that_is_unknown_is_not_found(api: ApiClient, name: str, placement: str) -> None:
    assert "no-such" in problem(api.get(beside(name, "no-such")), 404)["detail"]
    errors = problem(api.get(beside(name, "cheese-0"), item_id="cheese-1", n=0), 400)["errors"]
    assert [error["pointer"] for error in errors] in (["item_id"], ["n"])
    Placement.objects.filter(name=placement).update(enabled=False)
    snapshot_holder.drop()
    assert placement in problem(api.get(beside(name, "cheese-0")), 404)["detail"]


def test_ids_may_have_slashes_and_a_new_item_is_known_at_once(api: ApiClient) -> None:
    body(api.get(path("home")))  # the process has read the shop
    for shop_id in ("a/b", "a/similar", "ä ö"):
        Item.objects.create(shop_id=shop_id, title="Odd", updated_at=timezone.now())
    snapshot_holder.drop()
    for shop_id in ("a/b", "a/similar", "ä ö"):
        answer = body(api.get(beside("similar", shop_id)))
        assert (answer["source"], answer["fallback_reason"]) == ("popular", "no_context")  # the model has no word on it


# --- likeness


def alike(api: ApiClient, shop_id: str, **query: Any) -> dict[str, dict[str, float | None]]:
    answer = body(api.get(beside("similar", shop_id), **query))
    assert (answer["item_id"], answer["by"]) == (shop_id, query["by"])
    assert [each["rank"] for each in answer["results"]] == list(range(1, len(answer["results"]) + 1))
    return {each["item_id"]: each["likeness"] for each in answer["results"]}


def test_likeness_is_what_texts_and_buyers_have_in_common(api: ApiClient) -> None:
    """By hand, of the arrays of the version: a cosine of texts, and one of buyers."""
    version = ModelVersion.objects.get(is_live=True).pk
    model = load_model(version, Cut.LIVE)
    vectors, acts = model.training.catalogue.vectors, model.training.teaching
    assert vectors is not None
    row = model.items.row(Item.objects.get(shop_id="cheese-0").pk)
    buyers = [set(acts.user[acts.bought & (acts.item == other)].tolist()) for other in range(len(model.items))]
    for by in ("text", "behaviour", "all"):
        given = alike(api, "cheese-0", by=by, n=100)
        assert "cheese-0" not in given
        assert given
        for shop_id, likeness in given.items():
            other = model.items.row(Item.objects.get(shop_id=shop_id).pk)
            text = float(vectors[row].astype(float) @ vectors[other].astype(float))
            assert likeness["text"] == pytest.approx(min(max(text, 0), 1), abs=2e-3)
            both = (len(buyers[row]) * len(buyers[other])) ** 0.5
            expected = len(buyers[row] & buyers[other]) / both if both else None
            assert likeness["behaviour"] == (None if expected is None else pytest.approx(expected, abs=1e-4))
            assert likeness["picture"] is None  # nobody looked at any
        values = [
            likeness[by] or 0 if by != "all" else (likeness["text"] or 0) + (likeness["behaviour"] or 0)
            for likeness in given.values()
        ]
        assert values == sorted(values, reverse=True)


def test_pictures_are_a_part_of_likeness_where_they_are_known(api: ApiClient) -> None:
    assert alike(api, "cheese-0", by="picture") == {}
    model = load_model(ModelVersion.objects.get(is_live=True).pk, Cut.LIVE)
    texts = model.training.catalogue.vectors
    assert texts is not None
    looks = np.zeros((len(model.items), 2), np.float16)
    looks[[0, 1, 2]] = [[1, 0], [0.6, 0.8], [0.8, -0.6]]
    width = texts.shape[1]
    spaces = Space("text", 0, width), Space("picture", width, width + 2)
    catalogue = replace(model.training.catalogue, vectors=np.concatenate([texts, looks], axis=1), spaces=spaces)
    seen = replace(model, training=replace(model.training, catalogue=catalogue), recommenders={})
    nearest = Resemblance(seen).most_alike(0, LikenessBy.PICTURE)
    assert nearest.rows.tolist() == [2, 1]
    text, picture, _behaviour = nearest.parts
    np.testing.assert_allclose(picture, [0.8, 0.6], atol=1e-3)
    np.testing.assert_allclose(text, texts[[2, 1]].astype(float) @ texts[0].astype(float), atol=2e-3)
    every = Resemblance(seen).most_alike(0, LikenessBy.ALL)
    total = np.nan_to_num(np.maximum(np.nan_to_num(np.stack(every.parts)), 0)).sum(axis=0)
    assert (np.diff(total) <= 1e-6).all()
    assert np.isnan(every.parts[1]).sum() == len(every.rows) - 2


def test_what_cannot_be_shown_is_not_alike(api: ApiClient) -> None:
    first, second, third, fourth = list(alike(api, "cheese-0", by="text", n=4))
    Item.objects.filter(shop_id=first).update(availability="out_of_stock", updated_at=timezone.now())
    rule = {"id": 1, "name": "Not this", "context": [], "action": "exclude", "per": "", **BOOK}
    items = [{"attribute": "item", "operator": "is", "values": [second]}]
    RuleBook.objects.create(number=1, is_default=True, rules=[{**rule, "items": items}])
    snapshot_holder.drop()
    given = alike(api, "cheese-0", by="text", n=1, exclude_item_id=third)
    assert list(given) == [fourth]


def test_parts_of_an_item_are_as_asked(api: ApiClient) -> None:
    [plain] = body(api.get(beside("similar", "cheese-0"), by="all", n=1, fields="score"))["results"]
    assert set(plain) == {"item_id", "rank", "likeness"}
    [whole] = body(api.get(beside("similar", "cheese-0"), by="all", n=1))["results"]
    assert whole["product"]["title"]


def test_an_item_that_the_model_does_not_know_is_like_none(api: ApiClient) -> None:
    Item.objects.create(shop_id="fresh", title="Cheese 0", updated_at=timezone.now())
    snapshot_holder.drop()
    assert alike(api, "fresh", by="all") == {}


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"by": "colour"}, "by"), ({"by": ""}, "by"), ({"by": ["text", "all"]}, "by"), ({"by": "text", "n": 0}, "n"),
        ({"by": "text", "user_id": "u1"}, "user_id"), ({"by": "text", "cursor": "x"}, "cursor"),
    ],
)  # fmt: skip
def test_what_likeness_cannot_be_asked_is_refused(api: ApiClient, query: dict[str, Any], pointer: str) -> None:
    assert [each["pointer"] for each in problem(api.get(beside("similar", "cheese-0"), **query), 400)["errors"]] == [
        pointer
    ]
    assert "no-such" in problem(api.get(beside("similar", "no-such"), by="text"), 404)["detail"]
    assert problem(api.get(beside("also-bought", "cheese-0"), by="text"), 400)["errors"][0]["pointer"] == "by"
