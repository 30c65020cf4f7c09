"""Browsers for tests of notifications: their keys, and what they hand in."""

import os
from dataclasses import dataclass, field
from typing import Any

import http_ece
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from recommendations.channels.sealing import base64url

ENDPOINT = "https://updates.push.services.mozilla.com/wpush/v2/"
VAPID_KEY = base64url(bytes(31) + b"\x07")


@dataclass(frozen=True)
class TestBrowser:
    """A browser whose push service calls it by a name; only it opens what is sealed for it."""

    __test__ = False
    name: str
    key: EllipticCurvePrivateKey = field(default_factory=lambda: generate_private_key(SECP256R1()))
    auth: bytes = field(default_factory=lambda: os.urandom(16))

    @property
    def endpoint(self) -> str:
        return f"{ENDPOINT}{self.name}"

    @property
    def keys(self) -> dict[str, str]:
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return {"p256dh": base64url(point), "auth": base64url(self.auth)}

    def body(self, *purposes: str, **whose: Any) -> dict[str, Any]:
        return {"endpoint": self.endpoint, "keys": self.keys, "purposes": list(purposes or ("for_you",)), **whose}

    def opened(self, sealed: bytes) -> bytes:
        content: bytes = http_ece.decrypt(sealed, private_key=self.key, auth_secret=self.auth, version="aes128gcm")
        return content
