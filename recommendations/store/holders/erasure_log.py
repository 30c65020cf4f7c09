"""Every erasure beside the database too, a line each: a backup that is restored does not bring anybody back."""

import fcntl
import json
import os
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from pathlib import Path

import structlog
from django.conf import settings

from recommendations.models import Customer
from recommendations.privacy_terms import EraseMode
from recommendations.store.events.tombstones import ErasedId, digest_of, erased_ids, laid_at, lay
from recommendations.store.holders.protocol import Subject
from recommendations.store.holders.subjects import subject_of_keys

NAME = "erasures.log"

log = structlog.get_logger(__name__)


def path() -> Path:
    return Path(settings.DATA) / "privacy" / NAME


def write_down(erasures: Collection[ErasedId]) -> None:
    """Append lines that are on the disk when it returns. Raises OSError."""
    file = path()
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    text = "".join(f"{_line(mark)}\n" for mark in erasures).encode()
    target = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        fcntl.flock(target, fcntl.LOCK_EX)
        size = os.fstat(target).st_size
        if size and os.pread(target, 1, size - 1) != b"\n":  # somebody was killed amid a line
            text = b"\n" + text
        while text:
            text = text[os.write(target, text) :]
        os.fsync(target)
    finally:
        os.close(target)


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


def lost_erasures() -> list[ErasedId]:
    """Erasures of the log that the database lacks, or has older: it was restored from a copy of before them."""
    noted = read_log()
    laid = laid_at(noted.keys()) if noted else {}
    return [mark for digest, mark in noted.items() if digest not in laid or laid[digest] < mark.at]


def lost_people(lost: Iterable[ErasedId]) -> Iterator[tuple[ErasedId, Subject]]:
    """People who are there again after their erasure was lost, found by hashing every pseudonym once.

    Somebody with several pseudonyms comes once, with the newest erasure.
    """
    by_digest = {mark.digest: mark for mark in lost}
    back = dict[int, ErasedId]()
    people = Customer.objects.filter(erased_at=None).values_list("pk", "pseudonym")
    for key, value in people.iterator(chunk_size=10_000) if by_digest else ():
        if mark := by_digest.get(digest_of(bytes(value))):
            back[key] = mark
    done = set[int]()
    for key in sorted(back, key=lambda key: back[key].at, reverse=True):
        if key not in done:
            subject = subject_of_keys([key])
            done |= subject.keys
            yield back[key], subject


def lay_lost(lost: Collection[ErasedId]) -> None:
    """Lay the tombstones of erasures that were lost and whose person is not there."""
    lay(lost)


def complete_log() -> int:
    """Append tombstones that the log lacks, as when a process was killed amid one; how many. Raises OSError."""
    noted = read_log()
    missing = [mark for mark in erased_ids() if mark.digest not in noted or noted[mark.digest].at < mark.at]
    if missing:
        write_down(missing)
    return len(missing)


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
