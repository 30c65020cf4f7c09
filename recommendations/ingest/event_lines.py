"""Events as lines of the record, and a verdict on each event.

Every event of the shop goes through here, so each field is looked at once.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

import msgspec
from django.utils.translation import gettext as _

from recommendations.event_types import NAMES, EventName
from recommendations.ingest.event_schema import EventForm, EventItemForm, EventRow, PersonForm, UnknownOrder
from recommendations.ingest.event_validation import NAME, exact, refusal_of, rounded, why_unknown, why_unused
from recommendations.ingest.facts import NAMED, NAMELESS, REPLAY, Allowed, Sender, limit
from recommendations.ingest.refusal import Refusal, Unused
from recommendations.ingest.waiting import may_wait, room_of
from recommendations.store.events.id_cache import item_keys
from recommendations.store.events.insert import EventLine, EventPlace
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.events.waiting import DAYS, HeldLine
from recommendations.terms import Side

SOURCE = "api"
CUSTOMER = "customer"  # as a target
ALONE = (0,)  # the number of the only line
NO_ITEM = EventItemForm(item_id="-")
NOWHERE = EventPlace()
_NAMES = {written: name.value for written, name in NAMES.items()}


class EventResult(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Verdict on a row; pointers start at the row.

    ``refused``: lines of it that were left out; ``waiting``: those that wait for their item; ``ignored``: fields.
    """

    verdict: str  # accepted, duplicate, ignored or rejected
    event_id: UUID | None = None
    pointer: str | None = None
    reason: str | None = None
    refused: Sequence[Refusal] = ()
    ignored: Sequence[Refusal] = ()
    waiting: Sequence[Refusal] = ()


class Taken(NamedTuple):
    """An event that keeps the rules; ``places`` are the numbers of its lines that are kept, ``waits`` of others."""

    row: int
    form: EventForm
    allowed: Allowed
    places: Sequence[int]
    waits: Sequence[int] = ()
    refused: Sequence[Refusal] = ()
    waiting: Sequence[Refusal] = ()


@dataclass(frozen=True, kw_only=True)
class RowFates:
    """What became of events beside what is new.

    ``nameless``: rows of visitors who were not admitted; ``held``: rows with a line that waits since now; ``erased``
    and ``erased_lines``: rows, and lines counted over all events taken, of an id that was erased after they happened.
    """

    nameless: Set[int] = frozenset()
    held: Set[int] = frozenset()
    erased: Set[int] = frozenset()
    erased_lines: Set[int] = frozenset()


