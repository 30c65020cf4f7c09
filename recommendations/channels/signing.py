"""Documents that are signed and chained: canonical JSON, Ed25519, each with the hash of the one before.

Whoever verifies needs the documents and the public keys, and nothing of ours: no database, no settings.
"""

import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby, pairwise
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from recommendations.channels.sealing import base64url, bytes_of_base64url

SEED = 32  # bytes
FIRST = "0" * 64
"""What the first document says of the one before it."""
ANCHOR = "recsite-anchor/1"
"""The format of a document that says up to which number a chain was let go by rule, ``through``, with the ``hash`` of
that last one, and the ``flaws`` that those who went had."""

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
    envelopes: Sequence[Envelope], keys: Mapping[str, str], *, whole: bool = False, anchor: Envelope | None = None
) -> list[str]:
    """Sentences on what is wrong; none where each was signed under one of the keys (name → public key).

    Documents whose numbers follow each other must be chained. ``whole`` says that they are one chain from its first
    document, or from where the ``anchor`` says that those before were let go, so that none is missing but at its end.
    """
    flaws = [flaw for each in envelopes if (flaw := _flaw(each, keys))]
    flaws += _flaws_of_anchor(anchor, keys) if anchor is not None else []
    if flaws:
        return flaws
    numbered = sorted(envelopes, key=lambda each: each["document"]["number"])
    if whole and numbered:
        flaws += _flaws_at_the_beginning(numbered[0], anchor["document"] if anchor is not None else None)
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


def flaws_by_log(
    envelopes: Sequence[Envelope], noted: Iterable[tuple[int, str]], *, anchor: Envelope | None = None
) -> list[str]:
    """Sentences on what of a log, numbers with the hash of each, is not in a chain, or is another there: what
    ``flaws_of`` cannot see, as a tail that was cut off. What the ``anchor`` says was let go is not missed.
    """
    chain = {
        each["document"]["number"]: chain_hash(each["document"], bytes_of_base64url(each["signature"]))
        for each in envelopes
        if _is_whole(each)
    }
    through = 0
    if anchor is not None and _is_anchor(anchor):
        through = anchor["document"]["through"]
        chain.setdefault(through, anchor["document"]["hash"])
    log = sorted(set(noted))
    lacking = {number for number, _hash in log if number not in chain and number > through}
    other = {number for number, reached in log if chain.get(number, reached) != reached}
    flaws = [f"The chain lacks what the log has: {numbers_text(lacking)}."] if lacking else []
    return flaws + ([f"The chain has other ones than the log: {numbers_text(other)}."] if other else [])


def numbers_text(numbers: Iterable[int]) -> str:
    """Receipts by their numbers, those in a row by the first and the last."""
    listed = sorted(numbers)
    rows = [[number for _at, number in row] for _key, row in groupby(enumerate(listed), lambda pair: pair[1] - pair[0])]
    parts = [f"{row[0]}–{row[-1]}" if len(row) > 1 else f"{row[0]}" for row in rows]
    return f"Receipt{'s' if len(listed) > 1 else ''} {', '.join(parts)}"


def _flaws_at_the_beginning(envelope: Envelope, let_go: Document | None) -> list[str]:
    """What is wrong where a chain begins: with its first document, or with the next to those that were let go; what was
    wrong with these is still wrong.
    """
    document, name = envelope["document"], _name(envelope)
    if (document["number"], document["previous"]) == (1, FIRST):
        return []
    if let_go is None:
        return [f"The chain begins with {name}, which is not the first{_why(envelope, since=0)}."]
    through, flaws = let_go["through"], list(let_go["flaws"])
    if (document["number"], document["previous"]) != (through + 1, let_go["hash"]):
        why = _why(envelope, since=through)
        flaws.append(f"The chain begins with {name}, which does not follow Receipt {through}, the last let go{why}.")
    return flaws


def _flaws_of_anchor(anchor: Envelope, keys: Mapping[str, str]) -> list[str]:
    if not _is_anchor(anchor):
        return ["This is no anchor: {document: {format, through, hash, flaws, …}, key, signature} are needed."]
    flaw = _flaw_of_signature(anchor, keys, name=f"The anchor after Receipt {anchor['document']['through']}")
    return [flaw] if flaw else []


def _is_anchor(anchor: Envelope) -> bool:
    try:
        document, _key, _signature = anchor["document"], anchor["key"], bytes_of_base64url(anchor["signature"])
        whole = document["format"] == ANCHOR and isinstance(document["through"], int)
        return whole and isinstance(document["hash"], str) and all(isinstance(each, str) for each in document["flaws"])
    except (KeyError, TypeError, ValueError, AttributeError):
        return False


def _flaw(envelope: Envelope, keys: Mapping[str, str]) -> str | None:
    if not _is_whole(envelope):
        return "This is no receipt: {document: {number, previous, …}, key, signature} are needed."
    return _flaw_of_signature(envelope, keys, name=_name(envelope))


def _is_whole(envelope: Envelope) -> bool:
    """Whether it has what every document is read by."""
    try:
        document, _key, _signature = envelope["document"], envelope["key"], bytes_of_base64url(envelope["signature"])
        return isinstance(document["number"], int) and isinstance(document["previous"], str)
    except (KeyError, TypeError, ValueError, AttributeError):
        return False


def _flaw_of_signature(envelope: Envelope, keys: Mapping[str, str], *, name: str) -> str | None:
    key, signature = envelope["key"], bytes_of_base64url(envelope["signature"])
    if key not in keys:
        return f"{name} was signed under the key {key}, which is none of those given."
    try:
        public = Ed25519PublicKey.from_public_bytes(bytes_of_base64url(keys[key]))
        public.verify(signature, canonical(envelope["document"]))
    except (InvalidSignature, ValueError):
        return f"{name} was changed, or not signed under the key {key}."
    return None


def _why(envelope: Envelope, *, since: int) -> str:
    """Why those before a document are missing, where it says so."""
    restored = envelope["document"].get("restored_after") == since
    return ": it says that the database was restored from a copy of before them" if restored else ""


def _name(envelope: Envelope) -> str:
    return f"Receipt {envelope['document']['number']}"
