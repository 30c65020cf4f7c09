"""What is known of a contact, with its address behind stars, and its erasure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from recommendations.models import Address, Contact, Permission
from recommendations.push_terms import LIFTED_BY_STAFF, AddressState, Channel, SuppressionReason
from recommendations.store.contacts import book, silence
from recommendations.store.contacts.sealing import KeysMissingError, SealBrokenError, masked, unseal
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.push import retention

__all__ = [
    "ContactRecord", "Erasure", "KeysMissingError", "MaskedAddress", "SealBrokenError", "contact_of", "erase_contact",
    "record_of",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class MaskedAddress:
    channel: Channel
    address: str
    state: AddressState
    silent: bool


@dataclass(frozen=True, kw_only=True)
class ContactRecord:
    """A contact as staff and the shop's server may see it."""

    contact: Contact
    addresses: Sequence[MaskedAddress]
    permissions: Sequence[Permission]


@dataclass(frozen=True, kw_only=True)
class Erasure:
    """What an erasure took away."""

    addresses: int
    statements: int


def contact_of(user_id: str) -> Contact | None:
    """The contact of the signed-in customer whom the shop calls so."""
    return Contact.objects.select_related("customer").filter(customer__pseudonym=pseudonym(user_id)).first()


def record_of(contact: Contact, *, now: datetime) -> ContactRecord:
    """The contact with the addresses in use: of one that is gone only the hash is left.

    Raises KeysMissingError and SealBrokenError.
    """
    addresses = list(contact.addresses.filter(state__in=book.LIVING).order_by("pk"))
    silent = silence.silent_digests(Channel.EMAIL, [bytes(each.digest) for each in addresses], now=now)
    return ContactRecord(
        contact=contact,
        addresses=[
            MaskedAddress(
                channel=Channel(each.channel),
                address=masked(unseal(each.sealed)),
                state=AddressState(each.state),
                silent=bytes(each.digest) in silent,
            )
            for each in addresses
        ],
        permissions=list(contact.permissions.order_by("channel", "purpose")),
    )


@transaction.atomic
def erase_contact(contact: Contact, *, now: datetime) -> Erasure:
    """Erase addresses, statements and messages; the hashes of the addresses stay silent, so no later import writes to
    them.
    """
    book.lock()
    addresses = list(Address.objects.select_for_update().filter(contact=contact))  # nothing is reserved any more
    statements = contact.consents.count()
    for each in addresses:
        channel, digest = Channel(each.channel), bytes(each.digest)
        silence.lift(channel, digest, reasons=LIFTED_BY_STAFF)  # else staff could lift it after a later import
        silence.silence(channel, digest, reason=SuppressionReason.ERASED, now=now)
    retention.forget_contact(contact.pk)
    contact.delete()
    return Erasure(addresses=len(addresses), statements=statements)