class Intake:
    """The rows of a request: the events to be kept, and the verdict on the others."""

    def __init__(self, rows: Sequence[EventRow], sender: Sender, *, now: datetime) -> None:
        self._verdicts: list[EventResult | None] = [None] * len(rows)
        self._sender = sender
        self.unproven = self.unused = 0  # events that named a customer without a proof, that nothing is learned from
        forms: list[tuple[int, EventForm, Allowed]] = []
        for number, row in enumerate(rows):
            if isinstance(row, Refusal):
                self._verdicts[number] = EventResult("rejected", None, row.pointer, row.reason)
            elif isinstance(row, Unused):
                self._leave_out(number, row, Refusal(NAME, why_unused(row.name, system=row.system)))
            elif type(row) is UnknownOrder:
                forms += self._word_of(number, row, why_unknown(), now=now)
            elif isinstance(allowed := refusal_of(row, now=now) or limit(row, sender, now=now), Refusal):
                if allowed.pointer == NAME and row.name not in NAMES:
                    forms += self._word_of(number, row, allowed, now=now)
                    continue
                self._reject(number, row, allowed)
                self.unproven += allowed.pointer == NAMED and sender.side is Side.PAGE
            else:
                if type(row) is PersonForm:
                    self._verdicts[number] = EventResult("accepted", row.event_id)
                forms.append((number, row, allowed))
                if allowed.ignored:
                    self.unproven += any(one.pointer == NAMED for one in allowed.ignored)
        self._room: int | None = None  # for lines that wait; None: not asked yet
        self.items = item_keys({item.item_id for _number, form, _allowed in forms for item in form.items})
        taken = (self._taken(number, form, allowed) for number, form, allowed in forms)
        self.taken = [event for event in taken if event is not None]

    @property
    def names_others(self) -> bool:
        """Whether an event tells whom somebody follows."""
        return any(event.form.target_type == CUSTOMER for event in self.taken)

    def leave_out(self, rows: Set[int]) -> None:
        """Keep no line of these rows."""
        if rows:
            self.taken = [event._replace(places=(), waits=()) if event.row in rows else event for event in self.taken]

    def verdicts(self, new: Set[int], fates: RowFates | None = None) -> list[EventResult]:
        """A verdict on every row; ``new``: the lines that were not there before, counted over all events taken."""
        first, fates = 0, fates or RowFates()
        gone = self.erased_rows(fates)
        for event in self.taken:
            if self._verdicts[event.row] is not None:
                continue
            after = first + len(event.places)
            erased = event.row in gone
            is_new = erased or event.row in fates.held or not new.isdisjoint(range(first, after))
            first = after
            if erased and self._sender.side is not Side.PAGE:  # which learns nothing of it
                reason = _("This id was erased after the event happened; what was before is not taken again.")
                self._verdicts[event.row] = EventResult("ignored", event.form.event_id, "/timestamp", reason)
                continue
            verdict = "accepted" if is_new else "duplicate"
            ignored = event.allowed.ignored
            if event.row in fates.nameless:
                ignored = [*ignored, Refusal(NAMELESS, self._sender.why_nameless())]
            self._verdicts[event.row] = EventResult(
                verdict, event.form.event_id, None, None, event.refused, ignored, event.waiting
            )
        return [verdict for verdict in self._verdicts if verdict is not None]

    def erased_rows(self, fates: RowFates) -> Set[int]:
        """Rows of which nothing is taken, as their id was erased after they happened."""
        first, rows = 0, set(fates.erased)
        for event in self.taken if fates.erased_lines else ():
            after = first + len(event.places)
            if not fates.erased_lines.isdisjoint(range(first, after)):
                rows.add(event.row)
            first = after
        return rows

    def _word_of(
        self, number: int, form: EventForm, why: Refusal, *, now: datetime
    ) -> list[tuple[int, EventForm, Allowed]]:
        """What is left of an event that nothing is learned from: what the customer said of purposes."""
        self._leave_out(number, form, why)
        if form.consent is None or (form.consent.personalisation is None and form.consent.measure is None):
            return []
        word = msgspec.structs.replace(form, name=EventName.VIEW_HOMEPAGE.value, items=[])
        allowed = refusal_of(word, now=now) or limit(word, self._sender, now=now)
        if isinstance(allowed, Refusal):
            self._reject(number, form, allowed)
            self.unused -= 1
            return []
        return [(number, word, allowed)]

    def _leave_out(self, number: int, row: EventForm | Unused, why: Refusal) -> None:
        self._verdicts[number] = EventResult("ignored", row.event_id, why.pointer, why.reason)
        self.unused += 1

    def _reject(self, number: int, form: EventForm, refusal: Refusal) -> None:
        self._verdicts[number] = EventResult("rejected", form.event_id, refusal.pointer, refusal.reason)

    def _taken(self, number: int, form: EventForm, allowed: Allowed) -> Taken | None:
        """The event; its lines of unknown items wait as far as they may. None, and a verdict, where no line is left."""
        if self._verdicts[number] is not None:
            return Taken(number, form, allowed, ())  # of it counts what it says of its customer
        items = form.items
        places = [place for place, item in enumerate(items) if item.item_id in self.items] if items else ALONE
        if len(places) == len(items) or not items:
            return Taken(number, form, allowed, places)
        unknown = [place for place in range(len(items)) if place not in places]
        waits = unknown[: self._let_wait(len(unknown), form.name)]
        lost, why = unknown[len(waits) :], _("There is no item with this id; send the item first.")
        refused = [Refusal(_item_at(place), why) for place in lost]
        if not places and not waits:
            self._reject(number, form, refused[0])
            return None
        until = _("There is no item with this id yet; the line waits for it, %(days)s days.") % {"days": DAYS}
        waiting = [Refusal(_item_at(place), until) for place in waits]
        return Taken(number, form, allowed, places, waits, refused, waiting)

    def _let_wait(self, lines: int, name: str) -> int:
        """How many of so many lines may wait for their items."""
        if not may_wait(name):
            return 0
        if self._room is None:
            self._room = room_of(self._sender)
        room = max(0, min(lines, self._room))
        self._room -= room
        return room


