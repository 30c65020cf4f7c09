"""Contacts of some customers, read once, changed in memory, and written together."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import connection
from django.db.models import Q

from recommendations.models import Address, Contact
from recommendations.push_terms import AddressState, Channel
from recommendations.store.contacts.sealing import digest_of, seal

LOCK = 7_264_120  # one writer at a time: an address belongs to one contact
LIVING = (AddressState.UNCONFIRMED, AddressState.ACTIVE)


class AddressIsTakenError(Exception):
    """Another contact has the address, and nobody vouches for it being this one's."""


def lock() -> None:
    """Let nobody else write contacts until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


@dataclass(kw_only=True)
class ContactBook:
    """Contacts by the key of their customer, with the address that each has in use, and who has an address by its hash.

    A hash stands here where its address is one of a contact, or one of the ``emails`` that are to be set. Several may
    wait for the owner's yes with one address; in use it is with one of them.
    """

    now: datetime
    contacts: dict[int, Contact]
    addresses: dict[int, Address]
    _holders: dict[bytes, list[Address]]
    _new: dict[int, Contact] = field(default_factory=dict)
    _changed: dict[int, Contact] = field(default_factory=dict)
    _written: dict[int, Address] = field(default_factory=dict)
    _dropped: dict[int, Address] = field(default_factory=dict)  # by their keys

    @classmethod
    def of(cls, customers: Iterable[int], *, emails: Iterable[str] = (), now: datetime) -> Self:
        """Contacts of these customers, for one writer until the transaction ends; who has none gets one by a change.

        Raises KeysMissingError.
        """
        lock()
        keys, digests = list(customers), [digest_of(Channel.EMAIL, {"email": email}) for email in emails]
        living = list(
            Address.objects.filter(Q(contact__in=keys) | Q(digest__in=digests), channel=Channel.EMAIL, state__in=LIVING)
        )
        holders: dict[bytes, list[Address]] = {}
        for each in living:
            holders.setdefault(bytes(each.digest), []).append(each)
        return cls(
            now=now,
            contacts=Contact.objects.in_bulk(keys),
            addresses={each.contact_id: each for each in living},
            _holders=holders,
        )

    def state_of(self, customer: int) -> AddressState | None:
        """State of the address that somebody has; None without one."""
        address = self.addresses.get(customer)
        return AddressState(address.state) if address else None

    def set_fields(self, customer: int, fields: Mapping[str, str]) -> bool:
        """Set fields of a contact; whether any differs, or there was none."""
        added = customer not in self.contacts
        contact = self._contact(customer)
        differing = {name: value for name, value in fields.items() if getattr(contact, name) != value}
        for name, value in differing.items():
            setattr(contact, name, value)
        if differing and customer not in self._new:
            contact.changed_at = self.now
            self._changed[customer] = contact
        return added or bool(differing)

    def set_email(self, customer: int, email: str | None, *, vouched: bool) -> bool:
        """Set one of ``emails``, or take the address away; whether anything differs.

        Raises AddressIsTakenError and KeysMissingError.
        """
        held = self.addresses.get(customer)
        digest = digest_of(Channel.EMAIL, {"email": email}) if email else None
        if digest is not None:
            self._take_over(digest, vouched=vouched, to=held)
        if held is not None and digest == bytes(held.digest):
            return vouched and self._confirm(held)
        if held is not None:
            self._drop(held)
        if email is None or digest is None:
            return held is not None
        self._contact(customer)
        address = Address(
            contact_id=customer, channel=Channel.EMAIL, sealed=seal({"email": email}), digest=digest,
            created_at=self.now,
            state=AddressState.ACTIVE if vouched else AddressState.UNCONFIRMED,
            confirmed_at=self.now if vouched else None,
        )  # fmt: skip
        self.addresses[customer] = self._written[customer] = address
        self._holders.setdefault(digest, []).append(address)
        return True

    def save(self) -> None:
        """Write all that differs, in a few statements."""
        Contact.objects.bulk_create(self._new.values())
        Contact.objects.bulk_update(self._changed.values(), ["language", "time_zone", "changed_at"], batch_size=1_000)
        Address.objects.bulk_update(self._dropped.values(), ["state", "sealed"], batch_size=1_000)
        written = [address for address in self._written.values() if address.pk not in self._dropped]
        confirmed = [address for address in written if address.pk is not None]  # before the new ones have keys, too
        Address.objects.bulk_create(address for address in written if address.pk is None)
        Address.objects.bulk_update(confirmed, ["state", "confirmed_at"], batch_size=1_000)

    def _contact(self, customer: int) -> Contact:
        if customer not in self.contacts:
            made = Contact(
                customer_id=customer, language=settings.SHOP_LANGUAGE, created_at=self.now, changed_at=self.now
            )
            self.contacts[customer] = self._new[customer] = made
        return self.contacts[customer]

    def _confirm(self, address: Address) -> bool:
        if address.state == AddressState.ACTIVE:
            return False
        address.state, address.confirmed_at = AddressState.ACTIVE, self.now
        self._written[address.contact_id] = address
        return True

    def _take_over(self, digest: bytes, *, vouched: bool, to: Address | None) -> None:
        """Take the address from all others where somebody vouches; otherwise nobody may have it in use."""
        others = [each for each in self._holders.get(digest, ()) if each is not to]
        if not vouched:
            if any(each.state == AddressState.ACTIVE for each in others):
                raise AddressIsTakenError
            return
        for other in others:
            self._drop(other)

    def _drop(self, address: Address) -> None:
        """Let an address go: its hash stays, which counts how often it was asked to confirm."""
        self.addresses.pop(address.contact_id, None)
        self._holders[bytes(address.digest)].remove(address)
        self._written.pop(address.contact_id, None)
        if address.pk is not None:
            address.state, address.sealed = AddressState.GONE, b""
            self._dropped[address.pk] = address
