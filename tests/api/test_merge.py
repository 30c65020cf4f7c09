"""``POST /api/v1/users/merge/``: what it joins and parts, what it refuses, and that it gives nothing away."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.db import connection
from django.utils import timezone

from recommendations.event_types import EventName
from recommendations.models import Customer, CustomerAlias, Item
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.live import fetch
from recommendations.store.live.state import LiveState
from recommendations.terms import CustomerKind, Scope
from tests.api.conftest import ApiClient, problem

EVENTS, MERGE = "/api/v1/events/", "/api/v1/users/merge/"
BOTH = {"anonymous_id": "a1", "user_id": "u1"}


@pytest.fixture
def api(db: None, client_with: Callable[..., ApiClient], valkey: redis.Redis) -> ApiClient:
    Item.objects.bulk_create(Item(shop_id=f"SKU{number}", title=f"Item {number}") for number in range(4))
    valkey.set("live:built", 1)
    return client_with(Scope.EVENTS_WRITE, Scope.PRIVACY_WRITE)


def send(api: ApiClient, name: str, item: str, **who: str) -> None:
    row = {
        "event_id": str(uuid.uuid4()), "name": name, "timestamp": (timezone.now() - timedelta(minutes=5)).isoformat(),
        "items": [{"item_id": item}], "transaction_id": "t1", **who,
    }  # fmt: skip
    assert api.post(EVENTS, row).status_code == 202


def merged(api: ApiClient, body: dict[str, Any]) -> None:
    answer = api.post(MERGE, body)
    assert (answer.status_code, answer.json()) == (202, {"verdict": "accepted"})


def key_of(shop_id: str, kind: CustomerKind = CustomerKind.SIGNED_IN) -> int:
    return Customer.objects.get(pseudonym=pseudonym(shop_id, kind=kind)).pk


def state(shop_id: str, kind: CustomerKind = CustomerKind.SIGNED_IN) -> LiveState:
    return fetch.state_of(key_of(shop_id, kind), since=None).state


def names(items: Any) -> set[str]:
    return set(Item.objects.filter(pk__in=items).values_list("shop_id", flat=True))


def pairs() -> list[tuple[int, int]]:
    return list(CustomerAlias.objects.filter(undone_at=None).values_list("anonymous", "customer"))


def test_a_merger_gives_the_visitors_events_to_the_customer(api: ApiClient) -> None:
    send(api, "purchase", "SKU1", anonymous_id="a1")
    send(api, "view_item", "SKU2", anonymous_id="a1")
    send(api, "dislike_item", "SKU3", anonymous_id="a1")
    send(api, "purchase", "SKU0", user_id="u1")
    merged(api, BOTH)
    alias = CustomerAlias.objects.get()
    assert (alias.anonymous_id, alias.customer_id) == (key_of("a1", CustomerKind.ANONYMOUS), key_of("u1"))
    assert alias.source == "api"
    now = state("u1")
    assert names(now.bought) == {"SKU0", "SKU1"}
    assert names(now.disliked) == {"SKU3"}
    assert [(names([act.item]), act.name) for act in now.recent] == [({"SKU2"}, EventName.VIEW_ITEM)]
    send(api, "purchase", "SKU3", anonymous_id="a1")  # still signed out somewhere: the customer's as well
    assert names(state("u1").bought) == {"SKU0", "SKU1", "SKU3"}


def test_an_event_with_both_ids_merges_them(api: ApiClient) -> None:
    send(api, "purchase", "SKU1", anonymous_id="a1")
    send(api, "view_item", "SKU2", **BOTH)
    assert names(state("u1").bought) == {"SKU1"}


def test_a_merger_and_its_undoing_may_be_repeated(api: ApiClient) -> None:
    for _ in range(3):
        merged(api, BOTH)
    assert CustomerAlias.objects.count() == 1
    for _ in range(3):
        merged(api, BOTH | {"undo": True})
    assert pairs() == []
    assert CustomerAlias.objects.count() == 1


def test_an_undone_merger_gives_each_id_its_own_events_again(api: ApiClient) -> None:
    send(api, "purchase", "SKU1", anonymous_id="a1")
    send(api, "purchase", "SKU0", user_id="u1")
    before = state("a1", CustomerKind.ANONYMOUS), state("u1")
    merged(api, BOTH)
    send(api, "view_item", "SKU2", anonymous_id="a1")
    merged(api, BOTH | {"undo": True})
    visitor, customer = state("a1", CustomerKind.ANONYMOUS), state("u1")
    assert (visitor.bought, customer.bought) == (before[0].bought, before[1].bought)
    assert names(act.item for act in visitor.recent) == {"SKU2"}
    assert customer.recent == ()


def test_a_merger_undone_by_the_shop_is_not_made_again_by_events(api: ApiClient) -> None:
    merged(api, BOTH)
    merged(api, BOTH | {"undo": True})
    send(api, "view_item", "SKU2", **BOTH)
    assert pairs() == []
    merged(api, BOTH)
    assert pairs() == [(key_of("a1", CustomerKind.ANONYMOUS), key_of("u1"))]


def test_another_customers_visitor_is_a_conflict_until_parted(api: ApiClient) -> None:
    merged(api, BOTH)
    body = problem(api.post(MERGE, BOTH | {"user_id": "u2"}), 409)
    assert [error["pointer"] for error in body["errors"]] == ["/anonymous_id"]
    assert "Undo that merger first" in body["detail"]
    merged(api, BOTH | {"user_id": "u2", "undo": True})  # they are not joined, so there is nothing to do
    assert pairs() == [(key_of("a1", CustomerKind.ANONYMOUS), key_of("u1"))]
    merged(api, BOTH | {"undo": True})
    merged(api, BOTH | {"user_id": "u2"})
    assert pairs() == [(key_of("a1", CustomerKind.ANONYMOUS), key_of("u2"))]


@pytest.mark.parametrize(("shop_id", "kind"), [("u1", CustomerKind.SIGNED_IN), ("a1", CustomerKind.ANONYMOUS)])
def test_an_id_that_objects_is_neither_merged_nor_given_away(shop_id: str, kind: CustomerKind, api: ApiClient) -> None:
    Customer.objects.create(pseudonym=pseudonym(shop_id, kind=kind), kind=kind, personalise=False)
    merged(api, BOTH)
    assert pairs() == []


def test_known_and_unknown_ids_get_the_same_answer(api: ApiClient) -> None:
    send(api, "purchase", "SKU1", anonymous_id="a1")
    for undo in (True, False):
        known, unknown = (
            api.post(MERGE, {"anonymous_id": visitor, "user_id": "u7", "undo": undo}) for visitor in ("a1", "a7")
        )
        assert (known.status_code, known.content) == (unknown.status_code, unknown.content)


@pytest.mark.parametrize(
    ("body", "pointer", "said"),
    [
        ({"user_id": "u1"}, "/anonymous_id", "missing"),
        ({"anonymous_id": "a1"}, "/user_id", "missing"),
        ({"anonymous_id": "a1", "user_id": None}, "/user_id", "not null"),
        ({"anonymous_id": "", "user_id": "u1"}, "/anonymous_id", "at least 1 character."),
        ({"anonymous_id": "a" * 129, "user_id": "u1"}, "/anonymous_id", "at most 128 characters."),
        ({"anonymous_id": "a1", "user_id": "u" * 129}, "/user_id", "at most 128 characters."),
        ({"anonymous_id": "x", "user_id": "x"}, "/anonymous_id", "the same"),
        ({"anonymous_id": "a1", "user_id": "u1", "undo": "yes"}, "/undo", "bool"),
        ({"anonymous_id": "a1", "user_id": "u1", "email": "x"}, "/email", "unknown"),
        ([], "", "object"),
    ],
)
def test_a_flawed_body_is_refused_with_its_pointer(body: Any, pointer: str, said: str, api: ApiClient) -> None:
    [error] = problem(api.post(MERGE, body), 400)["errors"]
    assert error["pointer"] == pointer
    assert said in error["message"]
    assert not CustomerAlias.objects.exists()


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"anonymous_id": "\\ud800", "user_id": "u"}'])
def test_a_body_that_is_no_json_is_refused(body: bytes, api: ApiClient) -> None:
    problem(api.post(MERGE, body), 400)


def test_no_id_of_the_shop_is_stored(api: ApiClient) -> None:
    merged(api, {"anonymous_id": "device-4711", "user_id": "anna@example.com"})
    with connection.cursor() as cursor:
        for table in ("recommendations_customer", "recommendations_customeralias"):
            cursor.execute(f"SELECT string_agg(t::text, ' ') FROM {table} t")
            text = cursor.fetchone()[0]
            assert not any(secret in text for secret in ("device-4711", "anna@example.com"))
