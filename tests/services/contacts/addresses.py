"""Contacts by hand: one with an address, as the shop's server would have sent it."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from recommendations.models import Address
from recommendations.push_terms import AddressState, ConsentSource
from recommendations.services.contacts.forms import ContactChanges
from recommendations.services.contacts.rows import ContactRow, take_contacts

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
PROOF = {"form": "checkout", "text_version": "3"}


def said(purpose: str, state: str = "given", at: str = "2026-08-01T10:00:00Z") -> dict[str, Any]:
    return {"purpose": purpose, "state": state, "at": at, "proof": PROOF}


def address_of(user_id: str = "u1", *, now: datetime = NOW, **fields: Any) -> Address:
    """The address in use of somebody, after the shop has sent these fields."""
    sent = {"email": f"{user_id}@example.com", **fields}
    form = msgspec.convert(sent, ContactChanges, strict=False)
    [verdict] = take_contacts([ContactRow(user_id=user_id, form=form)], source=ConsentSource.API, now=now)
    assert verdict.verdict != "rejected", verdict
    return Address.objects.exclude(state=AddressState.GONE).select_related("contact__customer").latest("pk")
