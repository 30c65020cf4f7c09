"""Addresses of a person and what they said yes and no to. The hashes of the addresses stay silent for good."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from recommendations.models import Address, ConsentStatement, Contact, Message, Permission, Suppression
from recommendations.privacy_terms import HolderCode, Kept
from recommendations.push_terms import LIFTED_BY_STAFF, Channel, SuppressionReason
from recommendations.store.contacts import book, silence
from recommendations.store.contacts.sealing import OWN, unseal
from recommendations.store.holders.protocol import Erased, Subject
from recommendations.store.holders.tables import OwnRows, TableHolder


def _of_contact(subject: Subject) -> Q:
    return Q(contact__in=subject.key_list)


def _opened(sealed: bytes) -> str | None:
    """The address itself; None of one that is gone. Raises KeysMissingError and SealBrokenError."""
    opened = unseal(sealed) if sealed else {}
    return next((opened[name] for name in OWN.values() if name in opened), None)


STATEMENTS = OwnRows(
    model=ConsentStatement, whose=_of_contact,
    columns=("at", "channel", "purpose", "state", "source", "proof", "recorded_at"),
)  # fmt: skip
PERMISSIONS = OwnRows(
    model=Permission, whose=_of_contact, columns=("channel", "purpose", "state", "since", "source")
)  # fmt: skip
ADDRESSES = OwnRows(
    model=Address, whose=_of_contact,
    columns=("sealed", "channel", "state", "confirmed_at", "confirmations", "asked_at", "proven", "created_at"),
    told={"sealed": _opened}, words={"sealed": _("address")},
)  # fmt: skip
CONTACT = OwnRows(
    model=Contact,
    columns=(
        "language", "time_zone", "most_a_week", "paused_until", "quiet_from", "quiet_until", "created_at", "changed_at",
    ),
)  # fmt: skip


class ContactsHolder(TableHolder):
    """What is kept to write to somebody."""

    def __init__(self) -> None:
        super().__init__(HolderCode.CONTACTS, STATEMENTS, PERMISSIONS, ADDRESSES, CONTACT, also=[Suppression])

    @transaction.atomic
    def erase(self, subject: Subject, *, now: datetime) -> Erased:
        """Erase them; the addresses stay silent whoever they belong to, so that no later import writes there."""
        book.lock()
        addresses = list(ADDRESSES.of(subject).select_for_update().order_by("pk"))  # nothing is reserved any more
        for each in addresses:
            channel, digest = Channel(each.channel), bytes(each.digest)
            silence.lift(channel, digest, reasons=LIFTED_BY_STAFF)  # else staff could lift it after a later import
            silence.silence(channel, digest, reason=SuppressionReason.ERASED, now=now)
            _let_go(each)
        erased = super().erase(subject, now=now)
        if not addresses:
            return erased
        return Erased(deleted=erased.deleted, kept=len(addresses), why=Kept.SUPPRESSED_ADDRESS)


def _let_go(address: Address) -> None:
    """Let the messages to an address be known by its contact alone."""
    to_it = Message.objects.filter(address=address)
    to_it.exclude(contact=address.contact_id).update(contact=address.contact_id)
    to_it.update(address=None)


CONTACTS = ContactsHolder()
