"""Reading files row by row: exact lines, exact faults, and no byte sequence that breaks the reader."""

import csv
import io
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommendations.store.imports.column_blocks import Columns
from recommendations.store.imports.csv_rows import LONGEST_LINE, CsvRows, FileRow
from recommendations.store.imports.table_files import UnreadableFileError, open_table


def rows_of(content: bytes) -> list[FileRow]:
    return list(CsvRows(io.BytesIO(content)))


def faults_of(content: bytes) -> list[tuple[int, str, str]]:
    return [(row.line, *row.fault) for row in rows_of(content) if row.fault]


def kept_of(content: bytes) -> list[tuple[int, list[str | None]]]:
    return [(row.line, row.values) for row in rows_of(content) if not row.fault]


def written(tmp_path: Path, name: str, content: bytes) -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(UnreadableFileError) as caught, open_table(path) as table:
        list(table)
    return str(caught.value)


def test_fields_are_stripped_and_empty_ones_are_nothing() -> None:
    assert kept_of(b"a,b\n 1 ,\n,2\n") == [(2, ["1", None]), (3, [None, "2"])]


@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
def test_quotes_hold_commas_quotes_and_line_ends(ending: bytes) -> None:
    content = ending.join([b"a,b", b'"x,""y""","two', b'lines"', b"3,4", b""])
    assert kept_of(content) == [(2, ['x,"y"', f"two{ending.decode()}lines"]), (4, ["3", "4"])]


@pytest.mark.parametrize("delimiter", [b",", b";", b"\t"])
def test_the_header_tells_the_delimiter(delimiter: bytes) -> None:
    assert kept_of(b"a,b\n1,2\n".replace(b",", delimiter)) == [(2, ["1", "2"])]


def test_a_byte_order_mark_is_not_part_of_a_name() -> None:
    assert CsvRows(io.BytesIO(b"\xef\xbb\xbfitem_id,title\n")).columns == ["item_id", "title"]


def test_blank_lines_are_no_rows_but_count_as_lines() -> None:
    assert kept_of(b"a,b\n\n1,2\n\n") == [(3, ["1", "2"])]


def test_a_row_with_too_few_or_too_many_fields_is_refused_alone() -> None:
    content = b"a,b\n1\n1,2\n1,2,3\n5,6\n"
    assert faults_of(content) == [(2, "", "ragged"), (4, "", "ragged")]
    assert kept_of(content) == [(3, ["1", "2"]), (5, ["5", "6"])]


def test_an_open_quote_refuses_its_line_only() -> None:
    content = b'a,b\n"1,2\n3,4\n5,"6\n7,8\n'
    assert faults_of(content) == [(2, "", "quotes"), (4, "", "quotes")]
    assert kept_of(content) == [(3, ["3", "4"]), (5, ["7", "8"])]


def test_an_open_quote_in_the_last_column_swallows_nothing() -> None:
    content = b'a,b\n1,"2\n' + b"3,4\n" * 50_000  # the csv module gives up after 128 KB, or at the end
    assert faults_of(content) == [(2, "", "quotes")]
    assert len(kept_of(content)) == 50_000


def test_broken_utf8_names_line_and_field() -> None:
    content = "a,b\né,1\n".encode() + b"ok,caf\xe9\n\xff,2\n"
    assert faults_of(content) == [(3, "b", "not_utf8"), (4, "a", "not_utf8")]
    assert kept_of(content) == [(2, ["é", "1"])]


def test_nul_names_line_and_field() -> None:
    assert faults_of(b"a,b\n1,\x00\n") == [(2, "b", "nul")]


def test_the_text_of_a_refused_row_can_be_stored() -> None:
    (row,) = rows_of(b"a,b\n\xff\x00,2\n")
    assert row.text == "?␀,2"


def test_a_line_that_never_ends_costs_no_memory_and_no_neighbour() -> None:
    content = b"a,b\n" + b"x" * (3 * LONGEST_LINE) + b",2\n3,4\n"
    assert faults_of(content) == [(2, "", "line_too_long")]
    assert kept_of(content) == [(3, ["3", "4"])]


def test_a_million_columns_are_a_ragged_row() -> None:
    assert faults_of(b"a,b\n" + b"," * 1_000_000 + b"\n") == [(2, "", "ragged")]


