"""Django's cache where Valkey is there, away and full."""

from collections.abc import Iterator
from typing import Any

import pytest
import redis
from axes.handlers.proxy import AxesProxyHandler
from celery import current_app
from django.conf import LazySettings, settings
from django.test import Client
from kombu.exceptions import OperationalError

from recommendations.models import Staff
from recommendations.services.access import passwords
from recommendations.store.live.django_cache import Cache
from tests.side_threads import end_threads

AWAY = "redis://127.0.0.1:1/0"
PASSWORD = "correct horse battery"


@pytest.fixture
def there(valkey: redis.Redis) -> Cache:
    return Cache(settings.REDIS_URL, {"KEY_PREFIX": "cache"})


@pytest.fixture
def away() -> Cache:
    return Cache(AWAY, {"KEY_PREFIX": "cache"})


def counted(cache: Cache) -> list[Any]:
    """Count as the lock of the login does."""
    return [
        cache.get("n", 0), cache.add("n", 1, 60), cache.add("n", 1, 60), cache.incr("n"), cache.touch("n", 60),
        cache.get("n"), cache.delete("n"), cache.get("n"), cache.delete("n"),
    ]  # fmt: skip


RIGHT = [0, True, False, 2, True, 2, True, None, False]


def test_the_cache_behaves_alike_with_and_without_valkey(there: Cache, away: Cache) -> None:
    assert counted(there) == RIGHT
    assert counted(away) == RIGHT


def test_all_threads_and_caches_of_a_process_count_together_without_valkey(away: Cache) -> None:
    away.set("n", 4)
    assert Cache(AWAY, {"KEY_PREFIX": "cache"}).incr("n") == 5


def test_counts_that_a_full_valkey_refuses_stay_in_the_process(there: Cache, valkey: redis.Redis) -> None:
    there.set("n", 1)
    limit = valkey.config_get("maxmemory")["maxmemory"]
    valkey.config_set("maxmemory", 1)
    try:
        assert there.incr("n") == 2
        assert there.incr("n") == 3
        assert there.get("n") == 3
        assert there.add("m", 1, 60) is True
        assert there.add("m", 1, 60) is False
    finally:
        valkey.config_set("maxmemory", limit)
    there.set("n", 9)
    assert Cache(settings.REDIS_URL, {"KEY_PREFIX": "cache"}).get("n") == 9


@pytest.fixture
def without_valkey(settings: LazySettings) -> Iterator[None]:
    before = settings.CACHES["default"]
    settings.CACHES = {"default": before | {"LOCATION": AWAY}}
    AxesProxyHandler.get_implementation(force=True)
    yield
    settings.CACHES = {"default": before}
    AxesProxyHandler.get_implementation(force=True)


@pytest.mark.django_db
def test_staff_log_in_without_valkey_and_wrong_passwords_are_counted(without_valkey: None, client: Client) -> None:
    ada = Staff.objects.create_user("ada@example.com", PASSWORD)
    eve = Staff.objects.create_user("eve@example.com", PASSWORD)
    answers = [
        client.post("/login/", {"username": ada.email, "password": "wrong"}).status_code
        for _ in range(settings.AXES_FAILURE_LIMIT)
    ]
    assert answers == [200] * (settings.AXES_FAILURE_LIMIT - 1) + [429]
    assert client.post("/login/", {"username": ada.email, "password": PASSWORD}).status_code == 429
    assert client.post("/login/", {"username": eve.email, "password": PASSWORD}).status_code == 302


@pytest.mark.django_db
def test_a_forgotten_password_is_helped_once_a_minute_without_valkey(
    without_valkey: None, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No worker can be reached either, so the web process sends the link."""

    def away(*_arguments: object, **_options: object) -> None:
        raise OperationalError

    monkeypatch.setattr(current_app, "send_task", away)
    sent: list[str] = []
    monkeypatch.setattr(passwords, "send_link", sent.append)
    for _ in range(2):
        assert client.post("/password/", {"email": "ada@example.com"}).status_code == 302
    end_threads("password-link")
    assert sent == ["ada@example.com"]
