"""How a person may be reached, as staff see it: the contacts of all their keys, addresses with stars, what was said."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product

from django.db.models import Prefetch

from recommendations.models import Address, AuditEntry, ConsentStatement, Contact, Permission, Suppression
from recommendations.push_terms import LIFTED_BY_STAFF, AddressState, Channel, Obstacle, Purpose, SuppressionReason
from recommendations.services.access import audit
from recommendations.services.contacts.confirming import MOST
from recommendations.services.contacts.obstacles import obstacle_of
from recommendations.store.contacts import silence
from recommendations.store.contacts.book import LIVING
from recommendations.store.contacts.sealing import KeysMissingError, SealBrokenError, masked, unseal

MOST_STATEMENTS = 100  # of a contact, on a page
EMAIL = re.compile(r"[^\s@]+@[^\s@]+")


@dataclass(frozen=True, kw_only=True)
class ReachedAddress:
    """An address in use; ``masked`` is empty where no key opens it."""

    address: Address
    masked: str
    silent: Suppression | None

    @property
    def since(self) -> datetime:
        """When it came, or was confirmed."""
        confirmed = self.address.confirmed_at if self.address.state == AddressState.ACTIVE else None
        return confirmed or self.address.created_at

    @property
    def asked_in_vain(self) -> bool:
        """Whether its owner was asked as often as anybody is, and did not confirm."""
        return self.address.state == AddressState.UNCONFIRMED and self.address.confirmations >= MOST

    @property
    def may_speak(self) -> bool:
        """Whether staff may let it speak again."""
        return self.silent is not None and self.silent.reason in LIFTED_BY_STAFF

    @property
    def owner_may_speak(self) -> bool:
        return self.silent is not None and self.silent.reason == SuppressionReason.UNSUBSCRIBED_ALL


@dataclass(frozen=True, kw_only=True)
class SaidOfPurpose:
    """What holds for a purpose; ``held_by`` keeps mail from going out all the same."""

    permission: Permission
    held_by: Obstacle | None


@dataclass(frozen=True, kw_only=True)
class ProvenStatement:
    """A statement of the ledger, with its proof as text."""

    statement: ConsentStatement
    proof: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Reach:
    """A contact of a person; ``gone`` addresses left a hash only; ``older`` statements are not among those here.

    Each purpose of a channel that matters is in ``said``, its permission without a state where nothing was ever said of
    it.
    """

    contact: Contact
    addresses: Sequence[ReachedAddress]
    gone: int
    said: Sequence[SaidOfPurpose]
    statements: Sequence[ProvenStatement]
    older: bool
    paused_until: datetime | None


@dataclass(frozen=True, kw_only=True)
class ErasedContact:
    """An erasure of a contact, of which the audit trail alone still knows; ``by_owner``: they did it themselves."""

    at: datetime
    by_owner: bool


def last_erasure(keys: Sequence[int]) -> ErasedContact | None:
    """When a contact of one of the keys was erased last, and whether by its owner; None where that never happened."""
    stored = AuditEntry.objects.filter(
        object_type="contact", object_id__in=[str(key) for key in keys], verb__in=[audit.ERASED, audit.ERASED_BY_OWNER]
    )
    last = stored.order_by("-at").first()
    return ErasedContact(at=last.at, by_owner=last.verb == audit.ERASED_BY_OWNER) if last else None


def reach_of(keys: Sequence[int], *, now: datetime) -> list[Reach]:
    """Contacts of the keys of a person, in the order of the keys. An address that no key opens has no text."""
    latest = ConsentStatement.objects.order_by("-at", "-pk")[: MOST_STATEMENTS + 1]
    contacts = (
        Contact.objects.filter(customer__in=keys)
        .select_related("customer")
        .prefetch_related(
            Prefetch("addresses", Address.objects.order_by("pk")),
            "permissions",
            Prefetch("consents", latest, to_attr="latest_consents"),
        )
    )
    places = {key: place for place, key in enumerate(keys)}
    ordered = sorted(contacts, key=lambda contact: places[contact.pk])
    living = [address for contact in ordered for address in contact.addresses.all() if address.state in LIVING]
    silent = silence.suppressions([bytes(address.digest) for address in living], now=now)
    return [_reach(contact, silent, now=now) for contact in ordered]


def _reach(contact: Contact, silent: Mapping[bytes, Suppression], *, now: datetime) -> Reach:
    addresses, statements = list(contact.addresses.all()), vars(contact)["latest_consents"]
    in_use = [each for each in addresses if each.state in LIVING]
    return Reach(
        contact=contact,
        addresses=[
            ReachedAddress(address=each, masked=_masked(each), silent=silent.get(bytes(each.digest))) for each in in_use
        ],
        gone=sum(each.state == AddressState.GONE for each in addresses),
        said=_said(contact, {each.channel: each for each in in_use}, silent, now=now),
        statements=[
            ProvenStatement(
                statement=each,
                proof={with_stars(str(name)): with_stars(str(value)) for name, value in each.proof.items()},
            )
            for each in statements[:MOST_STATEMENTS]
        ],
        older=len(statements) > MOST_STATEMENTS,
        paused_until=contact.paused_until if contact.paused_until and contact.paused_until > now else None,
    )


def _said(
    contact: Contact, addresses: Mapping[str, Address], silent: Mapping[bytes, Suppression], *, now: datetime
) -> list[SaidOfPurpose]:
    """What holds for each purpose: of mail, and of each channel that has an address or of which something was said."""
    permissions = {(each.channel, each.purpose): each for each in contact.permissions.all()}
    spoken_of = {Channel.EMAIL, *addresses, *(channel for channel, _purpose in permissions)}
    said = []
    for channel, purpose in product([each for each in Channel if each in spoken_of], Purpose):
        address = addresses.get(channel)
        permission = permissions.get((channel, purpose)) or Permission(
            contact=contact, channel=channel, purpose=purpose, state=""
        )
        obstacle = obstacle_of(
            contact, purpose, permission.state, address=address.state if address else None,
            silent=address is not None and bytes(address.digest) in silent, now=now,
        )  # fmt: skip
        said.append(SaidOfPurpose(permission=permission, held_by=obstacle))
    return said


def _masked(address: Address) -> str:
    try:
        return masked(unseal(address.sealed))
    except (KeysMissingError, SealBrokenError):
        return ""


def with_stars(text: str) -> str:
    """The text of a shop, which may name an address all the same."""
    return EMAIL.sub(lambda match: masked({"email": match[0]}), text)
