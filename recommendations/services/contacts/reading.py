"""What is known of a contact, with its address behind stars, and its erasure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from recommendations.models import Address, Contact, Permission, Suppression
from recommendations.push_terms import AddressState, Channel, Obstacle, SuppressionReason
from recommendations.services.contacts.obstacles import obstacle_of
from recommendations.services.taste import forget_taste
from recommendations.store.contacts import book, silence
from recommendations.store.contacts.sealing import KeysMissingError, SealBrokenError, masked, unseal
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.holders.contacts import CONTACTS
from recommendations.store.holders.protocol import Subject
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
    silent_for: SuppressionReason | None
    confirmation_mails: int


@dataclass(frozen=True, kw_only=True)
class ContactRecord:
    """A contact as staff and the shop's server may see it."""

    contact: Contact
    addresses: Sequence[MaskedAddress]
    permissions: Sequence[tuple[Permission, Obstacle | None]]


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
    silent = silence.suppressions([bytes(each.digest) for each in addresses], now=now)
    by_channel = {each.channel: each for each in addresses}
    return ContactRecord(
        contact=contact,
        addresses=[
            MaskedAddress(
                channel=Channel(each.channel),
                address=masked(unseal(each.sealed)),
                state=AddressState(each.state),
                silent_for=_reason(silent, each),
                confirmation_mails=each.confirmations,
            )
            for each in addresses
        ],
        permissions=[
            (each, _obstacle(contact, each, by_channel.get(each.channel), silent, now=now))
            for each in contact.permissions.order_by("channel", "purpose")
        ],
    )


def _reason(silent: Mapping[bytes, Suppression], address: Address) -> SuppressionReason | None:
    suppression = silent.get(bytes(address.digest))
    return SuppressionReason(suppression.reason) if suppression else None


def _obstacle(
    contact: Contact, permission: Permission, address: Address | None, silent: Mapping[bytes, Suppression], *,
    now: datetime,
) -> Obstacle | None:  # fmt: skip
    return obstacle_of(
        contact, permission.purpose, permission.state, address=address.state if address else None,
        silent=address is not None and bytes(address.digest) in silent, now=now,
    )  # fmt: skip


@transaction.atomic
def erase_contact(contact: Contact, *, now: datetime) -> Erasure:
    """Erase addresses, statements, taste and messages: what the holders do for one key of a customer who stays."""
    book.lock()
    addresses = len(Address.objects.select_for_update().filter(contact=contact))  # nothing is reserved any more
    statements = contact.consents.count()
    retention.forget_contact(contact.pk)
    CONTACTS.erase(Subject(keys=frozenset({contact.pk})), now=now)
    forget_taste(contact.customer_id)
    return Erasure(addresses=addresses, statements=statements)
