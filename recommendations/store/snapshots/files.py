"""Files of events: written whole or not at all, checked before they are read, deleted with their copies.

A file lies in the storage ``artefacts`` under ``snapshots/events/<month>/``; which of them count say rows of
``EventFile``, which are written when the file is whole. What no row names is what somebody left who was killed.
"""

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from django.conf import settings
from django.core.files.storage import storages

from recommendations.models import EventFile
from recommendations.store.models.array_files import WrittenFile, part_of
from recommendations.store.models.artefacts import forget_copy, on_disk, right_on_disk
from recommendations.store.snapshots.columns import SCHEMA

FOLDER = "snapshots/events"
FEWEST, MOST = 16_000, 500_000
"""Rows of a row group: it ends with a customer after so few, or amid one after so many."""
OFTEN_THE_SAME = ["customer", "item", "name", "trust", "day", "key", "quantity", "price", "amount", "rating"]
_NUMBER = re.compile(r"/(?:v|late-)(\d+)\.parquet$")


class EventFileDamagedError(Exception):
    """A file of events is missing, or is not what was written: it is written anew."""

    def __init__(self, file: EventFile) -> None:
        super().__init__(f"the file of events {file.path} is missing or damaged")
        self.file = file


class StoredFile(NamedTuple):
    """Where a new file lies, its rows and bytes, and its checksum."""

    path: str
    rows: int
    size: int
    sha256: str


def write(month: datetime, tables: Iterable[pa.Table], *, late: bool) -> StoredFile:
    """Write a new file of rows that are in order; no more than a row group of them is in memory."""
    path = _next_path(month, late=late)
    part = part_of(path)
    for folder in reversed(part.parents):
        folder.mkdir(mode=0o700, exist_ok=True)
    written = 0
    try:
        with pq.ParquetWriter(part, SCHEMA, compression="zstd", use_dictionary=OFTEN_THE_SAME) as writer:
            for group in _groups(tables):
                writer.write_table(group, row_group_size=len(group))
                written += len(group)
        with part.open("rb") as file:
            os.fsync(file.fileno())
            sha256, size = hashlib.file_digest(file, "sha256").hexdigest(), file.tell()
        with part.open("rb") as file:
            stored = storages["artefacts"].save(path, WrittenFile(file))
    finally:
        part.unlink(missing_ok=True)
    return StoredFile(stored, written, size, sha256)


def follower_of(file: EventFile) -> StoredFile | None:
    """The one whole file of the month that was written after a file and has no more rows than it; None without one."""
    later = [path for path in _paths(file.month) if _number(path) > _number(file.path)]
    if len(later) != 1:
        return None
    place = on_disk(later[0])
    try:
        with pq.ParquetFile(place) as opened:
            if opened.schema_arrow != SCHEMA or opened.metadata.num_rows > file.rows:
                return None
            rows = opened.metadata.num_rows
    except pa.ArrowInvalid:
        return None
    with place.open("rb") as content:
        return StoredFile(later[0], rows, place.stat().st_size, hashlib.file_digest(content, "sha256").hexdigest())


def open_file(file: EventFile) -> pq.ParquetFile:
    """A file, mapped: it can be read to its end, also where it is deleted meanwhile. Raises EventFileDamagedError."""
    try:
        place = right_on_disk(file.path, lambda at: _is_right(file, at))
        if place is None:
            raise EventFileDamagedError(file)
        return pq.ParquetFile(place, memory_map=True)
    except FileNotFoundError as error:
        raise EventFileDamagedError(file) from error


def _is_right(file: EventFile, place: Path) -> bool:
    if place.stat().st_size != file.size:
        return False
    if file.sha256 not in _known_good:
        with place.open("rb") as content:
            if hashlib.file_digest(content, "sha256").hexdigest() != file.sha256:
                return False
        _known_good.add(file.sha256)
    return True


_known_good: set[str] = set()


class RowGroup(NamedTuple):
    """A row group of a file: its first key of a customer, its last one, and its rows."""

    first: int
    last: int
    rows: int


def row_groups(file: pq.ParquetFile) -> list[RowGroup]:
    """The row groups of a file, in their order."""
    place = SCHEMA.get_field_index("customer")
    groups = (file.metadata.row_group(number) for number in range(file.num_row_groups))
    told = ((group.column(place).statistics, group.num_rows) for group in groups)
    return [RowGroup(int(of.min), int(of.max), rows) for of, rows in told]


def is_there(file: EventFile) -> bool:
    return storages["artefacts"].exists(file.path)


def delete(paths: Iterable[str]) -> None:
    """Delete files, and this machine's copies of them."""
    for path in paths:
        storages["artefacts"].delete(path)
        forget_copy(path)


def delete_lost(month: datetime, known: Iterable[EventFile]) -> None:
    """Delete the files of a month that no row names, and this machine's copies of such. Nothing may be writing any
    meanwhile.
    """
    copies = (path.relative_to(settings.ARTEFACT_CACHE) for path in _cache().joinpath(folder_of(month)).glob("*"))
    delete({*_paths(month), *map(str, copies)} - {file.path for file in known})


def months_with_folder() -> set[datetime]:
    """Months of which there are files, or were."""
    try:
        names = storages["artefacts"].listdir(FOLDER)[0]
    except FileNotFoundError:
        return set()
    return {datetime.strptime(name, "%Y-%m").replace(tzinfo=UTC) for name in names}


def _cache() -> Path:
    return Path(settings.ARTEFACT_CACHE)


def folder_of(month: datetime) -> str:
    return f"{FOLDER}/{month:%Y-%m}"


def _paths(month: datetime) -> list[str]:
    try:
        return [f"{folder_of(month)}/{name}" for name in storages["artefacts"].listdir(folder_of(month))[1]]
    except FileNotFoundError:
        return []


def _number(path: str) -> int:
    match = _NUMBER.search(path)
    return int(match[1]) if match else 0


def _next_path(month: datetime, *, late: bool) -> str:
    """A path that no file has or had, as far as anybody can know."""
    stored = [*_paths(month), *EventFile.objects.filter(month=month).values_list("path", flat=True)]
    stems = [path.rpartition("/")[2].partition(".")[0] for path in stored]
    number = max(
        (int(digits) for stem in stems if (digits := stem.lstrip("v").removeprefix("late-")).isdigit()), default=0
    )
    return f"{folder_of(month)}/{'late-' if late else 'v'}{number + 1}.parquet"


def _groups(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Row groups, each of whole customers; only one that is very large is parted."""
    rest = SCHEMA.empty_table()
    for table in tables:
        rest = pa.concat_tables([rest, table.cast(SCHEMA)])
        while len(rest) > FEWEST and (end := _border(rest)):
            yield rest[:end].unify_dictionaries()
            rest = rest[end:]
    if len(rest):
        yield rest.unify_dictionaries()


def _border(rows: pa.Table) -> int:
    """Where the first group of these rows ends; 0 where that is not known yet."""
    customer = rows["customer"].to_numpy()
    others = np.flatnonzero(customer[FEWEST:] != customer[FEWEST - 1 : -1])
    if len(others):
        return min(FEWEST + int(others[0]), MOST)
    return MOST if len(rows) > MOST else 0
