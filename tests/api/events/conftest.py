"""A key that writes events to a shop of five items, and the events that it sends."""

import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.utils import timezone

from recommendations.models import Customer, Event, Item
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.terms import CustomerKind, Scope
from tests.api.conftest import ApiClient

EVENTS = "/api/v1/events/"


@pytest.fixture
def shop(db: None) -> None:
    Item.objects.bulk_create(Item(shop_id=f"SKU{number}", title=f"Item {number}") for number in range(5))


@pytest.fixture
def api(shop: None, client_with: Callable[..., ApiClient]) -> ApiClient:
    return client_with(Scope.EVENTS_WRITE)


def when(**ago: float) -> str:
    return (timezone.now() - timedelta(**ago)).isoformat()


def event(**fields: Any) -> dict[str, Any]:
    """A view of SKU1 by u1 an hour ago, changed by ``fields``; those that are ``...`` are left out."""
    plain = {
        "event_id": str(uuid.uuid4()),
        "name": "view_item",
        "timestamp": when(hours=1),
        "user_id": "u1",
        "items": [{"item_id": "SKU1"}],
    }
    return {name: value for name, value in (plain | fields).items() if value is not ...}


def purchase(**fields: Any) -> dict[str, Any]:
    return event(**{"name": "purchase", "transaction_id": "t1"} | fields)


def results(answer: HttpResponse, status: int = 202) -> list[dict[str, Any]]:
    assert answer.status_code == status, answer.content
    return list(json.loads(answer.content)["results"])


def accepted(api: ApiClient, row: dict[str, Any]) -> Event:
    [result] = results(api.post(EVENTS, row))
    assert result == {"verdict": "accepted", "event_id": row["event_id"]}
    return Event.objects.get(event_id=row["event_id"], line=0)


def key_of(shop_id: str, kind: CustomerKind = CustomerKind.SIGNED_IN) -> int:
    return Customer.objects.get(pseudonym=pseudonym(shop_id, kind=kind)).pk
