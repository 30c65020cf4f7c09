"""Tables over feeds: their rows, and where nothing has to be turned round their columns, under our names."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc
from django.utils.translation import gettext as _

from recommendations.ingest.feeds.mapping import MONEY, PLACES, Mapper, RawRow, check_needed
from recommendations.ingest.feeds.synonyms import ATTRIBUTE, SALE_DATES, SALE_PRICE
from recommendations.ingest.feeds.values import ADVERTISING
from recommendations.store.imports.column_blocks import Columns
from recommendations.store.imports.csv_rows import FileRow
from recommendations.store.imports.item_rows import FORM
from recommendations.store.imports.table_files import MEGABYTE, FileLimits, Header, Table, UnreadableFileError, named
from recommendations.terms import Availability

AT_ONCE, BYTES_AT_ONCE = 2_000, 4 * MEGABYTE  # rows, and characters of them


class FeedReader(Protocol):
    """Rows of a file as it has them; ``consumed`` counts the bytes that were read so far."""

    @property
    def consumed(self) -> int: ...

    def rows(self) -> Iterator[RawRow | FileRow]: ...


class StreamedTable(ABC):
    """Table of rows that come one after the other, of a file whose size is known."""

    def __init__(self, reader: FeedReader, path: Path, *, columns: Iterable[str]) -> None:
        self._reader, self._path = reader, path
        self._size = path.stat().st_size
        self.columns = list(columns)

    @abstractmethod
    def __iter__(self) -> Iterator[FileRow]: ...

    @abstractmethod
    def settle(self, header: Header) -> Header: ...

    def blocks(self, places: Collection[int]) -> Iterator[Columns | list[FileRow]]:  # noqa: ARG002 - all have places
        part: list[FileRow] = []
        size = 0
        for row in self:
            part.append(row)
            size += len(row.text) + sum(len(value) for value in row.values if value)
            if len(part) == AT_ONCE or size > BYTES_AT_ONCE:
                yield part
                part, size = [], 0
        if part:
            yield part

    def estimate(self, done: int) -> int:
        return max(done, round(done * self._size / max(self._reader.consumed, 1)))

    def check(self, limits: FileLimits) -> None:
        limits.check(0, self._size)


class RowTable(StreamedTable):
    """Table of a format that has no columns: which it has is known when all of it was read."""

    def __init__(self, reader: FeedReader, mapper: Mapper, path: Path) -> None:
        super().__init__(reader, path, columns=FORM.known)
        self._mapper = mapper

    def __iter__(self) -> Iterator[FileRow]:
        return map(self._row, self._reader.rows())

    def settle(self, header: Header) -> Header:
        return self._mapper.settle(header, file=self._path.name)

    def _row(self, row: RawRow | FileRow) -> FileRow:
        return row if isinstance(row, FileRow) else self._mapper.row(row.line, row.fields)


class FoldedRows:
    """FeedReader over a table whose rows are put together by somebody else."""

    def __init__(self, rows: Iterable[RawRow | FileRow], table: Table, *, size: int) -> None:
        self._rows, self._table, self._size, self._done = rows, table, size, 0

    def rows(self) -> Iterator[RawRow | FileRow]:
        for row in self._rows:
            self._done += 1
            yield row

    @property
    def consumed(self) -> int:
        return round(self._size * self._done / max(self._table.estimate(self._done), 1))


class MappedTable:
    """CSV or Parquet whose columns have other names, or values in another spelling."""

    def __init__(self, table: Table, mapper: Mapper, path: Path) -> None:
        self._table, self._mapper, self._path = table, mapper, path
        if twice := sorted({name for name in table.columns if table.columns.count(name) > 1}):
            text = _("%(file)s, line 1: the column %(names)s appears twice; remove or rename one.")
            mapper.learn(twice)
            if read := [name for name in twice if name not in mapper.ignored]:
                raise UnreadableFileError(text % {"file": path.name, "names": named(read)})
        mapper.learn(table.columns)
        check_needed(mapper.columns, present=table.columns, file=path.name)
        self._used = [place for place, name in enumerate(table.columns) if name not in mapper.ignored]
        self._names = [table.columns[place] for place in self._used]
        self._direct = self._direct_places()
        self.columns = list(FORM.known)

    def __iter__(self) -> Iterator[FileRow]:
        return map(self._row, self._table)

    def blocks(self, places: Collection[int]) -> Iterator[Columns | list[FileRow]]:
        for part in self._table.blocks(self._used):
            if not isinstance(part, Columns):
                yield [self._row(row) for row in part]
            elif self._direct and _is_in_our_spelling(part, self._direct):
                yield self._renamed(part, places)
            else:
                yield self._turned(part)

    def estimate(self, done: int) -> int:
        return self._table.estimate(done)

    def check(self, limits: FileLimits) -> None:
        self._table.check(limits)

    def settle(self, header: Header) -> Header:
        return self._mapper.settle(header, file=self._path.name)

    def _row(self, row: FileRow) -> FileRow:
        if row.fault:
            return row
        values = ((place, row.values[place]) for place in self._used)
        return self._mapper.row(row.line, {self._table.columns[place]: text for place, text in values if text})

    def _direct_places(self) -> dict[str, int]:
        """Our column → its place in the file, where each comes from one column as it is; else none."""
        names = self._mapper.names
        if any(len(theirs) > 1 for theirs in names.values()):
            return {}
        direct = {ours: self._table.columns.index(theirs[0]) for ours, theirs in names.items()}
        turned = (SALE_PRICE, SALE_DATES)
        targets = [self._mapper.meaning(name) for name in self._names]
        return {} if any(name.startswith(ATTRIBUTE) or name in turned for name in targets) else direct

    def _renamed(self, part: Columns, places: Collection[int]) -> Columns:
        nothing = pa.nulls(len(part.lines), pa.string())
        values = {PLACES[ours]: part.values[place] for ours, place in self._direct.items()}
        return Columns(part.lines, {place: values.get(place, nothing) for place in places})

    def _turned(self, part: Columns) -> list[FileRow]:
        columns: Sequence[list[str | None]] = [part.values[place].to_pylist() for place in self._used]
        rows = zip(part.lines.to_pylist(), zip(*columns, strict=True), strict=True)
        return [
            self._mapper.row(line, {name: text for name, text in zip(self._names, values, strict=True) if text})
            for line, values in rows
        ]


def _is_in_our_spelling(part: Columns, direct: dict[str, int]) -> bool:
    """Whether amounts are bare and availabilities ours, and categories no numbers, so that nothing has to be turned."""
    amounts = [part.values[direct[name]] for name in MONEY if name in direct]
    if any(pc.any(pc.match_substring_regex(column.cast(pa.string()), "[A-Z]{3}")).as_py() for column in amounts):
        return False
    if "availability" in direct:
        column = part.values[direct["availability"]].cast(pa.string())
        if not pc.all(pc.or_kleene(pc.is_in(column, pa.array(list(Availability))), pc.is_null(column))).as_py():
            return False
    if "url" in direct:
        column = part.values[direct["url"]].cast(pa.string())
        if pc.any(pc.match_substring_regex(column, ADVERTISING, ignore_case=True)).as_py():
            return False
    if "categories" in direct:
        column = part.values[direct["categories"]].cast(pa.string())
        return not pc.any(pc.utf8_is_digit(column)).as_py()
    return True
