"""Columns of text as numbers, where a text has the plain form that is read here exactly as PostgreSQL reads it.

Each returns values for all rows and which of them are known; an empty cell is known and has the value ``NOTHING``. What
is not known is no fault: the rules in SQL say what it is.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from recommendations.store.events.made_ids import made_id

NOTHING = -1
"""The value of an empty cell: none of the numbers read here is negative."""
_DAY, _TIME = r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])", r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?"
MOMENT = rf"^{_DAY}[T ]{_TIME}(Z|[+-](0\d|1[0-4]):[0-5]\d)$"
SECONDS, MILLISECONDS = r"^[1-9]\d{9}$", r"^[1-9]\d{12}$"  # since 1970, as most systems write them
WHOLE = r"^\d{1,5}$"
UUID_LENGTH, UUID_BYTES = 36, 16
_HYPHENS = (8, 13, 18, 23)
_HEX_AT = np.array([place for place in range(UUID_LENGTH) if place not in _HYPHENS])
_NO_DIGIT = 255
_NIBBLES = np.full(256, _NO_DIGIT, np.uint8)
for _digit in range(16):
    _NIBBLES[ord(f"{_digit:x}")] = _NIBBLES[ord(f"{_digit:X}")] = _digit
_MAYBE_UUID = r"^[{]?([0-9a-fA-F]-?){32}[}]?$"
"""What PostgreSQL may read as a UUID, and some that it does not."""

type Ints = NDArray[np.int64]
type Marks = NDArray[np.bool_]


class PlainNumbers(NamedTuple):
    """PlainNumbers of a column, one a row, and which of them are known."""

    values: Ints
    known: Marks


class Ids(NamedTuple):
    """Ids of events: 16 bytes a row, which of them are known, and a number of 64 bits for each that is there.

    Rows whose ids are equal to PostgreSQL have the same number. ``there``: the cell is not empty.
    """

    bytes: NDArray[np.uint8]
    known: Marks
    numbers: NDArray[np.uint64]
    there: Marks


def moments(text: pa.Array) -> PlainNumbers:
    """Microseconds since 1970 of times with a zone, and of whole seconds or milliseconds since then."""
    written, seconds = _like(text, MOMENT), _like(text, SECONDS)
    milliseconds = _like(text, MILLISECONDS)
    values = np.full(len(text), NOTHING, np.int64)
    if written.any():
        try:
            usual = pc.if_else(pa.array(written), text, pa.scalar(None, pa.string()))
            times = usual.cast(pa.timestamp("us", "UTC")).cast(pa.int64())
        except pa.ArrowInvalid:  # a day that no calendar has: the rules find which
            return PlainNumbers(values, np.zeros(len(text), bool))
        values[written] = pc.fill_null(times, NOTHING).to_numpy(zero_copy_only=False)[written]
    for mask, unit in ((seconds, 1_000_000), (milliseconds, 1_000)):
        if mask.any():
            values[mask] = text.filter(pa.array(mask)).cast(pa.int64()).to_numpy() * unit
    return PlainNumbers(values, written | seconds | milliseconds)


def decimals(text: pa.Array, *, whole: int, places: int) -> PlainNumbers:
    """PlainNumbers of at most so many digits before and after the point, times 10 to the power of ``places``."""
    if text.null_count == len(text):
        return _nothing(len(text))
    plain = _like(text, rf"^\d{{1,{whole}}}(\.\d{{1,{places}}})?$")
    kept = pc.if_else(pa.array(plain), text, pa.scalar(None, pa.string()))
    exact = kept.cast(pa.decimal128(whole + places, places))
    low = np.frombuffer(exact.buffers()[1], np.int64)[2 * exact.offset : 2 * (exact.offset + len(exact)) : 2]
    return _with_nothing(text, np.where(plain, low, NOTHING), plain)


def whole_numbers(text: pa.Array, *, most: int) -> PlainNumbers:
    """Whole numbers from 0 to ``most``, of at most five digits."""
    if text.null_count == len(text):
        return _nothing(len(text))
    plain = _like(text, WHOLE)
    kept = pc.if_else(pa.array(plain), text, pa.scalar(None, pa.string()))
    values = pc.fill_null(kept.cast(pa.int64()), NOTHING).to_numpy(zero_copy_only=False)
    right = plain & (values <= most)
    return _with_nothing(text, np.where(right, values, NOTHING), right)


def short(text: pa.Array, *, most: int) -> Marks:
    """Whether a text has at most so many characters, for each row."""
    if text.null_count == len(text):
        return np.ones(len(text), bool)
    return _marks(pc.less_equal(pc.utf8_length(text), most), otherwise=True)


def event_ids(text: pa.Array) -> Ids:
    """Ids of events: UUIDs in their usual form, and those that are made of other texts."""
    count = len(text)
    there = pc.is_valid(text).to_numpy(zero_copy_only=False)
    usual = _marks(pc.equal(pc.binary_length(text), UUID_LENGTH), otherwise=False)
    ids = np.zeros((count, UUID_BYTES), np.uint8)
    digits = _digits_of(text.filter(pa.array(usual)))
    right = (digits <= 15).all(axis=1)
    usual[usual] = right
    ids[usual] = (digits[right, 0::2] << 4) | digits[right, 1::2]
    others = there & ~usual
    known = usual.copy()
    if others.any():
        rest = text.filter(pa.array(others))
        doubtful = _marks(pc.match_substring_regex(rest, _MAYBE_UUID), otherwise=False)
        bare = pc.replace_substring_regex(rest, r"[{}-]", "")
        named = zip(rest.to_pylist(), bare.to_pylist(), doubtful, strict=True)
        made = [bytes.fromhex(digits) if doubt else made_id(name).bytes for name, digits, doubt in named]
        ids[others] = np.frombuffer(b"".join(made), np.uint8).reshape(-1, UUID_BYTES)
        known[others] = ~doubtful
    words = ids.view(np.uint64)
    numbers = words[:, 0] * np.uint64(0x9E3779B97F4A7C15) ^ words[:, 1]
    return Ids(ids, known, numbers, there)


def column(values: Ints, kind: pa.DataType) -> pa.Array:
    """A column of whole numbers; ``NOTHING`` is null."""
    empty = values == NOTHING
    return pa.array(values, mask=empty if empty.any() else None).cast(kind)


def decimal_column(values: Ints, kind: pa.DataType) -> pa.Array:
    """A column of decimals of the numbers without their point; ``NOTHING`` is null."""
    words = np.zeros((len(values), 2), np.int64)
    words[:, 0] = values
    there = pa.array(values != NOTHING)
    validity = None if (values != NOTHING).all() else there.buffers()[1]
    return pa.Array.from_buffers(kind, len(values), [validity, pa.py_buffer(words)])


def _digits_of(text: pa.Array) -> NDArray[np.uint8]:
    """The 32 digits of texts of 36 bytes; 255 where one is none, or where a hyphen should be and is not."""
    whole = pa.concat_arrays([text])  # without an offset
    if not len(whole):
        return np.zeros((0, len(_HEX_AT)), np.uint8)
    ends = np.frombuffer(whole.buffers()[1], np.int32)[whole.offset : whole.offset + len(whole) + 1]
    signs = np.frombuffer(whole.buffers()[2], np.uint8)[ends[0] : ends[-1]].reshape(-1, UUID_LENGTH)
    digits = _NIBBLES[signs[:, _HEX_AT]]
    digits[(signs[:, list(_HYPHENS)] != ord("-")).any(axis=1)] = _NO_DIGIT
    return digits


def _like(text: pa.Array, pattern: str) -> Marks:
    return _marks(pc.match_substring_regex(text, pattern), otherwise=False)


def _marks(values: pa.Array, *, otherwise: bool) -> Marks:
    marks: Marks = pc.fill_null(values, otherwise).to_numpy(zero_copy_only=False)
    return marks


def _nothing(count: int) -> PlainNumbers:
    return PlainNumbers(np.full(count, NOTHING, np.int64), np.ones(count, bool))


def _with_nothing(text: pa.Array, values: Ints, known: Marks) -> PlainNumbers:
    """Numbers of a column whose empty cells are known, too."""
    if text.null_count:
        known |= pc.is_null(text).to_numpy(zero_copy_only=False)
    return PlainNumbers(values, known)
