"""``POST /api/v1/identity/``: proofs for the shop's server, and for nobody else."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from recommendations.ingest.proofs import proves
from recommendations.services.access import keys
from recommendations.terms import Scope, Side
from tests.api.conftest import ApiClient, problem

IDENTITY = "/api/v1/identity/"
BOTH = {"user_id": "u1", "anonymous_id": "a1"}


@pytest.fixture
def server(client_with: Callable[..., ApiClient]) -> ApiClient:
    return client_with(Scope.IDENTITY_PROVE)


@pytest.mark.parametrize("seconds", [None, 60, 43_200])
def test_a_proof_holds_for_its_ids_until_it_expires(server: ApiClient, seconds: int | None) -> None:
    answer = server.post(IDENTITY, BOTH | ({"seconds": seconds} if seconds else {}))
    assert answer.status_code == 200
    given = answer.json()
    expires = datetime.fromisoformat(given["expires"])
    lasts = timedelta(seconds=seconds or 43_200)
    assert lasts - timedelta(seconds=20) < expires - timezone.now() <= lasts
    assert proves(given["proof"], **BOTH, now=expires - timedelta(seconds=1))
    assert not proves(given["proof"], **BOTH, now=expires)
    assert len(given["proof"]) <= 128


def test_a_proof_may_name_no_visitor(server: ApiClient) -> None:
    given = server.post(IDENTITY, {"user_id": "u1"}).json()
    assert proves(given["proof"], user_id="u1", anonymous_id=None, now=timezone.now())
    assert not proves(given["proof"], **BOTH, now=timezone.now())


@pytest.mark.parametrize("scope", [scope for scope in Scope if scope is not Scope.IDENTITY_PROVE])
def test_no_other_scope_gets_one(client_with: Callable[..., ApiClient], scope: Scope) -> None:
    problem(client_with(scope).post(IDENTITY, BOTH), 403)


def test_no_key_in_a_page_has_the_scope(db: None) -> None:
    with pytest.raises(keys.ReadablePageKeyError):
        keys.create_key(name="Page", scopes=[Scope.EVENTS_WRITE, Scope.IDENTITY_PROVE], side=Side.PAGE, by=None)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/user_id"), ({"user_id": ""}, "/user_id"), ({"user_id": "u" * 129}, "/user_id"),
        (BOTH | {"anonymous_id": ""}, "/anonymous_id"), (BOTH | {"seconds": 59}, "/seconds"),
        (BOTH | {"seconds": 43_201}, "/seconds"), (BOTH | {"seconds": "60"}, "/seconds"),
        (BOTH | {"email": "x"}, "/email"),
    ],
)  # fmt: skip
def test_a_flawed_body_is_refused_with_its_pointer(server: ApiClient, body: Any, pointer: str) -> None:
    assert [error["pointer"] for error in problem(server.post(IDENTITY, body), 400)["errors"]] == [pointer]


@pytest.mark.parametrize("body", [b"", b"{", b"[1", b"\xff"])
def test_a_body_that_is_no_json_is_refused(server: ApiClient, body: bytes) -> None:
    problem(server.post(IDENTITY, body), 400)
