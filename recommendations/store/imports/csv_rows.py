"""Rows of a CSV file, one flawed row at a time: what is wrong with it, on which line, without losing its neighbours."""

import csv
import io
from collections import deque
from collections.abc import Collection, Iterator
from typing import BinaryIO, NamedTuple

from recommendations.store.imports import column_blocks
from recommendations.store.imports.column_blocks import Columns
from recommendations.terms import FORMULA_STARTS

LONGEST_LINE = 1 << 20  # bytes
BLOCK = 1 << 18
DELIMITERS = ",;\t"
BOM = b"\xef\xbb\xbf"


class Fault(NamedTuple):
    """The field that is wrong ("" for the row as a whole), and a code of ``reasons.REASONS``."""

    field: str
    code: str


class FileRow(NamedTuple):
    """A row with ``values`` in the order of the columns; an empty field is None. A faulty row has its text instead."""

    line: int
    values: list[str | None]
    fault: Fault | None = None
    text: str = ""


class CsvRows:
    """The rows of an open file. ``columns`` are those of its first line; ``consumed`` counts bytes."""

    def __init__(self, file: BinaryIO) -> None:
        self._lines = _Lines(file)
        header = next(self._lines, "")
        self.columns: list[str] = []
        if header.strip():
            self._delimiter = max(DELIMITERS, key=header.count)
            self.columns = [name.strip() for name in next(csv.reader([header], delimiter=self._delimiter))]

    @property
    def consumed(self) -> int:
        return self._lines.consumed

    def __iter__(self) -> Iterator[FileRow]:
        return self._rows()

    def blocks(self, places: Collection[int]) -> Iterator[Columns | list[FileRow]]:
        """Read the rows by column wherever a block of lines is plain enough."""
        while raw := self._lines.block():
            values = column_blocks.of_csv(raw, delimiter=self._delimiter, width=len(self.columns), places=places)
            if values is None:
                yield list(self._rows(until=self._lines.consumed + len(raw)))
            else:
                yield column_blocks.numbered(self._lines.pass_over(raw), values)

    def _rows(self, *, until: int | None = None) -> Iterator[FileRow]:
        """Rows up to the end, or up to the first that begins at or after so many bytes."""
        records = csv.reader(self._lines, delimiter=self._delimiter, strict=True)
        while until is None or self._lines.consumed < until or self._lines.again:
            self._lines.begin()
            try:
                values = next(records)
            except StopIteration:
                return
            except csv.Error:
                yield self._unparsed()
                continue
            if values:
                yield self._row(values)

    def _row(self, values: list[str]) -> FileRow:
        line, flawed = self._lines.first_line, self._lines.flawed
        if flawed or len(values) != len(self.columns):
            return self._faulty(values)
        return FileRow(line, [_meant(value.strip()) or None for value in values])

    def _faulty(self, values: list[str]) -> FileRow:
        """Row with a fault: not as many fields as columns (perhaps an open quote), not UTF-8, or with NUL."""
        lines = self._lines
        if lines.too_long:
            fault = Fault("", "line_too_long")
        elif len(values) != len(self.columns):
            if len(lines.taken) > 1:
                return self._unparsed()
            fault = Fault("", "ragged")
        else:
            named = zip(self.columns, values, strict=True)
            fault = next((flaw for name, value in named if (flaw := text_fault(name, value))), Fault("", "not_utf8"))
        return FileRow(lines.first_line, [], fault, lines.text())

    def _unparsed(self) -> FileRow:
        """Refuse only the line where the row begins; those that an open quote swallowed are read again."""
        lines = self._lines
        lines.give_back()
        return FileRow(lines.first_line, [], Fault("", "line_too_long" if lines.too_long else "quotes"), lines.text())


def _meant(value: str) -> str:
    """Remove the apostrophe that our own files put before what a spreadsheet would take for a formula."""
    return value[1:] if value[:1] == "'" and value[1:].startswith(FORMULA_STARTS) else value


def text_fault(name: str, value: str | None) -> Fault | None:
    """Fault of a text that holds what none may: bytes that are not UTF-8 (decoded as lone surrogates), and NUL."""
    if value and "\x00" in value:
        return Fault(name, "nul")
    flawless = not value or value.isascii() or not any("\ud800" <= char <= "\udfff" for char in value)
    return None if flawless else Fault(name, "not_utf8")


def storable(text: str) -> str:
    """A text that is to be shown, without what cannot be stored."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "\N{SYMBOL FOR NULL}")


class _Lines:
    """Lines of text, with what the row being read has taken of them so far."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.again: deque[str] = deque()
        self._number = 0
        self.consumed = 0
        self.begin()

    def begin(self) -> None:
        """Begin a new row with the next line."""
        self.taken: list[str] = []
        self.flawed = self.too_long = False
        self.first_line = self._number + 1

    def block(self) -> bytes:
        """The whole lines that come next, not yet taken; the last one may be cut where it is too long."""
        start = self._file.tell()
        raw = self._file.read(BLOCK)
        raw += self._file.readline(LONGEST_LINE - BLOCK)
        self._file.seek(start)
        return raw

    def pass_over(self, raw: bytes) -> int:
        """Take a block; the number of its first line."""
        first = self._number + 1
        self._file.seek(len(raw), io.SEEK_CUR)
        self.consumed += len(raw)
        self._number += raw.count(b"\n") + (not raw.endswith(b"\n"))
        return first

    def give_back(self) -> None:
        """Put all lines of this row but its first back, to be read again."""
        self._number -= len(self.taken) - 1
        self.again.extendleft(reversed(self.taken[1:]))
        del self.taken[1:]

    def text(self) -> str:
        return storable("".join(self.taken).rstrip("\r\n"))

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self.again.popleft() if self.again else self._read_line()
        if not line:
            raise StopIteration
        self._number += 1
        self.taken.append(line)
        if not line.isascii() or "\x00" in line:
            self.flawed = self.flawed or text_fault("", line) is not None
        return line

    def _read_line(self) -> str:
        raw = self._file.readline(LONGEST_LINE + 1)
        if self.consumed == 0:
            raw = raw.removeprefix(BOM)
        self.consumed += len(raw)
        if len(raw) > LONGEST_LINE:
            self.flawed = self.too_long = True
            self._skip_line(raw)
            raw = raw[:200] + b"\n"
        return raw.decode("utf-8", "surrogateescape")

    def _skip_line(self, raw: bytes) -> None:
        while raw and not raw.endswith(b"\n"):
            raw = self._file.readline(LONGEST_LINE)
            self.consumed += len(raw)
