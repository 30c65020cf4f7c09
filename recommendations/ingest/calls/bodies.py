"""Bodies in a file of calls: JSON Lines with one on each line, a list of them, or one with a list of any length."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from django.utils.translation import gettext as _

from recommendations.ingest.feeds.json_stream import JsonStream, elements, lines_of
from recommendations.ingest.whole_numbers import with_whole_numbers
from recommendations.store.imports.csv_rows import BOM, LONGEST_LINE, Fault
from recommendations.store.imports.table_files import UnreadableFileError

type Body = tuple[int, Any]
"""The line at which a body begins, and its JSON, or a Fault where it is none."""

NOT_JSON = Fault("", "not_json")


def _decoded(raw: bytes) -> Any:
    """A body as the live address decodes it."""
    try:
        return msgspec.json.decode(with_whole_numbers(raw))
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return NOT_JSON


class CallBodies:
    """Bodies of an open file, one after the other; ``lists``: paths of lists that a body has its calls in.

    A body whose list is cut into its elements is given once for each, with that element alone in its list.
    """

    def __init__(
        self, file: BinaryIO, path: Path, *, lists: Sequence[str], decode: Callable[[bytes], Any] = _decoded
    ) -> None:
        self._file, self._path, self._lists, self._decode = file, path, lists, decode

    @property
    def consumed(self) -> int:
        return self._file.tell()

    def __iter__(self) -> Iterator[Body]:
        """Bodies in their order. Raises UnreadableFileError where there are none, or one cannot be read to its end."""
        first = self._first_line()
        if not first.startswith((b"{", b"[")):
            text = _("%(file)s: This is no JSON. Without --from it is read as CSV or Parquet.")
            raise UnreadableFileError(text % {"file": self._path.name})
        if first.startswith(b"["):
            bodies = self._listed()
        else:
            bodies = self._by_line() if self._is_lines(first) else self._taken_apart()
        count = 0
        for count, body in enumerate(bodies, 1):  # noqa: B007 - counted for what comes after
            yield body
        if not count:
            text = _("%(file)s: This JSON has no list of objects. Write [{…}, …], or one object on each line.")
            raise UnreadableFileError(text % {"file": self._path.name})

    def _first_line(self) -> bytes:
        """The first line that is not blank, or as much of it as a line may hold."""
        while raw := self._file.readline(LONGEST_LINE):
            if line := raw.removeprefix(BOM).strip():
                return line
        return b""

    def _is_lines(self, first: bytes) -> bool:
        """Whether the first line is an object by itself, or is meant to be."""
        if _decoded(first) != NOT_JSON:
            return True
        second = self._file.readline(64).lstrip()
        return first.endswith(b"}") and second.startswith(b"{")

    def _by_line(self) -> Iterator[Body]:
        self._file.seek(0)
        for line, raw in lines_of(self._file):
            yield line, Fault("", "line_too_long") if raw is None else self._decode(raw)

    def _listed(self) -> Iterator[Body]:
        text, last = self._stream(), 0
        for line, _value in elements(text):
            last = max(line, last + 1)
            yield last, self._decode(text.written().encode())
        _end(text)

    def _taken_apart(self) -> Iterator[Body]:
        """The one body that the file is: first what stands around its list, then that with one call after the other."""
        whole: dict[str, Any] = {}
        text = self._stream()
        for _call in self._members(text, whole):
            pass
        _end(text)
        last = 0
        for path, line, call in self._members(self._stream(), {}):
            last = max(line, last + 1)
            *outer, name = path.split(".")
            holder = whole
            for each in outer:
                holder = holder[each]
            holder[name] = [call]
            yield last, call if isinstance(call, Fault) else whole
        if not last:
            yield 1, whole

    def _members(self, text: JsonStream, fields: dict[str, Any], *, here: str = "") -> Iterator[tuple[str, int, Any]]:
        """The calls in an object's lists, each with its path and its line; the other members become ``fields``."""
        text.take("{")
        while text.peek() != "}":
            if text.peek() != '"':
                raise text.unreadable(_("a name in quotes is missing"))
            name = text.value()
            text.take(":")
            path = f"{here}{name}"
            if path in self._lists and text.peek() == "[":
                fields[name] = []
                for line, _value in elements(text):
                    yield path, line, self._decode(text.written().encode())
            elif text.peek() == "{" and any(each.startswith(f"{path}.") for each in self._lists):
                fields[name] = {}
                yield from self._members(text, fields[name], here=f"{path}.")
            else:
                fields[name] = text.value()
            if text.peek() != "}":
                text.take(",")
        text.take("}")

    def _stream(self) -> JsonStream:
        self._file.seek(0)
        return JsonStream(self._file, self._path)


def _end(text: JsonStream) -> None:
    if text.peek():
        raise text.unreadable(_("something follows its end"))
