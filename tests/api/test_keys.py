"""Keys of the API: hashed, scoped, limited, revocable, and at work while PostgreSQL or Valkey is away."""

import hashlib
import json
import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum
from typing import Any

import pytest
import redis
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import get_resolver, path, resolve, reverse
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.views import APIView

from recommendations.api import urls
from recommendations.models import ApiKey, AuditEntry, Event, Staff
from recommendations.services.access import keys
from recommendations.services.access.rates import RateLimiter
from recommendations.store.live import fetch
from recommendations.store.live.valkey import Link, valkey
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
    "merge-users": {"POST": Scope.EVENTS_WRITE},
    "recommend": {"GET": Scope.RECOMMENDATIONS_READ, "POST": Scope.RECOMMENDATIONS_READ},
    "recommend-to-many": {"POST": Scope.RECOMMENDATIONS_READ},
    "similar-items": {"GET": Scope.RECOMMENDATIONS_READ},
    "also-bought-items": {"GET": Scope.RECOMMENDATIONS_READ},
    "catalogue-item": dict.fromkeys(("PUT", "PATCH", "DELETE"), Scope.CATALOGUE_WRITE),
    "catalogue-items": dict.fromkeys(("POST", "PATCH"), Scope.CATALOGUE_WRITE),
    "interests": {"GET": Scope.RECOMMENDATIONS_READ},
    "metrics": {"GET": Scope.METRICS_READ},
}
PUBLIC = {"item-tile", "schema", "api-docs", "unknown-path"}
ARGUMENTS = {"placement": "home", "item_id": "SKU1", "user_id": "u1"}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def address_of(name: str) -> str:
    """Address of a view of the API; the dashboard may have a page of the same name, with other arguments."""
    patterns = [parts[0][1] for (parts, *_) in get_resolver().reverse_dict.getlist(name)]
    names = next(arguments for arguments in patterns if ARGUMENTS.keys() >= {*arguments})
    return reverse(name, kwargs={argument: ARGUMENTS[argument] for argument in names})


ADDRESSES = {name: (address_of(name), *next(iter(needs.items()))) for name, needs in NEEDS.items()}
"""Name → address, one of its methods, and the scope that it needs."""


def wait_until(true: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.02)
    return False


# --- made and revoked


@pytest.mark.django_db
def test_only_a_hash_of_the_secret_is_stored() -> None:
    key, secret = keys.create_key(name="Shop", scopes=[Scope.EVENTS_WRITE], by=None)
    row = ApiKey.objects.values().get(pk=key.pk)
    assert row["digest"] == hashlib.sha256(secret.encode()).hexdigest()
    assert secret not in json.dumps(row, default=str)
    assert len(secret) >= 43  # 256 bits
    assert row["scopes"] == ["events:write"]


@pytest.mark.django_db
def test_making_and_revoking_a_key_leaves_a_trail_without_the_secret() -> None:
    key, secret = keys.create_key(name="Shop", scopes=[Scope.EVENTS_WRITE], by=None)
    assert keys.revoke_key(key=key, by=None)
    assert not keys.revoke_key(key=key, by=None)
    entries = list(AuditEntry.objects.order_by("id").values("verb", "after", "label", "note"))
    assert [entry["verb"] for entry in entries] == ["create", "revoke"]
    assert secret not in json.dumps(entries)


# --- who may


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


# --- revoked, unreachable


def test_a_revoked_key_stops_within_a_second(transactional_db: None) -> None:
    key, secret = keys.create_key(name="Shop", scopes=[Scope.EVENTS_WRITE], by=None)
    token = f"{key.prefix}.{secret}"
    assert keys.find_key(token) is not None
    keys.revoke_key(key=key, by=None)
    assert wait_until(lambda: keys.find_key(token) is None, 1)


def test_a_new_key_works_in_a_process_that_has_read_the_others(transactional_db: None) -> None:
    first, secret = keys.create_key(name="Shop", scopes=[Scope.EVENTS_WRITE], by=None)
    assert keys.find_key(f"{first.prefix}.{secret}") is not None
    time.sleep(keys.UNKNOWN + 0.05)
    second, secret = keys.create_key(name="Shop", scopes=[Scope.EVENTS_WRITE], by=None)
    assert keys.find_key(f"{second.prefix}.{secret}") is not None


