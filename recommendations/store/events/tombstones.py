"""Ids that were erased, by a keyed hash of their pseudonyms: what they did before is not taken when they come back."""

import hashlib
import hmac
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import NamedTuple

from django.conf import settings

from recommendations.models import Tombstone
from recommendations.privacy_terms import EraseMode
from recommendations.store.events.insert import run
from recommendations.store.events.pseudonyms import in_generations

_PURPOSE = b"recsite: erased ids"
_LAID = """
SELECT digest, at, mode = %b AND lifted_at IS NULL FROM recommendations_tombstone WHERE digest = ANY(%b::bytea[])
ORDER BY at
"""
# The newest erasure counts, whatever came last. A block that was lifted is one again where it is asked for later.
_LAY = """
INSERT INTO recommendations_tombstone AS stored (digest, generation, at, mode)
SELECT * FROM unnest(%b::bytea[], %b::smallint[], %b::timestamptz[], %b::text[]) AS new(digest, generation, at, mode)
ORDER BY digest
ON CONFLICT (digest) DO UPDATE
  SET generation = excluded.generation, at = excluded.at, mode = excluded.mode, lifted_at = NULL
  WHERE excluded.at > stored.at
RETURNING digest
"""
_LIFT = """
UPDATE recommendations_tombstone SET lifted_at = %b WHERE digest = %b AND mode = %b AND lifted_at IS NULL RETURNING at
"""


class ErasedId(NamedTuple):
    """An erasure of one pseudonym, as a tombstone and a line of ``erasures.log`` have it."""

    digest: bytes
    generation: int
    at: datetime
    mode: EraseMode


class Comeback(NamedTuple):
    """What becomes of an id that was erased ``at`` and is named again; ``blocked``: it is no customer."""

    at: datetime
    blocked: bool


def digest_of(pseudonym: bytes) -> bytes:
    """HMAC-SHA256 of a pseudonym of any generation under a key that is derived from the first one, 32 bytes."""
    keyed = _keyed(settings.PSEUDONYM_KEYS[0]).copy()
    keyed.update(pseudonym)
    return keyed.digest()


def digests_of(first: bytes) -> list[bytes]:
    """Digests of whoever has this pseudonym in the first generation, in all: a tombstone keeps that of its time."""
    return [digest_of(value) for value in in_generations(first)]


def comebacks_of(firsts: Iterable[bytes]) -> dict[bytes, Comeback]:
    """What becomes of those that were erased among people with these pseudonyms in the first generation."""
    by_digest = {digest: first for first in firsts for digest in digests_of(first)}
    laid = run(_LAID, [EraseMode.BLOCK.value, list(by_digest)]) if by_digest else []
    return {by_digest[bytes(digest)]: Comeback(at, blocked) for digest, at, blocked in laid}  # the newest comes last


def lay(marks: Collection[ErasedId]) -> None:
    """Lay tombstones; of two for one pseudonym the newest counts."""
    if marks:
        digests, generations, moments, modes = (list(column) for column in zip(*marks, strict=True))
        run(_LAY, [digests, generations, moments, [mode.value for mode in modes]])


def lift_block(digest: bytes, *, now: datetime) -> datetime | None:
    """Let an id that is blocked be a customer again; when it was erased. None where it is not blocked."""
    lifted = run(_LIFT, [now, digest, EraseMode.BLOCK.value])
    return lifted[0][0] if lifted else None


def erased_ids() -> Iterator[ErasedId]:
    """Every tombstone; a block that was lifted is one that only forgets."""
    rows = Tombstone.objects.order_by("pk").values_list("digest", "generation", "at", "mode", "lifted_at")
    for digest, generation, at, mode, lifted_at in rows.iterator(chunk_size=10_000):
        yield ErasedId(bytes(digest), generation, at, EraseMode(mode) if lifted_at is None else EraseMode.FORGET)


def laid_at(digests: Collection[bytes]) -> Mapping[bytes, datetime]:
    """When each of these was erased last, of those that have a tombstone."""
    rows = Tombstone.objects.filter(digest__in=digests).values_list("digest", "at")
    return {bytes(digest): at for digest, at in rows}


@cache
def _keyed(key: str) -> hmac.HMAC:
    derived = hmac.digest(key.encode(), _PURPOSE, hashlib.sha256)
    return hmac.new(derived, digestmod=hashlib.sha256)
