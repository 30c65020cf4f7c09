"""What somebody chooses behind the link of a message: purposes, how often, when not, and no recommendations by traits.

Every act is one transaction and gives what was before, so that it can be undone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.db import transaction
from django.db.models import Max
from django.utils.translation import get_language

from recommendations.models import Address, Contact, Permission
from recommendations.push_terms import (
    AddressState,
    Channel,
    ConsentSource,
    ConsentState,
    Purpose,
    SuppressionReason,
)
from recommendations.store.contacts import ledger, silence
from recommendations.store.contacts.book import LIVING
from recommendations.store.contacts.ledger import Statement
from recommendations.store.contacts.sealing import masked, unseal
from recommendations.wording import push_labels

PAUSE = timedelta(weeks=4)
OPEN = frozenset({ConsentState.GIVEN, ConsentState.ASKED})
"""What a no ends."""


@dataclass(frozen=True, kw_only=True)
class Preferences:
    """What holds for a contact now."""

    address: str  # masked
    language: str
    given: Mapping[Purpose, bool]
    asked: Sequence[Purpose]  # they wait for the owner's yes
    most_a_week: int | None
    paused_until: datetime | None
    quiet_from: time | None
    quiet_until: time | None
    time_zone: str
    personalise: bool
    silent_for: SuppressionReason | None
    waits: bool  # for the owner to confirm the address
    browsers: Mapping[Purpose, bool] | None  # what browser notifications are given for; None: there is no browser


def preferences_of(address: Address, *, now: datetime) -> Preferences:
    contact = address.contact
    states = states_of(address)
    paused = contact.paused_until if contact.paused_until and contact.paused_until > now else None
    return Preferences(
        address=masked(unseal(address.sealed)),
        language=contact.language,
        given={purpose: states.get(purpose) == ConsentState.GIVEN for purpose in Purpose},
        asked=[purpose for purpose in Purpose if states.get(purpose) == ConsentState.ASKED],
        most_a_week=contact.most_a_week,
        paused_until=paused,
        quiet_from=contact.quiet_from,
        quiet_until=contact.quiet_until,
        time_zone=contact.time_zone,
        personalise=contact.customer.personalise,
        silent_for=silence.reason_of(Channel(address.channel), bytes(address.digest), now=now),
        waits=address.state == AddressState.UNCONFIRMED,
        browsers=_given_to_browsers(address),
    )


def _given_to_browsers(address: Address) -> dict[Purpose, bool] | None:
    browser = address_on(address, Channel.WEB_PUSH)
    if browser is None:
        return None
    states = states_of(browser)
    return {purpose: states.get(purpose) == ConsentState.GIVEN for purpose in Purpose}


def states_of(address: Address) -> dict[str, str]:
    """State of each purpose that anything was ever said of."""
    own = Permission.objects.filter(contact=address.contact_id, channel=address.channel)
    return dict(own.order_by("purpose").values_list("purpose", "state"))


def addresses_of(contact: int) -> list[Address]:
    """Addresses that a contact has in use, or that wait for their owner's yes."""
    return list(Address.objects.filter(contact=contact, state__in=LIVING).order_by("channel", "-pk"))


def address_on(address: Address, channel: Channel) -> Address | None:
    """The address, or of another channel one of the same contact's; None where it has none there."""
    if address.channel == channel:
        return address
    return next((each for each in addresses_of(address.contact_id) if each.channel == channel), None)


def no_earlier(address: Address, *, now: datetime) -> datetime:
    """The moment of what is said now: after all that was, as a shop whose clock is ahead may date its statements."""
    permissions = Permission.objects.filter(contact=address.contact_id)
    latest = permissions.aggregate(latest=Max("since"))["latest"]
    return max(now, latest + timedelta(microseconds=1)) if latest else now


def proof_of(address: Address, *, form: str) -> dict[str, str]:
    """What proves what was said on a page of ours: the page, and which text stood there in which language."""
    language = get_language() or address.contact.language
    return {"form": form, "language": language, "text_version": push_labels.TEXT_VERSION}


@transaction.atomic
def choose(
    address: Address, purposes: Mapping[Purpose, bool], *, source: ConsentSource, now: datetime
) -> dict[Purpose, bool]:
    """Say yes or no to purposes; those that changed, with what they were. A no also ends what was only asked.

    A yes lets the addresses of this channel speak again that had stopped everything.
    """
    Contact.objects.select_for_update().get(pk=address.contact_id)
    states = states_of(address)
    at = no_earlier(address, now=now)
    moved = {
        purpose: states.get(purpose) == ConsentState.GIVEN
        for purpose, yes in purposes.items()
        if (states.get(purpose) != ConsentState.GIVEN if yes else states.get(purpose) in OPEN)
    }
    channel = Channel(address.channel)
    if any(purposes.values()):
        for each in addresses_of(address.contact_id):
            if each.channel == channel:
                silence.lift(channel, bytes(each.digest), reasons=[SuppressionReason.UNSUBSCRIBED_ALL])
    ledger.record(
        [
            Statement(
                contact=address.contact_id,
                channel=channel,
                purpose=purpose,
                state=ConsentState.GIVEN if purposes[purpose] else ConsentState.WITHDRAWN,
                at=at,
                source=source,
                proof=proof_of(address, form=source.value),
            )
            for purpose in moved
        ]
    )
    return moved


@transaction.atomic
def stop_everything(address: Address, *, now: datetime) -> None:
    """Withdraw every purpose of every channel, and silence all addresses of the contact."""
    Contact.objects.select_for_update().get(pk=address.contact_id)
    addresses = addresses_of(address.contact_id)
    for each in {each.channel: each for each in addresses}.values():
        choose(each, dict.fromkeys(Purpose, False), source=ConsentSource.PREFERENCES, now=now)
    for each in addresses:
        silence.silence(Channel(each.channel), bytes(each.digest), reason=SuppressionReason.UNSUBSCRIBED_ALL, now=now)
