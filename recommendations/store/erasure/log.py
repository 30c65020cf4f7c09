"""Every erasure beside the database too, a line each: a backup that is restored does not bring anybody back."""

import json
import os
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from pathlib import Path

import structlog
from django.db.models import Max

from recommendations.models import Customer, Tombstone
from recommendations.privacy_terms import EraseMode
from recommendations.store.erasure.line_files import alone_in, append_lines, place_of
from recommendations.store.erasure.subjects import subject_of_keys
from recommendations.store.events.generations import generation
from recommendations.store.events.pseudonyms import in_generations
from recommendations.store.events.tombstones import ErasedId, digest_of, erased_ids, laid_at
from recommendations.store.holders.protocol import Subject
from recommendations.store.process_held import ProcessHeld

NAME = "erasures.log"

log = structlog.get_logger(__name__)


def path() -> Path:
    return place_of(NAME)


def write_down(erasures: Collection[ErasedId]) -> None:
    """Append lines that are on the disk when it returns. Raises OSError."""
    append_lines(path(), "".join(f"{_line(mark)}\n" for mark in erasures).encode())


def forget_lines(before: datetime) -> int:
    """Take out the lines of erasures before a moment; how many. Raises OSError."""
    file = path()
    if not file.exists():
        return 0
    with alone_in(file):
        lines = file.read_bytes().splitlines(keepends=True)
        kept = [line for line in lines if (mark := _mark(line)) is None or mark.at >= before]
        if len(kept) < len(lines):
            fresh = file.with_suffix(".new")
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as written:
                written.writelines(kept)
                written.flush()
                os.fsync(written.fileno())
            fresh.replace(file)
    return len(lines) - len(kept)


def read_log() -> dict[bytes, ErasedId]:
    """The newest erasure of each digest; of two of the same moment the later line. What cannot be read is left out."""
    newest: dict[bytes, ErasedId] = {}
    try:
        with path().open("rb") as file:
            for number, line in enumerate(file, 1):
                if (mark := _mark(line)) is None:
                    log.warning("a line of the erasures cannot be read", line=number)
                elif (before := newest.get(mark.digest)) is None or mark.at >= before.at:
                    newest[mark.digest] = mark
    except FileNotFoundError:
        pass
    return newest


class LogCheck:
    """Comparison of the log with the database, made again only where one of them differs from the last time."""

    def __init__(self) -> None:
        self._whole: tuple[object, ...] | None = None  # what both were when nothing was lost
        self._complete: tuple[object, ...] | None = None  # what both were when the log lacked nothing

    def lost(self) -> list[ErasedId]:
        if not path().exists() or self._whole == (both := _both()):
            return []
        noted = read_log()
        laid = laid_at(noted.keys()) if noted else {}
        lost = [erased for digest, erased in noted.items() if digest not in laid or laid[digest] < erased.at]
        self._whole = None if lost else both
        return lost

    def complete(self) -> int:
        if self._complete == _both():
            return 0
        noted = read_log()
        missing = [one for one in erased_ids() if _is_newer(one, noted.get(one.digest))]
        if missing:
            write_down(missing)
        self._complete = _both()
        return len(missing)


_check = ProcessHeld(LogCheck)


def lost_erasures() -> list[ErasedId]:
    """Erasures of the log that the database lacks, or has older: it was restored from a copy of before them.

    Raises OSError.
    """
    return _check().lost()


def complete_log() -> int:
    """Append tombstones that the log lacks, as when a process was killed amid one; how many. Raises OSError."""
    return _check().complete()


def _is_newer(erased: ErasedId, noted: ErasedId | None) -> bool:
    """Whether a tombstone is newer than the line of its digest, or is of the same erasure and its block was lifted."""
    if noted is None or noted.at != erased.at:
        return noted is None or noted.at < erased.at
    return noted.mode is EraseMode.BLOCK and erased.mode is EraseMode.FORGET


def _both() -> tuple[object, ...]:
    """Facts that differ where the log or the tombstones do: one that is laid again keeps its key."""
    newest = Tombstone.objects.aggregate(Max("pk"), Max("at"), Max("lifted_at"))
    try:
        stat = path().stat()
    except FileNotFoundError:
        return *newest.values(), None
    return *newest.values(), stat.st_size, stat.st_mtime_ns


def lost_people(lost: Iterable[ErasedId]) -> Iterator[tuple[ErasedId, Subject]]:
    """People who are there again after their erasure was lost, found by hashing every pseudonym once.

    Somebody with several pseudonyms comes once, with the newest erasure. Whose row knows of it came back since.
    """
    by_digest = {mark.digest: mark for mark in lost}
    back, layers = dict[int, ErasedId](), generation()
    people = Customer.objects.filter(erased_at=None).values_list("pk", "pseudonym", "not_before")
    for key, value, since in people.iterator(chunk_size=10_000) if by_digest else ():
        for later in in_generations(bytes(value), after=layers):  # they may have been erased under more keys
            mark = by_digest.get(digest_of(later))
            if mark is not None and (since is None or since < mark.at):
                back[key] = mark
    done = set[int]()
    for key in sorted(back, key=lambda key: back[key].at, reverse=True):
        if key not in done:
            subject = subject_of_keys([key])
            done |= subject.keys
            yield back[key], subject


def _line(mark: ErasedId) -> str:
    values = {"digest": mark.digest.hex(), "generation": mark.generation, "at": mark.at.isoformat(), "mode": mark.mode}
    return json.dumps(values, separators=(",", ":"))


def _mark(line: bytes) -> ErasedId | None:
    try:
        told = json.loads(line)
        digest, at = bytes.fromhex(told["digest"]), datetime.fromisoformat(told["at"])
        mark = ErasedId(digest, int(told["generation"]), at, EraseMode(told["mode"]))
    except (ValueError, KeyError, TypeError):
        return None
    return mark if at.tzinfo else None
