"""The demo's contacts: invented, in the shares that are promised, once, and never against what somebody did since."""

import time
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone

from demo.contacts import DOMAIN, invent_contacts
from recommendations.models import Address, ConsentStatement, Contact, Customer, Permission
from recommendations.push_terms import AddressState, Purpose
from recommendations.services.contacts.confirmations import send_waiting
from recommendations.services.contacts.confirming import confirm, deny
from recommendations.services.contacts.reading import erase_contact
from recommendations.store.contacts.sealing import checked_email, unseal
from recommendations.terms import CustomerKind
from recommendations.wording import push_labels
from tests.post_office import post_office

pytestmark = pytest.mark.django_db

HOUSEHOLDS = 2_469
NOW = timezone.now()


@pytest.fixture
def households() -> None:
    signed_in = [Customer(pseudonym=f"household {number}".encode()) for number in range(HOUSEHOLDS)]
    anonymous = [Customer(pseudonym=f"tab {n}".encode(), kind=CustomerKind.ANONYMOUS) for n in range(100)]
    Customer.objects.bulk_create([*signed_in, *anonymous])


def rows() -> list[Any]:
    return [list(model.objects.order_by("pk").values()) for model in (Address, ConsentStatement, Contact, Permission)]


@pytest.mark.usefixtures("households")
def test_shares_are_as_promised_and_fast() -> None:
    begin = time.process_time()  # a machine that others use counts for nothing
    number = invent_contacts(now=NOW)
    assert time.process_time() - begin < 2
    states = Permission.objects.values_list("contact", "state").distinct()
    shares = {state: count / HOUSEHOLDS for state, count in Counter(state for _contact, state in states).items()}
    assert shares == {
        "given": pytest.approx(0.70, abs=0.03),
        "withdrawn": pytest.approx(0.10, abs=0.03),
        "asked": pytest.approx(0.05, abs=0.03),
    }
    assert len(states) == number == Contact.objects.count() == Address.objects.count()
    assert 1 - number / HOUSEHOLDS == pytest.approx(0.15, abs=0.03)
    assert not Contact.objects.exclude(customer__kind=CustomerKind.SIGNED_IN).exists()
    asked = set(Permission.objects.filter(state="asked").values_list("contact", flat=True))
    unconfirmed = Address.objects.filter(state=AddressState.UNCONFIRMED)
    assert set(unconfirmed.values_list("contact", flat=True)) == asked


@pytest.mark.usefixtures("households")
def test_who_did_not_confirm_yet_is_asked(settings: LazySettings) -> None:
    invent_contacts(now=NOW)
    asked = Permission.objects.filter(state="asked").values_list("contact").distinct()
    with post_office() as office:
        settings.PUSH_MAIL_SERVER = {"host": "127.0.0.1", "port": office.port}
        assert send_waiting(now=NOW) == asked.count() == len(office.mails) > 0
    assert set(Address.objects.filter(confirmations=1).values_list("contact")) == set(asked)


@pytest.mark.usefixtures("households")
def test_each_says_that_it_is_invented_at_an_address_that_cannot_be() -> None:
    invent_contacts(now=NOW)
    for address in Address.objects.select_related("contact__customer"):
        email = unseal(address.sealed)["email"]
        assert email == f"customer-{address.contact.customer.code}@{DOMAIN}"
    assert checked_email(email) == email
    assert set(ConsentStatement.objects.values_list("source", flat=True)) == {"demo"}
    assert str(dict(push_labels.CONSENT_SOURCES)["demo"]) == "Invented for the demo"
    assert all("Invented" in proof["note"] for proof in ConsentStatement.objects.values_list("proof", flat=True))
    purposes = Counter(Counter(Permission.objects.values_list("contact", flat=True)).values())
    assert set(purposes) == {1, 2, 3}
    assert set(Permission.objects.values_list("purpose", flat=True)) == set(Purpose)
    assert set(Contact.objects.values_list("language", flat=True)) == {"en", "zh-hans"}
    assert len(set(Contact.objects.values_list("time_zone", flat=True))) == 6
    assert not ConsentStatement.objects.filter(at__gt=NOW).exists()


@pytest.mark.usefixtures("households")
def test_a_second_time_changes_nothing() -> None:
    assert invent_contacts(now=NOW) > 0
    before = rows()
    assert invent_contacts(now=NOW + timedelta(days=1)) == 0
    assert rows() == before


@pytest.mark.usefixtures("households")
def test_what_somebody_did_since_stays() -> None:
    invent_contacts(now=NOW)
    yes, no, *_rest = Address.objects.filter(state=AddressState.UNCONFIRMED).select_related("contact")
    gone = Address.objects.filter(state=AddressState.ACTIVE).select_related("contact")[0].contact
    erased = gone.pk
    later = NOW + timedelta(minutes=1)
    assert confirm(yes, now=later)
    assert deny(no, now=later)
    erase_contact(gone, now=later)
    before = rows()
    assert invent_contacts(now=later) == 0
    assert rows() == before
    assert not Contact.objects.filter(pk=erased).exists()


@pytest.mark.usefixtures("households")
def test_who_comes_later_gets_one_too() -> None:
    first = invent_contacts(now=NOW)
    Customer.objects.bulk_create([Customer(pseudonym=f"new {number}".encode()) for number in range(100)])
    assert 60 < invent_contacts(now=NOW) <= 100
    assert first < Contact.objects.count()
