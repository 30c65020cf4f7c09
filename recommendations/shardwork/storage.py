"""A folder or a bucket under one URL: arrays that are written whole or not at all, and mapped when they are read."""

import hashlib
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray
from pyarrow import fs

CHUNK = 8 << 20


class ArrayDamagedError(Exception):
    """An array is missing, or is not what was written."""

    def __init__(self, path: str) -> None:
        super().__init__(f"the array {path} is missing or damaged")
        self.path = path


@dataclass(frozen=True, kw_only=True)
class StoredArray:
    """A ``.npy`` file of a storage."""

    path: str
    sha256: str
    size: int  # bytes


class _Stream(Protocol):
    def write(self, content: bytes) -> object: ...


class Storage:
    """A folder, or a bucket (``s3://``, ``gs://``, ``abfs://``), of which ``cache`` holds this machine's copies.

    What was read once is believed by the process from then on.
    """

    def __init__(self, url: str, *, cache: Path | None = None) -> None:
        local = "://" not in url
        self.url, self.cache = url, cache
        self._files, self._root = fs.FileSystem.from_uri(Path(url).absolute().as_uri() if local else url)
        self._is_local = isinstance(self._files, fs.LocalFileSystem)
        if not self._is_local and cache is None:
            raise ValueError(f"{url} is no folder of this machine: its arrays need a folder for copies")
        self._believed: set[str] = set()

    def save(self, path: str, array: NDArray[Any]) -> StoredArray:
        """Write an array, in the place of one that there is. Raises TypeError for one of Python's objects."""
        if array.dtype.hasobject:
            raise TypeError(f"{path}: an array of Python's objects is never stored")
        with self._written(path) as stream:
            counted = _Counted(stream)
            npy.write_array(counted, array, allow_pickle=False)
        return StoredArray(path=path, sha256=counted.digest.hexdigest(), size=counted.size)

    def load(self, stored: StoredArray) -> NDArray[Any]:
        """Map an array. Raises ArrayDamagedError."""
        place = self._place(stored)
        if stored.sha256 not in self._believed:
            if not place.exists() or _digest(place) != stored.sha256:
                raise ArrayDamagedError(stored.path)
            self._believed.add(stored.sha256)
        array: NDArray[Any] = np.load(place, mmap_mode="r", allow_pickle=False)
        return array

    def load_all(self, stored: Mapping[str, StoredArray]) -> dict[str, NDArray[Any]]:
        return {name: self.load(one) for name, one in stored.items()}

    def write_text(self, path: str, text: str) -> None:
        with self._written(path) as stream:
            stream.write(text.encode())

    def read_text(self, path: str) -> str | None:
        """The text of a file; None where there is none."""
        try:
            with self._files.open_input_stream(f"{self._root}/{path}") as stream:
                return bytes(stream.read()).decode()
        except FileNotFoundError:
            return None

    def names(self, folder: str) -> set[str]:
        """Names of the files of a folder that are whole."""
        path = f"{self._root}/{folder}"
        if self._is_local:  # pyarrow raises where the folder comes just then
            names = [one.name for one in Path(path).iterdir()] if Path(path).is_dir() else []
        else:
            names = [one.base_name for one in self._files.get_file_info(fs.FileSelector(path, allow_not_found=True))]
        return {name for name in names if not name.endswith(".part")}

    def delete(self, folder: str) -> None:
        """Delete a folder with all that is in it, where there is one."""
        path = f"{self._root}/{folder}"
        if self._files.get_file_info(path).type is fs.FileType.Directory:
            self._files.delete_dir(path)

    @contextmanager
    def _written(self, path: str) -> Iterator[_Stream]:
        """A stream whose file is there once all is in it: a bucket has none before that anyhow."""
        place = f"{self._root}/{path}"
        part = f"{place}.{uuid.uuid4().hex}.part" if self._is_local else place
        self._files.create_dir(place.rpartition("/")[0], recursive=True)
        try:
            with self._files.open_output_stream(part) as stream:
                yield stream
            if part != place:
                self._files.move(part, place)
        finally:
            if part != place and self._files.get_file_info(part).type is fs.FileType.File:
                self._files.delete_file(part)

    def _place(self, stored: StoredArray) -> Path:
        """Where an array lies on this machine: itself, or a copy of it."""
        if self._is_local or self.cache is None:
            return Path(self._root) / stored.path
        copy = self.cache / stored.path
        if not copy.exists() or copy.stat().st_size != stored.size:
            copy.parent.mkdir(parents=True, exist_ok=True)
            part = copy.with_suffix(f".{uuid.uuid4().hex}.part")
            try:
                with self._files.open_input_stream(f"{self._root}/{stored.path}") as source, part.open("wb") as target:
                    while chunk := source.read(CHUNK):
                        target.write(chunk)
            except FileNotFoundError as error:
                raise ArrayDamagedError(stored.path) from error
            part.rename(copy)
        return copy


class _Counted:
    """A stream that knows how much was written, and its checksum."""

    def __init__(self, stream: _Stream) -> None:
        self._stream, self.digest, self.size = stream, hashlib.sha256(), 0

    def write(self, content: bytes) -> int:
        self._stream.write(content)
        self.digest.update(content)
        self.size += len(content)
        return len(content)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
