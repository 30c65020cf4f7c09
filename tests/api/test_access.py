"""Access to the API is by the scopes of a key alone, at every address and by every method."""

import json
import logging
from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import get_resolver, path, resolve, reverse
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.views import APIView

from recommendations.api import urls
from recommendations.models import ApiKey, Event, Staff
from recommendations.services.access import keys
from recommendations.terms import Role, Scope
from tests.api.conftest import ApiClient, problem


class Forgetful(APIView):
    """A view whose author forgot to say what it needs."""

    def get(self, request: Request) -> HttpResponse:
        return HttpResponse("secrets")


class Careful(Forgetful):
    required_scope = Scope.METRICS_READ


urlpatterns = [path("forgetful/", Forgetful.as_view()), path("careful/", Careful.as_view())]
here = pytest.mark.urls(__name__)

# What each address of the API needs. One that is not here fails the tests below, and so does a method of it.
NEEDS: dict[str, dict[str, Scope]] = {
    "events": {"POST": Scope.EVENTS_WRITE},
    **{
        f"{system}-events": {"POST": Scope.EVENTS_WRITE}
        for system in ("segment", "ga4", "vertex", "recombee", "algolia")
    },
    "foreign-events": {"POST": Scope.EVENTS_WRITE},
    "identity": {"POST": Scope.IDENTITY_PROVE},
    "merge-users": {"POST": Scope.EVENTS_WRITE},
    "recommend": {"GET": Scope.RECOMMENDATIONS_READ, "POST": Scope.RECOMMENDATIONS_READ},
    "recommend-page": {"POST": Scope.RECOMMENDATIONS_READ},
    "recommend-to-many": {"POST": Scope.RECOMMENDATIONS_READ},
    "similar-items": {"GET": Scope.RECOMMENDATIONS_READ},
    "also-bought-items": {"GET": Scope.RECOMMENDATIONS_READ},
    "catalogue-item": dict.fromkeys(("PUT", "PATCH", "DELETE"), Scope.CATALOGUE_WRITE),
    "catalogue-items": dict.fromkeys(("POST", "PATCH"), Scope.CATALOGUE_WRITE),
    "contact": {"GET": Scope.CONTACTS_READ, **dict.fromkeys(("PUT", "PATCH", "DELETE"), Scope.CONTACTS_WRITE)},
    "contacts": {"POST": Scope.CONTACTS_WRITE},
    "campaign-trigger": {"POST": Scope.CAMPAIGNS_TRIGGER},
    "push-key": {"GET": Scope.PUSH_SUBSCRIBE},
    "push-subscriptions": {"POST": Scope.PUSH_SUBSCRIBE, "DELETE": Scope.PUSH_SUBSCRIBE},
    "customer-messages": {"GET": Scope.CONTACTS_READ},
    "customer-properties": {"PATCH": Scope.CUSTOMERS_WRITE},
    "customer-taste": dict.fromkeys(("GET", "POST", "DELETE"), Scope.CUSTOMERS_WRITE),
    "user-export": {"POST": Scope.PRIVACY_WRITE},
    "user-erase": {"POST": Scope.PRIVACY_WRITE},
    "users-erase": {"POST": Scope.PRIVACY_WRITE},
    "privacy-link": {"POST": Scope.PRIVACY_WRITE},
    "user-privacy": {"GET": Scope.PRIVACY_WRITE},
    "user-purposes": {"POST": Scope.PRIVACY_WRITE},
    "privacy-request": {"GET": Scope.PRIVACY_WRITE},
    "privacy-download": {"GET": Scope.PRIVACY_WRITE},
    "privacy-receipt": {"GET": Scope.PRIVACY_WRITE},
    "interests": {"GET": Scope.RECOMMENDATIONS_READ},
    "answer-served": {"GET": Scope.METRICS_READ},
    "answer-again": {"POST": Scope.METRICS_READ},
    "experiment-list": {"GET": Scope.METRICS_READ},
    "experiment-results": {"GET": Scope.METRICS_READ},
    "agent-list": {"GET": Scope.METRICS_READ},
    "agent-pause": {"POST": Scope.CAMPAIGNS_TRIGGER},
    "metrics": {"GET": Scope.METRICS_READ},
}
PUBLIC = {
    "main-parameters",
    "item-tile",
    "item-tile-png",
    "schema",
    "api-docs",
    "mail-hook",
    "order-hook",
    "unknown-path",
}
ARGUMENTS = {
    "placement": "home", "page": "cart", "item_id": "SKU1", "user_id": "u1", "recommendation_id": "r-1",
    "experiment_id": "e1", "request_id": "7b0c3f0e-2f6c-4c8e-9f65-0d9a6c1d2e3f", "slug": "visit",
    "system": "recombee", "kind": "purchases/",
}  # fmt: skip
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def address_of(name: str) -> str:
    """Address of a view of the API; the dashboard may have a page of the same name, with other arguments."""
    patterns = [parts[0][1] for (parts, *_) in get_resolver().reverse_dict.getlist(name)]
    names = next(arguments for arguments in patterns if ARGUMENTS.keys() >= {*arguments})
    return reverse(name, kwargs={argument: ARGUMENTS[argument] for argument in names})


