"""Schema of the events that a shop sends, and the parser of their bodies: one bad row never loses its neighbours.

A body without flaws is decoded in one go. Any other is taken apart and read row by row, which costs about four times
as much and says for each row what is wrong, at which place, and which unknown fields were left out.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from msgspec import Meta, Raw, Struct, ValidationError

from recommendations.event_types import NAMES
from recommendations.fields import (
    LONGEST_ID,
    MOST_LINES,
    TARGETS,
    Id,
    Money,
    Position,
    Progress,
    Quantity,
    RatingScale,
    SearchTerm,
    SlateId,
    Word,
)
from recommendations.ingest.event_repairs import IN_EVENT, IN_ITEM, Repair, event_key, sent_id
from recommendations.ingest.likeness import advice
from recommendations.ingest.misfit import misfit, unreadable
from recommendations.ingest.refusal import Refusal, UnfitError, UnreadableError, Unused, escaped

MOST_ROWS = 1_000
MOST_IGNORED = 20  # unknown fields that are named, per row

type Personalisation = Annotated[
    bool,
    Meta(
        description="false: the event is counted without the customer, who is out of personalisation until a later "
        "true; absent: as before."
    ),
]


type Measuring = Annotated[
    bool,
    Meta(
        description="false: what the customer does is tied to no answer, and they are in no experiment, until a later "
        "true; absent: as before."
    ),
]


type EventId = Annotated[
    UUID,
    Meta(
        description="A UUID, or any other text, which is kept as a UUID made of it.",
        extra_json_schema={"format": "id", "minLength": 1, "maxLength": LONGEST_ID},
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
    measure: Measuring | None = None
    marketing: bool | None = None


class EventForm(Struct, forbid_unknown_fields=True, gc=False):
    """An act of a customer. It is known by ``event_id`` and ``timestamp``: a retry repeats both."""

    event_id: EventId
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
    progress: Annotated[Progress, Meta(description="How much of it was played or read, 0 to 1.")] | None = None
    target_type: Annotated[Word, Meta(description=f"Followed: {', '.join(TARGETS)}.")] | None = None
    target_id: Id | None = None
    context: EventContextForm | None = None
    consent: ConsentForm | None = None


class PersonForm(EventForm, forbid_unknown_fields=True, gc=False):
    """What is said of a person without an act: who they are, and what they allow."""


class UnknownOrder(EventForm, forbid_unknown_fields=True, gc=False):
    """A refund of a whole order, by its number alone, where no order has that number."""


type EventRow = EventForm | Refusal | Unused


@dataclass
class ParsedBody:
    """Rows of a body, in order. ``ignored`` names unknown fields: per row, and (−1) of the body around the rows.

    ``ids`` has by row the ids that were sent and are no UUIDs; ``places`` makes pointers of a foreign body of ours.
    """

    rows: list[EventRow]
    single: bool = False
    ignored: dict[int, list[str]] = field(default_factory=dict)
    ids: dict[int, str] = field(default_factory=dict)
    places: Sequence[Callable[[str], str]] | None = None

    def pointer(self, number: int, pointer: str) -> str:
        """Pointer from the body of one that starts at a row."""
        if self.places is not None:
            return self.places[number](pointer)
        return pointer if self.single else f"/events/{number}{pointer}"


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
_word = msgspec.json.Decoder(Word)

_NUL = b"\\u0000"  # the only way to write it in JSON; PostgreSQL takes no such text
_ESCAPE = re.compile(rb"\\u[dD][89abAB]..\\u[dD][c-fC-F]..|(?P<half>\\u[dD][89a-fA-F]..)|\\.", re.DOTALL)
_US_SPELLING = "personalization"
_PARTS: dict[type[Struct], dict[str, type[Struct]]] = {
    EventForm: {"items": EventItemForm, "context": EventContextForm, "consent": ConsentForm}
}
_REPAIRS: Mapping[type[Struct], Mapping[str, Repair]] = {EventForm: IN_EVENT, EventItemForm: IN_ITEM}
_LACKING = {
    "/event_id": gettext_lazy("The field is missing; send an id of your own, any text, which a retry repeats."),
    "/name": gettext_lazy("The field is missing; it says what happened, such as view_item or purchase."),
    "/timestamp": gettext_lazy(
        "The field is missing; send a time such as 2026-09-01T10:02:11Z, or seconds, milli- or microseconds since 1970."
    ),
}
"""What to write into a field that every event needs."""


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
    top: dict[str, Raw] = {}
    try:
        top = _object.decode(body)
        single = "events" not in top and "event_id" in top
        rows = [Raw(body)] if single else _raw_batch.decode(body).events
    except ValidationError as error:
        if foreign := advice(top):
            raise UnreadableError(Refusal("", foreign)) from error
        remedy = _("Send {“events”: [1 to %(most)s events]}, or one event by itself.") % {"most": MOST_ROWS}
        raise unreadable(error, rows="events", remedy=remedy) from error
    reading = ParsedBody(rows=[], single=single)
    for number, raw in enumerate(rows):
        row = _Row()
        reading.rows.append(row.decode(bytes(raw)))
        if row.ignored:
            reading.ignored[number] = row.ignored[:MOST_IGNORED]
        if row.sent_id is not None:
            reading.ids[number] = row.sent_id
    others = [f"/{escaped(name)}" for name in top if name not in {"events", "api_key"}]
    if others and not single:
        reading.ignored[-1] = others[:MOST_IGNORED]
    return reading


def decode_row(raw: bytes) -> tuple[EventRow, str | None]:
    """A row by itself, and its id where that is no UUID."""
    row = _Row()
    return row.decode(raw), row.sent_id


class _Row:
    """A row that is read by itself: pointers to its unknown fields, and its id where that is no UUID."""

    def __init__(self) -> None:
        self.ignored: list[str] = []
        self.sent_id: str | None = None

    def decode(self, raw: bytes) -> EventRow:
        """The event, or why it is none."""
        form: EventRow
        try:
            form = _event.decode(raw)
        except ValidationError:
            form = self._repaired(raw)
        if not isinstance(form, EventForm) or _NUL not in raw:
            return form
        nul = next(_with_nul(msgspec.to_builtins(form)), None)
        if nul is None:
            return form
        return Refusal(nul, _("The text holds a NUL character or half a surrogate pair."))

    def _repaired(self, raw: bytes) -> EventRow:
        """The row with its values repaired and without its unknown fields.

        What has a name of no use need not fit, unless it carries a consent, which is taken all the same.
        """
        pointer = [""]
        fields: dict[str, Raw] = {}
        try:
            fields = _object.decode(raw)
            name = _name_of(fields)
            if name is not None and name not in NAMES and "consent" not in fields:
                pointer[0] = "/event_id"
                return Unused(name, event_key(self._id_of(fields)) if "event_id" in fields else None)
            return _event.decode(self._known_part(raw, EventForm, pointer))
        except UnfitError as error:
            return Refusal(pointer[0], str(error))
        except ValidationError as error:
            foreign = "" if "event_id" in fields and "name" in fields else advice(fields)
            refusal = Refusal("", foreign) if foreign else misfit(error)
            lacking = _LACKING.get(refusal.pointer)
            return Refusal(refusal.pointer, str(lacking)) if lacking and refusal.pointer[1:] not in fields else refusal

    def _id_of(self, fields: dict[str, Raw]) -> str:
        sent = sent_id(bytes(fields["event_id"]))
        if str(event_key(sent)) != sent.lower():
            self.sent_id = sent
        return sent

    def _known_part(self, raw: bytes, kind: type[Struct], pointer: list[str]) -> bytes:
        """JSON of the object with its values repaired, without fields that ``kind`` does not have.

        Their pointers are added to ``ignored``; ``pointer`` is left at the value that is looked at. A consent that
        says nothing else, or that misspells personalisation, stays as it is and is refused: its "no" would be lost.
        """
        parts, repairs, fields, here = _PARTS.get(kind, {}), _REPAIRS.get(kind, {}), dict[str, Any](), pointer[0]
        unknown: set[str] = set()
        for name, value in _object.decode(raw).items():
            pointer[0] = place = f"{here}/{escaped(name)}"
            if name not in kind.__struct_fields__:
                self.ignored.append(place)
                unknown.add(name)
            elif name in parts:
                fields[name] = self._known_value(bytes(value), parts[name], pointer)
            elif name == "event_id":
                fields[name] = event_key(self._id_of({name: value}))
            elif name in repairs:
                fields[name] = Raw(repairs[name](bytes(value)))
            else:
                fields[name] = value
        if kind is ConsentForm and (not fields or _US_SPELLING in unknown):
            return raw
        return msgspec.json.encode(fields)

    def _known_value(self, raw: bytes, kind: type[Struct], pointer: list[str]) -> Raw:
        """An object or a list of objects without unknown fields; anything else is left for the decoder to refuse."""
        if raw.startswith(b"{"):
            return Raw(self._known_part(raw, kind, pointer))
        if not raw.startswith(b"["):
            return Raw(raw)
        here, values = pointer[0], list[bytes]()
        for position, value in enumerate(map(bytes, _array.decode(raw))):
            pointer[0] = f"{here}/{position}"
            values.append(bytes(self._known_value(value, kind, pointer)) if value[:1] == b"{" else value)
        return Raw(b"[" + b",".join(values) + b"]")


def _name_of(fields: dict[str, Raw]) -> str | None:
    """The name of an event where it is a text as names are."""
    try:
        name: str = _word.decode(fields["name"])
    except (KeyError, ValidationError):
        return None
    return name


def _with_nul(value: Any, pointer: str = "") -> Iterator[str]:
    if isinstance(value, str) and "\x00" in value:
        yield pointer
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _with_nul(inner, f"{pointer}/{name}")
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from _with_nul(inner, f"{pointer}/{position}")
