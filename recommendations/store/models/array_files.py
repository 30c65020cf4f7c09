"""Files of arrays, written row by row: no more of an array than a block of it need be in memory.

A file has another name until it is whole, so that none that was half written is ever taken for an array.
"""

import hashlib
import io
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Self

import numpy as np
from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import storages
from numpy.lib import format as npy
from numpy.typing import NDArray

from recommendations.models import Artefact, ModelVersion
from recommendations.terms import Cut

BLOCK_BYTES = 8 << 20
CHECKED = "checked"
CHECKED_FOR = 7 * 86_400.0  # seconds

if TYPE_CHECKING:
    _File = File[bytes]
else:
    _File = File


class ArrayFile:
    """The ``.npy`` file of an array that is told how many rows it gets, and then the rows, block by block.

    Its bytes are those of ``numpy.save``. What was not finished when its ``with`` block ends is deleted.
    """

    def __init__(self, version: ModelVersion, cut: Cut, name: str, *, n_rows: int, edition: int = 0) -> None:
        self._version, self._cut, self._name, self._n_rows = version, cut, name, n_rows
        self._path = f"{folder_of(version.pk)}/{f'e{edition}/' if edition else ''}{cut}/{name}.npy"
        self._part = part_of(self._path)
        self._sha256, self._size, self._told = hashlib.sha256(), 0, 0
        self._file: BinaryIO | None = None
        self._dtype: np.dtype[Any] = np.dtype(np.void)
        self._row: tuple[int, ...] = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
        self._part.unlink(missing_ok=True)

    def append(self, rows: NDArray[Any]) -> None:
        """Write the next rows. Raises ValueError where they are not of the type and width of those before."""
        file = self._file or self._begin(rows)
        if (rows.dtype, rows.shape[1:]) != (self._dtype, self._row):
            raise ValueError(f"{self._name}: {rows.dtype}{rows.shape[1:]} after {self._dtype}{self._row}")
        self._told += len(rows)
        self._write(file, np.ascontiguousarray(rows).reshape(-1).view(np.uint8).data)

    def finish(self) -> Artefact:
        """Put the file in its place; its row, which is not stored yet. Raises ValueError where rows are lacking."""
        if self._file is None or self._told != self._n_rows:
            raise ValueError(f"{self._name} was told {self._told:,} of {self._n_rows:,} rows")
        self._file.close()
        storage = storages["artefacts"]
        storage.delete(self._path)
        with self._part.open("rb") as file:
            stored = storage.save(self._path, WrittenFile(file))
        with suppress(NotImplementedError):  # a bucket has no paths
            mark_right(stored, Path(storage.path(stored)), self._sha256.hexdigest())
        return Artefact(
            version=self._version, cut=self._cut, name=self._name, path=stored, dtype=str(self._dtype),
            shape=[self._n_rows, *self._row], size=self._size, sha256=self._sha256.hexdigest(),
        )  # fmt: skip

    def _begin(self, rows: NDArray[Any]) -> BinaryIO:
        """Begin the file with the header of an array whose rows are like these."""
        for folder in reversed(self._part.parents):
            folder.mkdir(mode=0o700, exist_ok=True)
        self._file = self._part.open("wb")
        self._dtype, self._row = rows.dtype, rows.shape[1:]
        shape, header = (self._n_rows, *self._row), io.BytesIO()
        described = {"descr": npy.dtype_to_descr(self._dtype), "fortran_order": False, "shape": shape}
        npy.write_array_header_1_0(header, described)
        self._write(self._file, header.getbuffer())
        return self._file

    def _write(self, file: BinaryIO, content: memoryview) -> None:
        file.write(content)
        self._sha256.update(content)
        self._size += len(content)


class WrittenFile(_File):
    """A finished file for a storage: one on this disk moves it into its place, any other reads it."""

    def temporary_file_path(self) -> str:
        return str(self.name)


def blocks_of(array: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """An array with at least one axis in blocks of rows, at least one."""
    rows = max(1, BLOCK_BYTES // max(array[:1].nbytes, 1))
    yield from (array[start : start + rows] for start in range(0, max(len(array), 1), rows))


def folder_of(version_id: int | str) -> str:
    """Where the files of a version lie, or of any, ``*``."""
    return f"m{version_id}"


def part_of(path: str) -> Path:
    """Where a file is written until it is whole: beside its place, or where the storage is not on this disk, beside its
    copy.
    """
    try:
        place = Path(storages["artefacts"].path(path))
    except NotImplementedError:
        place = Path(settings.ARTEFACT_CACHE) / path
    return place.with_suffix(".part")


def mark_right(path: str, place: Path, sha256: str) -> None:
    """Mark a file of the storage, which lies at a place on this disk, as one whose checksum was found right."""
    mark = mark_of(path)
    with suppress(OSError):  # then the next process reads the file once more
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.write_text(_stamp(place, sha256), encoding="ascii")


def is_marked(path: str, place: Path, sha256: str) -> bool:
    """Whether a file was found right in the last days, and is as it was."""
    mark = mark_of(path)
    try:
        is_new = time.time() - mark.stat().st_mtime < CHECKED_FOR
        return is_new and mark.read_text(encoding="ascii") == _stamp(place, sha256) != ""
    except OSError:
        return False


def mark_of(path: str) -> Path:
    """Where it is marked that a file was found right."""
    return Path(settings.ARTEFACT_CACHE) / CHECKED / path


def _stamp(place: Path, sha256: str) -> str:
    """What a file has while nobody writes it; nothing of one that is gone."""
    try:
        status = place.stat()
    except FileNotFoundError:
        return ""
    return f"{sha256} {status.st_size} {status.st_mtime_ns} {status.st_ino}"
