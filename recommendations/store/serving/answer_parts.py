"""Parts of answers in the record: each is written once, however many slates are made of it, and forgotten in time."""

import hashlib
import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from django.db import connection

from recommendations.models import AnswerBasis, AnswerRequest, AnswerState

KEY = 16  # bytes of a key
TABLES: Mapping[str, type[AnswerBasis | AnswerRequest | AnswerState]] = {
    "basis": AnswerBasis,
    "request": AnswerRequest,
    "state": AnswerState,
}

_KEEP = """
INSERT INTO {table} ({columns}) SELECT * FROM unnest({arrays})
ON CONFLICT (key) DO UPDATE SET used_on = excluded.used_on WHERE {table}.used_on < excluded.used_on
"""
_USE = """
UPDATE {table} SET used_on = used.on_day FROM unnest(%s::uuid[], %s::date[]) AS used (key, on_day)
WHERE {table}.key = used.key AND {table}.used_on < used.on_day
"""


class AnswerParts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Contents of the parts of an answer; None: there is no such part."""

    basis: bytes | None = None
    request: bytes | None = None
    state: bytes | None = None

    def keys(self, customer: int | None) -> tuple[bytes | None, bytes | None, bytes | None]:
        """Compute the keys of basis, request and state; a state is the customer's own."""
        own = None if self.state is None else str(customer).encode() + b":" + self.state
        return _key(self.basis), _key(self.request), _key(own)


class _OfModel(msgspec.Struct):
    """What of a basis names its model."""

    model: int | None


class UsedPart(NamedTuple):
    """A part of a slate of a day; without a content it was written with an earlier slate."""

    kind: str  # of ``TABLES``
    key: bytes
    on_day: date
    customer: int | None
    content: bytes | None


def write_parts(parts: Iterable[UsedPart]) -> None:
    """Write the parts that are new, and the day on which each was last used."""
    last: dict[tuple[str, bytes], UsedPart] = {}
    for part in parts:
        other = last.setdefault((part.kind, part.key), part)
        day, content = max(part.on_day, other.on_day), other.content or part.content
        last[part.kind, part.key] = part._replace(on_day=day, content=content)
    for kind in TABLES:
        used = sorted(part for part in last.values() if part.kind == kind)  # two writers never lock crosswise
        _keep(kind, [part for part in used if part.content is not None])
        _use(kind, [part for part in used if part.content is None])


def forget_parts(before: date) -> int:
    """Delete the parts that no slate has used since a day; returns how many."""
    return sum(model.objects.filter(used_on__lt=before).delete()[0] for model in TABLES.values())


def answered_models() -> set[int]:
    """Keys of the model versions of all answers that can still be made again."""
    contents = AnswerBasis.objects.values_list("content", flat=True).iterator()
    models = (msgspec.json.decode(zlib.decompress(content), type=_OfModel).model for content in contents)
    return {model for model in models if model is not None}


def content_of(kind: str, key: UUID) -> bytes | None:
    """The content of a part; None where it is forgotten."""
    return contents_of(kind, [key]).get(key)


def contents_of(kind: str, keys: Collection[UUID]) -> dict[UUID, bytes]:
    """The contents of those parts that are not forgotten, by key."""
    rows = TABLES[kind].objects.filter(pk__in=keys).values_list("pk", "content")
    return {key: zlib.decompress(content) for key, content in rows}


def _key(content: bytes | None) -> bytes | None:
    return None if content is None else hashlib.sha256(content).digest()[:KEY]


def _keep(kind: str, parts: Sequence[UsedPart]) -> None:
    if not parts:
        return
    columns: dict[str, tuple[str, list[Any]]] = {
        "key": ("uuid", [UUID(bytes=part.key) for part in parts]),
        "used_on": ("date", [part.on_day for part in parts]),
        "content": ("bytea", [zlib.compress(part.content or b"") for part in parts]),
    }
    if kind == "state":
        columns["customer_id"] = ("bigint", [part.customer for part in parts])
    arrays = ", ".join(f"%b::{type_}[]" for type_, _ in columns.values())
    statement = _KEEP.format(table=TABLES[kind]._meta.db_table, columns=", ".join(columns), arrays=arrays)
    with connection.cursor() as cursor:
        cursor.execute(statement, [values for _, values in columns.values()])


def _use(kind: str, parts: Sequence[UsedPart]) -> None:
    if not parts:
        return
    keys, days = [UUID(bytes=part.key) for part in parts], [part.on_day for part in parts]
    with connection.cursor() as cursor:
        cursor.execute(_USE.format(table=TABLES[kind]._meta.db_table), [keys, days])
