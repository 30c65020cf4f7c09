"""Double opt-in: the owner's button makes what was asked given, once; “it was not me” lets the address go."""

from datetime import timedelta

import pytest

from recommendations.models import Address, ConsentStatement, Contact, Permission, Suppression
from recommendations.push_terms import AddressState, Channel, ConsentSource, SuppressionReason
from recommendations.services.contacts.confirming import confirm, deny, wanted_purposes
from recommendations.store.contacts import silence
from recommendations.wording import push_labels
from tests.services.contacts.addresses import NOW, address_of, said

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=2)
ASKED = [said("for_you"), said("reminders"), said("news", "refused")]


def states() -> dict[str, str]:
    return dict(Permission.objects.values_list("purpose", "state"))


def test_the_button_makes_what_was_asked_given() -> None:
    address = address_of(consents=ASKED)
    assert wanted_purposes(address) == ["for_you", "reminders"]
    assert confirm(address, now=LATER)
    address = Address.objects.get(pk=address.pk)
    assert (address.state, address.confirmed_at) == (AddressState.ACTIVE, LATER)
    assert states() == {"for_you": "given", "reminders": "given", "news": "refused"}
    statement = ConsentStatement.objects.get(purpose="for_you", state="given")
    assert (statement.source, statement.at) == (ConsentSource.CONFIRMED, LATER)
    assert statement.proof == {
        "form": "confirmation page", "language": "en", "text_version": push_labels.TEXT_VERSION,
        "asked_at": "2026-08-01T10:00:00+00:00",
    }  # fmt: skip


def test_a_second_time_changes_nothing() -> None:
    address = address_of(consents=ASKED)
    confirm(address, now=LATER)
    before = ConsentStatement.objects.count()
    assert not confirm(address, now=LATER + timedelta(days=1))
    assert Address.objects.get().confirmed_at == LATER
    assert ConsentStatement.objects.count() == before


def test_an_address_that_the_shop_vouched_for_meanwhile_still_gives_what_was_asked() -> None:
    address_of(consents=ASKED)
    address = address_of(confirmed=True)
    assert address.state == AddressState.ACTIVE
    assert confirm(address, now=LATER)
    assert states() == {"for_you": "given", "reminders": "given", "news": "refused"}


def test_a_statement_of_a_shop_whose_clock_is_ahead_does_not_stand_against_the_button() -> None:
    address = address_of(consents=[said("for_you", at=(NOW + timedelta(minutes=9)).isoformat())])
    confirm(address, now=NOW + timedelta(minutes=1))
    assert states() == {"for_you": "given"}


def test_a_yes_ends_the_silence_that_its_owner_asked_for_and_no_other() -> None:
    address = address_of(consents=ASKED)
    digest = bytes(address.digest)
    silence.silence(Channel.EMAIL, digest, reason=SuppressionReason.UNSUBSCRIBED_ALL, now=NOW)
    confirm(address, now=LATER)
    assert not Suppression.objects.exists()
    other = address_of("u2", consents=ASKED)
    silence.silence(Channel.EMAIL, bytes(other.digest), reason=SuppressionReason.COMPLAINT, now=NOW)
    confirm(other, now=LATER)
    assert Suppression.objects.get().reason == SuppressionReason.COMPLAINT


def test_it_was_not_me_refuses_lets_the_address_go_and_voids_its_links() -> None:
    address = address_of(consents=ASKED)
    assert deny(address, now=LATER)
    address = Address.objects.get(pk=address.pk)
    assert (address.state, bytes(address.sealed)) == (AddressState.GONE, b"")
    assert states() == {"for_you": "refused", "reminders": "refused", "news": "refused"}
    assert Contact.objects.get().link_generation == 1
    assert ConsentStatement.objects.filter(source=ConsentSource.CONFIRMED, state="refused").count() == 2
    assert not deny(address, now=LATER + timedelta(days=1))
    assert not confirm(address, now=LATER + timedelta(days=1))
    assert Contact.objects.get().link_generation == 1


def test_who_has_confirmed_is_let_go_by_no_late_denial() -> None:
    address = address_of(consents=ASKED)
    confirm(address, now=LATER)
    assert not deny(address, now=LATER + timedelta(hours=1))
    assert Address.objects.get().state == AddressState.ACTIVE
    assert states()["for_you"] == "given"
