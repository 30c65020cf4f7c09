"""Tokens of the links in messages: what they open, signed; there is no address in them, and nothing is looked up before
the signature is right.
"""

import base64
import binascii
import hmac
import struct
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from django.conf import settings

VERSION = 1
SIGNED = struct.Struct(">BcqBBI")  # version, kind, key, place, generation, minute
SIGNATURE = 16  # bytes
MINUTE = timedelta(minutes=1)


class LinkKind(StrEnum):
    """What a link does; a message is the key of the first three, an address that of the others."""

    CLICK = "c"
    UNSUBSCRIBE = "u"
    REASON = "w"  # why the message came, beside the link of its preferences
    PREFERENCES = "p"
    CONFIRM = "k"
    OWN_DATA = "d"  # what is kept of somebody, and its erasure


LASTS = {
    LinkKind.CLICK: timedelta(days=400),
    LinkKind.UNSUBSCRIBE: timedelta(days=400),
    LinkKind.REASON: timedelta(days=400),
    LinkKind.PREFERENCES: timedelta(days=400),
    LinkKind.CONFIRM: timedelta(days=7),
    LinkKind.OWN_DATA: timedelta(hours=1),
}


class SignedLink(NamedTuple):
    """What a token opens. ``place`` is the position of the item in the message, ``generation`` that of the contact."""

    kind: LinkKind
    key: int
    place: int = 0
    generation: int = 0


def token_of(link: SignedLink, *, now: datetime) -> str:
    """Token of a link that is made now, 45 characters."""
    minute = int(now.timestamp() // MINUTE.total_seconds())
    content = SIGNED.pack(VERSION, link.kind.encode(), link.key, link.place, link.generation % 256, minute)
    return f"{_text(content)}.{_text(_signature(settings.LINK_KEYS[0], content))}"


def opened(token: str, *kinds: LinkKind, now: datetime) -> SignedLink | None:
    """The link of a token; None where it is not of these kinds, too old, or not ours. All take the same time."""
    left, _dot, right = token.partition(".")
    content, signature = _bytes(left, SIGNED.size), _bytes(right, SIGNATURE)
    rightly = [hmac.compare_digest(_signature(key, content), signature) for key in settings.LINK_KEYS]
    if not any(rightly):
        return None
    version, kind, key, place, generation, minute = SIGNED.unpack(content)
    if version != VERSION or kind.decode() not in kinds:
        return None
    link = SignedLink(LinkKind(kind.decode()), key, place, generation)
    return link if now.timestamp() - minute * MINUTE.total_seconds() <= LASTS[link.kind].total_seconds() else None


def _signature(key: str, content: bytes) -> bytes:
    return hmac.digest(key.encode(), content, "sha256")[:SIGNATURE]


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _bytes(text: str, size: int) -> bytes:
    """The bytes of a text, zeros where it has not exactly so many of them or is written in another way."""
    try:
        content = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        content = b""
    return content if len(content) == size and _text(content) == text else bytes(size)
