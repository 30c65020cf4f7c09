"""Sealing of a notification for one browser (RFC 8291), and the signature it is posted under (VAPID, RFC 8292)."""

import base64
import json
import os

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    derive_private_key,
    generate_private_key,
)  # fmt: skip
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

RECORD = 4096  # bytes of a record; push services take no more in one message
LONGEST = 3993  # bytes of a payload: a record less its head of 86 bytes, the tag of 16 and the mark of its end
POINT, AUTH, SALT, SCALAR = 65, 16, 16, 32  # bytes
HOURS = 12  # that a signature holds; 24 are allowed


class SealingError(ValueError):
    """The payload is too long, or the browser's keys are none; the text names neither."""


def base64url(content: bytes) -> str:
    """Base64 for addresses and headers, unpadded."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def bytes_of_base64url(text: str) -> bytes:
    """What unpadded base64url stands for. Raises ValueError."""
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def browser_key(p256dh: bytes) -> EllipticCurvePublicKey:
    """The public key of a browser, 65 bytes on the curve P-256. Raises SealingError."""
    try:
        if len(p256dh) != POINT:
            raise SealingError("a browser's key has 65 bytes")
        return EllipticCurvePublicKey.from_encoded_point(SECP256R1(), p256dh)
    except ValueError as error:
        raise SealingError("a browser's key is a point of P-256") from error


def seal(
    payload: bytes, *, p256dh: bytes, auth: bytes, own: EllipticCurvePrivateKey | None = None, salt: bytes | None = None
) -> bytes:
    """One ``aes128gcm`` record of at most 3,993 bytes that only the browser opens which has the private half of
    ``p256dh``, and the secret ``auth``. ``own`` and ``salt`` are drawn for each record. Raises SealingError.
    """
    if len(payload) > LONGEST:
        raise SealingError(f"a notification has at most {LONGEST:,} bytes")
    if len(auth) != AUTH:
        raise SealingError("a browser's secret has 16 bytes")
    theirs = browser_key(p256dh)
    own, salt = own or generate_private_key(SECP256R1()), salt or os.urandom(SALT)
    ours = _point(own.public_key())
    secret = _derive(auth, own.exchange(ECDH(), theirs), b"WebPush: info\0" + p256dh + ours, 32)
    key = _derive(salt, secret, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derive(salt, secret, b"Content-Encoding: nonce\0", 12)
    head = salt + RECORD.to_bytes(4, "big") + bytes([len(ours)]) + ours
    return head + AESGCM(key).encrypt(nonce, payload + b"\x02", None)


def vapid_key(text: str) -> EllipticCurvePrivateKey:
    """The key that signs, from its 32 bytes in base64url. Raises ValueError."""
    scalar = bytes_of_base64url(text)
    if len(scalar) != SCALAR:
        raise ValueError("a key of VAPID has 32 bytes")
    return derive_private_key(int.from_bytes(scalar, "big"), SECP256R1())


def new_vapid_key() -> str:
    """A fresh key that signs, as 32 bytes in base64url."""
    return base64url(generate_private_key(SECP256R1()).private_numbers().private_value.to_bytes(SCALAR, "big"))


def application_server_key(key: EllipticCurvePrivateKey) -> str:
    """The public half in base64url, under which a browser subscribes."""
    return base64url(_point(key.public_key()))


def authorization(key: EllipticCurvePrivateKey, *, origin: str, subject: str, now: float) -> str:
    """The ``Authorization`` header for the push service of an origin; ``subject`` is a mailto or https address of ours.

    ``now`` is in seconds since 1970.
    """
    claims = {"aud": origin, "exp": int(now) + HOURS * 3600, "sub": subject}
    signed = f"{_part({'typ': 'JWT', 'alg': 'ES256'})}.{_part(claims)}"
    r, s = decode_dss_signature(key.sign(signed.encode(), ECDSA(SHA256())))
    signature = base64url(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    return f"vapid t={signed}.{signature},k={application_server_key(key)}"


def _point(key: EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _derive(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(secret)


def _part(fields: dict[str, object] | dict[str, str]) -> str:
    return base64url(json.dumps(fields, separators=(",", ":")).encode())
