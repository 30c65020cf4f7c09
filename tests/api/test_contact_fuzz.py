"""Bodies of contacts that nobody means: every one is taken or refused with its place, and none breaks anything."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recommendations.services.contacts.forms import ContactRowForm, StatementForm
from recommendations.terms import Scope
from tests.api.conftest import ApiClient, problem
from tests.api.test_item_fuzz import odd

BATCH = "/api/v1/contacts/batch/"
STATEMENT = {"purpose": "news", "state": "given", "at": "2026-09-01T00:00:00Z", "proof": {"form": "checkout"}}
EMAILS = [
    "ann@example.com",
    "ANN@example.com",
    "bo@example.com",
    "b\u00f6@ex\u00e4mple.com",
    "a@[127.0.0.1]",
    "a@b",
    "",
    "@",
]


@st.composite
def rows(draw: st.DrawFn) -> Any:
    row: Any = {"user_id": draw(st.sampled_from(["u1", "u2", "\x00"])), "email": draw(st.sampled_from(EMAILS))}
    row |= {"confirmed": draw(st.booleans()), "consents": [dict(STATEMENT) for _ in range(draw(st.integers(0, 2)))]}
    for name in draw(st.lists(st.sampled_from([*ContactRowForm.__struct_fields__, "extra"]), max_size=1)):
        row[name] = draw(odd)
    if row["consents"] and isinstance(row["consents"], list) and draw(st.booleans()):
        row["consents"][-1] = STATEMENT | {
            draw(st.sampled_from([*StatementForm.__struct_fields__, "extra"])): draw(odd)
        }
    return draw(odd) if draw(st.integers(0, 9)) == 0 else row


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    value = {"contacts": draw(st.lists(rows(), max_size=3))} if draw(st.integers(0, 9)) else draw(odd)
    return json.dumps(value, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")


@settings(
    max_examples=200,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(body=bodies())
def check(body: bytes, api: ApiClient, statuses: Counter[int]) -> None:
    with transaction.atomic():  # a statement that fails does not take the others with it
        answer = api.post(BATCH, body)
    statuses[answer.status_code] += 1
    if answer.status_code == 200:
        content = answer.json()
        counts = Counter(result["verdict"] for result in content["results"])
        assert all(content[name] == counts[name] for name in ("stored", "unchanged", "rejected"))
        assert all(result["verdict"] != "rejected" or result["reason"] for result in content["results"])
        assert {api.get(f"/api/v1/contacts/{user_id}/").status_code for user_id in ("u1", "u2")} <= {200, 404}
    else:
        assert problem(answer, 400)["errors"]


def test_no_body_makes_a_5xx(client_with: Callable[..., ApiClient]) -> None:
    api = client_with(Scope.CONTACTS_READ, Scope.CONTACTS_WRITE, requests_per_minute=10_000_000)
    api._client.raise_request_exception = False
    statuses: Counter[int] = Counter()
    check(api=api, statuses=statuses)
    assert statuses.keys() == {200, 400}
    assert min(statuses.values()) > 15  # neither kind is rare, so both were tried


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_no_value_of_a_field_makes_a_5xx(method: str, client_with: Callable[..., ApiClient]) -> None:
    api = client_with(Scope.CONTACTS_WRITE, requests_per_minute=10_000_000)
    api._client.raise_request_exception = False
    hostile = [
        "\x00",
        "a\x00@b.com",
        "\ud800",
        "1e9",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        -1,
        None,
    ]
    bodies = [
        {name: value} for name in ("email", "language", "time_zone", "confirmed", "consents") for value in hostile
    ]
    bodies += [
        {"consents": [STATEMENT | {name: value}]} for name in StatementForm.__struct_fields__ for value in hostile
    ]
    for body in bodies:
        assert api.send(method, "/api/v1/contacts/u1/", body).status_code in {200, 400}, body
