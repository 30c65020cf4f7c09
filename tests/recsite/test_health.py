"""Alive and ready: what is missing is named, and nobody has to sign in."""

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from recommendations.models import ModelVersion, Run, ShopSetting
from recommendations.terms import VersionStatus

pytestmark = pytest.mark.django_db


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
    settings.PSEUDONYM_KEY = "another-key-0123456789-0123456789-0123456789"
    assert list(client.get("/readyz").json()["missing"]) == ["pseudonym_key"]
    assert ShopSetting.objects.count() >= 1


def test_valkey_that_does_not_answer_is_named(client: Client, settings: Settings) -> None:
    go_live()
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["missing"] == {"valkey": "Valkey does not answer (ConnectionError)."}


def test_readyz_is_only_read(client: Client) -> None:
    assert client.post("/readyz").status_code == 405