def test_a_key_that_was_read_works_without_any_server(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    key, secret = keys.create_key(name="Shop", scopes=[Scope.EVENTS_WRITE], by=None)
    token = f"{key.prefix}.{secret}"
    assert keys.find_key(token) is not None
    valkey.cache_clear()
    monkeypatch.setattr("django.conf.settings.REDIS_URL", "redis://127.0.0.1:1/0")
    with dead_database():
        begin = time.monotonic()
        matches = [keys.find_key(token) for _ in range(100)]
        assert all(matches)
        assert time.monotonic() - begin < 1
        assert keys.seconds_to_wait(matches[0]) is None  # type: ignore[arg-type]
    valkey.cache_clear()


def test_a_new_process_reads_the_keys_before_the_first_request(transactional_db: None) -> None:
    key, secret = keys.create_key(name="Shop", scopes=[Scope.EVENTS_WRITE], by=None)
    keys.key_ring.drop()
    keys.prepare()
    with dead_database():
        assert keys.find_key(f"{key.prefix}.{secret}") is not None


def test_a_process_begins_while_postgresql_is_away(transactional_db: None) -> None:
    key, secret = keys.create_key(name="Shop", scopes=[Scope.EVENTS_WRITE], by=None)
    keys.key_ring.drop()
    with dead_database():
        keys.prepare()
    assert wait_until(lambda: _finds(f"{key.prefix}.{secret}"), 5)


def _finds(token: str) -> bool:
    try:
        return keys.find_key(token) is not None
    except DatabaseError:
        return False


class dead_database:  # noqa: N801 - reads as a with statement
    """Context in which the default database's connections lead nowhere."""

    def __enter__(self) -> None:
        connection.close()
        connection.close_pool()  # type: ignore[attr-defined]
        self._host = connection.settings_dict["HOST"], connection.settings_dict["PORT"]
        connection.settings_dict.update(HOST="127.0.0.1", PORT="1")

    def __exit__(self, *_error: object) -> None:
        connection.close()
        connection.close_pool()  # type: ignore[attr-defined]
        host, port = self._host
        connection.settings_dict.update(HOST=host, PORT=port)


# --- replaced


@pytest.mark.django_db
def test_a_replaced_key_and_its_successor_may_do_the_same() -> None:
    old, secret = keys.create_key(
        name="Shop", scopes=[Scope.EVENTS_WRITE], origins=["https://shop.example"], requests_per_minute=7, by=None
    )
    before = timezone.now()
    new, other = keys.rotate_key(key=old, by=None)
    assert (new.prefix, other) != (old.prefix, secret)
    both = [keys.find_key(f"{old.prefix}.{secret}"), keys.find_key(f"{new.prefix}.{other}")]
    facts = [(key.scopes, key.origins, key.requests_per_minute) for key in both if key]
    assert facts == [({Scope.EVENTS_WRITE}, {"https://shop.example"}, 7)] * 2
    old.refresh_from_db()
    assert old.expires_at is not None
    assert timedelta(0) <= old.expires_at - before - keys.GRACE < timedelta(seconds=5)
    assert new.expires_at is None
    entry = AuditEntry.objects.get(verb="rotate")
    assert (entry.object_id, entry.after) == (
        str(old.pk),
        {"expires_at": old.expires_at.isoformat(), "replaced_by": new.prefix},
    )
    assert not any(word in json.dumps(list(AuditEntry.objects.values("after", "label"))) for word in (secret, other))


@pytest.mark.django_db
def test_a_replaced_key_expires_to_the_microsecond() -> None:
    old, _secret = keys.create_key(name="Shop", scopes=[Scope.EVENTS_WRITE], origins=["https://shop.example"], by=None)
    keys.rotate_key(key=old, by=None)
    old.refresh_from_db()
    assert old.expires_at is not None
    ApiKey.objects.exclude(pk=old.pk).update(origins=[])
    ends, now = old.expires_at, [timezone.now()]
    ring = keys.KeyRing(now=lambda: now[0])
    for moment, valid in [(now[0], True), (ends - timedelta(microseconds=1), True), (ends, False)]:
        now[0] = moment
        assert (ring.find(old.prefix) is not None) == valid
        assert ring.knows_origin("https://shop.example") == valid


@pytest.mark.django_db
def test_a_key_is_replaced_once_and_while_it_is_valid() -> None:
    key, _ = keys.create_key(name="Shop", scopes=[Scope.EVENTS_WRITE], by=None)
    newer, _ = keys.rotate_key(key=key, by=None)
    with pytest.raises(keys.NotReplaceableError):
        keys.rotate_key(key=key, by=None)
    keys.revoke_key(key=newer, by=None)
    with pytest.raises(keys.NotReplaceableError):
        keys.rotate_key(key=newer, by=None)
    assert ApiKey.objects.count() == 2


def test_replacing_a_key_twice_at_once_makes_one_key(transactional_db: None) -> None:
    key, _ = keys.create_key(name="Shop", scopes=[Scope.EVENTS_WRITE], by=None)
    successors, refused = [], []

    def replace() -> None:
        try:
            successors.append(keys.rotate_key(key=key, by=None))
        except keys.NotReplaceableError as error:
            refused.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=replace) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(successors), len(refused), ApiKey.objects.count()) == (1, 3, 2)


