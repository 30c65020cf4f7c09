"""Keys of the API are stored as hashes, revoked at once, and at work while PostgreSQL or Valkey is away."""

import hashlib
import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from recommendations.models import ApiKey, AuditEntry
from recommendations.services.access import keys
from recommendations.store.live import fetch
from recommendations.terms import Scope, Side
from tests.dead_servers import dead_database, dead_valkey


def wait_until(true: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.02)
    return False


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


def test_a_key_that_was_read_works_without_any_server(transactional_db: None) -> None:
    key, secret = keys.create_key(name="Shop", scopes=[Scope.EVENTS_WRITE], by=None)
    token = f"{key.prefix}.{secret}"
    assert keys.find_key(token) is not None
    with dead_valkey(), dead_database():
        begin = time.monotonic()
        matches = [keys.find_key(token) for _ in range(100)]
        assert all(matches)
        assert time.monotonic() - begin < 1
        assert keys.count_request(matches[0]).taken  # type: ignore[arg-type]


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


@pytest.mark.django_db
@pytest.mark.parametrize(
    "scopes",
    [
        list(Scope),
        [Scope.RECOMMENDATIONS_READ],
        [Scope.EVENTS_WRITE, Scope.METRICS_READ],
        [Scope.EVENTS_WRITE, Scope.RECOMMENDATIONS_READ, Scope.IDENTITY_PROVE],
    ],
)
def test_only_a_key_that_does_little_stands_in_a_page(scopes: list[Scope]) -> None:
    with pytest.raises(keys.ReadablePageKeyError):
        keys.create_key(name="Shop", scopes=scopes, origins=["https://shop.example"], by=None)
    key, _ = keys.create_key(name="Shop", scopes=scopes, by=None)
    with pytest.raises(keys.ReadablePageKeyError):
        keys.create_key(name="Shop", scopes=scopes, side=Side.PAGE, by=None)
    with pytest.raises(IntegrityError, match="a_key_in_a_page_does_little"), transaction.atomic():
        ApiKey.objects.filter(pk=key.pk).update(side=Side.PAGE)
    with pytest.raises(IntegrityError, match="only_pages_have_origins"), transaction.atomic():
        ApiKey.objects.filter(pk=key.pk).update(origins=["https://shop.example"], scopes=[Scope.EVENTS_WRITE])


@pytest.mark.django_db
def test_a_key_in_a_page_asks_for_the_origins_that_it_names() -> None:
    asks = [Scope.RECOMMENDATIONS_READ, Scope.EVENTS_WRITE]
    key, _ = keys.create_key(name="Shop", scopes=asks, origins=["https://shop.example"], by=None)
    assert (key.side, key.scopes) == (Side.PAGE, ["events:write", "recommendations:read"])
    with pytest.raises(keys.ReadablePageKeyError):
        keys.create_key(name="Shop", scopes=asks, side=Side.PAGE, by=None)
    with pytest.raises(IntegrityError, match="a_key_in_a_page_does_little"), transaction.atomic():
        ApiKey.objects.filter(pk=key.pk).update(origins=[])


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


def marks() -> Any:
    return fetch.state_of(None, since=None).changed


def test_making_a_key_tells_every_process(transactional_db: None) -> None:
    before = marks()
    keys.create_key(name="Shop", scopes=[Scope.EVENTS_WRITE], by=None)
    assert marks().get("keys") != (before or {}).get("keys")
