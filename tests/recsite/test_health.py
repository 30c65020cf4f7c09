"""Alive and ready: what is missing is named, and nobody has to sign in."""

from pathlib import Path

import pytest
import redis
from django.core.management import call_command
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from recommendations.models import ModelVersion, Run, ShopSetting
from recommendations.services.operations import readiness
from recommendations.store.contacts import sealing
from recommendations.store.events import pseudonyms
from recommendations.terms import VersionStatus

pytestmark = pytest.mark.django_db
MANIFEST = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"  # compression alone takes ten seconds


def go_live() -> None:
    run = Run.objects.create(now=timezone.now())
    ModelVersion.objects.create(run=run, status=VersionStatus.READY, is_live=True)


def test_healthz_needs_neither_model_nor_login(client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})
    assert "no-store" in answer["Cache-Control"]


def test_readyz_with_a_live_model(client: Client) -> None:
    go_live()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready", "missing": {}})


def test_a_shop_without_a_model_is_not_ready(client: Client) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert list(answer.json()["missing"]) == ["model_version"]


def test_another_pseudonym_key_is_noticed(client: Client, settings: Settings) -> None:
    go_live()
    assert client.get("/readyz").status_code == 200
    readiness.readiness.drop()
    settings.PSEUDONYM_KEYS = ["another-key-0123456789-0123456789-0123456789"]
    assert list(client.get("/readyz").json()["missing"]) == ["pseudonym_key"]
    assert ShopSetting.objects.count() >= 1


def test_another_contact_hash_key_is_noticed(client: Client, settings: Settings) -> None:
    go_live()
    assert client.get("/readyz").status_code == 200
    readiness.readiness.drop()
    settings.CONTACT_HASH_KEY = "another-key-0123456789-0123456789-0123456789"
    assert list(client.get("/readyz").json()["missing"]) == ["contact_hash_key"]


def test_without_a_contact_hash_key_nothing_is_missing(client: Client, settings: Settings) -> None:
    go_live()
    settings.CONTACT_HASH_KEY = ""
    assert client.get("/readyz").status_code == 200
    assert not ShopSetting.objects.filter(key=sealing.CHECK_VALUE).exists()


def test_a_foreign_database_gets_no_check_of_the_contact_hash_key(client: Client, settings: Settings) -> None:
    ShopSetting.objects.update_or_create(key=pseudonyms.CHECK_VALUE, defaults={"value": "of another installation"})
    assert "pseudonym_key" in client.get("/readyz").json()["missing"]
    assert not ShopSetting.objects.filter(key=sealing.CHECK_VALUE).exists()


def test_valkey_that_does_not_answer_is_named(client: Client, settings: Settings) -> None:
    go_live()
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["missing"] == {"valkey": "Valkey does not answer (ConnectionError)."}


def test_static_files_that_were_not_collected_are_named(client: Client, settings: Settings, tmp_path: Path) -> None:
    go_live()
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": MANIFEST}}
    readiness.missing_static_files.cache_clear()
    try:
        answer = client.get("/readyz")
        assert answer.status_code == 503
        words = answer.json()["missing"]["static_files"]
        assert "more are not collected, so pages fail; run manage.py collectstatic, and start web again." in words
        call_command("collectstatic", verbosity=0, interactive=False)
        settings.STATIC_ROOT = str(tmp_path)  # the storage is made again, as in a process that begins
        readiness.missing_static_files.cache_clear()
        readiness.readiness.drop()
        assert client.get("/readyz").json()["missing"] == {}
        assert client.get("/login/").status_code == 200
    finally:
        readiness.missing_static_files.cache_clear()


def test_readyz_is_only_read(client: Client) -> None:
    assert client.post("/readyz").status_code == 405


def test_a_full_valkey_is_named(client: Client, valkey: redis.Redis) -> None:
    go_live()
    limit = valkey.config_get("maxmemory")["maxmemory"]
    valkey.config_set("maxmemory", 1)
    try:
        answer = client.get("/readyz")
    finally:
        valkey.config_set("maxmemory", limit)
    assert answer.status_code == 503
    assert answer.json()["missing"]["valkey"].startswith("Valkey is full")


def test_a_migration_that_is_not_applied_is_named(client: Client) -> None:
    go_live()
    MigrationRecorder.Migration.objects.filter(app="recommendations").latest("id").delete()
    assert client.get("/readyz").json()["missing"] == {
        "migrations": "1 migrations are not applied; run manage.py migrate."
    }


def test_many_who_ask_cost_the_servers_one_look(
    client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    go_live()
    client.get("/readyz")
    readiness.readiness.drop()
    with django_assert_max_num_queries(6):
        assert {client.get("/readyz").status_code for _ in range(20)} == {200}


def test_a_look_lasts_for_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    looks: list[float] = []
    monkeypatch.setattr(readiness, "_of_database", lambda: looks.append(now[0]) or {})
    monkeypatch.setattr(readiness, "what_valkey_lacks", dict)
    process = readiness.Readiness(clock=lambda: now[0])
    for now[0] in (0.0, 0.5, 0.9, 1.0, 1.5, 2.1):
        process.missing()
    assert looks == [0.0, 1.0, 2.1]
