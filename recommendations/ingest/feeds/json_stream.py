"""JSON of any length, value by value, of which no more is in memory than the value that is read."""

import codecs
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from django.utils.translation import gettext as _

from recommendations.store.imports.csv_rows import BOM, LONGEST_LINE
from recommendations.store.imports.table_files import MEGABYTE, UnreadableFileError

CHUNK = MEGABYTE
LARGEST = 4 * MEGABYTE  # characters of a value
BLANKS = " \t\r\n"
DECODER = json.JSONDecoder(parse_constant=str)


class JsonStream:
    """Text of a file, of which as much is in memory as the value that is being read needs."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file, self._path = file, path
        self._decode = codecs.getincrementaldecoder("utf-8-sig")()
        self._buffer, self._from, self._at, self._ended = "", 0, 0, False
        self.line = 1
        self.lists = 0  # of objects, that were met

    def peek(self) -> str:
        """The next character that is no blank, which is not taken; "" at the end."""
        while True:
            while self._at < len(self._buffer):
                char = self._buffer[self._at]
                if char not in BLANKS:
                    return char
                self.line += char == "\n"
                self._at += 1
            if not self._more():
                return ""

    def peek_inside(self) -> str:
        """The first character behind a bracket that is no blank."""
        at = self._at + 1
        while True:
            rest = self._buffer[at:].lstrip(BLANKS)
            if rest:
                return rest[0]
            if not self._more():
                return ""
            at = self._at + 1

    def take(self, char: str) -> None:
        if self.peek() != char:
            raise self.unreadable(_("“%(char)s” is missing") % {"char": char})
        self._at += 1

    def value(self) -> Any:
        """The next value, which must be whole within the largest size of what is read at once."""
        self.peek()
        while True:
            try:
                value, end = DECODER.raw_decode(self._buffer, self._at)
            except RecursionError as error:
                raise self.unreadable(_("it is nested too deep")) from error
            except ValueError as error:
                if len(self._buffer) - self._at > LARGEST or not self._more():
                    raise self.unreadable(getattr(error, "msg", str(error))) from error
                continue
            if end == len(self._buffer) and self._more():
                continue  # a number may go on
            self.line += self._buffer.count("\n", self._at, end)
            self._from, self._at = self._at, end
            return value

    def written(self) -> str:
        """The last value as it stands in the file."""
        return self._buffer[self._from : self._at]

    def unreadable(self, reason: str) -> UnreadableFileError:
        text = _("%(file)s, line %(line)s: this is no JSON that can be read (%(reason)s); nothing was imported.")
        return UnreadableFileError(text % {"file": self._path.name, "line": self.line, "reason": reason})

    def _more(self) -> bool:
        """Read on; False at the end."""
        if self._ended:
            return False
        block = self._file.read(CHUNK)
        self._ended = not block
        try:
            text = self._decode.decode(block, final=self._ended)
        except UnicodeDecodeError as error:
            raise self.unreadable(_("it is not UTF-8")) from error
        self._buffer, self._at = self._buffer[self._at :] + text, 0
        return not self._ended


def lines_of(file: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Lines that are not blank, with their numbers; None for one that is too long."""
    number = 0
    while raw := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(raw) > LONGEST_LINE:
            while raw and not raw.endswith(b"\n"):
                raw = file.readline(LONGEST_LINE)
            yield number, None
        elif raw := raw.removeprefix(BOM if number == 1 else b"").strip():
            yield number, raw


def elements(text: JsonStream) -> Iterator[tuple[int, Any]]:
    """Elements of the list that comes next, each with its line."""
    text.take("[")
    if text.peek() == "]":
        text.take("]")
        return
    while True:
        text.peek()
        yield text.line, text.value()
        if text.peek() == "]":
            text.take("]")
            return
        text.take(",")
