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
        {"side": "page"},  # a key that asks, of no origin
        {"side": "page", "origins": "https://shop.example", "scopes": ["events:write", "metrics:read"]},
        {"scopes": ["events:write"], "origins": "https://shop.example"},  # a key of a server, in a page
        {"side": "till"},
        {"requests_per_minute": "0"},
    ],
)
def test_a_flawed_form_makes_no_key(admin: Client, change: dict[str, object]) -> None:
    answer = admin.post(ADD, {**FORM, **change})
    assert answer.status_code == 200
    assert answer.context["errors"]
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize(
    ("change", "errors"),
    [
        ({"lines_per_minute": "0"}, {"lines_per_minute": ["Enter at least 1: with 0 the key could send nothing."]}),
        (
            {"new_people_per_hour": "9"},
            {"new_people_per_hour": ["This limits only a key in a page. Clear the field."]},
        ),
        ({"side": "page", "scopes": []}, {"scopes": ["This field is required."]}),
        (
            {"side": "page", "scopes": ["events:write"], "origins": "shop.example\nhttps://shop.example\n*\nftp://x"},
            {
                "origins": [
                    f"“{text}” is not an origin: write scheme and host, such as https://shop.example."
                    for text in ("shop.example", "*", "ftp://x")
                ]
            },
        ),
    ],
    ids=["nothing could be sent", "no effect", "one reason", "each origin"],
)
def test_a_flaw_is_named_once_and_completely(
    admin: Client, change: dict[str, object], errors: dict[str, list[str]]
) -> None:
    assert admin.post(ADD, {**FORM, **change}).context["adminform"].form.errors == errors
    assert not ApiKey.objects.exists()


def test_a_key_in_a_page_may_ask_for_its_origins(admin: Client) -> None:
    errors = admin.post(ADD, {**FORM, "side": "page"}).context["adminform"].form.errors
    assert errors == {"scopes": ["To do more in a page than send events, a key needs the origins of these pages."]}
    assert admin.post(ADD, {**FORM, "side": "page", "origins": "https://shop.example"}).status_code == 200
    assert ApiKey.objects.get().origins == ["https://shop.example"]


def test_a_key_in_a_page_may_bring_nobody_new(admin: Client) -> None:
    page = {"side": "page", "scopes": ["events:write"], "new_people_per_hour": "0"}
    assert admin.post(ADD, {**FORM, **page}).status_code == 200
    assert ApiKey.objects.get().new_people_per_hour == 0


def test_the_labels_of_the_form(admin: Client) -> None:
    page = admin.get(ADD).content.decode()
    assert re.findall(r"(?:<label[^>]*>|<legend[^>]*>)\s*(Where it is used|May|Origins):", page) == [
        "Where it is used", "May", "Origins"
    ]  # fmt: skip


def test_the_page_of_a_key_says_only_what_happened_to_it(admin: Client) -> None:
    key, _secret = keys.create_key(name="Shop", scopes=[Scope.EVENTS_WRITE], by=None)
    address = reverse("admin:recommendations_apikey_change", args=[key.pk])
    told = ("It was replaced by a new one.", "If it is in a page, replace it.")
    page = admin.get(address).content.decode()
    assert [words in page for words in told] == [False, False]
    keys.rotate_key(key=key, by=None)
    ApiKey.objects.filter(pk=key.pk).update(seen_in_page_at=key.created_at)
    page = admin.get(address).content.decode()
    assert [words in page for words in told] == [True, True]


def test_the_page_of_a_key_replaces_and_revokes_it(admin: Client) -> None:
    key, _secret = keys.create_key(name="Shop", scopes=[Scope.EVENTS_WRITE], by=None)
    address = reverse("admin:recommendations_apikey_change", args=[key.pk])
    form = {"_selected_action": [key.pk], "CHANGE_FORM-action": "rotate"}
    assert "It is shown only once" in admin.post(address, form).content.decode()
    key.refresh_from_db()
    assert key.expires_at is not None
    answer = admin.post(address, {**form, "CHANGE_FORM-action": "revoke"}, follow=True)
    assert "1 key was revoked." in answer.content.decode()


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
    assert "keeps working until" in answer.content.decode()
    keys.key_ring.drop()
    assert keys.find_key(token[1]) is not None
    assert keys.find_key(f"{key.prefix}.{secret}") is not None
    assert AuditEntry.objects.get(verb="rotate").staff is not None
    again = admin.post(LIST, {"action": "rotate", "_selected_action": [key.pk]}, follow=True)
    assert "has already been replaced" in again.content.decode()
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
