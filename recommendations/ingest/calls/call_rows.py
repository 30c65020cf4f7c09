"""Calls of another system as rows of an event file: read as the live address reads them, and judged as files are."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _

from recommendations.event_types import NAMES, EventName
from recommendations.ingest.calls.bodies import CallBodies
from recommendations.ingest.event_schema import MOST_ROWS, EventForm, EventItemForm, PersonForm
from recommendations.ingest.refusal import Refusal, Unused
from recommendations.ingest.sources.adapter import Call, Options
from recommendations.ingest.sources.table import System, row_of
from recommendations.store.imports.call_rows import EACH, FORM, PARTS, YES
from recommendations.store.imports.csv_rows import Fault, FileRow, storable
from recommendations.store.imports.table_files import Header

UNDATED = datetime(1, 1, 1, tzinfo=UTC)
"""The moment that calls get which say none: live they happen when they come, and a file is of the past."""
OTHERS = "…"
MOST_NAMES, LONGEST_NAME = 1_000, 60  # of what is left out; the rest is counted together
FIELDS: Mapping[str, str] = {"items": "item_id", "index": "position", "value": "amount"}
"""Our columns of fields that an event has under another name."""
SAME = (
    "event_id", "name", "user_id", "anonymous_id", "session_id", "transaction_id", "currency", "search_term",
    "recommendation_id", "rating", "rating_scale", "progress", "target_type", "target_id",
)  # fmt: skip
POINTERS: Mapping[str, str] = {
    **{name: f"/{name}" for name in (*SAME, "timestamp")},
    "amount": "/value",
    **{name: f"/items/0/{name}" for name in ("item_id", "quantity", "price")},
    "position": "/items/0/index",
}
"""Where in an event a column comes from."""


class CallRows:
    """Rows of the calls in a file: of each event one per item, and of a call that is about a person one."""

    def __init__(self, bodies: CallBodies, *, system: System, options: Options) -> None:
        self._bodies, self._system, self._options = bodies, system, options
        self._left_out: Counter[str] = Counter()
        self._own: dict[str, str] = {}

    @property
    def consumed(self) -> int:
        return self._bodies.consumed

    def rows(self) -> Iterator[FileRow]:
        for line, body in self._bodies:
            if isinstance(body, Fault):
                yield FileRow(line << PARTS, [], body)
                continue
            calls = list(self._system.calls_in(body, UNDATED, self._options))
            if not 1 <= len(calls) <= MOST_ROWS:
                text = _("Send 1 to %(most)s events.") % {"most": MOST_ROWS}
                yield FileRow(line << PARTS, [], Fault("", text))
                continue
            for number, call in enumerate(calls):
                yield from self._rows_of(call, (line << PARTS) + number * EACH)

    def settle(self, header: Header) -> Header:
        """The header with what the calls have for our columns, and with what was left out of them."""
        own = {column: theirs for column, theirs in self._own.items() if theirs != column}
        return replace(header, own=own, left_out=dict(self._left_out.most_common()))

    def _rows_of(self, call: Call, number: int) -> Iterator[FileRow]:
        if call.unused:
            self._leave_out(call.unused)
            return
        row, _sent_id = row_of(call, self._system, in_file=True)
        if isinstance(row, Unused):
            self._leave_out(row.name)
        elif isinstance(row, Refusal):
            column = _column(row.pointer)
            self._learn(call, {column: row.pointer})
            yield FileRow(number, [], Fault(column, row.reason))
        elif row.timestamp == UNDATED:
            yield FileRow(number, [], Fault("timestamp", "missing"))
        elif row.name in NAMES:
            for place, values in enumerate(_lines(row)):
                if new := values.keys() - self._own.keys():
                    self._learn(call, {name: POINTERS[name] for name in new if name in POINTERS and values[name]})
                yield _file_row(number + place, values)
        else:
            self._leave_out(row.name)
            if _objects(row):
                yield _file_row(number, _said(row))

    def _leave_out(self, name: str) -> None:
        name = storable(name[:LONGEST_NAME])
        self._left_out[name if name in self._left_out or len(self._left_out) < MOST_NAMES else OTHERS] += 1

    def _learn(self, call: Call, pointers: Mapping[str, str]) -> None:
        """Note what the call has for these columns of ours."""
        for column, pointer in pointers.items():
            theirs = call.place(pointer).removeprefix(call.pointer).split("/")
            if name := ".".join(part for part in theirs if part and not part.isdigit()):
                self._own.setdefault(column, name)


def _lines(form: EventForm) -> Iterator[dict[str, Any]]:
    """A row for each item of an event, as the live address numbers them; one for an event without items."""
    if isinstance(form, PersonForm):
        yield _said(form)
        return
    common = {**_common(form), "objects": YES if _objects(form) else None}
    for place, item in enumerate(form.items or (None,)):
        yield {**common, "line": place, **_of_item(item, value=form.value if len(form.items) < 2 else None)}


def _common(form: EventForm) -> dict[str, Any]:
    return {**{name: getattr(form, name) for name in SAME}, "timestamp": _moment(form.timestamp)}


def _of_item(item: EventItemForm | None, *, value: Any) -> dict[str, Any]:
    if item is None:
        return {"amount": value}
    return {
        "item_id": item.item_id,
        "quantity": item.quantity,
        "price": item.price,
        "amount": value if item.price is None else None,
        "position": item.index,
    }


def _said(form: EventForm) -> dict[str, Any]:
    """What is said of a person without an act."""
    names = ("event_id", "timestamp", "user_id", "anonymous_id")
    who = {name: value for name, value in _common(form).items() if name in names}
    objects = YES if _objects(form) else None
    return {**who, "name": EventName.VIEW_HOMEPAGE.value, "line": 0, "person": YES, "objects": objects}


def _objects(form: EventForm) -> bool:
    return form.consent is not None and form.consent.personalisation is False


def _file_row(number: int, values: Mapping[str, Any]) -> FileRow:
    texts = (values.get(name) for name in FORM.known)
    return FileRow(number, [None if value is None else str(value) for value in texts])


def _moment(at: datetime) -> str:
    try:
        return at.astimezone(UTC).isoformat()
    except OverflowError:
        return at.isoformat()


def _column(pointer: str) -> str:
    """Our column of what a pointer leads to; "" of an event as a whole."""
    name = next((part for part in reversed(pointer.split("/")) if part and not part.isdigit()), "")
    name = FIELDS.get(name, name)
    return name if name in FORM.known else ""
