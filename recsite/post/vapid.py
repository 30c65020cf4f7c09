"""VAPID (RFC 8292), the side of a push service: whose key signed a request, and whether for us and now."""

import base64
import json
import re
from datetime import datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

LONGEST = timedelta(hours=24)
_HEADER = re.compile(r"vapid (?=.*\bt=([\w-]+\.[\w-]+\.[\w-]+))(?=.*\bk=([\w-]+)).*", re.ASCII | re.IGNORECASE)


def signer(authorization: str, *, origin: str, now: datetime) -> str | None:
    """The public key, in base64url, that signed a request for this origin; None where nobody rightly did."""
    match = _HEADER.fullmatch(authorization)
    if match is None:
        return None
    token, key = match[1], match[2]
    head, claims, signature = token.split(".")
    try:
        _check(key, f"{head}.{claims}".encode(), bytes_of(signature))
        said, kind = _json(claims), _json(head)
        left = datetime.fromtimestamp(int(said["exp"]), now.tzinfo) - now
    except (InvalidSignature, ValueError, KeyError, TypeError, OverflowError):
        return None
    is_ours = kind.get("alg") == "ES256" and said.get("aud") == origin
    return key if is_ours and timedelta(0) < left <= LONGEST else None


def bytes_of(text: str) -> bytes:
    """What base64url without padding stands for. Raises ValueError."""
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _check(key: str, signed: bytes, signature: bytes) -> None:
    """Raises InvalidSignature and ValueError."""
    if len(signature) != 64:
        raise InvalidSignature
    r, s = (int.from_bytes(part, "big") for part in (signature[:32], signature[32:]))
    public = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), bytes_of(key))
    public.verify(encode_dss_signature(r, s), signed, ECDSA(SHA256()))


def _json(part: str) -> dict[str, Any]:
    return dict(json.loads(bytes_of(part)))
