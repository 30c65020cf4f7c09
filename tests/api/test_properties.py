"""``PATCH /api/v1/users/{id}/``: what the shop says of a customer."""

from collections.abc import Callable
from typing import Any

import pytest

from recommendations.models import Customer
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.terms import Scope
from tests.api.conftest import ApiClient, problem

ADDRESS = "/api/v1/users/u1/"


@pytest.fixture
def server(client_with: Callable[..., ApiClient]) -> ApiClient:
    return client_with(Scope.CUSTOMERS_WRITE)


def told(user_id: str = "u1") -> Any:
    return Customer.objects.get(pseudonym=pseudonym(user_id)).properties


def test_properties_are_set_changed_and_deleted_one_by_one(server: ApiClient) -> None:
    for properties, verdict in (
        ({"city": "Rome", "age": 40.0, "member": True, "score": 1.5}, "updated"),
        ({"city": "Oslo", "age": None, "never said": None}, "updated"),
        ({"city": "Oslo"}, "unchanged"),
    ):
        answer = server.send("PATCH", ADDRESS, {"properties": properties})
        assert (answer.status_code, answer.json()) == (200, {"verdict": verdict})
    assert told() == {"city": "Oslo", "member": True, "score": 1.5}
    assert server.send("PATCH", "/api/v1/users/a/b/", {"properties": {"age": 40.0}}).status_code == 200
    assert repr(told("a/b")) == "{'age': 40}"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/properties"), ({"properties": {}}, "/properties"), ({"properties": []}, "/properties"),
        ({"properties": {"": "x"}}, "/properties"), ({"properties": {"n" * 61: "x"}}, "/properties"),
        ({"properties": {"city": "x" * 201}}, "/properties"), ({"properties": {"city": ["Rome"]}}, "/properties"),
        ({"properties": {"city": "\x00"}}, "/properties"), ({"properties": {"age": 1e16}}, "/properties"),
        ({"properties": {str(number): 1 for number in range(51)}}, "/properties"),
        ({"properties": {"city": "Rome"}, "email": "x"}, "/email"),
    ],
)  # fmt: skip
def test_a_bad_body_names_the_place_and_changes_nothing(server: ApiClient, body: dict[str, Any], pointer: str) -> None:
    [flaw] = problem(server.send("PATCH", ADDRESS, body), 400)["errors"]
    assert flaw["pointer"].startswith(pointer)
    assert flaw["message"]
    assert not Customer.objects.exists()


def test_a_customer_has_at_most_fifty(server: ApiClient) -> None:
    fifty = {str(number): number for number in range(50)}
    assert server.send("PATCH", ADDRESS, {"properties": fifty}).status_code == 200
    [flaw] = problem(server.send("PATCH", ADDRESS, {"properties": {"one more": 1}}), 400)["errors"]
    assert flaw == {"pointer": "/properties", "message": flaw["message"]}
    assert "51" in flaw["message"]
    assert server.send("PATCH", ADDRESS, {"properties": {"0": None, "one more": 1}}).status_code == 200
    assert len(told()) == 50
