"""Ids and return paths of mails: signed, so that what comes back says which mail it was, and nobody can make one up."""

import hmac
import re
from typing import NamedTuple

from django.conf import settings

ID_BYTES, PATH_BYTES = 8, 10  # of a signature
MOST_DIGITS = 18
_ID = re.compile(rf"<?(\d{{1,{MOST_DIGITS}}})\.([0-9a-f]{{{2 * ID_BYTES}}})@")
_PATH = re.compile(rf"bounce\+([ma])(\d{{1,{MOST_DIGITS}}})-([0-9a-f]{{{2 * PATH_BYTES}}})@", re.IGNORECASE)


class ReturnedTo(NamedTuple):
    """What a return path names: a message, or an address to which a mail about itself went."""

    is_message: bool
    key: int


def key_of(message: int) -> str:
    """The key under which a message's parcel is handed over; mails about an address have others."""
    return f"message-{message}"


def id_part(message: int) -> str:
    """What stands behind a message's key in its Message-ID; the same however often it is sent."""
    return _signature(settings.LINK_KEYS[0], f"id:{message}", ID_BYTES)


def message_of_id(text: str) -> int | None:
    """The key of the message whose Message-ID it is; None for one that is not ours."""
    match = _ID.match(text.strip())
    return int(match[1]) if match and _is_ours(f"id:{match[1]}", match[2], ID_BYTES) else None


def return_path(to: ReturnedTo) -> str:
    """The sender on the envelope, to which a bounce comes; without ``BOUNCE_DOMAIN`` that of the mail."""
    if not settings.BOUNCE_DOMAIN:
        return str(settings.PUSH_FROM)
    name = f"{'m' if to.is_message else 'a'}{to.key}"
    return f"bounce+{name}-{_signature(settings.LINK_KEYS[0], f'bounce:{name}', PATH_BYTES)}@{settings.BOUNCE_DOMAIN}"


def looks_like_id(text: str) -> bool:
    """Whether it looks like a Message-ID of ours, whoever signed it."""
    return _ID.match(text) is not None


def path_in(text: str) -> str:
    """The return path that stands in a header, whoever signed it; "" where there is none."""
    match = _PATH.search(text)
    return match[0] if match else ""


def returned_to(text: str) -> ReturnedTo | None:
    """What a return path names; None for one that is not ours. Servers may have changed its case."""
    match = _PATH.match(text.lower())
    if match is None or not _is_ours(f"bounce:{match[1]}{match[2]}", match[3], PATH_BYTES):
        return None
    return ReturnedTo(match[1] == "m", int(match[2]))


def _is_ours(content: str, signature: str, size: int) -> bool:
    rightly = [hmac.compare_digest(_signature(key, content, size), signature) for key in settings.LINK_KEYS]
    return any(rightly)


def _signature(key: str, content: str, size: int) -> str:
    return hmac.digest(key.encode(), content.encode(), "sha256")[:size].hex()
