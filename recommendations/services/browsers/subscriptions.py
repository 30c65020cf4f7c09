"""Subscriptions of browsers to notifications. One that a page alone speaks for is the visitor's; a signed-in customer's
is one of which the shop's server proved who uses it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.conf import settings
from django.db import transaction
from django.utils.translation import get_supported_language_variant

from recommendations.channels import sealing as push_sealing
from recommendations.channels.outbound import ForbiddenAddressError
from recommendations.channels.web_push import push_service_of
from recommendations.ingest.proofs import proves
from recommendations.models import Address
from recommendations.push_terms import Channel, ConsentSource, ConsentState, Purpose, SuppressionReason
from recommendations.services.contacts.forms import time_zones
from recommendations.services.contacts.preferences import OPEN, no_earlier, states_of
from recommendations.store.contacts import browsers, ledger, silence
from recommendations.store.contacts.browsers import BrowserOwner, OtherKeysError
from recommendations.store.contacts.ledger import Statement
from recommendations.store.contacts.sealing import KeysMissingError, OpenAddress
from recommendations.store.events import id_cache
from recommendations.store.events.known_customers import Admission
from recommendations.terms import CustomerKind

__all__ = [
    "BrowserNeedsProofError", "InvalidSubscriptionError", "KeysMissingError", "NotAdmittedError", "OtherKeysError",
    "SubscriptionFlaw", "SubscriptionForm", "application_server_key", "subscribe", "unsubscribe",
]  # fmt: skip

OWN_WISH = (SuppressionReason.UNSUBSCRIBED_ALL, SuppressionReason.ERASED)
"""Silence that ends when the browser itself asks again."""


class SubscriptionFlaw(StrEnum):
    """What is wrong with a subscription."""

    ENDPOINT = "endpoint"  # no push service that is known
    POINT = "point"
    AUTH = "auth"


class InvalidSubscriptionError(Exception):
    """It is no subscription that a browser gives."""

    def __init__(self, flaw: SubscriptionFlaw) -> None:
        super().__init__(flaw)
        self.flaw = flaw


class BrowserNeedsProofError(Exception):
    """A page named a customer without a proof that holds; nothing was stored."""


class NotAdmittedError(Exception):
    """The visitor is new, and too many are already."""


@dataclass(frozen=True, kw_only=True)
class SubscriptionForm:
    """What a browser's page sends: where its push service takes what is for it, its keys, and whose it is."""

    endpoint: str
    p256dh: str  # in base64url, as the next
    auth: str
    purposes: Collection[Purpose]
    anonymous_id: str | None = None
    user_id: str | None = None
    proof: str | None = None
    language: str = ""
    time_zone: str = ""
    page: str = ""  # the origin that asked


def application_server_key() -> str:
    """The key under which browsers subscribe, in base64url. Raises KeysMissingError."""
    if not settings.VAPID_KEY:
        raise KeysMissingError
    return push_sealing.application_server_key(push_sealing.vapid_key(settings.VAPID_KEY))


def subscribe(form: SubscriptionForm, *, admit: Admission, now: datetime) -> bool:
    """Take a browser into use, with a yes to the purposes; whether it is new to its owner.

    Raises InvalidSubscriptionError, BrowserNeedsProofError, NotAdmittedError, OtherKeysError and KeysMissingError.
    """
    browser = _checked(form)
    owner = _owner(form, admit=admit, now=now)
    with transaction.atomic():
        address, is_new = browsers.register(browser, owner, now=now)
        silence.lift(Channel.WEB_PUSH, bytes(address.digest), reasons=OWN_WISH)
        states = states_of(address)
        missing = [each for each in Purpose if each in form.purposes and states.get(each) != ConsentState.GIVEN]
        proof = {"form": "browser", "page": form.page, "language": owner.language}
        _state(address, missing, ConsentState.GIVEN, proof=proof, now=now)
    return is_new


@transaction.atomic
def unsubscribe(*, endpoint: str, auth: str, now: datetime) -> bool:
    """Let a browser go, with what waits for it; whether it was known by this endpoint and its secret.

    With the last one of a contact its yes to browser notifications goes, too. Raises KeysMissingError.
    """
    address = browsers.find({"endpoint": endpoint, "auth": auth})
    if address is None:
        return False
    browsers.drop([address.pk])
    if not browsers.browsers_of(address.contact_id):
        said = [Purpose(each) for each, state in states_of(address).items() if state in OPEN]
        _state(address, said, ConsentState.WITHDRAWN, proof={"form": "browser"}, now=now)
    return True


def _checked(form: SubscriptionForm) -> OpenAddress:
    """The address of a browser, its keys without padding."""
    try:
        push_service_of(form.endpoint, more=settings.PUSH_SERVICE_HOSTS)
    except ForbiddenAddressError as error:
        raise InvalidSubscriptionError(SubscriptionFlaw.ENDPOINT) from error
    p256dh, auth = form.p256dh.rstrip("="), form.auth.rstrip("=")
    try:
        push_sealing.browser_key(push_sealing.bytes_of_base64url(p256dh))
    except ValueError as error:
        raise InvalidSubscriptionError(SubscriptionFlaw.POINT) from error
    try:
        is_secret = len(push_sealing.bytes_of_base64url(auth)) == push_sealing.AUTH
    except ValueError:
        is_secret = False
    if not is_secret:
        raise InvalidSubscriptionError(SubscriptionFlaw.AUTH)
    return {"endpoint": form.endpoint, "p256dh": p256dh, "auth": auth}


def _owner(form: SubscriptionForm, *, admit: Admission, now: datetime) -> BrowserOwner:
    """Whose a browser is: nobody becomes a customer by their id alone."""
    proven = form.user_id is not None
    if form.user_id is not None and not proves(
        form.proof, user_id=form.user_id, anonymous_id=form.anonymous_id, now=now
    ):
        raise BrowserNeedsProofError
    kind = CustomerKind.SIGNED_IN if proven else CustomerKind.ANONYMOUS
    name = form.user_id or form.anonymous_id or ""
    # Before the transaction: the process remembers the keys, so a rollback must not take the customers back.
    keys = id_cache.living_keys([name], kind, admit=admit)
    if name not in keys:
        raise NotAdmittedError
    zone = form.time_zone if form.time_zone in time_zones() else ""
    return BrowserOwner(customer=keys[name], proven=proven, language=_language(form.language), time_zone=zone)


def _language(typed: str) -> str:
    """One of our languages; the shop's where a browser speaks none of them."""
    try:
        return get_supported_language_variant(typed.strip().lower())
    except LookupError:
        return str(settings.SHOP_LANGUAGE)


def _state(
    address: Address, purposes: Collection[Purpose], state: ConsentState, *, proof: Mapping[str, str], now: datetime
) -> None:
    at = no_earlier(address, now=now)
    ledger.record(
        [
            Statement(
                contact=address.contact_id, channel=Channel.WEB_PUSH, purpose=purpose, state=state, at=at,
                source=ConsentSource.BROWSER, proof=dict(proof),
            )
            for purpose in purposes
        ]
    )  # fmt: skip
