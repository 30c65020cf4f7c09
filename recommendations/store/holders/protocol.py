"""The protocol of a holder: what it answers for, and how it exports, finds and erases what it has of one person."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, NamedTuple, Protocol

from recommendations.privacy_terms import HolderCode, Kept
from recommendations.store.events.pseudonyms import pseudonym_unit

EVER = datetime.max.replace(tzinfo=UTC)
ROWS = 10_000
"""The most rows that a statement of an erasure changes, so that nobody waits for it."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One person: all keys that are theirs, of the id and of every alias that was joined to it and not undone.

    The keys lead to rows, the pseudonyms to what was stored before a key was known. Both live in memory alone.
    ``until`` is when they were made unknown: whoever has the same pseudonyms since is somebody new. ``since`` has when
    an id was erased that is known again, by each unit of it: what was before is not theirs.
    """

    keys: frozenset[int]
    pseudonyms: tuple[bytes, ...] = ()
    units_before: frozenset[int] = frozenset()  # numbers that were theirs before keys changed, as they are now
    until: datetime | None = None
    since: Mapping[int, datetime] = field(default_factory=dict)

    @cached_property
    def units(self) -> frozenset[int]:
        """The units by which slates and experiments name these pseudonyms: their first 8 bytes, signed."""
        return frozenset(map(pseudonym_unit, self.pseudonyms)) | self.units_before

    @property
    def before(self) -> datetime:
        """The moment from which on what has one of these pseudonyms is somebody else's."""
        return self.until or EVER

    def erased_at(self, pseudonym: bytes) -> datetime | None:
        """When somebody with this pseudonym was erased, who is somebody new since; None where nobody was."""
        return self.since.get(pseudonym_unit(pseudonym))

    @cached_property
    def key_list(self) -> list[int]:
        return sorted(self.keys)


class Sheet(NamedTuple):
    """A table of an export; ``rows`` are read as they are written."""

    name: str
    columns: Sequence[str]
    rows: Iterable[Sequence[Any]]


@dataclass(frozen=True, kw_only=True)
class Holds:
    """What a holder answers for, by the names that ``tests/architecture/test_holders.py`` looks for."""

    models: tuple[str, ...] = ()  # as "Event"; every field of it that could lead to a person
    valkey: tuple[str, ...] = ()  # names of ``valkey_keys``
    arrays: tuple[str, ...] = ()  # prefixes of ``artefact_axes``
    caches: tuple[str, ...] = ()  # "module:name" of what processes hold


@dataclass(frozen=True, kw_only=True)
class Erased:
    """What a holder did: rows (or entries, of what has none) deleted and changed, and those kept, with the reason."""

    deleted: int = 0
    changed: int = 0
    kept: int = 0
    why: Kept | None = None

    def __add__(self, other: "Erased") -> "Erased":
        return Erased(
            deleted=self.deleted + other.deleted, changed=self.changed + other.changed, kept=self.kept + other.kept,
            why=self.why or other.why,
        )  # fmt: skip


class Holder(Protocol):
    """One place that holds something about people."""

    code: HolderCode
    holds: Holds

    def export(self, subject: Subject) -> Iterator[Sheet]: ...

    def find(self, subject: Subject) -> int:
        """Count what ``erase`` would delete or change: 0 after it. What stays on purpose is not counted."""
        ...

    def erase(self, subject: Subject, *, now: datetime) -> Erased:
        """Erase, at most ``ROWS`` rows a statement; a second time it finds nothing and does nothing."""
        ...
