"""Schema of the events that a shop sends, and the parser of their bodies: one bad row never loses its neighbours.

A body without flaws is decoded in one go. Any other is taken apart and read row by row, which costs about four times
as much and says for each row what is wrong, at which place, and which unknown fields were left out.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from django.utils.translation import gettext as _
from msgspec import Meta, Raw, Struct, ValidationError

from recommendations.fields import (
    MOST_LINES,
    Id,
    Money,
    Position,
    Quantity,
    RatingScale,
    SearchTerm,
    SlateId,
    Word,
)
from recommendations.ingest.misfit import misfit, unreadable
from recommendations.ingest.refusal import Refusal, escaped

MOST_ROWS = 1_000
MOST_IGNORED = 20  # unknown fields that are named, per row

type Personalisation = Annotated[
    bool,
    Meta(
        description="false: the event is counted without the customer, who is out of personalisation until a later "
        "true; absent: as before."
    ),
]


class EventItemForm(Struct, forbid_unknown_fields=True, gc=False):
    """A line of an event; an item that the catalogue does not have loses its line, not the others."""

    item_id: Id
    quantity: Quantity | None = None
    price: Annotated[Money, Meta(description="What was paid for one.")] | None = None
    index: Annotated[Position, Meta(description="Position in the list that was shown.")] | None = None


class EventContextForm(Struct, forbid_unknown_fields=True, gc=False):
    """Where it happened; the query of a page is not kept."""

    channel: Word | None = None
    page: Annotated[str, Meta(max_length=2_048)] | None = None
    locale: Word | None = None
    source: Word | None = None


class ConsentForm(Struct, forbid_unknown_fields=True, gc=False):
    """What the customer allows."""

    personalisation: Personalisation | None = None
    marketing: bool | None = None


class EventForm(Struct, forbid_unknown_fields=True, gc=False):
    """An act of a customer. It is known by ``event_id`` and ``timestamp``: a retry repeats both."""

    event_id: UUID
    name: Annotated[Word, Meta(description="A GA4 name, or what Segment, Vertex or Recombee call it.")]
    timestamp: Annotated[datetime, Meta(tz=True, description="With its time zone; 730 days ago to 10 minutes ahead.")]
    user_id: Annotated[Id, Meta(description="Of a signed-in customer. Kept as a keyed hash only.")] | None = None
    anonymous_id: Annotated[Id, Meta(description="Of a visitor; with user_id, the two are one person.")] | None = None
    proof: Annotated[str, Meta(max_length=128, description="By POST /identity/, of who is signed in.")] | None = None
    session_id: Id | None = None
    items: Annotated[list[EventItemForm], Meta(max_length=MOST_LINES)] = []
    value: Annotated[Money, Meta(description="Of the whole event.")] | None = None
    currency: Annotated[Word, Meta(description="The shop's, where it is given.")] | None = None
    search_term: SearchTerm | None = None
    transaction_id: Annotated[Id, Meta(description="Of a purchase or refund: a basket is one transaction.")] | None = (
        None
    )
    recommendation_id: Annotated[SlateId, Meta(description="Of the answer that led here.")] | None = None
    rating: float | None = None
    rating_scale: Annotated[RatingScale, Meta(description="The best rating there is.")] | None = None
    target_type: Annotated[Word, Meta(description="Followed: customer, brand or category.")] | None = None
    target_id: Id | None = None
    context: EventContextForm | None = None
    consent: ConsentForm | None = None


@dataclass
class ParsedBody:
    """Rows of a body, in order. ``ignored`` names unknown fields: per row, and (−1) of the body around the rows."""

    rows: list[EventForm | Refusal]
    single: bool = False
    ignored: dict[int, list[str]] = field(default_factory=dict)


class EventBatch(Struct, forbid_unknown_fields=True, gc=False):
    """Events in any order."""

    events: Annotated[list[EventForm], Meta(min_length=1, max_length=MOST_ROWS)]
    api_key: Annotated[str, Meta(description="Only of a text/plain body without the Authorization header.")] | None = (
        None
    )


class _RawBatch(Struct):
    events: Annotated[list[Raw], Meta(min_length=1, max_length=MOST_ROWS)]


_batch = msgspec.json.Decoder(EventBatch)
_raw_batch = msgspec.json.Decoder(_RawBatch)
_event = msgspec.json.Decoder(EventForm)
_object = msgspec.json.Decoder(dict[str, Raw])
_array = msgspec.json.Decoder(list[Raw])

_NUL = b"\\u0000"  # the only way to write it in JSON; PostgreSQL takes no such text
_ESCAPE = re.compile(rb"\\u[dD][89abAB]..\\u[dD][c-fC-F]..|(?P<half>\\u[dD][89a-fA-F]..)|\\.", re.DOTALL)
_US_SPELLING = "personalization"
_UNKNOWN = "Object contains unknown field"
_PARTS: dict[type[Struct], dict[str, type[Struct]]] = {
    EventForm: {"items": EventItemForm, "context": EventContextForm, "consent": ConsentForm}
}


def parse_body(body: bytes) -> ParsedBody:
    """The events of a body: ``{"events": [1 to 1000 events]}``, or one event by itself.

    Raises UnreadableError where there are none, and msgspec's DecodeError, UnicodeDecodeError or RecursionError where
    the body is no JSON. Half a surrogate pair is read as NUL, so that it is its row that is refused.
    """
    if _NUL not in body:
        try:
            return ParsedBody(rows=list(_batch.decode(body).events))
        except (msgspec.DecodeError, UnicodeDecodeError):
            pass
    return _read_row_by_row(body)


def _read_row_by_row(body: bytes) -> ParsedBody:
    body.decode()
    body = _ESCAPE.sub(lambda match: _NUL if match["half"] else match[0], body)
    try:
        top = _object.decode(body)
        single = "events" not in top and "event_id" in top
        rows = [Raw(body)] if single else _raw_batch.decode(body).events
    except ValidationError as error:
        remedy = _("Send {“events”: [1 to %(most)s events]}, or one event by itself.") % {"most": MOST_ROWS}
        raise unreadable(error, rows="events", remedy=remedy) from error
    reading = ParsedBody(rows=[], single=single)
    for number, raw in enumerate(rows):
        row, ignored = _read_row(bytes(raw))
        reading.rows.append(row)
        if ignored:
            reading.ignored[number] = ignored[:MOST_IGNORED]
    others = [f"/{escaped(name)}" for name in top if name not in {"events", "api_key"}]
    if others and not single:
        reading.ignored[-1] = others[:MOST_IGNORED]
    return reading


def _read_row(raw: bytes) -> tuple[EventForm | Refusal, list[str]]:
    """Decode a row: the event, or why it is none; and pointers to its unknown fields."""
    ignored: list[str] = []
    try:
        try:
            form = _event.decode(raw)
        except ValidationError as error:
            if not str(error).startswith(_UNKNOWN):
                raise
            form = _event.decode(_known_part(raw, EventForm, "", ignored))
    except ValidationError as error:
        return misfit(error), ignored
    nul = next(_with_nul(msgspec.to_builtins(form)), None) if _NUL in raw else None
    if nul is not None:
        return Refusal(nul, _("The text holds a NUL character or half a surrogate pair.")), ignored
    return form, ignored


def _known_part(raw: bytes, kind: type[Struct], pointer: str, ignored: list[str]) -> bytes:
    """JSON of the object without fields that ``kind`` does not have; their pointers are added to ``ignored``.

    A consent that says nothing else, or that misspells personalisation, stays as it is and is refused: its "no" would
    be lost.
    """
    parts, fields = _PARTS.get(kind, {}), {}
    for name, value in _object.decode(raw).items():
        place = f"{pointer}/{escaped(name)}"
        if name not in kind.__struct_fields__:
            ignored.append(place)
        elif name in parts:
            fields[name] = _known_value(bytes(value), parts[name], place, ignored)
        else:
            fields[name] = value
    if kind is ConsentForm and (not fields or f"{pointer}/{_US_SPELLING}" in ignored):
        return raw
    return msgspec.json.encode(fields)


def _known_value(raw: bytes, kind: type[Struct], pointer: str, ignored: list[str]) -> Raw:
    """An object or a list of objects without unknown fields; anything else is left for the decoder to refuse."""
    if raw.startswith(b"{"):
        return Raw(_known_part(raw, kind, pointer, ignored))
    if raw.startswith(b"["):
        values = [
            _known_value(bytes(value), kind, f"{pointer}/{position}", ignored) if value[:1] == b"{" else value
            for position, value in enumerate(map(bytes, _array.decode(raw)))
        ]
        return Raw(b"[" + b",".join(map(bytes, values)) + b"]")
    return Raw(raw)


def _with_nul(value: Any, pointer: str = "") -> Iterator[str]:
    if isinstance(value, str) and "\x00" in value:
        yield pointer
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _with_nul(inner, f"{pointer}/{name}")
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from _with_nul(inner, f"{pointer}/{position}")
