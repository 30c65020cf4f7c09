"""Files beside the database to which lines are added, by several processes: a backup that is restored keeps them."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings


def place_of(name: str) -> Path:
    """Where such a file lies."""
    return Path(settings.DATA) / "privacy" / name


def append_lines(file: Path, text: bytes) -> None:
    """Append lines that are on the disk when it returns. Raises OSError."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with alone_in(file) as target:
        size = os.fstat(target).st_size
        if size and os.pread(target, 1, size - 1) != b"\n":  # somebody was killed amid a line
            text = b"\n" + text
        while text:
            text = text[os.write(target, text) :]
        os.fsync(target)


@contextmanager
def alone_in(file: Path) -> Iterator[int]:
    """The file, open to add to, while no other process writes it: the one of the name, not one that it replaced."""
    while True:
        target = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            fcntl.flock(target, fcntl.LOCK_EX)
            if os.path.samestat(os.fstat(target), file.stat()):
                yield target
                return
        finally:
            os.close(target)
