"""API keys in the dashboard: the secret is shown once and works; a replaced key has its day, a revoked one none."""

import re

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from recommendations.models import ApiKey, AuditEntry
from recommendations.services.access import keys
from recommendations.terms import Scope

pytestmark = pytest.mark.django_db
LIST, NEW = reverse("api_keys"), reverse("new_api_key")
FORM = {
    "name": "Shop", "side": "server", "scopes": ["events:write", "recommendations:read"], "requests_per_minute": "600"
}  # fmt: skip


def secret_of(page: str) -> str:
    shown = re.search(r'value="([0-9a-f]{12}\.[\w-]+)"', page)
    assert shown is not None
    return shown[1]


def opens(token: str) -> bool:
    keys.key_ring.drop()
    return keys.find_key(token) is not None


@pytest.fixture
def key() -> ApiKey:
    return keys.create_key(name="Till", scopes=[Scope.EVENTS_WRITE], by=None)[0]


def test_the_secret_of_a_new_key_is_shown_once_and_works(admin: Client) -> None:
    answer = admin.post(NEW, FORM)
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    token = secret_of(answer.content.decode())
    assert opens(token)
    key = ApiKey.objects.get()
    assert (key.name, key.requests_per_minute, key.created_by and key.created_by.email) == (
        "Shop", 600, "admin@example.com",
    )  # fmt: skip
    page = admin.get(LIST).content.decode()
    assert key.prefix in page
    assert token.partition(".")[2] not in page
    assert key.digest not in page


def test_the_form_names_each_scope_as_the_docs_do(admin: Client) -> None:
    page = admin.get(NEW).content.decode()
    for scope in Scope:
        offered = scope is not Scope.EVENTS_REPLAY  # no shop of one's own has the demo's replay
        assert (f"<code>{scope}</code>" in page) is offered
    assert "Send addresses and consents <code>contacts:write</code>" in page
    admin.cookies[settings.LANGUAGE_COOKIE_NAME] = "zh-hans"
    assert "发送地址与同意记录 <code>contacts:write</code>" in admin.get(NEW).content.decode()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"scopes": []}, "scopes"),
        ({"side": "page", "scopes": ["events:write"], "origins": "shop.example"}, "origins"),
        ({"side": "page"}, "scopes"),
        ({"requests_per_minute": "0"}, "requests_per_minute"),
    ],
)
def test_a_flawed_form_makes_no_key_and_names_the_field(
    admin: Client, change: dict[str, str | list[str]], field: str
) -> None:
    answer = admin.post(NEW, {**FORM, **change})
    assert (answer.status_code, list(answer.context["form"].errors)) == (200, [field])
    assert f'id="id_{field}_error"' in answer.content.decode()
    assert not ApiKey.objects.exists()


def test_a_key_is_replaced_and_the_old_one_has_its_day(admin: Client, key: ApiKey) -> None:
    page = admin.post(reverse("rotate_api_key", args=[key.pk])).content.decode()
    assert opens(secret_of(page))
    assert "keeps working until" in page
    key.refresh_from_db()
    assert key.expires_at is not None
    again = admin.post(reverse("rotate_api_key", args=[key.pk]), follow=True).content.decode()
    assert "has already been replaced; make a new key." in again
    assert ApiKey.objects.count() == 2


def test_a_revoked_key_is_refused_and_offers_nothing_more(admin: Client, key: ApiKey) -> None:
    page = admin.post(reverse("revoke_api_key", args=[key.pk]), follow=True).content.decode()
    assert "Till is revoked" in page.replace(str(key), "Till")
    key.refresh_from_db()
    assert key.revoked_at is not None
    assert f"revoke-{key.pk}" not in page
    assert AuditEntry.objects.filter(verb="revoke").count() == 1
    assert "already" in admin.post(reverse("revoke_api_key", args=[key.pk]), follow=True).content.decode()
