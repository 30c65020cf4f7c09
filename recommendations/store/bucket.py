"""A bucket of an object store as a storage of files: ``s3://``, ``gs://`` or ``abfs://``, spoken to by pyarrow.

Keys of the store come from the environment as its provider names them, never from the address. Files are read whole;
what needs a path on this disk makes a copy.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pyarrow as pa
from django.core.files.base import File
from django.core.files.storage import Storage
from pyarrow import fs

CHUNK = 8 << 20


class BucketAwayError(OSError):
    """The bucket does not answer, or does not let us in."""

    def __init__(self, url: str, why: str) -> None:
        super().__init__(f"the bucket of ARTEFACTS, {url.partition('?')[0]}, cannot be used: {why}")


class BucketStorage(Storage):
    """Files of a bucket, below the folder of its address; a file is there when all of it is.

    Each process opens the bucket for itself when it first needs it, as a connection outlives no fork. Whatever the
    store answers but that there is no such file raises BucketAwayError.
    """

    def __init__(self, url: str) -> None:
        self._address = url
        self._opened: tuple[int, fs.FileSystem, str] | None = None

    def delete(self, name: str) -> None:
        """Delete a file, where there is one."""
        if not self.exists(name):
            return
        with self._bucket(name) as (files, place):
            files.delete_file(place)

    def exists(self, name: str) -> bool:
        return self._info(name).type is fs.FileType.File

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        """Names of the folders and files in a folder. Raises FileNotFoundError where nothing begins so."""
        with self._bucket(path) as (files, place):
            entries = files.get_file_info(fs.FileSelector(place))
        kinds = fs.FileType.Directory, fs.FileType.File
        folders, plain = ([one.base_name for one in entries if one.type is kind] for kind in kinds)
        return folders, plain

    def size(self, name: str) -> int:
        """Bytes of a file. Raises FileNotFoundError."""
        size: int = self._present(name).size
        return size

    def get_modified_time(self, name: str) -> datetime:
        """When a file was written. Raises FileNotFoundError."""
        at: datetime = self._present(name).mtime
        return at

    def _open(self, name: str, mode: str = "rb") -> "File[Any]":
        """Open a file to be read. Raises FileNotFoundError."""
        if mode != "rb":
            raise ValueError(f"{name}: a file of a bucket is written whole, by save")
        with self._bucket(name) as (files, place):
            return File(files.open_input_file(place), name)

    def _save(self, name: str, content: "File[Any]") -> str:
        with self._bucket(name) as (files, place):
            stream = files.open_output_stream(place)
            for chunk in content.chunks(CHUNK):
                stream.write(chunk)
            stream.close()  # what breaks off before was never there
        return name

    def _info(self, name: str) -> fs.FileInfo:
        with self._bucket(name) as (files, place):
            return files.get_file_info(place)

    def _present(self, name: str) -> fs.FileInfo:
        info = self._info(name)
        if info.type is not fs.FileType.File:
            raise FileNotFoundError(name)
        return info

    @contextmanager
    def _bucket(self, name: str) -> Iterator[tuple[fs.FileSystem, str]]:
        """The bucket as this process has it, and where a file lies in it."""
        try:
            files, root = self._open_bucket()
            yield files, f"{root}/{name}".rstrip("/")
        except (FileNotFoundError, BucketAwayError):
            raise
        except OSError as error:
            raise BucketAwayError(self._address, str(error)) from error

    def _open_bucket(self) -> tuple[fs.FileSystem, str]:
        if self._opened is None or self._opened[0] != os.getpid():
            try:
                self._opened = os.getpid(), *fs.FileSystem.from_uri(self._address)
            except pa.ArrowInvalid as error:
                raise BucketAwayError(self._address, f"{error} (docs/settings.md says how it is written)") from error
        return self._opened[1:]
