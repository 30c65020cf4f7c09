"""Opening of a file of another system's calls, and whose a file seems to be that was given without a word."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.utils.translation import gettext as _

from recommendations.ingest.calls.bodies import CallBodies
from recommendations.ingest.calls.call_rows import CallRows
from recommendations.ingest.feeds.feed_tables import StreamedTable
from recommendations.ingest.feeds.unpacking import beginning, unpacked
from recommendations.ingest.likeness import ForeignLook, look_of
from recommendations.ingest.sources.adapter import Options
from recommendations.ingest.sources.table import EVENTS
from recommendations.store.imports.call_rows import FORM
from recommendations.store.imports.csv_rows import BOM, FileRow
from recommendations.store.imports.table_files import MEGABYTE, Header, Table, UnreadableFileError, open_table

LOOKED_AT, FIRST = MEGABYTE, 10  # bytes, and objects in them, by which a file is known
SEPARATORS = " \t\r\n,["


class CallTable(StreamedTable):
    """Table of the events that the calls in a file are."""

    def __init__(self, rows: CallRows, path: Path) -> None:
        super().__init__(rows, path, columns=FORM.known)
        self._calls = rows

    def __iter__(self) -> Iterator[FileRow]:
        return self._calls.rows()

    def settle(self, header: Header) -> Header:
        return self._calls.settle(header)


@contextmanager
def open_calls(path: Path, *, system: str, item_id: str = "") -> Iterator[Table]:
    """Open a file of a system's calls, plain or packed. Raises UnreadableFileError where there are none."""
    theirs = EVENTS[system]
    with unpacked(path) as plain, plain.open("rb") as file:
        bodies = CallBodies(file, plain, lists=theirs.lists)
        yield CallTable(CallRows(bodies, system=theirs, options=Options(item_id)), plain)


@contextmanager
def open_own(path: Path) -> Iterator[Table]:
    """Open a CSV or Parquet file. Raises UnreadableFileError, which says how a file of another system's is imported."""
    start = beginning(path, LOOKED_AT).removeprefix(BOM).lstrip()
    if start.startswith((b"{", b"[")):
        raise UnreadableFileError(_whose(_look_of(start), path))
    with open_table(path) as table:
        yield table


def _whose(look: ForeignLook | None, path: Path) -> str:
    if look and look.system in EVENTS:
        text = _("%(file)s: This looks like %(what)s. Import it with: manage.py import_events FILE --from %(system)s")
        return text % {"file": path.name, "what": look.what, "system": look.system}
    text = _("%(file)s: This is JSON. Say whose events it holds: --from %(systems)s. Ours come as CSV or Parquet.")
    return text % {"file": path.name, "systems": ", ".join(EVENTS)}


def system_in(path: Path) -> str:
    """The system whose calls a file seems to hold; "" where it seems to be none of those that are understood."""
    look = _look_of(beginning(path, LOOKED_AT).removeprefix(BOM).lstrip())
    return look.system if look and look.system in EVENTS else ""


def _look_of(start: bytes) -> ForeignLook | None:
    """What the first objects of a file look like."""
    text = start.decode("utf-8", "replace")
    at = 0
    for _number in range(FIRST):
        names, at = _names(text, at)
        if look := look_of(names):
            return look
    return None


def _names(text: str, at: int) -> tuple[dict[str, None], int]:
    """Names of the next object's members, as far as they are there, and the place behind it."""
    decoder = json.JSONDecoder()
    names: dict[str, None] = {}
    at = _next(text, at, SEPARATORS)
    if text[at : at + 1] != "{":
        return names, len(text)
    at += 1
    try:
        while text[at := _next(text, at, " \t\r\n,")] == '"':
            name, at = decoder.raw_decode(text, at)
            names[name] = None
            at = _next(text, at, " \t\r\n:")
            _value, at = decoder.raw_decode(text, at)
    except (ValueError, IndexError, RecursionError):
        return names, len(text)
    return names, at + 1


def _next(text: str, at: int, over: str) -> int:
    while at < len(text) and text[at] in over:
        at += 1
    return at
