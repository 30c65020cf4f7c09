"""The search by e-mail address: it leads to the customer, and leaves the address nowhere."""

import json
import logging
from collections.abc import Callable

import pytest
from django.conf import LazySettings
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from recommendations.models import AuditEntry, CustomerAlias
from recommendations.push_terms import Channel, SuppressionReason
from recommendations.store.contacts import silence
from recommendations.terms import Role
from tests.analytics import records
from tests.analytics.pages.customer.conftest import text
from tests.services.contacts.addresses import address_of

pytestmark = pytest.mark.django_db

PATH, ANN = "/customers/by-address/", "ann@example.com"


def find(client: Client, email: str) -> tuple[str, str]:
    """Where a search leads, and what is said there."""
    answer = client.post(PATH, {"email": email})
    assert answer.status_code == 302
    return answer["Location"], text(client, answer["Location"])


def test_it_leads_to_the_customer_whatever_the_case(admin: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    code = address_of(email=ANN, confirmed=True).contact.customer.code
    for typed in (ANN, " Ann@Example.COM "):
        path, page = find(admin, typed)
        assert path == f"/customers/{code}/#reach"
        assert f"Found by e-mail address: this is customer {code}." in page
        assert "ann@" not in page.lower()
    assert "ann@" not in caplog.text.lower()
    assert "ann@" not in json.dumps([session.get_decoded() for session in Session.objects.all()]).lower()
    assert not AuditEntry.objects.filter(object_type="contact").exists()


def test_a_merged_visitor_is_the_customer_and_all_who_wait_are_named(admin: Client) -> None:
    first = address_of("u1", email=ANN).contact.customer
    second = address_of("u2", email=ANN).contact.customer
    path, page = find(admin, ANN)
    assert path == f"/customers/{first.code}/#reach"
    assert f"with others as well: {second.code}." in page
    owner = records.customer("owner")
    CustomerAlias.objects.create(anonymous=first, customer=owner)
    assert find(admin, ANN)[0] == f"/customers/{owner.code}/#reach"


def test_nobody_and_no_address(admin: Client, settings: LazySettings) -> None:
    assert "No customer has this address." in find(admin, ANN)[1]
    address = address_of(email=ANN, confirmed=True)
    silence.silence(Channel.EMAIL, bytes(address.digest), reason=SuppressionReason.ERASED, now=timezone.now())
    address.contact.delete()
    path, page = find(admin, ANN)
    assert path == "/customers/"
    assert "No customer has this address. It is blocked: Erased." in page
    for typed in ("", "ann", "x" * 5_000):
        assert "This is no e-mail address" in find(admin, typed)[1]
    settings.CONTACT_HASH_KEY = ""
    assert "no keys for contacts" in find(admin, ANN)[1]
    assert admin.get(PATH).status_code == 405


def test_the_form_is_there_for_those_who_manage_contacts(client_of: Callable[[Role], Client]) -> None:
    for role in Role:
        assert (f'action="{PATH}"' in text(client_of(role), "/customers/")) == (role == Role.ADMIN)
