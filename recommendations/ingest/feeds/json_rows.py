"""Items in JSON: an array of objects, an object that holds one such array, or JSON Lines with one on each line."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from django.utils.translation import gettext as _

from recommendations.ingest.feeds.json_stream import DECODER, JsonStream, elements, lines_of
from recommendations.ingest.feeds.mapping import RawRow
from recommendations.ingest.feeds.synonyms import plain_name, target_of
from recommendations.store.imports.csv_rows import BOM, LONGEST_LINE, Fault, FileRow, storable
from recommendations.store.imports.table_files import UnreadableFileError

DEEPEST = 50


class JsonRows:
    """Objects of an open file, one after the other. ``consumed`` counts bytes."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file, self._path = file, path

    @property
    def consumed(self) -> int:
        return self._file.tell()

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
        for number, raw in lines_of(self._file):
            yield FileRow(number, [], Fault("", "line_too_long"), "") if raw is None else _line(number, raw)

    def _array(self) -> Iterator[RawRow | FileRow]:
        text = JsonStream(self._file, self._path)
        last = 0
        for line, value in _items(text):
            last = max(line, last + 1)
            yield _row(last, value)


def _is_item(value: Mapping[str, Any]) -> bool:
    return any(target.name == "item_id" for name in value if (target := target_of(name)))


def _holds_list(value: Mapping[str, Any]) -> bool:
    return any(isinstance(each, list) and any(isinstance(item, dict) for item in each) for each in value.values())


def _line(number: int, raw: bytes) -> RawRow | FileRow:
    try:
        value = DECODER.decode(raw.decode())
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


def _items(text: JsonStream) -> Iterator[tuple[int, Any]]:
    """Elements of the list at the top, or of the only list of objects in the object at the top."""
    if text.peek() == "[":
        yield from elements(text)
    else:
        yield from _members(text)
    if text.peek():
        raise text.unreadable(_("something follows its end"))


def _members(text: JsonStream, *, depth: int = 0) -> Iterator[tuple[int, Any]]:
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
            yield from elements(text)
        elif text.peek() == "{":
            yield from _members(text, depth=depth + 1)
        else:
            text.value()
        if text.peek() != "}":
            text.take(",")
    text.take("}")
