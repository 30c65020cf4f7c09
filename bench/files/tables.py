"""Files of acts, truths and items as columns: CSV or Parquet in, a clear error where something cannot be read."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet
from numpy.typing import NDArray

from recommendations.event_types import EventName

IDS = ("user_id", "item_id")
ACTS = (*IDS, "timestamp")
OPTIONAL = ("session_id", "event", "quantity", "price")
NUMBERS = ("quantity", "price")
DELIMITERS = ",\t;|"
MICROSECONDS = 86_400e6  # in a day
TIMES = "a number (seconds, or any order) or an ISO 8601 time such as 2024-05-31T18:00:00"


class InputError(Exception):
    """A file cannot be used: which one, where, and what to do about it."""

    def __init__(self, path: Path, problem: str, *, remedy: str, row: int | None = None, field: str = "") -> None:
        place = [str(path)]
        if row is not None:
            line = f" (line {row + 1})" if path.suffix.lower() not in PARQUET else ""
            place.append(f"row {row}{line}")
        place += [f"field {field}"] if field else []
        super().__init__(f"{', '.join(place)}: {problem}. {remedy}")


PARQUET = frozenset({".parquet", ".pq"})


@dataclass(frozen=True, kw_only=True)
class Codes:
    """A column of ids: ``values[code]`` is the id; −1 is no id."""

    code: NDArray[np.int32]
    values: pa.Array


@dataclass(frozen=True, kw_only=True)
class ActTable:
    """Rows of a file of acts, in the file's order."""

    path: Path
    user: Codes
    item: Codes
    time: NDArray[np.float64]  # days since 1970-01-01 where ``dated``, else numbers as they are
    dated: bool
    session: Codes | None
    event: Codes | None
    quantity: NDArray[np.float32] | None
    price: NDArray[np.float32] | None

    def __len__(self) -> int:
        return len(self.time)


def read_acts(path: Path) -> ActTable:
    """Read ``user_id, item_id, timestamp`` and any of ``session_id, event, quantity, price``; ignore other columns."""
    table = _read(path, required=ACTS, optional=OPTIONAL)
    time, dated = _times(path, table["timestamp"])
    event = _codes(path, table, "event") if "event" in table.column_names else None
    if event is not None:
        _check_events(path, event)
    numbers = {name: _numbers(path, table, name) for name in NUMBERS if name in table.column_names}
    return ActTable(
        path=path,
        user=_codes(path, table, "user_id", complete=True),
        item=_codes(path, table, "item_id", complete=True),
        time=time,
        dated=dated,
        session=_codes(path, table, "session_id") if "session_id" in table.column_names else None,
        event=event,
        quantity=numbers.get("quantity"),
        price=numbers.get("price"),
    )


def read_pairs(path: Path) -> tuple[Codes, Codes]:
    """Read the columns ``user_id`` and ``item_id``."""
    table = _read(path, required=IDS, optional=())
    return _codes(path, table, "user_id", complete=True), _codes(path, table, "item_id", complete=True)


def read_items(path: Path) -> dict[str, list[Any]]:
    """Read ``item_id`` and the texts of any of ``title, brand, category, categories`` ("" = unknown)."""
    table = _read(path, required=("item_id",), optional=("title", "brand", "category", "categories"))
    _codes(path, table, "item_id", complete=True)
    return {name: pc.fill_null(_text(table[name]), "").to_pylist() for name in table.column_names}


def _read(path: Path, *, required: Sequence[str], optional: Sequence[str]) -> pa.Table:
    if not path.is_file():
        raise InputError(path, "there is no such file", remedy="Check the path")
    try:
        parquet = path.suffix.lower() in PARQUET
        names = pyarrow.parquet.read_schema(path).names if parquet else _names(_first_line(path))
        missing = [name for name in required if name not in names]
        if missing:
            header = ", ".join(names) or "nothing"
            remedy = f"The first line must name {', '.join(required)}; it names: {header}"
            raise InputError(path, f"the column {missing[0]} is missing", field=missing[0], remedy=remedy)
        wanted = [name for name in (*required, *optional) if name in names]
        table = pyarrow.parquet.read_table(path, columns=wanted) if parquet else _read_csv(path, wanted)
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        remedy = "Save it as CSV (UTF-8, one header line, as many fields in every row) or as Parquet"
        problem, row = str(error).splitlines()[0], re.search(r"Row #(\d+)", str(error))
        number = int(row[1]) - 1 if row else None  # the header is row 1 there
        raise InputError(path, f"it cannot be read: {problem}", row=number, remedy=remedy) from error
    if not table.num_rows:
        raise InputError(path, "it has no rows", remedy="Give at least one row below the header")
    return table


def _first_line(path: Path) -> str:
    """Read the first line, also of a compressed file."""
    with pa.input_stream(str(path), compression="detect") as stream:
        return str(stream.read(65_536).decode("utf-8-sig", errors="replace").split("\n", 1)[0].rstrip("\r"))


def _names(line: str) -> list[str]:
    return [name.strip().strip('"') for name in line.split(_delimiter(line))]


def _delimiter(line: str) -> str:
    return max(DELIMITERS, key=line.count)


def _read_csv(path: Path, wanted: Sequence[str]) -> pa.Table:
    try:
        return _parsed_csv(path, wanted, threads=True)
    except pa.ArrowInvalid:
        return _parsed_csv(path, wanted, threads=False)  # fails again, and then it knows the row


