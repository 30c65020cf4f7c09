"""``POST /api/v1/contacts/batch/``: a verdict on each row, and a refused one leaves its neighbours alone."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from recommendations.models import ConsentStatement, Contact, Customer
from recommendations.terms import Scope
from tests.api.conftest import ApiClient, problem
from tests.api.contact_calls import ANN, BATCH, CONTACT, YES, batch, put


@pytest.fixture
def server(client_with: Callable[..., ApiClient]) -> ApiClient:
    return client_with(Scope.CONTACTS_READ, Scope.CONTACTS_WRITE)


def test_a_verdict_on_each_row(server: ApiClient) -> None:
    put(server, **ANN)
    answer = batch(
        server,
        {"user_id": "u1", **ANN},
        {"user_id": "u2", "email": "bo@example.com", "consents": [YES]},
        {"user_id": "u3", "email": "nobody"},
        {"user_id": "u4", "consents": [YES, YES | {"proof": {}}]},
        {"user_id": "u5", "email": "ann@example.com"},
        {"user_id": "u2", "language": "en"},
        {"user_id": "u6", "email": 1},
        {"email": "x@example.com"},
        "u7",
        {"user_id": "", "language": "en"},
        {"user_id": "u8", "time_zone": "Europe/Paris"},
    )
    content = answer.json()
    assert (answer.status_code, content["stored"], content["unchanged"], content["rejected"]) == (200, 2, 1, 8)
    assert [(each["verdict"], each.get("user_id"), each.get("pointer")) for each in content["results"]] == [
        ("unchanged", "u1", None),
        ("stored", "u2", None),
        ("rejected", "u3", "/contacts/2/email"),
        ("rejected", "u4", "/contacts/3/consents/1/proof"),
        ("rejected", "u5", "/contacts/4/email"),
        ("rejected", "u2", "/contacts/5/user_id"),
        ("rejected", "u6", "/contacts/6/email"),
        ("rejected", None, "/contacts/7/user_id"),
        ("rejected", None, "/contacts/8"),
        ("rejected", "", "/contacts/9/user_id"),
        ("stored", "u8", None),
    ]
    assert all(each["reason"] for each in content["results"] if each["verdict"] == "rejected")
    assert Contact.objects.count() == 3
    assert ConsentStatement.objects.count() == 1


def test_a_batch_changes_what_it_says_alone(server: ApiClient) -> None:
    put(server, **ANN, time_zone="Europe/Paris")
    assert batch(server, {"user_id": "u1", "language": "zh-hans"}).json()["stored"] == 1
    contact = server.get(CONTACT).json()
    assert (contact["language"], contact["time_zone"], len(contact["addresses"])) == ("zh-hans", "Europe/Paris", 1)


def test_a_batch_whose_rows_are_all_refused_is_a_400(server: ApiClient) -> None:
    answer = problem(batch(server, {"user_id": "u1", "email": "ann"}, 1), 400)
    assert [error["pointer"] for error in answer["errors"]] == ["/contacts/0/email", "/contacts/1"]
    assert [result["verdict"] for result in answer["results"]] == ["rejected", "rejected"]
    assert not Customer.objects.exists()


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({}, "/contacts"), ({"contacts": []}, "/contacts"), ({"contacts": [], "x": 1}, "/x"), ([], ""),
     ({"contacts": 1}, "/contacts")],
)  # fmt: skip
def test_a_body_that_is_no_batch_is_refused(body: Any, pointer: str, server: ApiClient) -> None:
    [flaw] = problem(server.post(BATCH, body), 400)["errors"]
    assert flaw["pointer"] in {pointer, "/contacts"}


def test_more_than_a_thousand_are_a_413(server: ApiClient) -> None:
    rows = [{"user_id": f"u{number}"} for number in range(1_001)]
    [flaw] = problem(batch(server, *rows), 413)["errors"]
    assert flaw["pointer"] == "/contacts"
    assert "1001" in flaw["message"]
    assert not Customer.objects.exists()
    with CaptureQueriesContext(connection) as seen:
        assert batch(server, *rows[:1_000]).json()["stored"] == 1_000
    assert len(seen) <= 25


def test_a_deep_row_leaves_its_neighbours_alone(server: ApiClient) -> None:
    deep = b'{"contacts": [{"user_id": "u1", "language": "en"}, {"user_id": "u2", "proof": %s}]}' % (
        b"[" * 400 + b"]" * 400
    )
    assert [each["verdict"] for each in server.post(BATCH, deep).json()["results"]] == ["stored", "rejected"]


def test_a_refused_row_names_every_field_that_does_not_fit(server: ApiClient) -> None:
    odd = YES | {"purpose": "everything"}
    answer = batch(
        server,
        {"user_id": "u1", "language": "en"},
        {"email": 1, "language": [], "confirmed": "yes", "x/y": 1, "consents": [YES, odd, YES | {"proof": {"a": 1}}]},
        {"user_id": "u2", "email": "ann", "time_zone": "Mars/Olympus"},
        {"user_id": "u3", "consents": {}},
    ).json()
    assert [answer[name] for name in ("stored", "rejected")] == [1, 3]
    named = [[each["pointer"] for each in (row, *row.get("also", ()))] for row in answer["results"][1:]]
    assert sorted(named[0]) == [
        f"/contacts/1/{field}"
        for field in ("confirmed", "consents/1/purpose", "consents/2/proof", "email", "language", "user_id", "x~1y")
    ]
    assert named[1:] == [["/contacts/2/email", "/contacts/2/time_zone"], ["/contacts/3/consents"]]
    assert all(each["reason"] for row in answer["results"][1:] for each in (row, *row.get("also", ())))
    whole = problem(batch(server, {"user_id": "u1", "email": "ann", "language": "tlh"}), 400)
    assert [each["pointer"] for each in whole["errors"]] == ["/contacts/0/email", "/contacts/0/language"]
    alone = problem(server.send("PUT", CONTACT, {"email": "ann", "language": "tlh"}), 400)
    assert [each["pointer"] for each in alone["errors"]] == ["/email", "/language"]


def test_a_row_of_endless_flaws_names_ten(server: ApiClient) -> None:
    row = {"user_id": "u1"} | {f"field-{number}": 1 for number in range(5_000)}
    [result] = problem(batch(server, row), 400)["results"]
    assert len(result["also"]) == 9


@pytest.mark.parametrize(("row", "pointer"), [
    ({"user_id": "a\x00b", "language": "en"}, None),  # of an id only a hash is stored
    ({"user_id": "u2", "email": "a\x00@example.com"}, "/contacts/1/email"),
    ({"user_id": "u2", "language": "e\x00n"}, "/contacts/1/language"),
    ({"user_id": "u2", "time_zone": "Europe/\x00Paris"}, "/contacts/1/time_zone"),
    ({"user_id": "u2", "consents": [YES | {"proof": {"a": "\x00"}}]}, "/contacts/1/consents/0/proof"),
    ({"user_id": "u2", "consents": [YES | {"proof": {"\x00": "a"}}]}, "/contacts/1/consents/0/proof"),
])  # fmt: skip
def test_a_nul_is_refused_at_its_place_or_taken_and_breaks_nothing(
    server: ApiClient, row: dict[str, Any], pointer: str | None
) -> None:
    answer = batch(server, {"user_id": "u1", "language": "en"}, row)
    assert answer.status_code == 200
    first, second = answer.json()["results"]
    assert first["verdict"] == "stored"
    assert (second["verdict"], second.get("pointer")) == (("rejected", pointer) if pointer else ("stored", None))


@pytest.mark.parametrize("path", ["a%00b", "a%2Fb", "a/b", "%2F", "..%2Fbatch", "batch", "%F0%9F%8D%B5", "a%0Ab", "."])
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_no_id_in_a_path_makes_a_5xx(server: ApiClient, path: str, method: str) -> None:
    server._client.raise_request_exception = False
    body = {"language": "en"} if method in {"PUT", "PATCH"} else None
    answer = server.send(method, f"/api/v1/contacts/{path}/", body)
    assert answer.status_code in {200, 400, 404, 405}, answer.content
    if answer.status_code in {400, 404}:
        assert answer["Content-Type"] == "application/problem+json"
