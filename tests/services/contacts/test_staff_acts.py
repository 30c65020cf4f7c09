"""What staff do to a contact: silence, let speak again, erase; what they may not lift; the trail, without addresses."""

import json
from datetime import timedelta

import pytest

from recommendations.models import Address, AuditEntry, Contact, Staff, Suppression
from recommendations.push_terms import AddressState, Channel, SuppressionReason
from recommendations.services.access.audit import NoteNeededError
from recommendations.services.contacts.reading import erase_contact
from recommendations.services.contacts.staff_acts import AddressInNoteError, erase, let_speak, silence_address
from recommendations.store.contacts import silence
from recommendations.terms import Role
from tests.services.contacts.addresses import NOW, address_of, said

pytestmark = pytest.mark.django_db

WHY = "They rang us up."


@pytest.fixture
def ada() -> Staff:
    return Staff.objects.create_user("ada@shop.example", "correct horse battery", role=Role.ADMIN, name="Ada Lind")


def reason_of(address: Address) -> SuppressionReason | None:
    return silence.reason_of(Channel.EMAIL, bytes(address.digest), now=NOW)


def trail() -> list[tuple[str, str, str, object, object, str]]:
    fields = ("verb", "object_type", "label", "before", "after", "note")
    return list(AuditEntry.objects.order_by("pk").values_list(*fields))


def test_an_address_is_silenced_once_and_speaks_again(ada: Staff) -> None:
    address = address_of(confirmed=True)
    code = address.contact.customer.code
    assert silence_address(address, by=ada, note=f" {WHY} ", now=NOW)
    assert not silence_address(address, by=ada, note=WHY, now=NOW)
    assert reason_of(address) == SuppressionReason.STAFF
    assert let_speak(address, by=ada, note="A mistake.", now=NOW)
    assert not let_speak(address, by=ada, note="A mistake.", now=NOW)
    assert reason_of(address) is None
    assert trail() == [
        ("silence", "contact", code, {"reason": None}, {"reason": "staff"}, WHY),
        ("let speak", "contact", code, {"reason": "staff"}, {"reason": None}, "A mistake."),
    ]


@pytest.mark.parametrize("reason", list(SuppressionReason))
def test_staff_lift_what_staff_set_and_what_bounced(ada: Staff, reason: SuppressionReason) -> None:
    """A complaint and an erasure stay for good; who unsubscribed from everything says yes on their own."""
    address = address_of(confirmed=True)
    silence.silence(Channel.EMAIL, bytes(address.digest), reason=reason, now=NOW)
    may = reason in {SuppressionReason.STAFF, SuppressionReason.HARD_BOUNCE}
    assert let_speak(address, by=ada, note=WHY, now=NOW) is may
    assert reason_of(address) == (None if may else reason)
    assert len(trail()) == may


@pytest.mark.parametrize("reason", list(SuppressionReason))
def test_an_erased_address_that_is_imported_again_is_lifted_by_no_staff(ada: Staff, reason: SuppressionReason) -> None:
    """Whatever it was silent for before: that it was erased counts for more than what staff may lift."""
    address = address_of(confirmed=True)
    silence.silence(Channel.EMAIL, bytes(address.digest), reason=reason, now=NOW)
    erase_contact(address.contact, now=NOW)
    again = address_of(confirmed=True, now=NOW + timedelta(days=1))
    assert bytes(again.digest) == bytes(address.digest)
    assert not let_speak(again, by=ada, note=WHY, now=NOW)
    assert reason_of(again) is not None


def test_a_contact_is_erased_with_a_receipt(ada: Staff) -> None:
    address_of("u1", consents=[said("news"), said("for_you", "refused")], confirmed=True)
    address = address_of("u1", email="second@example.com", confirmed=True)
    code, key = address.contact.customer.code, address.contact_id
    erasure = erase(key, by=ada, note=WHY, now=NOW)
    assert erasure
    assert (erasure.addresses, erasure.statements) == (2, 2)
    assert not Contact.objects.exists()
    assert set(Suppression.objects.values_list("reason", flat=True)) == {SuppressionReason.ERASED}
    assert trail() == [("erase", "contact", code, None, {"addresses": 2, "statements": 2}, WHY)]
    assert AuditEntry.objects.get().object_id == str(key)
    assert erase(key, by=ada, note=WHY, now=NOW) is None
    assert AuditEntry.objects.count() == 1


@pytest.mark.parametrize(
    ("note", "error"),
    [("", NoteNeededError), ("  ", NoteNeededError), ("u1@example.com rang up", AddressInNoteError)],
)
def test_nothing_is_done_without_a_note_or_with_an_address_in_it(ada: Staff, note: str, error: type[Exception]) -> None:
    address = address_of(confirmed=True)
    with pytest.raises(error):
        silence_address(address, by=ada, note=note, now=NOW)
    with pytest.raises(error):
        let_speak(address, by=ada, note=note, now=NOW)
    with pytest.raises(error):
        erase(address.contact_id, by=ada, note=note, now=NOW)
    assert reason_of(address) is None
    assert Address.objects.get().state == AddressState.ACTIVE
    assert trail() == []


def test_the_trail_names_no_address(ada: Staff) -> None:
    address = address_of(confirmed=True)
    silence_address(address, by=ada, note=WHY, now=NOW)
    let_speak(address, by=ada, note=WHY, now=NOW)
    erase(address.contact_id, by=ada, note=WHY, now=NOW)
    whole = json.dumps(list(AuditEntry.objects.values()), default=str)
    assert AuditEntry.objects.count() == 3
    assert "example.com" not in whole
    assert "•••" not in whole
    assert bytes(address.digest).hex() not in whole
