"""Valkey's append-only file after an erasure: old commands with the person's keys are no longer in it."""

import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis
from django.conf import LazySettings
from django.utils import timezone

from recommendations.models import Customer, PrivacyRequest
from recommendations.privacy_terms import LiveLog, RequestState
from recommendations.services.privacy import closing, work
from recommendations.services.privacy.requests import EraseAsk, ask_erase
from recommendations.store.erasure.subjects import subject_of
from recommendations.store.holders import registry
from recommendations.store.holders.live import LIVE
from recommendations.store.live import valkey as link
from recommendations.store.valkey_keys import RECENT
from tests.dead_servers import dead_valkey
from tests.privacy_holders import JoinHolder, TasteHolder, somebody

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _holders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "HOLDERS", (TasteHolder(), JoinHolder(), LIVE))


@pytest.fixture
def keeping(valkey: redis.Redis) -> Iterator[redis.Redis]:
    """Valkey that keeps every write in its file."""
    valkey.config_set("appendonly", "yes")
    _wait(valkey)
    yield valkey
    _wait(valkey)
    valkey.config_set("appendonly", "no")


def _wait(valkey: redis.Redis) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        told = valkey.info("persistence")
        if not told["aof_rewrite_in_progress"] and not told["aof_rewrite_scheduled"]:
            return
        time.sleep(0.02)
    raise AssertionError("the file is still being rewritten")


def in_files(valkey: redis.Redis, text: str) -> bool:
    """Whether a text stands in a part of the append-only file."""
    told = valkey.config_get("*dir*")
    folder = Path(told["dir"]) / told["appenddirname"]
    return any(text.encode() in part.read_bytes() for part in folder.iterdir())


def erased() -> PrivacyRequest:
    request = ask_erase(EraseAsk(user_id="ada"), by=None, now=timezone.now())
    work.do_request(request.pk)
    request.refresh_from_db()
    assert request.state == RequestState.DONE
    return request


def followed(request: PrivacyRequest) -> str | None:
    """What is noted of the file after one look of the beat."""
    closing.close_erasures(timezone.now())
    request.refresh_from_db()
    return request.options.get("live_log")


def test_old_commands_with_a_persons_keys_go_from_the_file(keeping: redis.Redis) -> None:
    key = somebody("ada").pk
    keeping.zadd(RECENT.of(key), {"4": 1.0})
    name = RECENT.of(key)
    request = erased()
    assert subject_of("ada", []).keys == set()
    assert not keeping.exists(name)
    assert in_files(keeping, name)  # as the command that wrote it, and the one that deleted it

    assert followed(request) == LiveLog.BEGUN
    _wait(keeping)
    assert followed(request) == LiveLog.REWRITTEN
    assert not in_files(keeping, name)
    assert followed(request) == LiveLog.REWRITTEN


def test_without_such_a_file_there_is_nothing_to_do(valkey: redis.Redis) -> None:
    somebody("ada")
    assert followed(erased()) == LiveLog.ABSENT


def test_a_server_that_refuses_is_said_and_fails_nothing(keeping: redis.Redis, settings: LazySettings) -> None:
    somebody("ada")
    request = erased()
    keeping.execute_command("ACL", "SETUSER", "frugal", "on", ">secret", "~*", "&*", "+@all", "-bgrewriteaof")
    place = urlsplit(settings.REDIS_URL)
    settings.REDIS_URL = f"redis://frugal:secret@{place.hostname}:{place.port}{place.path}"
    link.valkey.cache_clear()
    try:
        assert followed(request) == LiveLog.REFUSED
    finally:
        link.valkey.cache_clear()
        keeping.execute_command("ACL", "DELUSER", "frugal")
    assert request.state == RequestState.DONE


def test_while_valkey_is_away_it_waits_for_the_next_minute(valkey: redis.Redis) -> None:
    somebody("ada")
    request = erased()
    with dead_valkey():
        assert followed(request) is None
    assert Customer.objects.filter(erased_at=None).count() == 0
    assert followed(request) == LiveLog.ABSENT
