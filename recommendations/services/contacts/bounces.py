"""Addresses that do not exist, and people who complained: nothing goes there again."""

from datetime import datetime

from django.db import transaction

from recommendations.models import Address
from recommendations.push_terms import AddressState, Channel, ConsentSource, ConsentState, Purpose, SuppressionReason
from recommendations.store.contacts import ledger, silence
from recommendations.store.contacts.ledger import Statement


@transaction.atomic
def let_go(address: Address, *, now: datetime) -> None:
    """Let an address go that does not exist: its hash stays silent, so that nobody brings it back."""
    Address.objects.filter(pk=address.pk).update(state=AddressState.GONE, sealed=b"")
    silence.silence(Channel(address.channel), bytes(address.digest), reason=SuppressionReason.HARD_BOUNCE, now=now)


@transaction.atomic
def complain(address: Address, *, now: datetime) -> None:
    """Take a complaint: the address is silent, and every purpose of its channel is withdrawn."""
    channel = Channel(address.channel)
    silence.silence(channel, bytes(address.digest), reason=SuppressionReason.COMPLAINT, now=now)
    ledger.record(
        [
            Statement(
                contact=address.contact_id, channel=channel, purpose=purpose, state=ConsentState.WITHDRAWN, at=now,
                source=ConsentSource.COMPLAINT, proof={"form": "complaint"},
            )
            for purpose in Purpose
        ]
    )  # fmt: skip
