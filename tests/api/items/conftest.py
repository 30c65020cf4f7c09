"""A key that writes the catalogue, and senders of items who read the verdicts."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse
from django.urls import reverse
from pytest_django import DjangoCaptureOnCommitCallbacks

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
    "creator": " Ann ",
    "collection": "Spring",
    "number": 2,
    "duration": 90,
    "published_at": "2026-08-01T00:00:00Z",
    "language": "en",
    "kind": "film",
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
