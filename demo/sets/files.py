"""Files of a published set: whether they are the published ones, and their rows with errors that name file and line."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

AGAIN = "fetch the file again"


class WrongFileError(Exception):
    """A file of the set is missing, or is not what was published; the message names it, the line and the remedy."""


@dataclass(frozen=True, kw_only=True)
class PublishedFile:
    """A file as it was published; an empty hash is not known, and then the header and the number of rows tell."""

    name: str
    rows: int
    columns: Sequence[str] = ()  # of its header, apart by tabs; none: it has no header
    sha256: str = ""
    blob: str = ""  # SHA-1 of the object of Git, where the authors keep it in a repository


class EventRows(Protocol):
    """Rows of a file of events, up to ``now``. Raises WrongFileError."""

    def __call__(self, folder: Path, *, now: datetime) -> Iterator[Mapping[str, str]]: ...


@dataclass(frozen=True, kw_only=True)
class PublishedSet:
    """A set of files that a shop is made of; without those ``beside`` it can be made, too."""

    source: str  # where the files come from
    files: Sequence[PublishedFile]
    beside: Sequence[PublishedFile]
    items: Callable[[Path], Iterator[Mapping[str, str]]]  # rows of a file of items; raises WrongFileError
    events: EventRows


def require(folder: Path, files: Sequence[PublishedFile], *, source: str) -> None:
    """Raise WrongFileError unless every file is in the folder; ``source`` says where they come from."""
    missing = [file.name for file in files if not (folder / file.name).is_file()]
    if missing:
        raise WrongFileError(f"{folder} lacks {', '.join(missing)}: put the files of {source} there.")


def verify(folder: Path, file: PublishedFile) -> bool:
    """Whether a hash proved the file; where none is known it has its header and its rows, at the least.

    Raises WrongFileError.
    """
    remedy = f"{AGAIN}, or go on with --unverified."
    if file.sha256 or file.blob:
        content = (folder / file.name).read_bytes()
        if file.sha256:
            same = hashlib.sha256(content).hexdigest() == file.sha256
        else:
            head = f"blob {len(content)}\0".encode()
            same = hashlib.sha1(head + content, usedforsecurity=False).hexdigest() == file.blob
        if not same:
            raise WrongFileError(f"{file.name} is not the file that was published (its hash is another): {remedy}")
        return True
    rows = sum(1 for _ in rows_of(folder, file))
    if rows != file.rows:
        raise WrongFileError(f"{file.name} has {rows:,} rows, the published file {file.rows:,}: {remedy}")
    return False


def rows_of(folder: Path, file: PublishedFile) -> Iterator[tuple[int, list[str]]]:
    """Rows with the number of their line. Some copies have, in the place of the header, how much follows: a number a
    line. Raises WrongFileError.
    """
    with (folder / file.name).open(encoding="utf-8", errors="replace", newline="\n") as lines:
        data = not file.columns
        for number, line in enumerate(lines, 1):
            row = line.rstrip("\r\n").split("\t" if file.columns else None)
            if not data and (row == list(file.columns) or (len(row) == 1 and row[0].isdigit())):
                continue
            if file.columns and len(row) != len(file.columns):
                raise WrongFileError(
                    f"{file.name}, line {number}: it has {len(row)} columns, not {len(file.columns)} "
                    f"({', '.join(file.columns)}): {AGAIN}."
                )
            data = True
            yield number, row


def whole(value: str, *, file: PublishedFile, line: int) -> int:
    """A whole number of a row. Raises WrongFileError."""
    if not value.isdigit():
        raise WrongFileError(f"{file.name}, line {line}: {value[:40]!r} is no whole number: {AGAIN}.")
    return int(value)
