"""Items in JSON: an array of objects, an object that holds one such array, or JSON Lines with one on each line."""

import codecs
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from django.utils.translation import gettext as _

from recommendations.ingest.feeds.mapping import RawRow
from recommendations.ingest.feeds.synonyms import plain_name, target_of
from recommendations.store.imports.csv_rows import BOM, LONGEST_LINE, Fault, FileRow, storable
from recommendations.store.imports.table_files import MEGABYTE, UnreadableFileError

CHUNK = MEGABYTE
LARGEST_ITEM = 4 * MEGABYTE  # characters
DEEPEST = 50
BLANKS = " \t\r\n"
_DECODER = json.JSONDecoder(parse_constant=str)


class JsonRows:
    """Objects of an open file, one after the other. ``consumed`` counts bytes."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file, self._path = file, path
        self.consumed = 0

    def rows(self) -> Iterator[RawRow | FileRow]:
        """Items with the line at which each begins. Raises UnreadableFileError where there are none."""
        count = 0
        for row in self._lines() if self._is_lines() else self._array():
            count += 1
            yield row
        if not count:
            text = _("%(file)s: This JSON has no list of objects. Write [{…}, …], or one object on each line.")
            raise UnreadableFileError(text % {"file": self._path.name})

    def _is_lines(self) -> bool:
        """Whether the first line is an object by itself, and no wrapping of a list."""
        first = b""
        while not first.strip():
            first = self._file.readline(LONGEST_LINE)
            if not first:
                break
            first = first.removeprefix(BOM)
        second = self._file.readline(64).strip()
        self._file.seek(0)
        try:
            whole = json.loads(first)
        except (ValueError, RecursionError):
            return second.startswith(b"{") and first.strip().startswith(b"{") and first.strip().endswith(b"}")
        return isinstance(whole, dict) and (bool(second) or _is_item(whole) or not _holds_list(whole))

    def _lines(self) -> Iterator[RawRow | FileRow]:
        number = 0
        while raw := self._file.readline(LONGEST_LINE + 1):
            number += 1
            self.consumed += len(raw)
            if len(raw) > LONGEST_LINE:
                while raw and not raw.endswith(b"\n"):
                    raw = self._file.readline(LONGEST_LINE)
                    self.consumed += len(raw)
                yield FileRow(number, [], Fault("", "line_too_long"), "")
            elif raw := raw.removeprefix(BOM if number == 1 else b"").strip():
                yield _line(number, raw)

    def _array(self) -> Iterator[RawRow | FileRow]:
        text = _Stream(self._file, self._path)
        last = 0
        for line, value in _items(text):
            self.consumed = text.consumed
            last = max(line, last + 1)
            yield _row(last, value)


def _is_item(value: Mapping[str, Any]) -> bool:
    return any(target.name == "item_id" for name in value if (target := target_of(name)))


def _holds_list(value: Mapping[str, Any]) -> bool:
    return any(isinstance(each, list) and any(isinstance(item, dict) for item in each) for each in value.values())


def _line(number: int, raw: bytes) -> RawRow | FileRow:
    try:
        value = _DECODER.decode(raw.decode())
    except UnicodeDecodeError:
        return FileRow(number, [], Fault("", "not_utf8"), storable(raw[:2000].decode("utf-8", "replace")))
    except (ValueError, RecursionError):
        return FileRow(number, [], Fault("", "not_json"), storable(raw[:2000].decode("utf-8", "replace")))
    return _row(number, value)


def _row(line: int, value: Any) -> RawRow | FileRow:
    if not isinstance(value, dict):
        return FileRow(line, [], Fault("", "not_json"), storable(json.dumps(value)[:2000]))
    return RawRow(line, dict(_fields(value)))


def _fields(value: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Fields as text: lists with a bar between, ``{"value": 1, "currency": "EUR"}`` as money, other records by part."""
    for name, each in value.items():
        if isinstance(each, dict) and plain_name(name) != "attributes":
            amount, code = each.get("value", each.get("amount")), each.get("currency", each.get("currencyCode"))
            if amount is not None and code is not None:
                yield name, f"{amount} {code}"
            else:
                yield from ((f"{name}_{part}", _text(inner)) for part, inner in each.items())
        else:
            yield name, _text(each)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool | dict):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return "|".join(text for each in value if (text := _text(each)))
    return str(value)


def _items(text: "_Stream") -> Iterator[tuple[int, Any]]:
    """Elements of the list at the top, or of the only list of objects in the object at the top."""
    if text.peek() == "[":
        yield from _elements(text)
    else:
        yield from _members(text)
    if text.peek():
        raise text.unreadable(_("something follows its end"))


def _elements(text: "_Stream") -> Iterator[tuple[int, Any]]:
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


def _members(text: "_Stream", *, depth: int = 0) -> Iterator[tuple[int, Any]]:
    """Members of an object; of its lists the first that holds objects is read, and a second one refused."""
    if depth > DEEPEST:
        raise text.unreadable(_("it is nested too deep"))
    text.take("{")
    while text.peek() != "}":
        if text.peek() != '"':
            raise text.unreadable(_("a name in quotes is missing"))
        text.value()
        text.take(":")
        if text.peek() == "[" and text.peek_inside() == "{":
            text.lists += 1
            if text.lists > 1:
                raise text.unreadable(_("it has several lists of objects: keep the one of items"))
            yield from _elements(text)
        elif text.peek() == "{":
            yield from _members(text, depth=depth + 1)
        else:
            text.value()
        if text.peek() != "}":
            text.take(",")
    text.take("}")


class _Stream:
    """Text of a file, of which as much is in memory as the value that is being read needs."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file, self._path = file, path
        self._decode = codecs.getincrementaldecoder("utf-8-sig")()
        self._buffer, self._at, self._ended = "", 0, False
        self.consumed, self.line = 0, 1
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
        """The next value, which must be whole within the largest size of an item."""
        self.peek()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._buffer, self._at)
            except RecursionError as error:
                raise self.unreadable(_("it is nested too deep")) from error
            except ValueError as error:
                if len(self._buffer) - self._at > LARGEST_ITEM or not self._more():
                    raise self.unreadable(getattr(error, "msg", str(error))) from error
                continue
            if end == len(self._buffer) and self._more():
                continue  # a number may go on
            self.line += self._buffer.count("\n", self._at, end)
            self._at = end
            return value

    def unreadable(self, reason: str) -> UnreadableFileError:
        text = _("%(file)s, line %(line)s: this is no JSON that can be read (%(reason)s); nothing was imported.")
        return UnreadableFileError(text % {"file": self._path.name, "line": self.line, "reason": reason})

    def _more(self) -> bool:
        """Read on; False at the end."""
        if self._ended:
            return False
        block = self._file.read(CHUNK)
        self.consumed += len(block)
        self._ended = not block
        try:
            text = self._decode.decode(block, final=self._ended)
        except UnicodeDecodeError as error:
            raise self.unreadable(_("it is not UTF-8")) from error
        self._buffer, self._at = self._buffer[self._at :] + text, 0
        return not self._ended
