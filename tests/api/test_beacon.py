"""Events of a page that is being left: plain text, the key in the body, and only a key that can do nothing else."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from recommendations.models import Event, Item
from recommendations.terms import Scope
from tests.api.conftest import ApiClient, problem
from tests.api.events.conftest import EVENTS, event

pytestmark = pytest.mark.django_db


@pytest.fixture
def token(client_with: Callable[..., ApiClient]) -> Callable[..., str]:
    Item.objects.create(shop_id="SKU1", title="Tea")
    return lambda *scopes: client_with(*scopes).headers["Authorization"].removeprefix("Api-Key ")


def beacon(body: Any, path: str = EVENTS, content_type: str = "text/plain;charset=UTF-8") -> HttpResponse:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Client().generic("POST", path, data, content_type)


def test_a_beacon_is_taken_like_any_batch(token: Callable[..., str]) -> None:
    body = {"api_key": token(Scope.EVENTS_WRITE), "events": [event(), event(user_id=...)]}
    answer = json.loads(beacon(body).content)
    assert (answer["accepted"], answer["rejected"]) == (1, 1)
    assert "ignored" not in answer
    assert Event.objects.count() == 1
    assert json.loads(beacon(body).content)["duplicates"] == 1


@pytest.mark.parametrize("others", [{Scope.RECOMMENDATIONS_READ}, set(Scope) - {Scope.EVENTS_WRITE}])
def test_a_beacon_with_a_key_of_other_scopes_is_refused(token: Callable[..., str], others: set[Scope]) -> None:
    answer = beacon({"api_key": token(Scope.EVENTS_WRITE, *others), "events": [event()]})
    assert problem(answer, 401)["detail"].startswith("Only a key that can do nothing but send events")
    assert not Event.objects.exists()


@pytest.mark.parametrize("body", [{"events": []}, {"api_key": 7}, {"api_key": "a.b"}, b"", b"{", b"\xff", b"[" * 9_999])
def test_a_beacon_without_a_key_is_refused(db: None, body: Any) -> None:
    problem(beacon(body), 401)


def test_an_unknown_key_in_a_beacon_is_called_so(db: None) -> None:
    assert "unknown, was revoked" in problem(beacon({"api_key": "a.b", "events": []}), 401)["detail"]


def test_the_key_in_a_body_of_json_opens_nothing(token: Callable[..., str]) -> None:
    problem(beacon({"api_key": token(Scope.EVENTS_WRITE), "events": [event()]}, content_type="application/json"), 401)


def test_a_key_in_a_beacon_opens_no_other_address(token: Callable[..., str]) -> None:
    answer = beacon({"api_key": token(Scope.EVENTS_WRITE)}, path="/api/v1/placements/home/recommend/")
    problem(answer, 403)
