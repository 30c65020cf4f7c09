"""Vectors of words that somebody else learned: two files of the wheel ``wordllama``, the extra ``text-vectors``.

The files are read as they lie there. The wheel itself is never imported, as it would look for them on the network.
Without the extra there are no such vectors, and nothing asks for them.
"""

import json
from collections.abc import Iterator, Sequence
from importlib import import_module
from importlib.util import find_spec
from itertools import batched
from pathlib import Path
from typing import Any

import numpy as np

from recommendations.engine.describe.items import KnownVectors
from recommendations.engine.describe.static_vectors import mean_rows
from recommendations.engine.frames import HalfArray, IdArray

WHEEL, READER = "wordllama", "tokenizers"
TABLE = "weights/l2_supercat_256.safetensors"
TOKENIZER = "tokenizers/l2_supercat_tokenizer_config.json"
NAME = "words"
AT_ONCE = 4_096  # texts
LARGEST_HEADER = 100_000  # bytes


class WordTableError(Exception):
    """The file is no table of half floats."""


def word_vectors(ids: IdArray, texts: Sequence[str]) -> list[KnownVectors]:
    """Vectors of the items' texts by their words, in one space; none without the extra. ``ids`` ascend."""
    files = table_files()
    if files is None or not len(ids):
        return []
    table, tokenizer = read_table(files[0]), import_module(READER).Tokenizer.from_file(str(files[1]))
    vectors = np.concatenate([mean_rows(tokens, table) for tokens in _tokens(texts, tokenizer)])
    there = vectors.any(axis=1)
    return [KnownVectors(NAME, ids[there], vectors[there])]


def table_files() -> tuple[Path, Path] | None:
    """The table and what cuts texts into its rows; None where the extra is not installed."""
    wheel = find_spec(WHEEL) if find_spec(READER) else None
    for folder in (wheel and wheel.submodule_search_locations) or ():
        files = Path(folder) / TABLE, Path(folder) / TOKENIZER
        if all(file.is_file() for file in files):
            return files
    return None


def read_table(path: Path) -> HalfArray:
    """The only table of a file of safetensors, [tokens, dimensions], as it lies on disk. Raises WordTableError."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = file.read(length) if length <= LARGEST_HEADER else b""
    try:
        [about] = (each for name, each in json.loads(header).items() if name != "__metadata__")
        rows, width = about["shape"]
        first, last = about["data_offsets"]
        if about["dtype"] != "F16" or last - first != 2 * rows * width:
            raise WordTableError(path.name)
        return np.memmap(path, np.dtype("<f2"), mode="r", offset=8 + length + first, shape=(rows, width))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise WordTableError(path.name) from error


def _tokens(texts: Sequence[str], tokenizer: Any) -> Iterator[list[list[int]]]:
    for block in batched(texts, AT_ONCE):
        yield [each.ids for each in tokenizer.encode_batch(list(block), add_special_tokens=False)]