def test_every_process_learns_of_a_replaced_key_within_a_second(transactional_db: None) -> None:
    old, _secret = keys.create_key(name="Shop", scopes=[Scope.EVENTS_WRITE], by=None)
    process = keys.KeyRing()
    assert process.find(old.prefix) is not None
    new, _ = keys.rotate_key(key=old, by=None, grace=timedelta(seconds=0))
    assert wait_until(lambda: process.find(old.prefix) is None, 1)
    assert wait_until(lambda: process.find(new.prefix) is not None, 1)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "scopes", [list(Scope), [Scope.RECOMMENDATIONS_READ], [Scope.EVENTS_WRITE, Scope.METRICS_READ]]
)
def test_only_a_key_that_reads_nothing_has_origins(scopes: list[Scope]) -> None:
    with pytest.raises(keys.OriginsNeedEventsOnlyError):
        keys.create_key(name="Shop", scopes=scopes, origins=["https://shop.example"], by=None)
    key, _ = keys.create_key(name="Shop", scopes=scopes, by=None)
    with pytest.raises(IntegrityError, match="only_a_key_that_reads_nothing_has_origins"), transaction.atomic():
        ApiKey.objects.filter(pk=key.pk).update(origins=["https://shop.example"])


# --- last used


def test_the_last_use_is_noted_once_a_minute(transactional_db: None) -> None:
    key, secret = keys.create_key(name="Shop", scopes=[Scope.EVENTS_WRITE], by=None)
    keys.find_key(f"{key.prefix}.{secret}")

    def noted() -> bool:
        key.refresh_from_db()
        return key.last_used_at is not None

    assert wait_until(noted, 3)
    first = key.last_used_at
    keys.key_ring.drop()  # another process
    keys.find_key(f"{key.prefix}.{secret}")
    time.sleep(0.3)
    key.refresh_from_db()
    assert key.last_used_at == first
    ApiKey.objects.update(last_used_at=timezone.now() - timedelta(seconds=61))
    keys.key_ring.drop()
    keys.find_key(f"{key.prefix}.{secret}")
    assert wait_until(lambda: noted() and key.last_used_at > first, 3)  # type: ignore[operator]


# --- how often


@here
def test_too_many_requests_are_told_when_to_come_back(client_with: Callable[..., ApiClient]) -> None:
    client = client_with(Scope.METRICS_READ, requests_per_minute=5)
    other = client_with(Scope.METRICS_READ, requests_per_minute=5)
    answers = [client.get("/careful/") for _ in range(9)]
    statuses = [answer.status_code for answer in answers]
    assert statuses.count(200) == 5 or crosses_a_minute(statuses)
    refused = answers[-1]
    problem(refused, 429)
    assert 1 <= int(refused["Retry-After"]) <= 60
    assert other.get("/careful/").status_code == 200


def crosses_a_minute(statuses: list[int]) -> bool:
    """Whether a minute began while the test ran, so that counting began again."""
    return statuses.count(200) > 5 and 429 in statuses


def test_processes_share_the_limit_of_a_key(valkey: redis.Redis) -> None:
    now = [1_000_000.0]
    processes = [RateLimiter(clock=lambda: now[0]) for _ in range(3)]
    passed = 0
    for request in range(3_000):
        now[0] += 0.001
        passed += processes[request % 3].seconds_to_wait("k", limit=1_000) is None
    assert 1_000 <= passed <= 1_050
    now[0] += 60
    assert processes[0].seconds_to_wait("k", limit=1_000) is None


def test_a_small_limit_is_exact_over_processes(valkey: redis.Redis) -> None:
    processes = [RateLimiter(clock=lambda: 1_000_000.0) for _ in range(4)]
    assert sum(processes[n % 4].seconds_to_wait("k", limit=10) is None for n in range(40)) == 10


def test_threads_count_each_request_once(valkey: redis.Redis) -> None:
    limiter, passed = RateLimiter(clock=lambda: 1_000_000.0), []
    threads = [
        threading.Thread(target=lambda: passed.extend(limiter.seconds_to_wait("k", limit=200) for _ in range(100)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 196 <= passed.count(None) <= 204


def test_without_valkey_each_process_keeps_to_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recommendations.services.access.rates.valkey", lambda: Link("redis://127.0.0.1:1/0"))
    limiter = RateLimiter(clock=lambda: 1_000_000.0)
    waits = [limiter.seconds_to_wait("k", limit=10) for _ in range(15)]
    assert waits.count(None) == 10
    assert waits[-1] == pytest.approx(60 - 1_000_000.0 % 60)


# --- kept out of the logs


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


def marks() -> Any:
    return fetch.state_of(None, since=None).changed


def test_making_a_key_tells_every_process(transactional_db: None) -> None:
    before = marks()
    keys.create_key(name="Shop", scopes=[Scope.EVENTS_WRITE], by=None)
    assert marks().get("keys") != (before or {}).get("keys")
