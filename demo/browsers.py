"""Invented browsers: where some of the demo's customers would read notifications. They exist nowhere, but what is
sealed for them can be opened here, so that *Mailbox* shows what a customer would see.
"""

import hmac
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    derive_private_key,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

from demo.invented import INVENTED
from recommendations.channels.sealing import AUTH, POINT, SALT, base64url
from recommendations.customer_codes import customer_code
from recommendations.models import Address
from recommendations.push_terms import AddressState, Channel
from recommendations.store.contacts.sealing import digest_of, seal

HEAD = SALT + 4 + 1  # bytes before the sender's point: salt, size of a record, length of the point


def invent_browsers(customers: Sequence[int], *, push_service: str, now: datetime) -> None:
    """Give a browser to each of these contacts; ``push_service`` is the origin of the demo's."""
    addresses = []
    for customer in customers:
        opened = browser_of(customer, push_service=push_service)
        address = Address(
            contact_id=customer, channel=Channel.WEB_PUSH, sealed=seal(opened), proven=True, confirmed_at=now,
            digest=digest_of(Channel.WEB_PUSH, opened), state=AddressState.ACTIVE, created_at=now,
        )  # fmt: skip
        addresses.append(address)
    Address.objects.bulk_create(addresses)


def browser_of(customer: int, *, push_service: str) -> dict[str, str]:
    """The browser of a customer as channels need it, open."""
    return {
        "endpoint": f"{push_service}/push/{INVENTED}{customer_code(customer)}",
        "p256dh": base64url(_point(_key(customer).public_key())),
        "auth": base64url(_auth(customer)),
    }


def opened_for(customer: int, sealed: bytes) -> dict[str, Any] | None:
    """The notification that was sealed for the browser of a customer; None where it was not, or is none."""
    salt, sender, content = sealed[:SALT], sealed[HEAD : HEAD + POINT], sealed[HEAD + POINT :]
    own = _key(customer)
    try:
        shared = own.exchange(ECDH(), EllipticCurvePublicKey.from_encoded_point(SECP256R1(), sender))
        secret = _derive(_auth(customer), shared, b"WebPush: info\0" + _point(own.public_key()) + sender, 32)
        key = _derive(salt, secret, b"Content-Encoding: aes128gcm\0", 16)
        nonce = _derive(salt, secret, b"Content-Encoding: nonce\0", 12)
        padded = AESGCM(key).decrypt(nonce, content, None)
        told = json.loads(padded.rstrip(b"\0").removesuffix(b"\x02"))
    except (InvalidTag, ValueError):
        return None
    return told if isinstance(told, dict) else None


def _key(customer: int) -> EllipticCurvePrivateKey:
    """A key that belongs to a customer of this demo: a hash of 31 bytes is a number of the curve."""
    return derive_private_key(int.from_bytes(_hash(customer, "key")[:31], "big") + 1, SECP256R1())


def _auth(customer: int) -> bytes:
    return _hash(customer, "auth")[:AUTH]


def _hash(customer: int, what: str) -> bytes:
    return hmac.digest(settings.CONTACT_HASH_KEY.encode(), f"invented browser/{customer}/{what}".encode(), "sha256")


def _point(key: EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _derive(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(secret)