def _item_at(place: int) -> str:
    return f"/items/{place}/item_id"


def waiting_lines(event: Taken, *, owner: int | None) -> Iterable[HeldLine]:
    """A line per item that is not there yet."""
    if event.waits:
        lines = lines_of(event._replace(places=event.waits), items={}, owner=owner)
        for place, line in zip(event.waits, lines, strict=True):
            yield HeldLine(line, event.form.items[place].item_id)


def lines_of(event: Taken, *, items: Mapping[str, int], owner: int | None) -> Iterable[EventLine]:
    """A line per item that exists, numbered by its place in the event; line 0 for an event without items."""
    form = event.form
    at, attributes = form.timestamp, _place(form)
    if at.tzinfo is not UTC:
        at = at.astimezone(UTC)  # PostgreSQL reads no offset of 16 hours
    alone = len(form.items) < 2
    target = form.target_id
    if form.target_type == CUSTOMER and target is not None:
        target = pseudonym(target).hex()  # whom somebody follows is a person too
    replayed = form.context is not None and form.context.source == REPLAY
    for place in event.places:
        item = form.items[place] if form.items else NO_ITEM
        yield EventLine(
            at,
            form.event_id,
            place,
            _NAMES[form.name],
            owner,
            items.get(item.item_id),
            item.quantity,
            None if item.price is None else rounded(item.price),
            _amount(item, form.value if alone else None),
            form.rating,
            form.rating_scale,
            form.search_term,
            form.transaction_id,
            None if owner is None else form.session_id,
            form.recommendation_id,
            item.index,
            form.target_type,
            target,
            REPLAY if replayed else SOURCE,
            attributes,
            event.allowed.trust,
            form.progress,
        )


def stripped(line: EventLine) -> EventLine:
    """The line without all that could join it to another one; a trade has the event's own id for an order."""
    place = line.attributes and msgspec.structs.replace(line.attributes, page=None)
    return msgspec.structs.replace(
        line,
        customer_id=None,
        session_id=None,
        recommendation_id=None,
        transaction_id=None if line.transaction_id is None else str(line.event_id),
        attributes=None if place == NOWHERE else place,
    )


def untied(line: EventLine) -> EventLine:
    """The line without the answer that it came of."""
    return msgspec.structs.replace(line, recommendation_id=None)


def _amount(item: EventItemForm, value: Decimal | None) -> Decimal | None:
    """What was paid for the line: price times quantity, else the value of an event that has no other line."""
    if item.price is not None:
        return rounded(item.price * (1 if item.quantity is None else exact(item.quantity)))
    return None if value is None else rounded(value)


def _place(form: EventForm) -> EventPlace | None:
    """Where an event happened; its page without the query, which may hold anything."""
    context, value = form.context, None if form.value is None else rounded(form.value)
    if context is None:
        return None if value is None else EventPlace(value=value)
    page = context.page
    if page is not None:
        page = page.partition("?")[0].partition("#")[0]
    place = EventPlace(context.channel, context.locale, context.source, page, value)
    return None if place == NOWHERE else place
