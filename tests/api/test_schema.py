"""The schema of the API is valid, and says what the API does."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from django.test import Client
from django.urls import resolve
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from recommendations.models import Item
from recommendations.terms import Scope
from tests.api.conftest import ApiClient, problem
from tests.api.events.conftest import EVENTS, event
from tests.api.test_access import ADDRESSES, ARGUMENTS, NEEDS


@pytest.fixture
def schema(db: None) -> dict[str, Any]:
    answer = Client().get("/api/schema/")
    assert answer.status_code == 200
    return dict(json.loads(answer.content))


def flaws(schema: dict[str, Any], part: dict[str, Any], value: Any) -> list[str]:
    """Why the value is not as that part of the schema has it."""
    whole = {**part, "components": schema["components"]}
    return [error.message for error in Draft202012Validator(whole).iter_errors(value)]


def of(schema: dict[str, Any], path: str, method: str, status: int) -> dict[str, Any]:
    """The part of the schema for an answer."""
    [content] = schema["paths"][path][method]["responses"][str(status)]["content"].values()
    return dict(content["schema"])


def operations(schema: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(path, operation) for path, methods in schema["paths"].items() for operation in methods.values()]


UNDOCUMENTED = {"foreign-events"}
"""Ends of other systems' own addresses, which their documents list."""


OPEN = {"/api/v1/main-parameters/"}
"""Operations that ask for no key."""


def described(address: str) -> str:
    """An address as the schema has it."""
    for name, value in ARGUMENTS.items():
        if name == "system":  # it stands for itself
            continue
        address = address.replace(f"/{value}/", f"/{{{name}}}/")
    return address


def test_the_schema_is_openapi_3_1(schema: dict[str, Any]) -> None:
    assert schema["openapi"].startswith("3.1")
    errors = [f"{list(error.path)}: {error.message}" for error in OpenAPIV31SpecValidator(schema).iter_errors()]
    assert errors == []
    assert schema["info"]["version"] == "1"
    assert schema["info"]["description"]
    assert schema["servers"] == [{"url": "/", "description": "This installation"}]


def test_the_validator_finds_a_flaw(schema: dict[str, Any]) -> None:
    del schema["paths"]["/api/v1/events/"]["post"]["responses"]["202"]["description"]
    assert list(OpenAPIV31SpecValidator(schema).iter_errors())


def test_the_schema_is_the_same_as_yaml(schema: dict[str, Any]) -> None:
    answer = Client().get("/api/schema/", {"format": "yaml"})
    assert answer["Content-Type"] == "application/vnd.oai.openapi"
    assert yaml.safe_load(answer.content) == schema
    assert 'filename="recsite-openapi.yaml"' in answer["Content-Disposition"]
    assert 'filename="recsite-openapi.json"' in Client().get("/api/schema/")["Content-Disposition"]
    refused = problem(Client().get("/api/schema/", {"format": "xml"}), 400)
    assert [flaw["pointer"] for flaw in refused["errors"]] == ["format"]


def test_every_view_is_described_with_examples_and_errors(schema: dict[str, Any]) -> None:
    addresses = {described(address) for name, (address, *_) in ADDRESSES.items() if name not in UNDOCUMENTED}
    assert addresses <= schema["paths"].keys()
    names = []
    for path, operation in operations(schema):
        names.append(operation["operationId"])
        assert operation["summary"], path
        assert operation["description"], path
        assert {"406", "429", "503"} <= operation["responses"].keys(), path
        assert ({"401", "403"} <= operation["responses"].keys()) is (path not in OPEN), path
        answers = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
        contents = [content for answer in answers for content in answer.get("content", {}).values()]
        contents += operation.get("requestBody", {}).get("content", {}).values()
        assert all(content["examples"] for content in contents), path
        assert set(operation["tags"]) <= {tag["name"] for tag in schema["tags"]}, path
        parameters = operation.get("parameters", ())
        assert all(parameter["description"] for parameter in parameters if parameter["in"] == "path"), path
    assert len(names) == len(set(names))


def test_a_client_that_is_made_of_it_can_send_a_key_and_a_body(schema: dict[str, Any]) -> None:
    [(name, scheme)] = schema["components"]["securitySchemes"].items()
    assert (name, scheme["type"], scheme["in"], scheme["name"]) == ("ApiKey", "apiKey", "header", "Authorization")
    for path, operation in operations(schema):
        assert [list(need) for need in operation["security"]] == ([] if path in OPEN else [["ApiKey"]]), path
        if "requestBody" in operation:
            assert operation["requestBody"]["required"] is (operation["operationId"] != "answer_again"), path