@settings(max_examples=400)
@given(
    st.lists(
        st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")), min_size=2, max_size=2)
    )
)
def test_rows_that_the_csv_module_writes_are_read_back(lines: list[list[str]]) -> None:
    buffer = io.StringIO()
    csv.writer(buffer).writerows([["a", "b"], *lines])
    expected = [[value.strip() or None for value in line] for line in lines]
    assert [row.values for row in rows_of(buffer.getvalue().encode())] == expected


@settings(max_examples=800)
@given(st.lists(st.sampled_from([b'"', b",", b"\n", b"\r", b"\x00", b"\xff", b"a", "é".encode(), b" ", b";", b"\t"])))
def test_any_bytes_give_rows_or_faults(parts: list[bytes]) -> None:
    """Every line of the file belongs to a row, in order, and what is kept can be stored as UTF-8."""
    rows = rows_of(b"a,b\n" + b"".join(parts))
    assert [row.line for row in rows] == sorted({row.line for row in rows})
    for row in rows:
        assert bool(row.fault) != bool(row.values)
        "".join([row.text, *(value or "" for value in row.values)]).encode()


SEEDS = [
    b'"', b",", b"\n", b"\r\n", b"\r", b"\x00", b"\xff", b"a", "é".encode(), b" ", b"'=1", b"'a", b"\x1f",
    "\u3000".encode(), b"1,2\n", b" x,\n", b"x,y\r\n",
]  # fmt: skip


def by_blocks(content: bytes) -> list[FileRow]:
    rows = CsvRows(io.BytesIO(content))
    return [row for part in rows.blocks(range(len(rows.columns))) for row in written_out(part)]


def written_out(part: Columns | list[FileRow]) -> list[FileRow]:
    if isinstance(part, list):
        return part
    values = zip(*(part.values[place].to_pylist() for place in sorted(part.values)), strict=True)
    return [FileRow(line, list(row)) for line, row in zip(part.lines.to_pylist(), values, strict=True)]


@settings(max_examples=800)
@given(parts=st.lists(st.sampled_from(SEEDS)), header=st.sampled_from([b"a,b\n", b"a\n", b"\xef\xbb\xbfa,b\r\n"]))
def test_blocks_hold_the_same_rows(parts: list[bytes], header: bytes) -> None:
    content = header + b"".join(parts)
    assert by_blocks(content) == rows_of(content)