ADDRESSES = {name: (address_of(name), *next(iter(needs.items()))) for name, needs in NEEDS.items()}
"""Name → address, one of its methods, and the scope that it needs."""


@here
def test_without_a_key_401_says_how_to_authenticate(db: None) -> None:
    answer = Client().get("/careful/")
    problem(answer, 401)
    assert answer["WWW-Authenticate"].startswith("Api-Key")


@here
@pytest.mark.parametrize(
    "authorization",
    [
        "Api-Key nonsense",
        "Api-Key ",
        "Api-Key",
        "Api-Key a.b",
        "Bearer abc",
        "Api-Key \xff\xfe.\xe9",
        "Api-Key " + "x" * 5_000,
        "Api-Key ...",
    ],
)
def test_an_unknown_or_malformed_key_is_refused(authorization: str, client_with: Callable[..., ApiClient]) -> None:
    client_with(Scope.METRICS_READ)
    problem(ApiClient(authorization).get("/careful/"), 401)


@here
def test_a_wrong_secret_of_a_known_prefix_is_refused(client_with: Callable[..., ApiClient]) -> None:
    good = client_with(Scope.METRICS_READ)
    prefix = good.headers["Authorization"].partition(".")[0]
    assert good.get("/careful/").status_code == 200
    problem(ApiClient(f"{prefix}.wrong").get("/careful/"), 401)
    problem(ApiClient(prefix).get("/careful/"), 401)


@here
def test_the_key_is_only_taken_from_the_header(client_with: Callable[..., ApiClient]) -> None:
    token = client_with(Scope.METRICS_READ).headers["Authorization"].removeprefix("Api-Key ")
    problem(ApiClient().get("/careful/", api_key=token, key=token), 401)


@here
def test_a_view_without_a_scope_is_refused_to_every_key(client_with: Callable[..., ApiClient]) -> None:
    problem(client_with(*Scope).get("/forgetful/"), 403)
    problem(ApiClient().get("/forgetful/"), 401)


@here
@pytest.mark.parametrize("scope", list(Scope))
def test_a_key_does_what_its_scope_says(scope: Scope, client_with: Callable[..., ApiClient]) -> None:
    answer = client_with(scope).get("/careful/")
    if scope is Scope.METRICS_READ:
        assert answer.content == b"secrets"
    else:
        assert "metrics:read" in problem(answer, 403)["detail"]


def test_every_address_of_the_api_is_in_the_table() -> None:
    names = {pattern.name for pattern in urls.urlpatterns}
    assert names | {"metrics"} == NEEDS.keys() | PUBLIC


@pytest.mark.parametrize("name", sorted(NEEDS))
def test_every_method_of_an_address_is_in_the_table(name: str) -> None:
    view = resolve(address_of(name)).func.cls  # type: ignore[attr-defined]
    assert {method for method in METHODS if hasattr(view, method.lower())} == NEEDS[name].keys()
    assert view.required_scope in NEEDS[name].values()


class Principal(StrEnum):
    """Callers without any right."""

    NOBODY = "no key"
    STRANGER = "a key that nobody made"
    FORGER = "a known prefix with another secret"
    REVOKED = "a revoked key with every scope"
    EXPIRED = "a key with every scope, replaced yesterday"
    STAFF = "an admin with a session"


@pytest.mark.parametrize("name", sorted(NEEDS))
@pytest.mark.parametrize("scope", list(Scope))
def test_scopes_and_endpoints(name: str, scope: Scope, client_with: Callable[..., ApiClient]) -> None:
    """Every address and method × every scope: a key does what its scope says and nothing else."""
    client = client_with(scope)
    for method, needed in NEEDS[name].items():
        answer = client.send(method, address_of(name), {})
        if scope == needed:
            assert answer.status_code not in {401, 403}, method
        else:
            assert needed in problem(answer, 403)["detail"], method