def test_no_field_has_a_default_that_generated_clients_would_have_to_send(schema: dict[str, Any]) -> None:
    def defaults(part: Any, place: str) -> list[str]:
        parts = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
        own = [place] if isinstance(part, dict) and "default" in part else []
        return own + [line for name, inner in parts for line in defaults(inner, f"{place}/{name}")]

    assert defaults(schema, "") == []
    assert (
        "Default: true." in schema["components"]["schemas"]["RecommendBody"]["properties"]["personalise"]["description"]
    )


def test_an_amount_is_a_number_or_a_text_that_is_one(
    schema: dict[str, Any], client_with: Callable[..., ApiClient]
) -> None:
    part, api = {"$ref": "#/components/schemas/ItemForm"}, client_with(Scope.CATALOGUE_WRITE)
    for price in ("19.90", "0", 19.9, 20, "abc", "", "1,50", "-", "1.5.0"):
        allowed = not flaws(schema, part, {"title": "Tea", "price": price})
        status = api.send("PUT", "/api/v1/items/SKU1/", {"title": "Tea", "price": price}).status_code
        assert allowed is (status < 300), price


def test_every_status_that_any_operation_can_answer_is_there(schema: dict[str, Any]) -> None:
    for path, operation in operations(schema):
        needed = {"400", "406", "414", "429", "503"} | (set() if path in OPEN else {"401", "403"})
        needed |= {"411", "413", "415"} if "requestBody" in operation else set()
        assert needed <= operation["responses"].keys(), path
        for status, answer in operation["responses"].items():
            assert "X-Request-ID" in answer["headers"], (path, status)
            assert ("RateLimit" in answer["headers"]) is (status != "401"), (path, status)
        assert "Accept-Encoding" in operation["responses"].get("415", {"headers": ["Accept-Encoding"]})["headers"]


def test_every_operation_says_which_scope_it_needs(schema: dict[str, Any]) -> None:
    for path, methods in schema["paths"].items():
        name = resolve(path.format(**ARGUMENTS)).url_name
        for method, operation in methods.items():
            needed = [] if path in OPEN else [{"ApiKey": [NEEDS[name or ""][method.upper()]]}]
            assert operation["security"] == needed, (method, path)


def test_every_error_is_a_problem_and_says_when_to_come_back(schema: dict[str, Any]) -> None:
    for path, operation in operations(schema):
        for status, answer in operation["responses"].items():
            if status == "400":
                assert answer["content"]["application/problem+json"]["examples"], path
            if int(status) >= 400:
                assert answer["content"].keys() == {"application/problem+json"}, (path, status)
        for status in ("429", "503"):
            assert operation["responses"][status]["headers"]["Retry-After"]["required"], path
        assert path in OPEN or "WWW-Authenticate" in operation["responses"]["401"]["headers"], path


def test_a_query_holds_no_null(schema: dict[str, Any]) -> None:
    parameters = [parameter for _, operation in operations(schema) for parameter in operation.get("parameters", ())]
    assert parameters
    assert not any("null" in json.dumps(parameter["schema"]) for parameter in parameters)


def test_every_example_is_as_its_schema_has_it(schema: dict[str, Any]) -> None:
    seen = 0
    for path, operation in operations(schema):
        parts = [operation.get("requestBody", {}), *operation["responses"].values()]
        for content in [content for part in parts for content in part.get("content", {}).values()]:
            for name, example in content.get("examples", {}).items():
                assert not flaws(schema, content["schema"], example["value"]), (path, name)
                seen += 1
    assert seen >= 5


def test_answers_to_events_fit_the_schema(schema: dict[str, Any], client_with: Callable[..., ApiClient]) -> None:
    Item.objects.create(shop_id="SKU1", title="Tea")
    api = client_with(Scope.EVENTS_WRITE)
    mixed = [
        event(foo=1),
        event(name="buy"),
        event(user_id=...),
        event(event_id="x-1"),
        event(items=[{"item_id": "SKU1"}, {"item_id": "SKU9"}]),
    ]
    answer = api.post(EVENTS, {"events": mixed})
    assert not flaws(schema, of(schema, EVENTS, "post", 202), answer.json())
    refused = api.post(EVENTS, event(user_id=...))
    assert not flaws(schema, of(schema, EVENTS, "post", 400), refused.json())
    assert flaws(schema, of(schema, EVENTS, "post", 202), refused.json())


def test_a_placements_answer_fits_the_schema(schema: dict[str, Any], client_with: Callable[..., ApiClient]) -> None:
    Item.objects.bulk_create(Item(shop_id=f"SKU{number}", title="Tea", price=2) for number in range(3))
    answer = client_with(Scope.RECOMMENDATIONS_READ).get("/api/v1/placements/home/recommend/", user_id="u1", n=3)
    assert answer.status_code == 200
    part = of(schema, "/api/v1/placements/{placement}/recommend/", "get", 200)
    assert not flaws(schema, part, answer.json())
    assert len(answer.json()["results"]) == 3
