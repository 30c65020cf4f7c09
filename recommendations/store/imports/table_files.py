"""Tables that a shop hands over as files: CSV or Parquet, read row by row as text."""

import csv
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from recommendations.store.imports import column_blocks
from recommendations.store.imports.column_blocks import Columns, is_text
from recommendations.store.imports.csv_rows import CsvRows, Fault, FileRow, storable, text_fault

BATCH_ROWS = 20_000
BATCH_BYTES = 16 * 1024 * 1024  # of texts that are unpacked at once
MEGABYTE = 1024 * 1024
SAMPLE = 64 * 1024  # bytes by which the encoding is known
MOST_NAMED, LONGEST_NAMED = 10, 50
FEW = 3  # lines that may be flawed by themselves
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
SIGNATURES: Mapping[bytes, Promise] = {
    b"PK\x03\x04": gettext_lazy("an Excel or ZIP file"),
    b"\x1f\x8b": gettext_lazy("a gzip file"),
    b"\xd0\xcf\x11\xe0": gettext_lazy("an old Excel file"),
    b"\x89PNG": gettext_lazy("a PNG picture"),
    b"\xff\xd8\xff": gettext_lazy("a JPEG picture"),
    b"GIF8": gettext_lazy("a GIF picture"),
    b"%PDF": gettext_lazy("a PDF"),
}


class UnreadableFileError(Exception):
    """Nothing of the file can be used; the message names the file without its folders, what is wrong and what to do."""


class FileTooLargeError(Exception):
    """The file holds more than ``most``, counted in the ``unit``: MB, rows, or MB unpacked."""

    def __init__(self, most: int, *, unit: str) -> None:
        super().__init__(f"at most {most:,} {unit}")
        self.most, self.unit = most, unit


class FileLimits(NamedTuple):
    """The most that is read of a file: rows, and bytes of its values as text."""

    rows: int
    unpacked: int

    def check(self, rows: int, unpacked: int) -> None:
        """Raises FileTooLargeError."""
        if rows > self.rows:
            raise FileTooLargeError(self.rows, unit="rows")
        if unpacked > self.unpacked:
            raise FileTooLargeError(self.unpacked // MEGABYTE, unit="MB unpacked")


@dataclass(frozen=True, kw_only=True)
class Header:
    """Columns of a file that are read, each with its place, and those that are not.

    ``own`` has what the file calls a column, where that is not our name; ``left_out``: events that did not become
    rows, as nothing is learned from them, by name.
    """

    places: Mapping[str, int]
    ignored: Sequence[str]
    own: Mapping[str, str] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)


class Table(Protocol):
    """Table of ``columns`` by name; rows; ``estimate(done)``: how many rows there will be, seen after ``done``."""

    columns: list[str]

    def __iter__(self) -> Iterator[FileRow]: ...

    def blocks(self, places: Collection[int]) -> Iterator[Columns | list[FileRow]]:
        """Read the rows, those that allow it by column; of the columns ``places`` are read."""

    def estimate(self, done: int) -> int: ...

    def check(self, limits: FileLimits) -> None:
        """Refuse, before anything is read, what the file itself says is too large. Raises FileTooLargeError."""

    def settle(self, header: Header) -> Header:
        """The header after all rows were read: a format without a first line has only then shown its columns.

        Raises UnreadableFileError where one that is needed was in no row.
        """


def named(names: Sequence[str], *, most: int = MOST_NAMED, longest: int = LONGEST_NAMED) -> str:
    """Names in quotes, the first of many."""
    quoted = [f"“{storable(name[:longest])}”" for name in names[:most]]
    more = len(names) - len(quoted)
    return pgettext("between names", ", ").join(
        [*quoted, _("%(count)s more") % {"count": more}] if more > 0 else quoted
    )


@contextmanager
def open_table(path: Path) -> Iterator[Table]:
    """Open the table in a file. Raises UnreadableFileError where there is none."""
    try:
        with path.open("rb") as file:
            yield _table(file, path)
    except OSError as error:
        raise UnreadableFileError(
            _("%(file)s cannot be read: %(reason)s.") % {"file": path.name, "reason": error.strerror or error}
        ) from error


def _table(file: BinaryIO, path: Path) -> Table:
    start = file.read(4)
    sample = start + file.read(SAMPLE) + file.readline(SAMPLE)
    file.seek(0)
    if not start:
        raise UnreadableFileError(_("%(file)s is empty; its first line must name the columns.") % {"file": path.name})
    for signature, kind in SIGNATURES.items():
        if start.startswith(signature):
            text = _("%(file)s: This is %(kind)s, not CSV or Parquet. Save the table as CSV in UTF-8, or as Parquet.")
            raise UnreadableFileError(text % {"file": path.name, "kind": kind})
    if start.startswith(UTF_16):
        raise UnreadableFileError(_("%(file)s: This file is UTF-16; save it as “CSV UTF-8”.") % {"file": path.name})
    if start == b"PAR1" or path.suffix.lower() in {".parquet", ".pq"}:
        return ParquetTable(file, path)
    if not _is_utf8(sample):
        raise UnreadableFileError(_("%(file)s: This file is not UTF-8; save it as “CSV UTF-8”.") % {"file": path.name})
    return CsvTable(file, path)


