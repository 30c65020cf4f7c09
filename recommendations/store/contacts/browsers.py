"""Browsers of a contact: where their push service takes notifications, and the keys that seal them.

An endpoint belongs to one contact. Which contact that is, its browser says; that it is a signed-in customer's, the
shop's server has to prove.
"""

import hmac
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.db.models import QuerySet

from recommendations.models import Address, Contact
from recommendations.push_terms import AddressState, Channel
from recommendations.store.contacts.book import lock
from recommendations.store.contacts.sealing import OpenAddress, digest_of, seal, unseal
from recommendations.store.push import outbox

MOST = 10
"""Browsers of a contact; of more the one goes that has not been heard of for the longest time."""


class OtherKeysError(Exception):
    """The endpoint is known with other keys, which no push service gives to one."""


class Registered(NamedTuple):
    """The address of a browser, and whether it is new to this contact."""

    address: Address
    is_new: bool


@dataclass(frozen=True, kw_only=True)
class BrowserOwner:
    """Whose a browser is: the key of a customer, ``proven`` or the visitor; what a new contact begins with."""

    customer: int
    proven: bool
    language: str
    time_zone: str


def register(browser: OpenAddress, owner: BrowserOwner, *, now: datetime) -> Registered:
    """Take a browser into use for its owner, and from whoever had it before; one writer until the transaction ends.

    Raises OtherKeysError, KeysMissingError and SealBrokenError.
    """
    lock()
    _contact(owner, now=now)
    digest = digest_of(Channel.WEB_PUSH, browser)
    held = _in_use().filter(digest=digest).first()
    if held is not None and not _same_keys(unseal(held.sealed), browser):
        raise OtherKeysError
    if held is not None and held.contact_id == owner.customer:
        held.proven, held.confirmed_at = held.proven or owner.proven, now
        held.save(update_fields=["proven", "confirmed_at"])
        return Registered(held, is_new=False)
    if held is not None:
        drop([held.pk])
    address = Address.objects.create(
        contact_id=owner.customer, channel=Channel.WEB_PUSH, sealed=seal(browser), digest=digest,
        state=AddressState.ACTIVE, confirmed_at=now, proven=owner.proven, created_at=now,
    )  # fmt: skip
    drop([each.pk for each in browsers_of(owner.customer)[MOST:]])
    return Registered(address, is_new=True)


def find(browser: OpenAddress) -> Address | None:
    """The browser in use with this endpoint, for whoever knows its secret ``auth``; one writer until the transaction
    ends.

    Raises KeysMissingError and SealBrokenError.
    """
    lock()
    held = _in_use().filter(digest=digest_of(Channel.WEB_PUSH, browser)).first()
    known = held is not None and hmac.compare_digest(unseal(held.sealed)["auth"].encode(), browser["auth"].encode())
    return held if known else None


def browsers_of(contact: int) -> list[Address]:
    """Browsers that a contact has in use, the one that was heard of last first."""
    return list(_in_use().filter(contact=contact).order_by("-confirmed_at", "-pk"))


def drop(addresses: Collection[int]) -> None:
    """Let browsers go, with what waits for them: their hash stays."""
    if addresses:
        Address.objects.filter(pk__in=addresses).update(state=AddressState.GONE, sealed=b"")
        outbox.withdraw_to(addresses)


def _in_use() -> QuerySet[Address]:
    return Address.objects.filter(channel=Channel.WEB_PUSH, state=AddressState.ACTIVE)


def _same_keys(known: OpenAddress, sent: OpenAddress) -> bool:
    return hmac.compare_digest(known["auth"].encode(), sent["auth"].encode()) and known["p256dh"] == sent["p256dh"]


def _contact(owner: BrowserOwner, *, now: datetime) -> None:
    """The contact of the owner; one that is there keeps its language, and its time zone if it has one."""
    fresh = {
        "language": owner.language or settings.SHOP_LANGUAGE,
        "time_zone": owner.time_zone,
        "created_at": now,
        "changed_at": now,
    }
    contact, is_new = Contact.objects.get_or_create(customer_id=owner.customer, defaults=fresh)
    if not is_new and owner.time_zone and not contact.time_zone:
        Contact.objects.filter(pk=contact.pk).update(time_zone=owner.time_zone, changed_at=now)
