"""The token of the next page: what it is, by hand, and that nothing else is taken for one."""

import base64
import contextlib
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendations.serving.cursor import LARGEST, MOST, CursorError, packed, unpacked

keys = st.sets(st.integers(1, LARGEST), max_size=MOST)


def token(body: bytes) -> str:
    return base64.urlsafe_b64encode(body + zlib.crc32(body).to_bytes(4, "big")).rstrip(b"=").decode()


def test_it_is_what_the_docstring_says() -> None:
    assert packed([]) == token(b"\x01")
    assert packed([300, 3]) == token(b"\x01\x03\xa9\x02")  # 3, and 297 = 2 · 128 + 41
    assert unpacked(token(b"\x01\x03\xa9\x02")) == (3, 300)


def test_it_names_at_most_so_many_items() -> None:
    assert packed(range(1, MOST + 2)) is None
    whole = packed(range(1_000_000, 1_000_000 + 37 * MOST, 37))
    assert whole is not None
    assert len(whole) < 700  # a byte an item, and a third for base64: it fits into an address


@given(keys)
def test_what_is_packed_is_unpacked(wanted: set[int]) -> None:
    whole = packed(wanted)
    assert whole is not None
    assert unpacked(whole) == tuple(sorted(wanted))


@given(st.text(max_size=40))
def test_no_other_text_is_taken_for_one(text: str) -> None:
    with contextlib.suppress(CursorError):
        assert packed(unpacked(text)) == text


@given(keys.filter(bool), st.data())
def test_a_changed_letter_is_seen(wanted: set[int], data: st.DataObject) -> None:
    whole = packed(wanted) or ""
    place = data.draw(st.integers(0, len(whole) - 1))
    other = data.draw(st.sampled_from("ABCXYZabcxyz0189-_").filter(lambda letter: letter != whole[place]))
    with pytest.raises(CursorError):
        unpacked(whole[:place] + other + whole[place + 1 :])


@pytest.mark.parametrize(
    "text",
    [
        "", "A", "r-01J", "=", "ä", "\0",
        token(b""), token(b"\x02\x03"), token(b"\x01\x83\x00"), token(b"\x01\x83"), token(b"\x01\x03\x00"),
        token(b"\x01" + b"\xff" * 9 + b"\x7f"), f"{token(b'\x01')}=", token(b"\x01" + b"\x01" * (MOST + 1)),
    ],
)  # fmt: skip
def test_what_only_looks_like_one_is_none(text: str) -> None:
    with pytest.raises(CursorError):
        unpacked(text)
