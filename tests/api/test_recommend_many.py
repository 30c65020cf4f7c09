"""``/api/v1/recommendations/batch/``: many customers at once, as if each had asked alone."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import redis
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from recommendations.api import recommend_many
from recommendations.api.lane import Lane
from recommendations.event_types import EventName
from recommendations.models import Customer, Item, Slate
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.live import fetch, writes
from recommendations.store.live.state import LiveEvent
from recommendations.store.serving.slates import write_slates
from recommendations.terms import CustomerKind, Scope
from tests.api.conftest import ApiClient, problem
from tests.api.test_recommend import body, path

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]

BATCH = "/api/v1/recommendations/batch/"


@pytest.fixture
def api(client_with: Callable[..., ApiClient]) -> ApiClient:
    return client_with(Scope.RECOMMENDATIONS_READ)


def test_each_customer_of_a_batch_gets_the_answer_of_a_single_request(api: ApiClient) -> None:
    users = [f"u{number}" for number in range(12)] + ["nobody"]
    wishes = {"n": 5, "filter": {"price": {"lte": 8}}, "exclude_item_ids": ["wine-0"], "fields": ["score", "product"]}
    answer = body(api.post(BATCH, {"placement": "home", "users": [{"user_id": user} for user in users], **wishes}))
    assert (answer["placement"], answer["answered"], answer["rejected"]) == ("home", 13, 0)
    assert [result["user_id"] for result in answer["results"]] == users
    for result in answer["results"]:
        alone = body(api.post(path("home"), {"user_id": result["user_id"], **wishes}))
        both = result["recommendation"], alone
        assert both[0].pop("recommendation_id") != both[1].pop("recommendation_id")
        assert both[0] == both[1]
        assert len(both[0]["results"]) == 5


def test_the_latest_events_count_and_a_customer_may_be_anonymous(api: ApiClient) -> None:
    newcomer = Customer.objects.create(
        pseudonym=pseudonym("a1", kind=CustomerKind.ANONYMOUS), kind=CustomerKind.ANONYMOUS
    )
    teas = Item.objects.filter(shop_id__in=["tea-0", "tea-1"])
    writes.remember(
        LiveEvent(customer=newcomer.pk, name=EventName.VIEW_ITEM, item=tea.pk, at=timezone.now()) for tea in teas
    )
    users = [{"user_id": "nobody"}, {"anonymous_id": "a1"}, {"user_id": "nobody", "anonymous_id": "a1"}]
    answer = body(api.post(BATCH, {"placement": "home", "users": users, "fields": []}))
    sources = [result["recommendation"]["source"] for result in answer["results"]]
    assert sources == ["popular", "session", "session"]
    assert len({result["recommendation"]["recommendation_id"] for result in answer["results"]}) == 3


def test_every_answer_is_written_as_a_slate_unless_dry(api: ApiClient) -> None:
    batch = {"placement": "email", "users": [{"user_id": "u1"}, {"user_id": "u2"}], "fields": []}
    answer = body(api.post(BATCH, batch))
    assert write_slates() == 2
    ids = [result["recommendation"]["recommendation_id"] for result in answer["results"]]
    rows = Slate.objects.in_bulk([row.pk for row in Slate.objects.all()]).values()
    assert {row.recommendation_id for row in rows} == set(ids)
    assert {row.customer_id for row in rows} == {
        Customer.objects.get(pseudonym=pseudonym(name)).pk for name in ("u1", "u2")
    }
    assert {len(row.items) for row in rows} == {6}
    body(api.post(BATCH, {**batch, "dry_run": True}))
    assert write_slates() == 0


def test_a_customer_named_wrongly_spoils_no_other_answer(api: ApiClient) -> None:
    users: list[Any] = [
        {"user_id": "u1"},
        {},
        {"user_id": ""},
        {"user": "u1"},
        "u1",
        {"anonymous_id": 7},
        {"user_id": "u2"},
    ]
    answer = body(api.post(BATCH, {"placement": "home", "users": users, "fields": []}))
    assert (answer["answered"], answer["rejected"]) == (2, 5)
    assert ["recommendation" in result for result in answer["results"]] == [True, *[False] * 5, True]
    pointers = [result["errors"][0]["pointer"] for result in answer["results"][1:-1]]
    assert pointers == ["/users/1", "/users/2/user_id", "/users/3/user", "/users/4", "/users/5/anonymous_id"]
    errors = problem(api.post(BATCH, {"placement": "home", "users": [{}, {"user_id": ""}]}), 400)["errors"]
    assert [error["pointer"] for error in errors] == ["/users/0", "/users/1/user_id"]


@pytest.mark.parametrize(
    ("sent", "pointer"),
    [
        ({"placement": "home"}, "/users"),
        ({"users": [{"user_id": "u1"}]}, "/placement"),
        ({"placement": "home", "users": []}, "/users"),
        ({"placement": "home", "users": [{"user_id": "u"}] * 1001}, "/users"),
        ({"placement": "home", "users": [{"user_id": "u"}] * 101, "n": 100}, "/users"),
        ({"placement": "home", "users": [{"user_id": "u"}] * 1000}, "/users"),  # 20 each, as the placement has it
        ({"placement": "search", "users": [{"user_id": "u"}] * 1000}, "/users"),
        ({"placement": "home", "users": {"user_id": "u"}}, "/users"),
        ({"placement": "home", "users": [{"user_id": "u1"}], "n": 101}, "/n"),
        ({"placement": "home", "users": [{"user_id": "u1"}], "user_id": "u1"}, "/user_id"),
    ],
)
def test_a_flaw_of_a_batch_is_refused_with_its_pointer(api: ApiClient, sent: Any, pointer: str) -> None:
    errors = problem(api.post(BATCH, sent), 400)["errors"]
    assert [error["pointer"] for error in errors] == [pointer]


@pytest.mark.parametrize(
    "users",
    [
        b'[{"user_id": "u1"}, {"user_id": "\xed\xa0\x80"}]',
        b'["\xff"]',
        b'[{"user_id": ' + b"[" * 5_000 + b"]" * 5_000 + b"}]",
    ],
)
def test_a_customer_that_is_no_unicode_or_too_deep_is_a_400(api: ApiClient, users: bytes) -> None:
    problem(api.post(BATCH, b'{"placement": "home", "users": ' + users + b"}"), 400)


def test_a_refused_batch_says_how_many_may_be_sent(api: ApiClient) -> None:
    sent = {"placement": "home", "users": [{"user_id": "u1"}] * 334, "n": 30, "fields": [], "dry_run": True}
    assert "at most 333" in problem(api.post(BATCH, sent), 400)["errors"][0]["message"]
    assert body(api.post(BATCH, {**sent, "users": sent["users"][:333]}))["answered"] == 333


@pytest.mark.django_db(transaction=True)
def test_one_batch_is_worked_on_at_a_time_and_few_wait(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recommend_many, "_lane", Lane(at_once=1, waiting=1, seconds=0.2, retry=7))
    batch = {"placement": "home", "users": [{"user_id": "u1"}], "fields": [], "dry_run": True}
    with recommend_many._lane.entered():
        refused = api.post(BATCH, batch)
        assert body(api.get(path("home"), user_id="u1"))["results"]  # who asks alone does not wait
    assert "7" in problem(refused, 503)["detail"]
    assert refused["Retry-After"] == "7"
    assert body(api.post(BATCH, batch))["answered"] == 1


def test_an_unknown_placement(api: ApiClient) -> None:
    assert "nowhere" in problem(api.post(BATCH, {"placement": "nowhere", "users": [{"user_id": "u"}]}), 404)["detail"]


def test_a_thousand_customers_cost_a_few_round_trips_and_no_query(
    api: ApiClient, valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    valkey.set(fetch.BUILT, 1)
    body(api.get(path("home"), user_id="u0"))
    users = [{"user_id": name} for number in range(500) for name in (f"unknown{number}", f"u{number % 50}")]
    asked = []
    ask = fetch.valkey().ask
    monkeypatch.setattr(fetch.valkey(), "ask", lambda commands: (asked.append(commands[-1]), ask(commands))[1])
    with CaptureQueriesContext(connection) as queries:
        answer = body(api.post(BATCH, {"placement": "home", "users": users, "n": 3, "fields": [], "dry_run": True}))
    assert answer["answered"] == 1000
    names = [name for name, *given in asked if len(given) > 2]  # not: whether the key is still what it was
    assert (names.count("MGET"), names.count("EVAL_RO")) == (1, 5)  # who the strangers are; 200 customers each
    assert not [query for query in queries if "recommendations_customer" in query["sql"]]


def test_a_batch_is_answered_while_valkey_is_away(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch.valkey(), "ask", lambda _commands: None)
    answer = body(
        api.post(BATCH, {"placement": "home", "users": [{"user_id": "u1"}, {"user_id": "nobody"}], "fields": []})
    )
    assert [result["recommendation"]["personalised"] for result in answer["results"]] == [True, False]


def test_a_batch_counts_as_a_request_of_the_key(client_with: Callable[..., ApiClient]) -> None:
    client = client_with(Scope.RECOMMENDATIONS_READ, requests_per_minute=2)
    batch = {"placement": "home", "users": [{"user_id": "u1"}] * 3, "fields": [], "dry_run": True}
    statuses = [client.post(BATCH, batch).status_code for _ in range(5)]
    assert 429 in statuses
    assert json.loads(client.post(BATCH, batch).content)["status"] == 429 or statuses.count(200) > 2
