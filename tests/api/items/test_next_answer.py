"""A change of the catalogue is at work in the next answer."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse
from pytest_django import DjangoCaptureOnCommitCallbacks

from recommendations.terms import Scope
from tests.api.conftest import ApiClient
from tests.api.items.conftest import BATCH, verdict


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