@settings(max_examples=400)
@given(parts=st.lists(st.sampled_from(SEEDS), max_size=60), block=st.integers(1, 12))
def test_blocks_that_end_anywhere_hold_the_same_rows(parts: list[bytes], block: int) -> None:
    content = b"a,b\n" + b"".join(parts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("recommendations.store.imports.csv_rows.BLOCK", block)
        assert by_blocks(content) == rows_of(content)


def test_plain_blocks_are_read_by_column() -> None:
    rows = CsvRows(io.BytesIO(b"a,b\r\n" + "1, é \r\n,2".encode()))
    (part,) = rows.blocks([1, 0])
    assert isinstance(part, Columns)
    assert written_out(part) == [FileRow(2, ["1", "é"]), FileRow(3, [None, "2"])]


def test_a_field_that_the_csv_module_would_not_read_is_refused_by_blocks_too() -> None:
    content = b"a,b\n1,2\n" + b"x" * 140_000 + b",3\n4,5\n"
    assert by_blocks(content) == rows_of(content)
    assert [row.line for row in by_blocks(content) if row.fault] == [3]


# Parquet


def parquet(tmp_path: Path, columns: dict[str, pa.Array]) -> Path:
    path = tmp_path / "table.parquet"
    pq.write_table(pa.table(columns), path)
    return path


def test_parquet_values_become_text(tmp_path: Path) -> None:
    noon = datetime(2026, 9, 1, 12, tzinfo=UTC)
    path = parquet(
        tmp_path,
        {
            "text": pa.array([" x ", ""]),
            "whole": pa.array([5, None]),
            "broken": pa.array([2.5, float("nan")]),
            "time": pa.array([noon, None], pa.timestamp("ms", "UTC")),
            "list": pa.array([["a > b", "c"], []]),
            "record": pa.array([{"k": 1}, None]),
            "code": pa.array(["q", None]).dictionary_encode(),
        },
    )
    with open_table(path) as table:
        rows = list(table)
    assert rows[0] == FileRow(1, ["x", "5", "2.5", "2026-09-01 12:00:00.000Z", "a > b|c", '{"k": 1}', "q"])
    assert rows[1] == FileRow(2, [None, None, "nan", None, None, None, None])


@pytest.mark.parametrize(
    "texts", [["x ", " ", None, "é"], [b"ok", b" y"], [b"ok", b"\xff", b"\x00"], [["a", "b"], None]]
)
def test_parquet_blocks_hold_the_same_rows(tmp_path: Path, texts: list[object]) -> None:
    numbers = pa.array([1.5, float("nan"), None, 1e300][: len(texts)])
    days = pa.array([datetime(2026, 9, 1, tzinfo=UTC)] * len(texts), pa.timestamp("us", "UTC"))
    column = pa.array(texts)
    path = parquet(tmp_path, {"a": column, "n": numbers, "t": days, "ok": pa.array([True] * len(texts))})
    with open_table(path) as table:
        assert [row for part in table.blocks(range(4)) for row in written_out(part)] == list(table)


def test_parquet_text_that_is_not_utf8_refuses_its_row(tmp_path: Path) -> None:
    path = parquet(tmp_path, {"a": pa.array([b"ok", b"\xff", b"\x00"], pa.binary())})
    with open_table(path) as table:
        assert [(row.line, row.fault) for row in table] == [(1, None), (2, ("a", "not_utf8")), (3, ("a", "nul"))]


def test_a_truncated_parquet_is_named(tmp_path: Path) -> None:
    whole = parquet(tmp_path, {"a": pa.array(list(range(10_000)))}).read_bytes()
    message = refusal(written(tmp_path, "cut.parquet", whole[: len(whole) // 2]))
    assert "cut.parquet" in message
    assert "not a complete Parquet file" in message
    assert "copy it again" in message


def test_a_damaged_parquet_is_named(tmp_path: Path) -> None:
    content = bytearray(parquet(tmp_path, {"a": pa.array([f"value {n}" for n in range(10_000)])}).read_bytes())
    content[2_000:6_000] = b"\xaa" * 4_000
    assert "damaged" in refusal(written(tmp_path, "bad.parquet", bytes(content)))


@settings(max_examples=100)
@given(content=st.binary(max_size=200))
def test_any_bytes_called_parquet_are_refused_in_words(
    content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert refusal(written(tmp_path_factory.mktemp("any"), "any.parquet", content))


# Files that are none


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty.csv", b"", "is empty"),
        ("blank.csv", b"\n\n", "line 1 is empty"),
        ("mac.csv", b"item_id,title\rA1,Shoe\r", "lines must end in LF or CRLF"),
        ("book.xlsx", b"PK\x03\x04....", "This is an Excel or ZIP file, not CSV or Parquet"),
        ("packed.csv.gz", b"\x1f\x8b....", "This is a gzip file, not CSV"),
        ("mug.csv", b"\x89PNG\r\n\x1a\n....", "mug.csv: This is a PNG picture, not CSV or Parquet"),
        ("mug.parquet", b"\xff\xd8\xff\xe0....", "This is a JPEG picture, not CSV or Parquet"),
        (
            "excel.csv",
            "item_id,title\nA1,绿茶\nA2,红茶\nA3,乌龙\n".encode("gbk"),
            "This file is not UTF-8; save it as “CSV UTF-8”",
        ),
        ("heads.csv", "item_id,名称\nA1,Tea\n".encode("gbk"), "This file is not UTF-8"),
        ("wide.csv", "item_id".encode("utf-16"), "This file is UTF-16; save it as “CSV UTF-8”"),
    ],
)
def test_a_file_that_is_no_table_is_named(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    message = refusal(written(tmp_path, name, content))
    assert name in message
    assert words in message
    assert str(tmp_path) not in message


def test_a_folder_and_a_missing_file_are_named(tmp_path: Path) -> None:
    assert "Is a directory" in refusal(tmp_path)
    assert "No such file" in refusal(tmp_path / "none.csv")
