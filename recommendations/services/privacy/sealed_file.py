"""Files of personal data at rest: written and read in sealed pieces, so that nowhere all of it lies open.

A piece is a token of Fernet on a line of its own, and says which file it belongs to, its place, and whether it is the
last, so that none can be moved, left out or taken from another file.
"""

import io
import os
from collections.abc import Buffer, Iterator
from pathlib import Path

from cryptography.fernet import InvalidToken, MultiFernet

from recommendations.store.contacts.sealing import SealBrokenError

PIECE = 256 * 1024  # bytes


class SealingWriter(io.RawIOBase):
    """A file that seals what is written to it. It must be finished; closed without it is deleted."""

    def __init__(self, path: Path, box: MultiFernet) -> None:
        self._path, self._box = path, box
        self._pending, self._place, self._finished = bytearray(), 0, False
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self._file = os.fdopen(descriptor, "wb")

    def writable(self) -> bool:
        return True

    def write(self, content: Buffer, /) -> int:
        self._pending += content
        while len(self._pending) > PIECE:
            self._seal(bytes(self._pending[:PIECE]), last=False)
            del self._pending[:PIECE]
        return memoryview(content).nbytes

    def finish(self) -> None:
        """Write what is left, and let the file stay."""
        self._seal(bytes(self._pending), last=True)
        self._finished = True
        self.close()

    def close(self) -> None:
        if not self.closed:
            self._file.close()
            if not self._finished:
                self._path.unlink(missing_ok=True)
        super().close()

    def _seal(self, content: bytes, *, last: bool) -> None:
        self._file.write(self._box.encrypt(_head(self._path, self._place, last=last) + content) + b"\n")
        self._place += 1


def unsealed(path: Path, box: MultiFernet) -> Iterator[bytes]:
    """The content, piece by piece. Raises SealBrokenError where it was changed or cut, FileNotFoundError if gone."""
    whole = False
    with path.open("rb") as file:
        for place, line in enumerate(file):
            try:
                piece = box.decrypt(line.strip())
            except InvalidToken as error:
                raise SealBrokenError("no key of EXPORT_KEYS opens this file") from error
            heads = {last: _head(path, place, last=last) for last in (False, True)}
            fitting = [last for last, head in heads.items() if piece.startswith(head)]
            if whole or not fitting:
                raise SealBrokenError("the file was changed")
            whole = fitting[0]
            yield piece[len(heads[whole]) :]
    if not whole:
        raise SealBrokenError("the file was cut")


def _head(path: Path, place: int, *, last: bool) -> bytes:
    return f"{path.name}\n{place}\n{int(last)}\n".encode()
