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

VERSION, OWN_VERSION = 1, 2
SIGNED = struct.Struct(">BcqBBI")  # version, kind, key, place, generation, minute
OWN = struct.Struct(">BcqqBI")  # version, kind, customer, item, minutes that it lasts, minute
OWN_LENGTH = 31  # characters of such a content; others have 22
SIGNATURE = 16  # bytes
MINUTE = timedelta(minutes=1)


class LinkKind(StrEnum):
    """What a link does; the key of the first three is a message, of the next an address, of the last a customer."""

    CLICK = "c"
    UNSUBSCRIBE = "u"
    REASON = "w"  # why the message came, beside the link of its preferences
    PREFERENCES = "p"
    CONFIRM = "k"
    OWN_DATA = "d"  # what is kept of somebody, and its erasure
    DISLIKE = "n"  # an item is not to be shown again
    OBJECT = "o"  # what somebody did is not to be used
    MY_DATA = "m"  # as OWN_DATA, from the shop and not by mail


OF_CUSTOMERS = frozenset({LinkKind.DISLIKE, LinkKind.OBJECT, LinkKind.MY_DATA})
LASTS = {
    LinkKind.CLICK: timedelta(days=400),
    LinkKind.UNSUBSCRIBE: timedelta(days=400),
    LinkKind.REASON: timedelta(days=400),
    LinkKind.PREFERENCES: timedelta(days=400),
    LinkKind.CONFIRM: timedelta(days=7),
    LinkKind.OWN_DATA: timedelta(hours=1),
    LinkKind.DISLIKE: timedelta(days=30),
    LinkKind.OBJECT: timedelta(days=30),
    LinkKind.MY_DATA: timedelta(days=30),
}


class SignedLink(NamedTuple):
    """What a token opens. ``place`` is the position of the item in the message, ``generation`` that of the contact.

    Links of customers have the ``item`` that they are about, and ``minutes`` where they last less than their kind.
    """

    kind: LinkKind
    key: int
    place: int = 0
    generation: int = 0
    item: int = 0
    minutes: int = 0

    @property
    def lasts(self) -> timedelta:
        return self.minutes * MINUTE if self.minutes else LASTS[self.kind]


def token_of(link: SignedLink, *, now: datetime) -> str:
    """Token of a link that is made now, 45 characters, or 54 of a customer's."""
    minute = int(now.timestamp() // MINUTE.total_seconds())
    if link.kind in OF_CUSTOMERS:
        content = OWN.pack(OWN_VERSION, link.kind.encode(), link.key, link.item, link.minutes, minute)
    else:
        content = SIGNED.pack(VERSION, link.kind.encode(), link.key, link.place, link.generation % 256, minute)
    return f"{_text(content)}.{_text(_signature(settings.LINK_KEYS[0], content))}"


def opened(token: str, *kinds: LinkKind, now: datetime) -> SignedLink | None:
    """The link of a token; None where it is not of these kinds, too old, or not ours. All take the same time."""
    left, _dot, right = token.partition(".")
    size = OWN.size if len(left) == OWN_LENGTH else SIGNED.size
    content, signature = _bytes(left, size), _bytes(right, SIGNATURE)
    rightly = [hmac.compare_digest(_signature(key, content), signature) for key in settings.LINK_KEYS]
    if not any(rightly):
        return None
    link, minute = _unpacked(content)
    if link is None or link.kind not in kinds:
        return None
    return link if now.timestamp() - minute * MINUTE.total_seconds() <= link.lasts.total_seconds() else None


def _unpacked(content: bytes) -> tuple[SignedLink | None, int]:
    """The link that a content of ours is of, None where it is of another version; and the minute of its making."""
    if len(content) == OWN.size:
        version, kind, key, item, minutes, minute = OWN.unpack(content)
        link = SignedLink(LinkKind(kind.decode()), key, item=item, minutes=minutes) if version == OWN_VERSION else None
        return link, minute
    version, kind, key, place, generation, minute = SIGNED.unpack(content)
    return (SignedLink(LinkKind(kind.decode()), key, place, generation) if version == VERSION else None), minute


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
