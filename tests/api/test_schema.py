"""The schema of the API is valid, says what the API does, and can be read in a browser."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from drf_spectacular.validation import validate_schema
from jsonschema import Draft202012Validator
from playwright.sync_api import ConsoleMessage, Page, expect

from recommendations.models import Item
from recommendations.terms import Scope
from tests.api.conftest import ApiClient
from tests.api.test_events import EVENTS, event


@pytest.fixture
def schema(db: None) -> dict[str, Any]:
    answer = Client().get("/api/schema/", {"format": "json"})
    assert answer.status_code == 200
    return dict(json.loads(answer.content))


def flaws(schema: dict[str, Any], part: dict[str, Any], value: Any) -> list[str]:
    """Why the value is not as that part of the schema has it."""
    whole = {**part, "components": schema["components"]}
    return [error.message for error in Draft202012Validator(whole).iter_errors(value)]


def of(schema: dict[str, Any], path: str, method: str, status: int) -> dict[str, Any]:
    """The part for an answer."""
    [content] = schema["paths"][path][method]["responses"][str(status)]["content"].values()
    return dict(content["schema"])


def operations(schema: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(path, operation) for path, methods in schema["paths"].items() for operation in methods.values()]


def test_it_is_openapi_3_1(schema: dict[str, Any]) -> None:
    assert schema["openapi"].startswith("3.1")
    validate_schema(schema)


def test_every_view_is_described_with_examples_and_errors(schema: dict[str, Any]) -> None:
    assert {"/api/v1/events/", "/api/v1/placements/{placement}/recommend/"} <= schema["paths"].keys()
    for path, operation in operations(schema):
        assert operation["summary"], path
        assert operation["description"], path
        assert operation["security"] == [{"ApiKey": []}], path
        assert {"401", "403", "429"} <= operation["responses"].keys(), path
        answers = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
        assert all(content["examples"] for answer in answers for content in answer.get("content", {}).values()), path


def test_every_example_is_as_its_schema_has_it(schema: dict[str, Any]) -> None:
    seen = 0
    for path, operation in operations(schema):
        parts = [operation.get("requestBody", {}), *operation["responses"].values()]
        for content in [content for part in parts for content in part.get("content", {}).values()]:
            for name, example in content.get("examples", {}).items():
                assert not flaws(schema, content["schema"], example["value"]), (path, name)
                seen += 1
    assert seen >= 5


def test_the_answers_to_events(schema: dict[str, Any], client_with: Callable[..., ApiClient]) -> None:
    Item.objects.create(shop_id="SKU1", title="Tea")
    api = client_with(Scope.EVENTS_WRITE)
    mixed = [event(foo=1), event(name="buy"), event(items=[{"item_id": "SKU1"}, {"item_id": "SKU9"}])]
    answer = api.post(EVENTS, {"events": mixed})
    assert not flaws(schema, of(schema, EVENTS, "post", 202), answer.json())
    refused = api.post(EVENTS, event(name="buy"))
    assert not flaws(schema, of(schema, EVENTS, "post", 400), refused.json())
    assert flaws(schema, of(schema, EVENTS, "post", 202), refused.json())


def test_the_answer_of_a_placement(schema: dict[str, Any], client_with: Callable[..., ApiClient]) -> None:
    Item.objects.bulk_create(Item(shop_id=f"SKU{number}", title="Tea", price=2) for number in range(3))
    answer = client_with(Scope.RECOMMENDATIONS_READ).get("/api/v1/placements/home/recommend/", user_id="u1", n=3)
    assert answer.status_code == 200
    part = of(schema, "/api/v1/placements/{placement}/recommend/", "get", 200)
    assert not flaws(schema, part, answer.json())
    assert len(answer.json()["results"]) == 3


def test_the_page_of_the_schema(live_server: Any, page: Page) -> None:
    said: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            said.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: said.append(str(error)))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(live_server.url + reverse("api-docs"))
    expect(page.get_by_text("Events in", exact=True)).to_be_visible()
    page.get_by_text("Recommendations out, the simple case").click()
    expect(page.get_by_text("The item in view; may be given several times.")).to_be_visible()
    assert said == []
    assert all(url.startswith((live_server.url, "data:", "blob:")) for url in asked)
