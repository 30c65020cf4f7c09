"""``/api/v1/items/{id}/similar/`` and ``/also-bought/``: the placements with the item in view."""

from collections.abc import Callable
from urllib.parse import quote

import pytest
from django.utils import timezone

from recommendations.models import Item, Placement
from recommendations.store.serving.snapshot_holder import snapshot_holder
from recommendations.terms import Scope
from tests.api.conftest import ApiClient, problem
from tests.api.test_recommend import body, ids, path

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
