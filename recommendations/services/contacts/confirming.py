"""Double opt-in, its end: whoever has the address says yes by a button of the page, or that it was not them."""

from datetime import datetime

from django.db import transaction
from django.db.models import F

from recommendations.models import Address, Contact, Permission
from recommendations.push_terms import (
    AddressState,
    Channel,
    ConsentSource,
    ConsentState,
    Purpose,
    SuppressionReason,
)
from recommendations.services.contacts.preferences import OPEN, no_earlier, proof_of, states_of
from recommendations.store.contacts import ledger, silence
from recommendations.store.contacts.book import ContactBook
from recommendations.store.contacts.ledger import Statement
from recommendations.store.contacts.sealing import unseal

MOST = 2  # mails that ask the owner of an address, ever


def wanted_purposes(address: Address) -> list[Purpose]:
    """Purposes that wait for the owner of an address, in their order: asked now, or said yes to with another one."""
    states = states_of(address)
    return [purpose for purpose in Purpose if states.get(purpose) in OPEN]


@transaction.atomic
def confirm(address: Address, *, now: datetime) -> bool:
    """Take an address into use and give what was asked; False where that was done before, or the address is gone."""
    stored = Address.objects.filter(pk=address.pk).exclude(sealed=b"").first()
    if stored is None:
        return False
    email = unseal(stored.sealed)["email"]
    book = ContactBook.of([address.contact_id], emails=[email], now=now)
    held = book.addresses.get(address.contact_id)
    if held is None or held.pk != address.pk:
        return False
    confirms = book.set_email(address.contact_id, email, vouched=True)
    book.save()
    gives = _answer(address, ConsentState.GIVEN, now=now)
    if confirms or gives:
        silence.lift(Channel(held.channel), bytes(held.digest), reasons=[SuppressionReason.UNSUBSCRIBED_ALL])
    return confirms or gives


@transaction.atomic
def deny(address: Address, *, now: datetime) -> bool:
    """Refuse what was asked, let the address go, and void its links; False where nobody waits for an answer."""
    book = ContactBook.of([address.contact_id], now=now)
    held = book.addresses.get(address.contact_id)
    if held is None or held.pk != address.pk or held.state != AddressState.UNCONFIRMED:
        return False
    _answer(address, ConsentState.REFUSED, now=now)
    book.set_email(address.contact_id, None, vouched=False)
    book.save()
    Contact.objects.filter(pk=address.contact_id).update(link_generation=F("link_generation") + 1, changed_at=now)
    return True


def _answer(address: Address, state: ConsentState, *, now: datetime) -> bool:
    """State the owner's answer to all that was asked; whether anything was."""
    asked = _asked(address)
    at, proof = no_earlier(address, now=now), proof_of(address, form="confirmation page")
    ledger.record(
        [
            Statement(
                contact=address.contact_id,
                channel=Channel(address.channel),
                purpose=purpose,
                state=state,
                at=at,
                source=ConsentSource.CONFIRMED,
                proof={**proof, "asked_at": since.isoformat()},
            )
            for purpose, since in asked.items()
        ]
    )
    return bool(asked)


def _asked(address: Address) -> dict[Purpose, datetime]:
    waiting = Permission.objects.filter(
        contact=address.contact_id, channel=address.channel, state=ConsentState.ASKED
    ).values_list("purpose", "since")
    return {Purpose(purpose): since for purpose, since in waiting}
