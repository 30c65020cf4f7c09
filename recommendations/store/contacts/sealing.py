"""Addresses of customers, sealed at rest: opened in one place, found by a keyed hash, shown with stars.

Whoever has the database alone can neither read an address nor try one out.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from functools import cache
from urllib.parse import urlsplit

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.translation import gettext as _
from email_validator import EmailNotValidError, validate_email

from recommendations.models import ShopSetting
from recommendations.push_terms import Channel

CHECK_VALUE = "contact_hash_key_check"
STARS = "•••"
type OpenAddress = Mapping[str, str]
"""An address as a channel needs it: {email}; of a browser {endpoint, p256dh, auth}; of a webhook {user_id}."""

OWN = {Channel.EMAIL: "email", Channel.WEB_PUSH: "endpoint", Channel.WEBHOOK: "user_id"}
"""The field of an address that tells it from all others of its channel."""


class KeysMissingError(Exception):
    """The installation has no keys for contacts (``manage.py push_keys`` makes them)."""


class InvalidAddressError(Exception):
    """It is no address; the text says why."""


class SealBrokenError(Exception):
    """None of the keys opens what is stored."""


def have_keys() -> bool:
    return bool(settings.CONTACT_KEYS and settings.CONTACT_HASH_KEY and settings.LINK_KEYS)


def seal(address: OpenAddress) -> bytes:
    """Seal with the first key. Raises KeysMissingError."""
    return _box().encrypt(json.dumps(address, separators=(",", ":")).encode())


def unseal(sealed: bytes | memoryview) -> dict[str, str]:
    """Open with whichever key fits. Raises KeysMissingError and SealBrokenError."""
    try:
        return dict(json.loads(_box().decrypt(bytes(sealed))))
    except InvalidToken as error:
        raise SealBrokenError("no key of CONTACT_KEYS opens this address") from error


def reseal(sealed: bytes | memoryview) -> bytes:
    """Seal with the first key what another one sealed. Raises as ``unseal``."""
    try:
        return _box().rotate(bytes(sealed))
    except InvalidToken as error:
        raise SealBrokenError("no key of CONTACT_KEYS opens this address") from error


def under_first_key(sealed: bytes | memoryview) -> bool:
    """Whether the first key sealed it. Raises KeysMissingError."""
    if not settings.CONTACT_KEYS:
        raise KeysMissingError
    try:
        box_of(tuple(settings.CONTACT_KEYS[:1])).decrypt(bytes(sealed))
    except InvalidToken:
        return False
    return True


def checked_email(typed: str) -> str:
    """The address in its normal form, in ASCII, of which no mail server was asked. Raises InvalidAddressError.

    A domain of other letters has a form in ASCII; what stands before the “@” has none that every server takes.
    """
    if typed.lstrip().startswith("="):
        raise InvalidAddressError(_("It begins with “=”, as a formula does."))  # RFC 5321 would let it pass
    try:
        checked = validate_email(typed.strip(), check_deliverability=False, allow_smtputf8=False)
        return checked.ascii_email or checked.normalized
    except EmailNotValidError as error:
        raise InvalidAddressError(str(error)) from error


def digest_of(channel: Channel, address: OpenAddress) -> bytes:
    """HMAC-SHA256 under ``CONTACT_HASH_KEY``, 32 bytes; of an e-mail whatever its case. Raises KeysMissingError."""
    if not settings.CONTACT_HASH_KEY:
        raise KeysMissingError
    own = address[OWN[channel]]
    own = own.casefold() if channel is Channel.EMAIL else own
    return hmac.digest(settings.CONTACT_HASH_KEY.encode(), f"{channel}:{own}".encode(), "sha256")


def masked(address: OpenAddress) -> str:
    """What pages and the API show: ``s•••@example.com``; of a browser its push service, ``•••@push.example.com``."""
    if "email" not in address:
        return f"{STARS}@{urlsplit(address['endpoint']).hostname}" if "endpoint" in address else STARS
    name, _at, domain = address["email"].rpartition("@")
    return f"{name[:1]}{STARS}@{domain}"


def hash_key_is_the_stored_one() -> bool:
    """False where this database was filled under another ``CONTACT_HASH_KEY``; the first call stores the check."""
    check = hmac.digest(settings.CONTACT_HASH_KEY.encode(), b"check value", "sha256").hex()
    stored, _ = ShopSetting.objects.get_or_create(key=CHECK_VALUE, defaults={"value": check})
    return bool(stored.value == check)


def _box() -> MultiFernet:
    if not settings.CONTACT_KEYS:
        raise KeysMissingError
    return box_of(tuple(settings.CONTACT_KEYS))


@cache
def box_of(keys: tuple[str, ...]) -> MultiFernet:
    """A box of keys that are random already; the hash gives them the length that Fernet asks for."""
    return MultiFernet([Fernet(base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest())) for key in keys])