def _is_utf8(sample: bytes) -> bool:
    """Whether these lines are UTF-8 but for single ones: the first is, and one of those that are not plain ASCII."""
    lines = sample.split(b"\n")
    telling = [line for line in lines if not line.isascii()]
    return _decodes(lines[0]) and (len(telling) < FEW or any(map(_decodes, telling)))


def _decodes(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


class CsvTable:
    def __init__(self, file: BinaryIO, path: Path) -> None:
        try:
            self._rows = CsvRows(file)
        except csv.Error as error:
            text = _(
                "%(file)s: line 1 is not CSV (%(reason)s); it must name the columns, and lines must end in LF or CRLF."
            )
            raise UnreadableFileError(text % {"file": path.name, "reason": error}) from error
        self._size = path.stat().st_size
        self.columns = self._rows.columns
        if not self.columns:
            raise UnreadableFileError(_("%(file)s: line 1 is empty; it must name the columns.") % {"file": path.name})

    def __iter__(self) -> Iterator[FileRow]:
        return iter(self._rows)

    def blocks(self, places: Collection[int]) -> Iterator[Columns | list[FileRow]]:
        return self._rows.blocks(places)

    def estimate(self, done: int) -> int:
        return max(done, round(done * self._size / max(self._rows.consumed, 1)))

    def check(self, limits: FileLimits) -> None:
        limits.check(0, self._size)

    def settle(self, header: Header) -> Header:
        return header


class ParquetTable:
    """Parquet file whose every value becomes text, so that it keeps the rules of CSV; lines count rows from 1."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._path = path
        try:
            texts = [field.name for field in pq.read_schema(file) if is_text(field.type)]
            # A dictionary stays one, so that a long text of many rows is in memory once until its rows are read.
            self._file = pq.ParquetFile(file, read_dictionary=texts)
        except (pa.ArrowException, OSError) as error:
            text = _("%(file)s is not a complete Parquet file (%(reason)s); write or copy it again.")
            raise UnreadableFileError(text % {"file": path.name, "reason": _short(error)}) from error
        self.columns: list[str] = self._file.schema_arrow.names

    def __iter__(self) -> Iterator[FileRow]:
        for line, batch in self._batches():
            yield from self._rows(batch, line)

    def blocks(self, places: Collection[int]) -> Iterator[Columns | list[FileRow]]:
        for line, batch in self._batches():
            values = column_blocks.of_parquet(batch)
            if values is None:
                yield list(self._rows(batch, line))
            else:
                yield column_blocks.numbered(line, {place: values[place] for place in places})

    def _batches(self) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Batches of rows, with the number of their first row."""
        line = 1
        try:
            for batch in self._file.iter_batches(batch_size=BATCH_ROWS):
                for part in _parts(batch):
                    yield line, part
                    line += len(part)
        except (pa.ArrowException, OSError) as error:
            text = _(
                "%(file)s is damaged after row %(line)s (%(reason)s); nothing was imported. Write or copy it again."
            )
            raise UnreadableFileError(
                text % {"file": self._path.name, "line": line, "reason": _short(error)}
            ) from error

    def _rows(self, batch: pa.RecordBatch, line: int) -> Iterator[FileRow]:
        texts = [_texts(column) for column in batch.columns]
        for number, values in enumerate(zip(*texts, strict=True), line):
            yield _checked(number, self.columns, list(values))

    def estimate(self, done: int) -> int:
        return max(done, int(self._file.metadata.num_rows))

    def check(self, limits: FileLimits) -> None:
        about = self._file.metadata
        unpacked = sum(about.row_group(number).total_byte_size for number in range(about.num_row_groups))
        limits.check(about.num_rows, unpacked)

    def settle(self, header: Header) -> Header:
        return header


def _parts(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Parts of a batch whose texts are not too much at once, whatever few long texts its dictionaries repeat."""
    longest = sum(
        pc.max(pc.binary_length(column.dictionary)).as_py() or 0
        for column in batch.columns
        if pa.types.is_dictionary(column.type) and is_text(column.type.value_type)
    )
    rows = max(1, BATCH_BYTES // max(longest, 1))
    for first in range(0, len(batch), rows):
        yield batch.slice(first, rows)


def _checked(line: int, columns: list[str], values: list[str | None]) -> FileRow:
    named = zip(columns, values, strict=True)
    fault: Fault | None = next((flaw for name, value in named if (flaw := text_fault(name, value))), None)
    if fault is None:
        return FileRow(line, values)
    text = ", ".join(f"{name}={value}" for name, value in zip(columns, values, strict=True) if value is not None)
    return FileRow(line, [], fault, storable(text))


def _texts(column: pa.Array) -> list[str | None]:
    """A column as text; an empty text is None, as in CSV."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_nested(column.type):
        return [_nested_text(value) for value in column.to_pylist()]
    if is_text(column.type):
        return [(value.strip() or None) if value else None for value in _decoded(column)]
    texts: list[str | None] = column.cast(pa.string()).to_pylist()
    return texts


def _decoded(column: pa.Array) -> list[str | None]:
    values: list[bytes | None] = column.cast(pa.large_binary()).to_pylist()
    return [None if value is None else value.decode("utf-8", "surrogateescape") for value in values]


def _nested_text(value: Any) -> str | None:
    """A list is written as in CSV, with ``|`` between; a record as JSON."""
    if value is None:
        return None
    if isinstance(value, list):
        return "|".join(str(part) for part in value if part is not None) or None
    return json.dumps(value, default=str)


def _short(error: Exception) -> str:
    return str(error).splitlines()[0][:150]
