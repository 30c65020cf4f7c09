"""Files that are packed, known by what is in them: gzip, and zip with one file. What unpacks without end is refused."""

import gzip
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

from django.utils.translation import gettext as _

from recommendations.ingest.feeds.fetching import roomy
from recommendations.store.imports.table_files import (
    MEGABYTE,
    FileLimits,
    FileTooLargeError,
    UnreadableFileError,
    named,
)

GZIP, ZIP = b"\x1f\x8b", b"PK\x03\x04"
MOST_UNPACKED = 8 * 1024 * MEGABYTE
SURE = 64 * MEGABYTE  # that any file may unpack to
MOST_TIMES = 200  # of its own size that a larger one unpacks to; of gzip's zeros it is a thousand
CHUNK = MEGABYTE
WRAPPED = zlib.MAX_WBITS | 16  # as gzip wraps it


@contextmanager
def unpacked(path: Path, *, limits: FileLimits | None = None) -> Iterator[Path]:
    """Path of the plain file: the same, or that of an unpacked copy of this name that is removed in the end.

    Raises UnreadableFileError, and FileTooLargeError where there is more than the limits allow.
    """
    start = _first_bytes(path)
    if start[:2] != GZIP and start != ZIP:
        yield path
        return
    with TemporaryDirectory(prefix="recsite-feed-", dir=roomy()) as folder:
        copy = Path(folder) / path.name
        try:
            if start == ZIP:
                with zipfile.ZipFile(path) as archive, archive.open(_only_file(archive, path)) as packed:
                    _copy(packed, copy, path, limits)
            else:
                with gzip.open(path) as packed:
                    _copy(packed, copy, path, limits)
        except (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
            text = _("%(file)s cannot be unpacked (%(reason)s); pack or copy it again.")
            raise UnreadableFileError(text % {"file": path.name, "reason": str(error)[:150]}) from error
        yield copy


def beginning(path: Path, size: int) -> bytes:
    """The first bytes of a file, of a packed one of what is in it; fewer where it cannot be read or unpacked."""
    try:
        with path.open("rb") as file:
            start = file.read(size)
        if start.startswith(ZIP):
            with zipfile.ZipFile(path) as archive, archive.open(_only_file(archive, path)) as packed:
                return packed.read(size)
        return zlib.decompressobj(WRAPPED).decompress(start, size) if start.startswith(GZIP) else start
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError, UnreadableFileError):
        return b""


def _first_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(4)
    except OSError as error:
        text = _("%(file)s cannot be read: %(reason)s.")
        raise UnreadableFileError(text % {"file": path.name, "reason": error.strerror or error}) from error


def _only_file(archive: zipfile.ZipFile, path: Path) -> zipfile.ZipInfo:
    held = [each for each in archive.infolist() if not each.is_dir() and not each.filename.startswith("__MACOSX/")]
    if any(each.filename in {"xl/workbook.xml", "content.xml"} for each in held):
        text = _("%(file)s: This is a spreadsheet. Save its table as CSV in UTF-8.")
        raise UnreadableFileError(text % {"file": path.name})
    if len(held) != 1:
        text = _("%(file)s must have one file in it, and has %(count)s: %(names)s.")
        words = {"file": path.name, "count": f"{len(held):,}", "names": named([each.filename for each in held]) or "–"}
        raise UnreadableFileError(text % words)
    if held[0].flag_bits & 1:
        text = _("%(file)s is locked with a password; pack it without one.")
        raise UnreadableFileError(text % {"file": path.name})
    return held[0]


def _copy(packed: IO[bytes] | gzip.GzipFile, copy: Path, path: Path, limits: FileLimits | None) -> None:
    """Write what is unpacked, and stop where it is more than any feed; what a zip says of its size is not believed."""
    most = min(MOST_UNPACKED, max(SURE, MOST_TIMES * path.stat().st_size))
    written = 0
    with copy.open("wb") as file:
        while block := packed.read(CHUNK):
            written += len(block)
            if limits and written > limits.unpacked:
                raise FileTooLargeError(limits.unpacked // MEGABYTE, unit="MB unpacked")
            if written > most:
                text = _("%(file)s unpacks to more than %(most)s MB, far more than it should; pack it again.")
                raise UnreadableFileError(text % {"file": path.name, "most": f"{most // MEGABYTE:,}"})
            file.write(block)