def _parsed_csv(path: Path, wanted: Sequence[str], *, threads: bool) -> pa.Table:
    line = _first_line(path)
    coded = pa.dictionary(pa.int32(), pa.string())
    types = {name: coded if name in {*IDS, "session_id", "event"} else pa.string() for name in wanted}
    return pyarrow.csv.read_csv(
        path,
        read_options=pyarrow.csv.ReadOptions(column_names=_names(line), skip_rows=1, use_threads=threads),
        parse_options=pyarrow.csv.ParseOptions(delimiter=_delimiter(line)),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=types,
            include_columns=list(wanted),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    )


def _codes(path: Path, table: pa.Table, field: str, *, complete: bool = False) -> Codes:
    """Code a column of ids; ``complete``: no row may lack the id."""
    column = table[field]
    if not pa.types.is_dictionary(column.type):
        column = _text(column).dictionary_encode()
    column = column.unify_dictionaries().combine_chunks()
    if isinstance(column, pa.ChunkedArray):  # pragma: no cover - an older pyarrow leaves one chunk wrapped
        column = column.chunk(0)
    if complete and column.null_count:
        row = int(np.flatnonzero(column.is_null().to_numpy(zero_copy_only=False))[0]) + 1
        raise InputError(path, "it is empty", row=row, field=field, remedy=f"Give every row a {field}")
    code = pc.fill_null(column.indices, -1).to_numpy(zero_copy_only=False).astype(np.int32, copy=False)
    values = column.dictionary
    return Codes(code=code, values=values.cast(pa.string()) if values.type != pa.string() else values)


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Column as text; whole numbers that a table holds as fractions (because some are missing) lose their ``.0``."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_floating(column.type) and pc.all(pc.equal(pc.floor(column), column)).as_py():
        column = column.cast(pa.int64())
    return column.cast(pa.string())


def _check_events(path: Path, event: Codes) -> None:
    names = event.values.to_pylist()
    unknown = [code for code, name in enumerate(names) if name not in set(EventName)]
    if unknown:
        row = int(np.flatnonzero(np.isin(event.code, unknown))[0]) + 1
        remedy = f"Use one of {', '.join(EventName)}, or leave the column out (every act is a purchase then)"
        raise InputError(path, f"{names[event.code[row - 1]]!r} is no event", row=row, field="event", remedy=remedy)


def _times(path: Path, column: pa.ChunkedArray) -> tuple[NDArray[np.float64], bool]:
    """Read (times, whether they are dates): days since 1970-01-01 for dates, numbers as they are."""
    field = "timestamp"
    if pa.types.is_temporal(column.type):
        at, dated = column.cast(pa.timestamp("us")).cast(pa.int64()), True
    elif pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        at, dated = column, False
    else:
        at, dated = _parsed_times(path, _text(column))
    if at.null_count:
        row = int(np.flatnonzero(at.is_null().to_numpy())[0]) + 1
        raise InputError(path, "it is empty", row=row, field=field, remedy=f"Give {TIMES}")
    times = at.to_numpy().astype(np.float64)
    if not np.isfinite(times).all():
        row = int(np.flatnonzero(~np.isfinite(times))[0]) + 1
        raise InputError(path, "it is no time", row=row, field=field, remedy=f"Give {TIMES}")
    return (times / MICROSECONDS, True) if dated else (times, False)


def _parsed_times(path: Path, column: pa.ChunkedArray) -> tuple[pa.ChunkedArray, bool]:
    kinds = (pa.float64(), pa.timestamp("us"), pa.timestamp("us", "UTC"))
    first = column.slice(0, 1)
    for kind in kinds:
        if _casts(first, kind):
            if not _casts(column, kind):
                row = _first_bad(column, kind)
                problem = f"{column[row - 1].as_py()!r} is not written like the first time, {first[0].as_py()!r}"
                raise InputError(path, problem, row=row, field="timestamp", remedy=f"Give {TIMES}, all in one way")
            parsed = column.cast(kind)
            return (parsed, False) if kind == kinds[0] else (parsed.cast(pa.int64()), True)
    problem = f"{first[0].as_py()!r} is no time" if first[0].is_valid else "it is empty"
    raise InputError(path, problem, row=1, field="timestamp", remedy=f"Give {TIMES}")


def _numbers(path: Path, table: pa.Table, field: str) -> NDArray[np.float32]:
    """Column of numbers, NaN where one is missing."""
    column = table[field]
    if not _casts(column, pa.float64()):
        row = _first_bad(column, pa.float64())
        problem = f"{column[row - 1].as_py()!r} is no number"
        raise InputError(path, problem, row=row, field=field, remedy="Write 12.5, or leave it empty where unknown")
    return np.asarray(column.cast(pa.float64()).to_numpy(), np.float32)


def _casts(column: pa.ChunkedArray, kind: pa.DataType) -> bool:
    try:
        column.cast(kind)
    except pa.ArrowInvalid:
        return False
    return True


def _first_bad(column: pa.ChunkedArray, kind: pa.DataType) -> int:
    """Number of the first row that does not cast, from 1."""
    low, high = 0, len(column)  # rows before ``low`` cast; some row before ``high`` does not
    while high - low > 1:
        middle = (low + high) // 2
        if _casts(column.slice(low, middle - low), kind):
            low = middle
        else:
            high = middle
    return low + 1
