"""A key with the wanted scopes, and a client that sends it."""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from django.core.signals import request_finished, request_started
from django.db import DatabaseError, close_old_connections
from django.http import HttpResponse
from django.test import Client

from recommendations.services.access import keys
from recommendations.terms import Scope


class ApiClient:
    """A storefront: no cookies, JSON bodies, one key."""

    def __init__(self, authorization: str = "") -> None:
        self.headers = {"Authorization": authorization} if authorization else {}
        self._client = Client()

    def get(self, path: str, **parameters: Any) -> HttpResponse:
        return self._client.get(path, parameters, headers=self.headers)

    def send(self, method: str, path: str, body: Any = b"", content_type: str = "application/json") -> HttpResponse:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self._client.generic(method, path, data, content_type, headers=self.headers)

    def post(self, path: str, body: Any, **options: Any) -> HttpResponse:
        return self.send("POST", path, body, **options)


def at_once(work: Callable[[], None]) -> None:
    """Do what is left to a thread beside a request within the test's transaction, which no other thread sees."""
    with suppress(DatabaseError):
        work()


@pytest.fixture
def client_with(db: None, monkeypatch: pytest.MonkeyPatch) -> Callable[..., ApiClient]:
    """Maker of clients with a key: ``client_with(Scope.EVENTS_WRITE, requests_per_minute=5)``.

    A test's transaction is seen by no other thread, so what is done beside a request is done within it.
    """
    monkeypatch.setattr(keys, "_beside", at_once)

    def make(*scopes: Scope, **options: Any) -> ApiClient:
        key, secret = keys.create_key(name="storefront", scopes=scopes, by=None, **options)
        keys.key_ring.drop()
        keys.rates.drop()
        return ApiClient(f"Api-Key {key.prefix}.{secret}")

    return make


def problem(answer: HttpResponse, status: int) -> dict[str, Any]:
    """The body of an error, which must be a whole RFC 9457 problem of that status."""
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    body = json.loads(answer.content)
    assert body["status"] == status
    assert {"type", "title", "status", "detail", "errors"} <= body.keys()
    assert all(error.keys() == {"pointer", "message"} for error in body["errors"])
    assert b"Traceback" not in answer.content
    return dict(body)


@pytest.fixture
def one_connection() -> Iterator[None]:
    """Keep a test's connection: its transaction lives there, so it must not go back to the pool after a request."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)
