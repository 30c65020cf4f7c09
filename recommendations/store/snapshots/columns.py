"""Columns of a file of events, and how PostgreSQL's text becomes them.

The text is what ``COPY`` in CSV gives, and Arrow reads it: a number is rounded once, from its decimal digits.
"""

import numpy as np
import pyarrow as pa
import pyarrow.csv
from numpy.typing import NDArray

TEXT: dict[str, pa.DataType] = {
    "customer": pa.int64(),
    "item": pa.int64(),
    "name": pa.dictionary(pa.int32(), pa.string()),
    "at": pa.float64(),
    "event": pa.string(),
    "line": pa.int16(),
    "basket": pa.int64(),
    "quantity": pa.float32(),
    "price": pa.float32(),
    "amount": pa.float32(),
    "rating": pa.float32(),
    "trust": pa.int8(),
    "day": pa.int32(),
    "received": pa.int64(),
    "key": pa.int32(),
}
"""Columns as PostgreSQL tells them."""
SCHEMA = pa.schema([(name, pa.binary(16) if name == "event" else kind) for name, kind in TEXT.items()])
"""Columns of a file. ``at``: days since 1970-01-01 in UTC, which tell microseconds apart until 2149; ``received``:
microseconds since then; ``customer``: the key that the event came with, -1 without one.
"""
_UUID = 36
_DASHES = np.array([8, 13, 18, 23])


def read_text(text: bytes) -> pa.Table:
    """Rows of CSV, at least one, as rows of a file."""
    table = pyarrow.csv.read_csv(
        pa.BufferReader(text),
        read_options=pyarrow.csv.ReadOptions(column_names=list(TEXT), block_size=len(text) + 1, use_threads=False),
        convert_options=pyarrow.csv.ConvertOptions(column_types=TEXT, strings_can_be_null=True),
    ).combine_chunks()
    digits = np.delete(_letters(table["event"], _UUID), _DASHES, axis=1)
    event = pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(table), [None, pa.py_buffer(_bytes_of(digits))])
    return table.set_column(table.schema.get_field_index("event"), SCHEMA.field("event"), event)


def event_numbers(column: pa.ChunkedArray) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Event ids as two numbers each, which are in order as the ids are."""
    ids = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    raw = np.frombuffer(ids.buffers()[1] or b"", np.uint8)[16 * ids.offset : 16 * (ids.offset + len(ids))]
    both = raw.view(">u8").reshape(-1, 2).astype(np.uint64)
    return both[:, 0], both[:, 1]


def _letters(column: pa.ChunkedArray, width: int) -> NDArray[np.uint8]:
    """Texts of one width, a letter a column."""
    text = column.combine_chunks()
    ends = np.frombuffer(text.buffers()[1], np.int32)[text.offset : text.offset + len(text) + 1]
    return np.frombuffer(text.buffers()[2], np.uint8)[ends[0] : ends[-1]].reshape(len(text), width)


def _bytes_of(digits: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.frombuffer(bytes.fromhex(digits.tobytes().decode("ascii")), np.uint8)
