"""Acts on a contact that the audit trail has: staff silence an address, let it speak again, erase it all; so do others.

The audit trail names the customer by their code, and no address.
"""

import re
from datetime import datetime

from django.db import transaction

from recommendations.models import Address, ApiKey, Contact, Staff
from recommendations.push_terms import LIFTED_BY_STAFF, Channel, SuppressionReason
from recommendations.services.access import audit
from recommendations.services.access.audit import ERASED, ERASED_BY_OWNER, needed_note
from recommendations.services.contacts.reading import Erasure, erase_contact
from recommendations.store.contacts import book, silence

AN_ADDRESS = re.compile(r"\S@\S")


class AddressInNoteError(Exception):
    """The note names an address, which would stay in the audit trail for good."""


def address_in_use(contact: int, address: int) -> Address | None:
    """An address of a contact, by their keys; None where it is another's, or gone."""
    in_use = Address.objects.filter(pk=address, contact=contact, state__in=book.LIVING)
    return in_use.select_related("contact__customer").first()


@transaction.atomic
def silence_address(address: Address, *, by: Staff | None, note: str, now: datetime) -> bool:
    """Send nothing more to an address, whoever it belongs to; False where it was silent before.

    Raises NoteNeededError and AddressInNoteError.
    """
    reason = _note(note)
    book.lock()
    channel, digest = Channel(address.channel), bytes(address.digest)
    if not silence.silence(channel, digest, reason=SuppressionReason.STAFF, now=now):
        return False
    audit.record(
        by=by, verb="silence", subject=address.contact, note=reason,
        before={"reason": None}, after={"reason": SuppressionReason.STAFF},
    )  # fmt: skip
    return True


@transaction.atomic
def let_speak(address: Address, *, by: Staff | None, note: str, now: datetime) -> bool:
    """Let an address speak again that staff silenced or that bounced; False where nothing, or something else, did.

    Whoever complained or was erased stays silent for good, and only its owner's yes ends their own no. Raises
    NoteNeededError and AddressInNoteError.
    """
    reason = _note(note)
    book.lock()
    channel, digest = Channel(address.channel), bytes(address.digest)
    before = silence.reason_of(channel, digest, now=now)
    if not silence.lift(channel, digest, reasons=LIFTED_BY_STAFF):
        return False
    audit.record(
        by=by, verb="let speak", subject=address.contact, note=reason,
        before={"reason": before}, after={"reason": None},
    )  # fmt: skip
    return True


@transaction.atomic
def erase(customer: int, *, by: Staff | None, note: str, now: datetime) -> Erasure | None:
    """Erase the contact of a customer's key for good; None where there is none any more.

    Raises NoteNeededError and AddressInNoteError.
    """
    reason = _note(note)
    book.lock()
    contact = Contact.objects.select_related("customer").filter(pk=customer).first()
    if contact is None:
        return None
    subject = Contact(customer=contact.customer)
    erasure = erase_contact(contact, now=now)
    after = {"addresses": erasure.addresses, "statements": erasure.statements}
    audit.record(by=by, verb=ERASED, subject=subject, note=reason, after=after)
    return erasure


@transaction.atomic
def erase_for(contact: Contact, *, by: ApiKey | None, now: datetime) -> Erasure:
    """Erase a contact at the shop's word, or at its owner's where ``by`` is nobody; the trail says whose it was."""
    book.lock()
    subject = Contact(customer=contact.customer)
    erasure = erase_contact(contact, now=now)
    after = {"addresses": erasure.addresses, "statements": erasure.statements}
    audit.record(by=by, verb=ERASED if by else ERASED_BY_OWNER, subject=subject, after=after)
    return erasure


def _note(note: str) -> str:
    reason = needed_note(note)
    if AN_ADDRESS.search(reason):
        raise AddressInNoteError
    return reason
