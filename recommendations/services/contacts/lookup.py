"""Whose an address is: staff who manage contacts look it up by its keyed hash, and it is stored nowhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from recommendations.models import Address, Customer
from recommendations.push_terms import AddressState, Channel, SuppressionReason
from recommendations.store.contacts import silence
from recommendations.store.contacts.book import LIVING
from recommendations.store.contacts.sealing import InvalidAddressError, KeysMissingError, checked_email, digest_of

__all__ = ["Holders", "InvalidAddressError", "KeysMissingError", "holders_of"]


@dataclass(frozen=True, kw_only=True)
class Holders:
    """Whoever has an address, who has it in use first, and why it is silent, which it may be without anybody."""

    customers: Sequence[Customer]
    silent_for: SuppressionReason | None


def holders_of(typed: str, *, now: datetime) -> Holders:
    """Raise InvalidAddressError for what is no address, and KeysMissingError."""
    digest = digest_of(Channel.EMAIL, {"email": checked_email(typed)})
    living = Address.objects.filter(channel=Channel.EMAIL, digest=digest, state__in=LIVING)
    addresses = living.select_related("contact__customer").order_by("pk")
    return Holders(
        customers=[
            each.contact.customer for each in sorted(addresses, key=lambda each: each.state != AddressState.ACTIVE)
        ],
        silent_for=silence.reason_of(Channel.EMAIL, digest, now=now),
    )