@pytest.mark.parametrize("name", sorted(NEEDS))
def test_a_key_in_a_page_opens_events_slots_and_subscriptions_alone(
    name: str, client_with: Callable[..., ApiClient]
) -> None:
    """With all scopes that it may have, and from its own origin or none."""
    scopes = (Scope.EVENTS_WRITE, Scope.RECOMMENDATIONS_READ, Scope.PUSH_SUBSCRIBE)
    client = client_with(*scopes, origins=["https://shop.example"])
    own = {**client.headers, "Origin": "https://shop.example"}
    for method, needed in NEEDS[name].items():
        told = client.send(method, address_of(name), {})
        client.headers, without = own, client.headers
        asked = client.send(method, address_of(name), {})
        client.headers = without
        if needed is Scope.EVENTS_WRITE:
            assert 403 not in {told.status_code, asked.status_code}, method
        elif name in {"recommend", "recommend-page"}:
            assert (told.status_code, asked.status_code) == (403, 200), method
        elif needed is Scope.PUSH_SUBSCRIBE:
            assert told.status_code == 403 != asked.status_code, method
        else:
            problem(told, 403)
            problem(asked, 403)


@pytest.mark.parametrize("name", sorted(NEEDS))
@pytest.mark.parametrize("principal", list(Principal))
def test_an_invalid_or_no_key_is_a_401(name: str, principal: Principal, client_with: Callable[..., ApiClient]) -> None:
    client = client_with(*Scope)
    prefix, _, secret = client.headers["Authorization"].removeprefix("Api-Key ").partition(".")
    own = ApiKey.objects.filter(prefix=prefix)
    match principal:
        case Principal.NOBODY:
            client.headers = {}
        case Principal.STRANGER:
            client.headers = {"Authorization": f"Api-Key 0123456789ab.{secret}"}
        case Principal.FORGER:
            client.headers = {"Authorization": f"Api-Key {prefix}.{secret[:-1]}"}
        case Principal.REVOKED:
            own.update(revoked_at=timezone.now())
        case Principal.EXPIRED:
            own.update(expires_at=timezone.now() - timedelta(seconds=1))
        case Principal.STAFF:
            staff = Staff.objects.create_user("ada@example.com", "a long password", role=Role.ADMIN)
            client.headers = {}
            client._client.force_login(staff, backend="django.contrib.auth.backends.ModelBackend")
    keys.key_ring.drop()
    for method in (*NEEDS[name], "OPTIONS"):
        answer = client.send(method, address_of(name), {})
        problem(answer, 401)
        assert answer["WWW-Authenticate"].startswith("Api-Key")


def test_a_key_that_writes_events_reads_nothing(client_with: Callable[..., ApiClient]) -> None:
    """A key that writes events reads neither customers nor events: verdicts tell what was sent, and if it was new."""
    secret = "u-private-4711"
    writer = client_with(Scope.EVENTS_WRITE)
    sent = {"event_id": "0192f0c1-0000-7000-8000-000000000001", "name": "search", "search_term": "insulin"}
    sent |= {"timestamp": timezone.now().isoformat(), "user_id": secret, "anonymous_id": "a-private-1"}
    assert writer.post("/api/v1/events/", sent).json()["accepted"] == 1
    probes: list[dict[str, Any]] = [
        sent,
        {**sent, "user_id": "u2"},  # another customer repeats the event of the first
        {**sent, "event_id": "0192f0c1-0000-7000-8000-000000000002", "user_id": "u2"},
        {**sent, "event_id": "0192f0c1-0000-7000-8000-000000000003", "name": "view_item", "items": [{"item_id": "x"}]},
        {**sent, "consent": {"personalisation": 1}},
    ]
    answers = [writer.post("/api/v1/events/", probe).content.decode() for probe in probes]
    row = Event.objects.values("customer_id", "search_term", "received_at")[0]
    words = [secret, "a-private-1", "insulin", str(row["received_at"]), "customer", "personalis"]
    leaks = {word for word in words for answer in answers if word in answer}
    assert leaks <= {"personalis"}  # the name of the field that the last probe got wrong
    assert json.loads(answers[1])["results"] == [{"verdict": "duplicate", "event_id": sent["event_id"]}]


@here
def test_no_session_is_made(client_with: Callable[..., ApiClient]) -> None:
    answer = client_with(Scope.METRICS_READ).get("/careful/")
    assert not answer.cookies


@here
def test_the_secret_is_in_no_log(client_with: Callable[..., ApiClient], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client = client_with(Scope.METRICS_READ)
    secret = client.headers["Authorization"].partition(".")[2]
    client.get("/careful/")
    client.get("/forgetful/")
    ApiClient(f"Api-Key unknown.{secret}").get("/careful/")
    assert caplog.records
    assert not any(secret in str(vars(record)) for record in caplog.records)
