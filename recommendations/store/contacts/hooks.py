"""What the shop calls a contact, for its webhooks: kept sealed as the contact's address there."""

from collections.abc import Mapping
from datetime import datetime

from recommendations.models import Address
from recommendations.push_terms import AddressState, Channel
from recommendations.store.contacts.sealing import digest_of, seal


def name_customers(names: Mapping[int, str], *, now: datetime) -> None:
    """Keep the shop's id of each contact (by key) that has none yet, in use at once: the shop's own server says it.

    Raises KeysMissingError.
    """
    named = {"channel": Channel.WEBHOOK, "state": AddressState.ACTIVE}
    known = set(Address.objects.filter(contact__in=names, **named).values_list("contact", flat=True))
    fresh = {contact: {"user_id": user_id} for contact, user_id in names.items() if contact not in known}
    Address.objects.bulk_create(
        Address(
            contact_id=contact, sealed=seal(name), digest=digest_of(Channel.WEBHOOK, name), confirmed_at=now,
            created_at=now, proven=True, **named,
        )
        for contact, name in fresh.items()
    )  # fmt: skip
