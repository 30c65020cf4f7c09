"""A folder of JSON files, each named by when it came, of which the oldest go."""

import json
import re
import secrets
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

_NAME = re.compile(r"\d{20}-[0-9a-f]{16}\.json")


class Shelf:
    """What one folder holds; nobody else writes to it. It is made with the first file."""

    def __init__(self, folder: Path, *, most: int) -> None:
        self._folder, self._most, self._lock = folder, most, threading.Lock()
        names = (path.name for path in folder.iterdir()) if folder.is_dir() else ()
        self._names = deque(sorted(name for name in names if _NAME.fullmatch(name)))

    def keep(self, fields: Mapping[str, Any], *, now: datetime) -> str:
        """Write a file whole; its key, by which later ones come after it."""
        key = f"{now:%Y%m%d%H%M%S%f}-{secrets.token_hex(8)}"
        with self._lock:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            part = self._folder / f"{key}.part"
            part.write_text(json.dumps(fields), encoding="utf-8")
            part.rename(self._folder / f"{key}.json")
            self._names.append(f"{key}.json")
            while len(self._names) > self._most:
                (self._folder / self._names.popleft()).unlink(missing_ok=True)
        return key

    def __iter__(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Key and content of each, the oldest first."""
        for name in list(self._names):
            yield name.removesuffix(".json"), json.loads((self._folder / name).read_text(encoding="utf-8"))
