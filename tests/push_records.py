"""Contacts, campaigns and messages for tests of push."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

from recommendations.models import Address, Campaign, CampaignVersion, Contact, Customer, Occurrence, PressureRules
from recommendations.push_terms import AddressState, CampaignKind, Channel, ConsentSource, ConsentState, Purpose
from recommendations.store.contacts import ledger
from recommendations.store.contacts.ledger import Statement
from recommendations.store.contacts.sealing import digest_of, seal
from recommendations.store.events.pseudonyms import pseudonym

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)


def contact(name: str, *, purposes: tuple[Purpose, ...] = tuple(Purpose), **fields: Any) -> Address:
    """A customer who said yes, with an address in use."""
    customer, _ = Customer.objects.get_or_create(pseudonym=pseudonym(name))
    Contact.objects.create(customer=customer, language="en", **fields)
    email = {"email": f"{name}@example.com"}
    address = Address.objects.create(
        contact_id=customer.pk, channel=Channel.EMAIL, sealed=seal(email), digest=digest_of(Channel.EMAIL, email),
        state=AddressState.ACTIVE, confirmed_at=NOW,
    )  # fmt: skip
    ledger.record(
        [
            Statement(
                contact=customer.pk, channel=Channel.EMAIL, purpose=purpose, state=ConsentState.GIVEN,
                at=NOW - timedelta(days=30), source=ConsentSource.API, proof={"form": "checkout"},
            )
            for purpose in purposes
        ]
    )  # fmt: skip
    return address


def pressure(**fields: Any) -> PressureRules:
    values: dict[str, Any] = {
        "number": 1, "caps": [], "quiet_from": time(21), "quiet_until": time(8), "holdout": 0.0, "season": "2026-2",
        "is_default": True,
    }  # fmt: skip
    return PressureRules.objects.create(**values | fields)


def campaign(name: str = "For you this week", *, purpose: Purpose = Purpose.FOR_YOU, **frozen: Any) -> Occurrence:
    """A live campaign with a sending that is due."""
    made = Campaign.objects.create(
        slug=name.lower().replace(" ", "-"), name=name, kind=CampaignKind.ONCE, purpose=purpose
    )
    version = CampaignVersion.objects.create(campaign=made, number=1, frozen=frozen, starts_at=NOW)
    return Occurrence.objects.create(campaign=made, version=version, key="1", due_at=NOW)
