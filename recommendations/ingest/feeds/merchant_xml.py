"""Google's product feed in XML: RSS 2.0 or Atom, read item by item, so that a feed of any size needs little memory."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO
from xml.parsers import expat

from django.utils.translation import gettext as _

from recommendations.ingest.feeds.mapping import RawRow
from recommendations.ingest.feeds.synonyms import ATTRIBUTE
from recommendations.store.imports.table_files import MEGABYTE, UnreadableFileError

ITEMS = frozenset({"item", "entry"})
GOOGLE = "base.google.com/"  # in the name of its namespaces
SEVERAL = frozenset({"g:product_type"})
"""Fields that an item may have several times, each of which counts."""
CHUNK = MEGABYTE
LARGEST_ITEM = MEGABYTE  # characters
LONGEST_TAG = 4 * MEGABYTE
DEEPEST = 50


class MerchantXml:
    """Items of an open file. ``consumed`` counts bytes."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file, self._path = file, path
        self.consumed = 0

    def rows(self) -> Iterator[RawRow]:
        """Items with the line at which each begins. Raises UnreadableFileError where the file is no feed."""
        items = _Items(self._path)
        while block := self._file.read(CHUNK):
            self.consumed += len(block)
            items.feed(block)
            if self.consumed - items.place > LONGEST_TAG + CHUNK:
                raise items.unreadable(_("a tag of it is too long"))
            yield from items.ready()
        items.feed(b"", last=True)
        yield from items.ready()
        if not items.line:
            text = _("%(file)s: This XML has no <item> or <entry>, so it is no product feed.")
            raise UnreadableFileError(text % {"file": self._path.name})


class _Items:
    """What the parser tells, gathered item by item."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._parser = parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.buffer_size = 1 << 16
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._doctype
        self._google = {"g"}
        self._ready: list[RawRow] = []
        self._depth = 0
        self._item_depth = 0  # of the item that is being read; 0 outside
        self._fields: dict[str, str] = {}
        self._detail: dict[str, str] = {}
        self._name = ""  # of the field that is being read
        self._texts: list[str] = []
        self._size = 0
        self._begins = 0
        self.line = 0  # of the last item

    @property
    def place(self) -> int:
        return self._parser.CurrentByteIndex

    def feed(self, block: bytes, *, last: bool = False) -> None:
        try:
            self._parser.Parse(block, last)
        except expat.ExpatError as error:
            raise self.unreadable(expat.errors.messages.get(error.code, str(error))) from error
        except (LookupError, ValueError) as error:  # an encoding that nobody knows
            raise self.unreadable(str(error)) from error

    def ready(self) -> list[RawRow]:
        rows, self._ready = self._ready, []
        return rows

    def unreadable(self, reason: str) -> UnreadableFileError:
        text = _("%(file)s, line %(line)s: this is no XML that can be read (%(reason)s); nothing was imported.")
        words = {"file": self._path.name, "line": self._parser.CurrentLineNumber, "reason": reason}
        return UnreadableFileError(text % words)

    def _doctype(self, name: str, *_more: Any) -> None:
        if name.lower() == "html":
            text = _("%(file)s: This is a web page, not a feed. Does the address need a login?")
            raise UnreadableFileError(text % {"file": self._path.name})
        raise self.unreadable(_("it has a DOCTYPE, which feeds do not need and this import refuses: remove it"))

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise self.unreadable(_("its elements are nested too deep"))
        for key, value in attributes.items():
            if key.startswith("xmlns:") and GOOGLE in value:
                self._google.add(key.removeprefix("xmlns:"))
        if not self._item_depth:
            if name in ITEMS:
                self._item_depth = self._depth
                self._begins = self._parser.CurrentLineNumber
                self._fields, self._size = {}, 0
            return
        self._texts.clear()
        if self._depth == self._item_depth + 1:
            self._name = self._own_name(name)
            self._detail = {}
            if self._name == "link" and attributes.get("rel", "alternate") == "alternate" and "href" in attributes:
                self._texts.append(attributes["href"])  # Atom's

    def _text(self, text: str) -> None:
        if self._item_depth:
            self._size += len(text)
            if self._size > LARGEST_ITEM:
                raise self.unreadable(_("an item of it has more than 1 MB of text"))
            self._texts.append(text)

    def _end(self, name: str) -> None:
        inside = self._depth - self._item_depth if self._item_depth else 0
        self._depth -= 1
        if not self._item_depth:
            return
        if inside == 0:
            self._item_depth = 0
            self.line = max(self._begins, self.line + 1)
            self._ready.append(RawRow(self.line, self._fields))
        elif inside == 1:
            self._take("".join(self._texts).strip())
        elif inside == 2:
            self._detail[name.rpartition(":")[2]] = "".join(self._texts).strip()
        self._texts.clear()

    def _take(self, text: str) -> None:
        """Take a field of the item; one with parts of its own is no text, but for Google's details of a product."""
        name, fields = self._name, self._fields
        if self._detail:
            if name == "g:product_detail" and (told := self._detail.get("attribute_name")):
                fields.setdefault(f"{ATTRIBUTE}{told}", self._detail.get("attribute_value", ""))
        elif name in SEVERAL and fields.get(name):
            fields[name] = f"{fields[name]}|{text}"
        elif name:
            fields.setdefault(name, text)

    def _own_name(self, name: str) -> str:
        """Name of a field as feeds write it; "" for one of a vocabulary that we do not know."""
        prefix, colon, local = name.rpartition(":")
        if not colon:
            return name
        return f"g:{local}" if prefix in self._google else ""
