"""Webhooks in the dashboard: a secret is shown once, a test says whether it is set up, who may not change it looks."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from django.conf import LazySettings
from django.conf import settings as own_settings
from django.test import Client
from django.urls import reverse
from standardwebhooks.webhooks import Webhook as Reference

from recommendations.models import AuditEntry, Endpoint
from recommendations.terms import Role
from tests.channels.web_server import WebServer, web_server

pytestmark = pytest.mark.django_db
LIST, NEW = reverse("webhooks"), reverse("new_webhook")
FORM = {"name": "ERP", "url": "https://erp.shop.example/hooks?token=s3cret"}


@pytest.fixture
def receiver(settings: LazySettings) -> Iterator[WebServer]:
    with web_server(status=204, body=b"") as own:
        settings.WEBHOOK_HOSTS = [own.origin]
        yield own


def secret_of(page: str) -> str:
    shown = re.search(r'value="(whsec_[A-Za-z0-9+/=]+)"', page)
    assert shown is not None
    return shown[1]


def page_of(client: Client) -> str:
    return client.get(LIST).content.decode()


def test_the_secret_is_shown_once_and_the_address_without_what_may_be_secret(admin: Client) -> None:
    assert "No webhooks yet" in page_of(admin)
    answer = admin.post(NEW, FORM)
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    secret = secret_of(answer.content.decode())
    page = page_of(admin)
    assert "https://erp.shop.example/hooks?…" in page
    assert "s3cret" not in page
    assert secret not in page
    assert Endpoint.objects.get().author is not None


def test_an_address_that_is_not_spoken_to_is_refused_with_what_to_write(admin: Client) -> None:
    page = admin.post(NEW, FORM | {"url": "http://169.254.169.254/"}).content.decode()
    assert "WEBHOOK_HOSTS" in page
    page = admin.post(NEW, FORM | {"url": "https://10.0.0.5:8443/hooks"}).content.decode()
    assert "set WEBHOOK_HOSTS=https://10.0.0.5:8443" in page
    assert not Endpoint.objects.exists()


def test_a_name_that_turns_out_to_be_inside_is_told_with_its_remedy(admin: Client) -> None:
    admin.post(NEW, FORM | {"url": "https://localhost/hooks"})
    address = reverse("try_webhook", args=[Endpoint.objects.get().pk])
    page = admin.post(address, follow=True).content.decode()
    assert "set WEBHOOK_HOSTS=https://localhost" in page
    assert "ForbiddenAddressError" not in page


def test_a_test_is_signed_and_its_answer_is_told(admin: Client, receiver: WebServer) -> None:
    secret = secret_of(admin.post(NEW, FORM | {"url": receiver.origin}).content.decode())
    address = reverse("try_webhook", args=[Endpoint.objects.get().pk])
    assert "ERP took a signed test." in admin.post(address, follow=True).content.decode()
    page = page_of(admin)
    assert "just now" in page
    [post] = receiver.posts
    assert Reference(secret).verify(post.body, post.headers)["type"] == "recommendations.ping"
    receiver.status = 500
    assert "ERP did not take a test: HTTP 500." in admin.post(address, follow=True).content.decode()


def test_a_new_secret_is_shown_once_with_how_long_the_old_one_signs(admin: Client) -> None:
    old = secret_of(admin.post(NEW, FORM).content.decode())
    page = admin.post(reverse("change_webhook_secret", args=[Endpoint.objects.get().pk])).content.decode()
    assert secret_of(page) != old
    assert "signed with the secret before as well" in page


def test_it_is_switched_off_and_on_again(admin: Client) -> None:
    admin.post(NEW, FORM)
    address = reverse("switch_webhook", args=[Endpoint.objects.get().pk])
    assert "ERP is off" in admin.post(address, {"on": "no"}, follow=True).content.decode()
    assert not Endpoint.objects.get().enabled
    assert "ERP is in use" in admin.post(address, {"on": "yes"}, follow=True).content.decode()
    assert list(AuditEntry.objects.order_by("pk").values_list("verb", flat=True))[-2:] == ["switch off", "switch on"]
    assert admin.get(reverse("activity")).status_code == 200


def test_one_that_switched_itself_off_is_told_where_campaigns_are(admin: Client) -> None:
    Endpoint.objects.create(name="ERP", url=FORM["url"], sealed_secret=b"", enabled=False, off_reason="It is gone.")
    assert "“ERP” is switched off." in admin.get(reverse("campaigns")).content.decode()
    assert "It is gone." in page_of(admin)


def test_one_that_fails_says_since_when(admin: Client) -> None:
    since = datetime(2026, 9, 1, 12, tzinfo=UTC)
    Endpoint.objects.create(name="ERP", url=FORM["url"], sealed_secret=b"", failing_since=since)
    assert "failing since" in page_of(admin)


def test_without_keys_nothing_can_be_made(admin: Client, settings: LazySettings) -> None:
    settings.CONTACT_KEYS = []
    assert "CONTACT_KEYS" in page_of(admin)
    assert "CONTACT_KEYS" in admin.post(NEW, FORM).content.decode()
    assert not Endpoint.objects.exists()


def test_others_look_and_change_nothing(client_of: Callable[[Role], Client]) -> None:
    merchandiser = client_of(Role.MERCHANDISER)
    Endpoint.objects.create(name="ERP", url=FORM["url"], sealed_secret=b"")
    page = page_of(merchandiser)
    assert "https://erp.shop.example</code>" in page
    assert "Send a test" not in page
    assert merchandiser.post(NEW, FORM).status_code == 403


def test_the_page_speaks_chinese(admin: Client) -> None:
    admin.cookies[own_settings.LANGUAGE_COOKIE_NAME] = "zh-hans"
    assert "还没有 Webhook" in page_of(admin)
