"""Token of the next page: the keys of all items that were shown so far, so that nothing is kept between two requests.

A version byte, the keys as ascending differences (LEB128), and a CRC-32 of both; base64url without padding.
"""

from base64 import urlsafe_b64decode
from binascii import Error, b2a_base64, crc32
from collections.abc import Iterable

VERSION = b"\x01"
MOST = 500
"""The most items that a cursor names; after them there is no next page."""
LARGEST = 2**63 - 1
CHECKED = 4  # bytes of the checksum
SEVEN, MORE = 0x7F, 0x80
URL_SAFE = bytes.maketrans(b"+/", b"-_")


class CursorError(ValueError):
    """A text is no cursor of ours."""


def packed(keys: Iterable[int]) -> str | None:
    """The cursor of items by primary key, in whatever order they come; None where they are more than ``MOST``."""
    ascending = sorted(set(keys))
    if len(ascending) > MOST:
        return None
    body, before = bytearray(VERSION), 0
    for key in ascending:
        rest, before = key - before, key
        while rest > SEVEN:
            body.append(rest & SEVEN | MORE)
            rest >>= 7
        body.append(rest)
    body += crc32(body).to_bytes(CHECKED, "big")
    return b2a_base64(body, newline=False).translate(URL_SAFE, b"=").decode()


def unpacked(token: str) -> tuple[int, ...]:
    """Keys of a cursor, ascending. Raises CursorError where ``packed`` would not have written it so."""
    try:
        whole = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
    except (Error, UnicodeEncodeError, ValueError) as error:
        raise CursorError(token) from error
    body, check = whole[:-CHECKED], whole[-CHECKED:]
    if body[:1] != VERSION or crc32(body).to_bytes(CHECKED, "big") != check:
        raise CursorError(token)
    keys: list[int] = []
    before = rest = shift = 0
    for byte in body[1:]:
        rest |= (byte & SEVEN) << shift
        shift += 7
        if byte & MORE:
            continue
        before += rest
        keys.append(before)
        rest = shift = 0
    if before > LARGEST or packed(keys) != token:
        raise CursorError(token)
    return tuple(keys)
