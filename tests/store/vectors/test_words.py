"""Vectors of words come from two files of a wheel; without it there are none, and another file is refused."""

import json
from pathlib import Path

import numpy as np
import pytest

from recommendations.store.vectors import words
from recommendations.store.vectors.words import WordTableError, read_table, table_files, word_vectors

TABLE = np.arange(12, dtype="<f2").reshape(4, 3)


def write(path: Path, header: bytes, body: bytes = TABLE.tobytes()) -> Path:
    path.write_bytes(len(header).to_bytes(8, "little") + header + body)
    return path


def header(**changes: object) -> bytes:
    about = {"dtype": "F16", "shape": [4, 3], "data_offsets": [0, 24], **changes}
    return json.dumps({"__metadata__": {"a": "b"}, "embedding.weight": about}).encode()


def test_a_table_is_read_as_it_lies_there(tmp_path: Path) -> None:
    np.testing.assert_array_equal(read_table(write(tmp_path / "t", header())), TABLE)


@pytest.mark.parametrize(
    "wrong",
    [
        b"", b"{}", b"[]", b"not json", header(dtype="F32"), header(shape=[4, 4]), header(data_offsets=[0, 12]),
        header(data_offsets=None), b'{"a": {}, "b": {}}', header(shape=[400, 300], data_offsets=[0, 240_000]),
    ],
)  # fmt: skip
def test_another_file_is_refused(tmp_path: Path, wrong: bytes) -> None:
    with pytest.raises(WordTableError):
        read_table(write(tmp_path / "t", wrong))


def test_without_the_extra_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for missing in ("WHEEL", "READER"):
        with monkeypatch.context() as patch:
            patch.setattr(words, missing, "no_such_wheel")
            assert table_files() is None
            assert word_vectors(np.array([1, 2]), ["milk", "bread"]) == []


@pytest.mark.skipif(table_files() is None, reason="it needs the extra text-vectors")
def test_words_of_one_meaning_are_near() -> None:
    texts = ["red wool scarf", "crimson knitted shawl", "steel frying pan", "", "🧶", "x" * 100_000]
    [known] = word_vectors(np.arange(10, 16), texts)
    assert (known.space, known.ids.tolist()) == ("words", [10, 11, 12, 14, 15])
    vectors = known.vectors.astype(np.float32)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=2e-3)
    shawl, pan = (float(vectors[0] @ vectors[other]) for other in (1, 2))
    assert shawl > 2 * pan > 0
