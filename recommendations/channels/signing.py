"""Documents that are signed and chained: canonical JSON, Ed25519, each with the hash of the one before.

Whoever verifies needs the documents and the public keys, and nothing of ours: no database, no settings.
"""

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from recommendations.channels.sealing import base64url, bytes_of_base64url

SEED = 32  # bytes
FIRST = "0" * 64
"""What the first document says of the one before it."""

type Document = Mapping[str, Any]
type Envelope = Mapping[str, Any]
"""A document as it is handed over: {document, key, signature}, the last in base64url."""


def new_seed() -> str:
    """A fresh key that signs, as 32 bytes in base64url."""
    return base64url(secrets.token_bytes(SEED))


def signing_key(seed: str) -> Ed25519PrivateKey:
    """The key that signs, from its 32 bytes in base64url. Raises ValueError."""
    content = bytes_of_base64url(seed)
    if len(content) != SEED:
        raise ValueError("a key that signs has 32 bytes")
    return Ed25519PrivateKey.from_private_bytes(content)


def public_half(seed: str) -> str:
    """The public key in base64url, under which anybody verifies."""
    return base64url(signing_key(seed).public_key().public_bytes_raw())


def key_id(public: str) -> str:
    """A short name of a public key: the beginning of its SHA-256."""
    return hashlib.sha256(bytes_of_base64url(public)).hexdigest()[:16]


def canonical(document: Document) -> bytes:
    """The one way to write a document: names in order, UTF-8, no spaces."""
    return json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def sign(document: Document, seed: str) -> bytes:
    return signing_key(seed).sign(canonical(document))


def chain_hash(document: Document, signature: bytes) -> str:
    """What the next document says of this one: SHA-256 of its canonical form and its signature, in hex."""
    return hashlib.sha256(canonical(document) + signature).hexdigest()


def flaws_of(
    envelopes: Sequence[Envelope], keys: Mapping[str, str], *, whole: bool = False, first: int = 1
) -> list[str]:
    """Sentences on what is wrong; none where each was signed under one of the keys (name → public key).

    Documents whose numbers follow each other must be chained. ``whole`` says that they are one chain from its first
    document, or the ``first`` that is still kept, so that none is missing but at its end.
    """
    flaws = [flaw for each in envelopes if (flaw := _flaw(each, keys))]
    if flaws:
        return flaws
    numbered = sorted(envelopes, key=lambda each: each["document"]["number"])
    if whole and numbered and not _begins(numbered[0]["document"], first=first):
        flaws.append(f"The chain begins with {_name(numbered[0])}, which is not the first{_why(numbered[0], since=0)}.")
    for before, after in pairwise(numbered):
        one, other = before["document"]["number"], after["document"]["number"]
        if other == one + 1:
            expected = chain_hash(before["document"], bytes_of_base64url(before["signature"]))
            if after["document"]["previous"] != expected:
                flaws.append(f"{_name(after)} does not follow {_name(before)}: its hash of the one before is another.")
        elif other == one:
            flaws.append(f"There are two of {_name(before)}.")
        elif whole:
            flaws.append(f"Between {_name(before)} and {_name(after)} some are missing{_why(after, since=one)}.")
    return flaws


def _begins(document: Mapping[str, Any], *, first: int) -> bool:
    """Whether a chain of which documents before ``first`` are kept no more begins with this one."""
    return bool(document["number"] == first and (document["previous"] == FIRST) == (first == 1))


def _flaw(envelope: Envelope, keys: Mapping[str, str]) -> str | None:
    try:
        document, key, signature = envelope["document"], envelope["key"], bytes_of_base64url(envelope["signature"])
        name = _name(envelope)
        whole = isinstance(document["number"], int) and isinstance(document["previous"], str)
    except (KeyError, TypeError, ValueError, AttributeError):
        whole = False
    if not whole:
        return "This is no receipt: {document: {number, previous, …}, key, signature} are needed."
    if key not in keys:
        return f"{name} was signed under the key {key}, which is none of those given."
    try:
        Ed25519PublicKey.from_public_bytes(bytes_of_base64url(keys[key])).verify(signature, canonical(document))
    except (InvalidSignature, ValueError):
        return f"{name} was changed, or not signed under the key {key}."
    return None


def _why(envelope: Envelope, *, since: int) -> str:
    """Why those before a document are missing, where it says so."""
    restored = envelope["document"].get("restored_after") == since
    return ": it says that the database was restored from a copy of before them" if restored else ""


def _name(envelope: Envelope) -> str:
    return f"Receipt {envelope['document']['number']}"
