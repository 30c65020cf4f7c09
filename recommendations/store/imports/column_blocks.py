"""Reading blocks of a file column by column, where that gives exactly what reading row by row gives; else None."""

import csv
import sys
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

SPACES = "".join(char for char in map(chr, range(sys.maxunicode + 1)) if char.isspace())  # what str.strip takes
ASCII_SPACES = [char.encode() for char in SPACES if char.isascii() and char != "\n"]


class Columns(NamedTuple):
    """Rows with the numbers of their lines; text by place of the column in the file, an empty field is null."""

    lines: pa.Array
    values: Mapping[int, pa.Array]


def numbered(first_line: int, values: Mapping[int, pa.Array]) -> Columns:
    """Columns on consecutive lines."""
    count = len(next(iter(values.values()), ()))
    return Columns(pa.array(range(first_line, first_line + count), pa.int64()), values)


def of_csv(raw: bytes, *, delimiter: str, width: int, places: Iterable[int]) -> Mapping[int, pa.Array] | None:
    """Columns of whole lines without quotes, blank lines, NUL and our apostrophes, in UTF-8, of ``width`` fields."""
    text = raw.replace(b"\r\n", b"\n")
    if text.startswith(b"\n") or any(mark in text for mark in (b'"', b"\r", b"\x00", b"\n\n")):
        return None
    names = [str(place) for place in range(width)]
    bare = text.isascii() and not any(space in text for space in ASCII_SPACES if space != delimiter.encode())
    try:
        if not bare:
            text.decode()
        table = pyarrow.csv.read_csv(
            pa.py_buffer(text),
            pyarrow.csv.ReadOptions(column_names=names, use_threads=False, block_size=len(text) + 1),
            pyarrow.csv.ParseOptions(delimiter=delimiter, quote_char=False),
            pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), null_values=[""], strings_can_be_null=True
            ),
        )
    except (UnicodeDecodeError, pa.ArrowInvalid):
        return None
    columns = [column.combine_chunks() for column in table.columns]
    if any(_longest(column) > csv.field_size_limit() for column in columns):
        return None
    values = {place: columns[place] if bare else stripped(columns[place]) for place in places}
    if b"'" not in text:
        return values
    return None if any(pc.any(pc.starts_with(column, "'")).as_py() for column in values.values()) else values


def of_parquet(batch: pa.RecordBatch) -> Mapping[int, pa.Array] | None:
    """Columns as text, all of them no lists or records, in UTF-8 and without NUL; else None."""
    values = {}
    for place, column in enumerate(batch.columns):
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()  # noqa: PLW2901 - the same column, written out
        if pa.types.is_nested(column.type):
            return None
        try:
            text = column.cast(pa.string())
        except pa.ArrowInvalid:
            return None
        if pc.any(pc.match_substring(text, "\x00")).as_py():
            return None
        values[place] = stripped(text) if is_text(column.type) else text
    return values


def is_text(kind: pa.DataType) -> bool:
    return kind in (pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary())


def stripped(column: pa.Array) -> pa.Array:
    """Strip a column of text as ``str.strip`` does; what is empty then is null."""
    text = pc.utf8_trim(column, SPACES)
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)


def _longest(column: pa.Array) -> int:
    return pc.max(pc.binary_length(column)).as_py() or 0
