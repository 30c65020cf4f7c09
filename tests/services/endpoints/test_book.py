"""Webhooks of the shop: made, their secrets changed without a lost message, switched off by what they answer."""

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import LazySettings
from standardwebhooks.webhooks import Webhook as Reference
from standardwebhooks.webhooks import WebhookVerificationError

from recommendations.channels.protocol import Gone, Later, Outcome, Refused, Taken
from recommendations.models import AuditEntry, Endpoint, Staff
from recommendations.services.endpoints import health
from recommendations.services.endpoints.book import (
    MOST,
    ROTATES,
    EndpointError,
    create,
    endpoint_for,
    opened,
    rotate,
    site_of,
    switch,
)
from recommendations.services.endpoints.trying import send_ping
from tests.channels.web_server import web_server

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
URL = "https://erp.shop.example/hooks?token=s3cret"


@pytest.fixture
def staff() -> Staff:
    return Staff.objects.create(email="ann@shop.example", role="admin")


def made(staff: Staff, name: str = "ERP", url: str = URL) -> Endpoint:
    return create(name, url, by=staff, now=NOW).endpoint


def test_a_secret_is_shown_once_and_sealed(staff: Staff) -> None:
    fresh = create(" ERP ", f" {URL} ", by=staff, now=NOW)
    stored = Endpoint.objects.get()
    assert (stored.name, stored.url, stored.enabled) == ("ERP", URL, True)
    assert fresh.secret.startswith("whsec_")
    assert fresh.secret.encode() not in bytes(stored.sealed_secret)
    assert opened(stored, now=NOW) == {"url": URL, "secrets": fresh.secret}
    assert "s3cret" not in str(list(AuditEntry.objects.values()))
    assert fresh.secret not in str(list(AuditEntry.objects.values()))
    assert site_of(URL) == "https://erp.shop.example"


@pytest.mark.parametrize("url", [
    "http://erp.shop.example/", "https://a:b@erp.shop.example/", "https://erp.shop.example:22/", "erp.shop.example", "",
    "http://127.0.0.1:9000/", "ftp://erp.shop.example", "https://10.0.0.5/", "https://[::1]/hook", "https://[fd00::1]:8443/",
])  # fmt: skip
def test_an_address_that_is_not_spoken_to_is_refused(staff: Staff, url: str) -> None:
    with pytest.raises(EndpointError) as caught:
        made(staff, url=url)
    assert caught.value.field == "url"
    assert not Endpoint.objects.exists()


def test_one_inside_the_network_has_to_be_named_in_the_settings(staff: Staff, settings: LazySettings) -> None:
    settings.WEBHOOK_HOSTS = ["http://127.0.0.1:9000"]
    assert made(staff, url="http://127.0.0.1:9000/hook").enabled
    settings.WEBHOOK_HOSTS = ["https://10.0.0.5"]
    assert made(staff, "Till", "https://10.0.0.5/hook").enabled


@pytest.mark.parametrize("name", ["", " ", "x" * 61, "erp"])
def test_a_name_is_needed_and_nobody_elses(staff: Staff, name: str) -> None:
    made(staff)
    with pytest.raises(EndpointError) as caught:
        made(staff, name)
    assert caught.value.field == "name"


def test_there_are_ten_in_use_at_most(staff: Staff) -> None:
    for number in range(MOST):
        made(staff, f"n{number}")
    with pytest.raises(EndpointError):
        made(staff, "one more")
    first = switch(Endpoint.objects.earliest("pk").pk, on=False, by=staff)
    assert made(staff, "one more").enabled
    with pytest.raises(EndpointError):
        switch(first.pk, on=True, by=staff)


def test_a_changed_secret_signs_with_the_one_before_for_a_day(staff: Staff) -> None:
    old = create("ERP", URL, by=staff, now=NOW)
    new = rotate(old.endpoint.pk, by=staff, now=NOW)
    stored = Endpoint.objects.get()
    within, after = NOW + ROTATES - timedelta(seconds=1), NOW + ROTATES
    assert opened(stored, now=within)["secrets"].split() == [new.secret, old.secret]
    assert opened(stored, now=after)["secrets"].split() == [new.secret]


def test_a_rotation_loses_no_message(staff: Staff, settings: LazySettings) -> None:
    """Whenever the receiver takes the new secret over within the day, one of its two secrets verifies each message."""
    with web_server(status=204, body=b"") as receiver:
        settings.WEBHOOK_HOSTS = [receiver.origin]
        old = create("ERP", receiver.origin, by=staff, now=NOW)
        secrets = [old.secret]
        for hours in (-1, 0, 1, 12, 23):
            if hours == 0:
                secrets.append(rotate(old.endpoint.pk, by=staff, now=NOW).secret)
            at = NOW + timedelta(hours=hours)
            assert send_ping(Endpoint.objects.get(), by=staff, now=at) == Taken()
        assert len(receiver.posts) == 5
        assert Endpoint.objects.get().last_taken_at == NOW + timedelta(hours=23)
        for number, post in enumerate(receiver.posts):
            Reference(secrets[0]).verify(post.body, post.headers)  # who has not changed it yet
            if number > 0:
                Reference(secrets[1]).verify(post.body, post.headers)  # who has
        assert send_ping(Endpoint.objects.get(), by=staff, now=NOW + timedelta(hours=25)) == Taken()
        with pytest.raises(WebhookVerificationError):
            Reference(secrets[0]).verify(receiver.posts[-1].body, receiver.posts[-1].headers)
        Reference(secrets[1]).verify(receiver.posts[-1].body, receiver.posts[-1].headers)


def test_a_campaign_that_names_none_gets_the_only_one(staff: Staff) -> None:
    assert endpoint_for(None) is None
    first = made(staff)
    assert endpoint_for(None) == endpoint_for(first.pk) == first
    second = made(staff, "CRM")
    assert endpoint_for(None) is None
    assert endpoint_for(second.pk) == second
    switch(second.pk, on=False, by=staff)
    assert (endpoint_for(None), endpoint_for(second.pk), endpoint_for(10**9)) == (first, None, None)


def noted(endpoint: Endpoint, outcome: Outcome, *, days: float = 0) -> Endpoint:
    health.note(endpoint, outcome, now=NOW + timedelta(days=days))
    return Endpoint.objects.get(pk=endpoint.pk)


def test_one_that_says_that_it_is_gone_is_switched_off(staff: Staff) -> None:
    endpoint = noted(made(staff), Gone("HTTP 410"))
    assert (endpoint.enabled, "410" in endpoint.off_reason) == (False, True)
    assert health.switched_off() == [endpoint]
    assert AuditEntry.objects.filter(verb="switch off", staff=None).count() == 1
    again = switch(endpoint.pk, on=True, by=staff)
    assert (again.enabled, again.off_reason, health.switched_off()) == (True, "", [])


def test_one_that_fails_for_five_days_is_switched_off_and_one_message_that_is_taken_begins_anew(staff: Staff) -> None:
    endpoint = made(staff)
    later, refused = Later("HTTP 500"), Refused("HTTP 400")
    assert noted(endpoint, later).failing_since == NOW
    assert noted(endpoint, refused, days=1).failing_since == NOW  # of that message alone
    assert noted(endpoint, later, days=4.9).enabled
    taken = noted(endpoint, Taken(), days=4.95)
    assert (taken.failing_since, taken.last_taken_at) == (None, NOW + timedelta(days=4.95))
    assert noted(endpoint, later, days=5).enabled
    assert noted(endpoint, later, days=9.9).enabled
    off = noted(endpoint, later, days=10)
    assert (off.enabled, "2026" in off.off_reason) == (False, True)
