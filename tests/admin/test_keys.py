"""API keys in the admin: the secret is shown once and works, the digest never, a revoked key is refused."""

import re
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from recommendations.models import ApiKey, AuditEntry
from recommendations.services.access import keys
from recommendations.terms import Role, Scope

pytestmark = pytest.mark.django_db
LIST = reverse("admin:recommendations_apikey_changelist")
ADD = reverse("admin:recommendations_apikey_add")
FORM = {
    "name": "Shop", "side": "server", "scopes": ["events:write", "recommendations:read"], "requests_per_minute": "600"
}  # fmt: skip


def test_the_secret_is_shown_once_and_works(admin: Client) -> None:
    answer = admin.post(ADD, FORM)
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    key = ApiKey.objects.get()
    token = re.search(rf'value="({key.prefix}\.[\w-]+)"', answer.content.decode())
    assert token is not None
    keys.key_ring.drop()
    api_key = keys.find_key(token[1])
    assert api_key is not None
    assert (api_key.scopes, api_key.requests_per_minute) == ({Scope.EVENTS_WRITE, Scope.RECOMMENDATIONS_READ}, 600)
    assert key.created_by is not None
    assert key.created_by.role == Role.ADMIN
    assert AuditEntry.objects.get().verb == "create"
    secret = token[1].partition(".")[2]
    for page in (LIST, reverse("admin:recommendations_apikey_change", args=[key.pk]), reverse("admin:index")):
        text = admin.get(page).content.decode()
        assert secret not in text
        assert key.digest not in text


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"scopes": []},
        {"scopes": ["all"]},
        {"requests_per_minute": "-1"},
        {"side": "page", "scopes": ["events:write"], "origins": "shop.example"},
        {"scopes": ["events:write"], "origins": "\n".join(f"https://s{number}.example" for number in range(21))},
        {"side": "page", "origins": "https://shop.example"},  # a key that reads, in a page
        {"scopes": ["events:write"], "origins": "https://shop.example"},  # a key of a server, in a page
        {"side": "till"},
    ],
)
def test_a_flawed_form_makes_no_key(admin: Client, change: dict[str, object]) -> None:
    answer = admin.post(ADD, {**FORM, **change})
    assert answer.status_code == 200
    assert answer.context["errors"]
    assert not ApiKey.objects.exists()


def test_a_key_for_the_pages_of_the_shop(admin: Client) -> None:
    form = {
        **FORM,
        "side": "page",
        "scopes": ["events:write"],
        "origins": "https://Shop.example/\r\n\r\nhttp://localhost:3000",
    }
    assert admin.post(ADD, form).status_code == 200
    key = ApiKey.objects.get()
    assert key.origins == ["http://localhost:3000", "https://shop.example"]
    assert (
        "https://shop.example"
        in admin.get(reverse("admin:recommendations_apikey_change", args=[key.pk])).content.decode()
    )


def test_a_key_is_replaced_and_the_old_one_works_for_a_day(admin: Client) -> None:
    key, secret = keys.create_key(name="Shop", scopes=[Scope.EVENTS_WRITE], by=None)
    answer = admin.post(LIST, {"action": "rotate", "_selected_action": [key.pk]})
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    newer = ApiKey.objects.get(expires_at=None)
    token = re.search(rf'value="({newer.prefix}\.[\w-]+)"', answer.content.decode())
    assert token is not None
    assert "goes on working until" in answer.content.decode()
    keys.key_ring.drop()
    assert keys.find_key(token[1]) is not None
    assert keys.find_key(f"{key.prefix}.{secret}") is not None
    assert AuditEntry.objects.get(verb="rotate").staff is not None
    again = admin.post(LIST, {"action": "rotate", "_selected_action": [key.pk]}, follow=True)
    assert "was replaced before" in again.content.decode()
    both = admin.post(LIST, {"action": "rotate", "_selected_action": [key.pk, newer.pk]}, follow=True)
    assert "Choose one key" in both.content.decode()
    assert ApiKey.objects.count() == 2
    assert token[1].partition(".")[2] not in admin.get(LIST).content.decode()


def test_a_revoked_key_is_refused(admin: Client) -> None:
    key, secret = keys.create_key(name="Shop", scopes=[Scope.EVENTS_WRITE], by=None)
    answer = admin.post(LIST, {"action": "revoke", "_selected_action": [key.pk]}, follow=True)
    assert "1 key was revoked." in answer.content.decode()
    keys.key_ring.drop()
    assert keys.find_key(f"{key.prefix}.{secret}") is None
    answer = admin.post(LIST, {"action": "revoke", "_selected_action": [key.pk]}, follow=True)
    assert "0 keys were revoked." in answer.content.decode()


def test_a_key_is_not_changed(admin: Client) -> None:
    key, _ = keys.create_key(name="Shop", scopes=[Scope.EVENTS_WRITE], by=None)
    page = reverse("admin:recommendations_apikey_change", args=[key.pk])
    assert admin.post(page, {**FORM, "name": "Mine"}).status_code == 403
    key.refresh_from_db()
    assert key.name == "Shop"


def test_the_catalogue_admin_sees_no_keys(signed_in: Callable[[Role], Client]) -> None:
    client = signed_in(Role.CATALOGUE_ADMIN)
    assert client.get(LIST).status_code == 403
    assert client.post(ADD, FORM).status_code == 403
    assert not ApiKey.objects.exists()
