"""What somebody chooses behind the link of a message: purposes, how often, when not, and no recommendations by traits.

Every act is one transaction and gives what was before, so that it can be undone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.db import transaction

from recommendations.models import Address, Contact, Permission
from recommendations.push_terms import Channel, ConsentSource, ConsentState, Purpose, SuppressionReason
from recommendations.store.contacts import ledger, silence
from recommendations.store.contacts.ledger import Statement
from recommendations.store.contacts.sealing import masked, unseal

PAUSE = timedelta(weeks=4)


@dataclass(frozen=True, kw_only=True)
class Preferences:
    """What holds for a contact now."""

    address: str  # masked
    language: str
    given: Mapping[Purpose, bool]
    most_a_week: int | None
    paused_until: datetime | None
    quiet_from: time | None
    quiet_until: time | None
    time_zone: str
    personalise: bool
    silent: bool


def preferences_of(address: Address, *, now: datetime) -> Preferences:
    contact = address.contact
    states = dict(Permission.objects.filter(contact=contact, channel=address.channel).values_list("purpose", "state"))
    paused = contact.paused_until if contact.paused_until and contact.paused_until > now else None
    return Preferences(
        address=masked(unseal(address.sealed)),
        language=contact.language,
        given={purpose: states.get(purpose) == ConsentState.GIVEN for purpose in Purpose},
        most_a_week=contact.most_a_week,
        paused_until=paused,
        quiet_from=contact.quiet_from,
        quiet_until=contact.quiet_until,
        time_zone=contact.time_zone,
        personalise=contact.customer.personalise,
        silent=bool(silence.silent_digests(Channel(address.channel), [bytes(address.digest)], now=now)),
    )


@transaction.atomic
def choose(
    address: Address, purposes: Mapping[Purpose, bool], *, source: ConsentSource, now: datetime
) -> dict[Purpose, bool]:
    """Say yes or no to purposes; those that changed, with what they were.

    A yes lets an address speak again that had stopped everything.
    """
    Contact.objects.select_for_update().get(pk=address.contact_id)
    before = preferences_of(address, now=now)
    moved = {purpose: before.given[purpose] for purpose, yes in purposes.items() if before.given[purpose] != yes}
    if any(purposes.values()):
        silence.lift(Channel(address.channel), bytes(address.digest), reasons=[SuppressionReason.UNSUBSCRIBED_ALL])
    ledger.record(
        [
            Statement(
                contact=address.contact_id,
                channel=Channel(address.channel),
                purpose=purpose,
                state=ConsentState.WITHDRAWN if was else ConsentState.GIVEN,
                at=now,
                source=source,
                proof={"form": source.value, "language": address.contact.language},
            )
            for purpose, was in moved.items()
        ]
    )
    return moved


@transaction.atomic
def stop_everything(address: Address, *, now: datetime) -> dict[Purpose, bool]:
    """Withdraw every purpose and silence the address; what was given before."""
    moved = choose(address, dict.fromkeys(Purpose, False), source=ConsentSource.PREFERENCES, now=now)
    channel = Channel(address.channel)
    silence.silence(channel, bytes(address.digest), reason=SuppressionReason.UNSUBSCRIBED_ALL, now=now)
    return moved
