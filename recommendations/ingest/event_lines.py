"""Events as lines of the record, the customers in them as keys of ours, and a verdict on each event.

Every event of the shop goes through here, so each field is looked at once.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import NamedTuple
from uuid import UUID

import msgspec
from django.utils.translation import gettext as _

from recommendations.event_types import NAMES, EventName
from recommendations.ingest.event_schema import EventForm, EventItemForm, EventRow, PersonForm
from recommendations.ingest.event_validation import NAME, exact, refusal_of, rounded, why_unused
from recommendations.ingest.facts import NAMED, NAMELESS, REPLAY, Allowed, Newcomers, Sender, limit
from recommendations.ingest.refusal import Refusal, Unused
from recommendations.ingest.waiting import may_wait, room_of
from recommendations.store.events.id_cache import item_keys, person_keys
from recommendations.store.events.insert import Consent, EventLine, EventPlace, buyers_of
from recommendations.store.events.mergers import Merger
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.events.waiting import DAYS, HeldLine
from recommendations.terms import CustomerKind, Side, Trust

SOURCE = "api"
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
                self._leave_out(number, row, why_unused(row.name, system=row.system))
            elif isinstance(allowed := refusal_of(row, now=now) or limit(row, sender, now=now), Refusal):
                if allowed.pointer == NAME and row.name not in NAMES:
                    forms += self._word_of(number, row, now=now)
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

    def verdicts(
        self, new: Set[int], *, nameless: Set[int] = frozenset(), held: Set[int] = frozenset()
    ) -> list[EventResult]:
        """A verdict on every row; ``new``: the lines that were not there before, counted over all events taken.

        ``nameless``: rows of visitors who were not admitted; ``held``: rows with a line that waits since now.
        """
        first = 0
        for event in self.taken:
            if self._verdicts[event.row] is not None:
                continue
            after = first + len(event.places)
            is_new = event.row in held or not new.isdisjoint(range(first, after))
            verdict = "accepted" if is_new else "duplicate"
            ignored = event.allowed.ignored
            if event.row in nameless:
                ignored = [*ignored, Refusal(NAMELESS, self._sender.why_nameless())]
            self._verdicts[event.row] = EventResult(
                verdict, event.form.event_id, None, None, event.refused, ignored, event.waiting
            )
            first = after
        return [verdict for verdict in self._verdicts if verdict is not None]

    def _word_of(self, number: int, form: EventForm, *, now: datetime) -> list[tuple[int, EventForm, Allowed]]:
        """What is left of an event that nothing is learned from: what the customer said about personalisation."""
        self._leave_out(number, form, why_unused(form.name))
        if form.consent is None or form.consent.personalisation is None:
            return []
        word = msgspec.structs.replace(form, name=EventName.VIEW_HOMEPAGE.value, items=[])
        allowed = refusal_of(word, now=now) or limit(word, self._sender, now=now)
        if isinstance(allowed, Refusal):
            self._reject(number, form, allowed)
            self.unused -= 1
            return []
        return [(number, word, allowed)]

    def _leave_out(self, number: int, row: EventForm | Unused, reason: str) -> None:
        self._verdicts[number] = EventResult("ignored", row.event_id, NAME, reason)
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


@dataclass
class People:
    """Owners of events, what they said about personalisation, and which keys turned out to be one person's."""

    owners: list[int | None] = field(default_factory=list)  # per event; None: not to be known
    words: list[Consent] = field(default_factory=list)
    mergers: dict[tuple[int, int], datetime] = field(default_factory=dict)  # anonymous, customer → since
    nameless: set[int] = field(default_factory=set)  # rows of visitors who were not admitted

    @classmethod
    def of(cls, events: Sequence[Taken], newcomers: Newcomers, *, now: datetime) -> "People":
        people = cls()
        customers, visitors = _keys_of(events, newcomers)
        for event in events:
            form = event.form
            customer = None if form.user_id is None else customers[form.user_id]
            visitor = None if form.anonymous_id is None else visitors.get(form.anonymous_id)
            if form.anonymous_id is not None and visitor is None:
                people.nameless.add(event.row)
            people._add(event, customer, visitor, now)
        return people

    def find_buyers(self, events: Sequence[Taken]) -> None:
        """Let what is given back without a name be of who bought it, where that is known."""
        places = [place for place, event in enumerate(events) if _is_the_buyers(event.form)]
        if places:
            buyers = buyers_of({str(events[place].form.transaction_id) for place in places})
            for place in places:
                self.owners[place] = buyers.get(str(events[place].form.transaction_id))

    def _add(self, event: Taken, customer: int | None, visitor: int | None, now: datetime) -> None:
        form, unproven = event.form, event.allowed.trust is Trust.PAGE
        personalisation = form.consent.personalisation if form.consent is not None else None
        if personalisation is not None:
            at = min(form.timestamp, now)  # a word of tomorrow would stand against what is said until then
            keys = (key for key in (customer, visitor) if key is not None)
            self.words += [Consent(key, personalisation, at, alone=unproven) for key in keys]
        if personalisation is False:
            self.owners.append(None)
            return
        if customer is not None and visitor is not None:
            pair = (visitor, customer)
            self.mergers[pair] = min(form.timestamp, self.mergers.get(pair, form.timestamp))
        self.owners.append(visitor if customer is None else customer)

    def pairs(self) -> list[Merger]:
        return [Merger(anonymous, customer, since) for (anonymous, customer), since in self.mergers.items()]


def _is_the_buyers(form: EventForm) -> bool:
    unnamed = form.user_id is None and form.anonymous_id is None
    return unnamed and form.consent is None and NAMES[form.name] is EventName.REFUND


def _keys_of(events: Sequence[Taken], newcomers: Newcomers) -> tuple[dict[str, int], dict[str, int]]:
    """Keys of customers and of visitors by the shop's id; new visitors of whom only a page tells may be missing."""
    proven = partial(newcomers, proven=True)
    signed_in = {event.form.user_id for event in events if event.form.user_id}
    named = [(event.form.anonymous_id, event.allowed.trust) for event in events if event.form.anonymous_id]
    sure = {name for name, trust in named if trust > Trust.PAGE}
    visitors = person_keys(sure, CustomerKind.ANONYMOUS, admit=proven)
    if others := {name for name, _trust in named} - sure:
        visitors |= person_keys(others, CustomerKind.ANONYMOUS, admit=partial(newcomers, proven=False))
    return person_keys(signed_in, CustomerKind.SIGNED_IN, admit=proven), visitors


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
    if form.target_type == "customer" and target is not None:
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
