"""Customers in events as keys of ours: whose each event is, and what must not be known of it."""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import NamedTuple

from recommendations.event_types import NAMES, EventName
from recommendations.ingest.event_lines import Taken, lines_of, stripped, untied, waiting_lines
from recommendations.ingest.event_schema import ConsentForm, EventForm
from recommendations.ingest.facts import Newcomers
from recommendations.privacy_terms import DataPurpose, PurposeState, WordSource
from recommendations.store.events.id_cache import forget_people, person_keys
from recommendations.store.events.insert import EventLine, buyers_of, taken_since
from recommendations.store.events.mergers import Merger
from recommendations.store.events.purpose_words import Consent
from recommendations.store.events.tombstones import Comeback
from recommendations.store.events.waiting import HeldLine
from recommendations.terms import CustomerKind, Trust

NOTHING_SAID = ConsentForm()


@dataclass
class People:
    """Owners of events, what they said of purposes, and which keys turned out to be one person's."""

    owners: list[int | None] = field(default_factory=list)  # per event; None: not to be known
    words: list[Consent] = field(default_factory=list)
    mergers: dict[tuple[int, int], datetime] = field(default_factory=dict)  # anonymous, customer → since
    nameless: set[int] = field(default_factory=set)  # rows of visitors who were not admitted
    unnamed: set[int] = field(default_factory=set)  # rows of ids that were erased, or whose owners say no with them
    unmeasured: set[int] = field(default_factory=set)  # rows whose owners say no to being measured with them
    erased: set[int] = field(default_factory=set)  # rows of ids that were erased after them
    since: Mapping[int, datetime | None] = field(default_factory=dict)  # acts of who objects are taken from then on

    @classmethod
    def of(cls, events: Sequence[Taken], newcomers: Newcomers, *, now: datetime) -> "People":
        people = cls()
        customers, visitors, people.since = _named_people(events, newcomers)
        for event in events:
            people._add(event, customers, visitors, now)
        return people

    def find_buyers(self, events: Sequence[Taken]) -> None:
        """Let what is given back without a name be of who bought it; where none may be known, nothing leads to them."""
        places = [
            place for place, event in enumerate(events) if event.row not in self.unnamed and _is_the_buyers(event.form)
        ]
        if not places:
            return
        buyers = self._buyers_in(events) | buyers_of({str(events[place].form.transaction_id) for place in places})
        for place in places:
            order = str(events[place].form.transaction_id)
            self.owners[place] = buyers.get(order)
            if order not in buyers:
                self.unnamed.add(events[place].row)

    def _buyers_in(self, events: Sequence[Taken]) -> dict[str, int | None]:
        """Transaction → whose it is, of orders that come with the refunds."""
        return {
            str(event.form.transaction_id): owner
            for event, owner in zip(events, self.owners, strict=True)
            if NAMES[event.form.name] is EventName.PURCHASE and event.row not in self.unnamed
        }

    def lines_of(self, events: Sequence[Taken], *, items: Mapping[str, int]) -> Iterator[EventLine]:
        """The lines of all events, without what their owners must not be known by."""
        for event, owner in zip(events, self.owners, strict=True):
            yield from (self._without(line, event.row) for line in lines_of(event, items=items, owner=owner))

    def waiting_lines(self, events: Sequence[Taken]) -> Iterator[tuple[int, HeldLine]]:
        """Row and line of each item that is not there yet."""
        for event, owner in zip(events, self.owners, strict=True):
            for line, shop_id in waiting_lines(event, owner=owner):
                yield event.row, HeldLine(self._without(line, event.row), shop_id)

    def _without(self, line: EventLine, row: int) -> EventLine:
        """The line of a row without what must not be known of it."""
        if row in self.unnamed:
            return stripped(line)
        return untied(line) if row in self.unmeasured else line

    def _add(self, event: Taken, customers: "_NamedPeople", visitors: "_NamedPeople", now: datetime) -> None:
        form, unproven = event.form, event.allowed.trust is Trust.PAGE
        customer, visitor = customers.key(form.user_id), visitors.key(form.anonymous_id)
        at = form.timestamp
        if customers.erased_after(form.user_id, at) or visitors.erased_after(form.anonymous_id, at):
            self.erased.add(event.row)
        elif form.anonymous_id is not None and visitor is None and not visitors.blocks(form.anonymous_id):
            self.nameless.add(event.row)
        said = form.consent or NOTHING_SAID
        self.words += [
            word
            for key in (customer, visitor)
            if key is not None
            for word in _words(said, key, min(at, now), unproven=unproven)  # one of tomorrow would outlast today's
        ]
        if said.measure is False:
            self.unmeasured.add(event.row)
        if customers.blocks(form.user_id) or (form.user_id is None and visitors.blocks(form.anonymous_id)):
            self.unnamed.add(event.row)
            self.owners.append(None)
            return
        if said.personalisation is False:
            self.unnamed.add(event.row)
            since = self._since(visitor if customer is None else customer)
            if since is not None and at < since:
                self.erased.add(event.row)
            self.owners.append(None)
            return
        if customer is not None and visitor is not None:
            pair = (visitor, customer)
            self.mergers[pair] = min(form.timestamp, self.mergers.get(pair, form.timestamp))
        self.owners.append(visitor if customer is None else customer)

    def _since(self, owner: int | None) -> datetime | None:
        return None if owner is None else self.since.get(owner)

    def pairs(self) -> list[Merger]:
        return [Merger(anonymous, customer, since) for (anonymous, customer), since in self.mergers.items()]


def _words(said: ConsentForm, key: int, at: datetime, *, unproven: bool) -> Iterator[Consent]:
    """What an event says of purposes along with its act."""
    source = WordSource.PAGE if unproven else WordSource.SERVER
    for purpose, may in ((DataPurpose.PERSONALISE, said.personalisation), (DataPurpose.MEASURE, said.measure)):
        if may is not None:
            state = PurposeState.GIVEN if may else PurposeState.REFUSED
            yield Consent(key, state, at, purpose, source, alone=unproven, in_passing=True)


def _is_the_buyers(form: EventForm) -> bool:
    return form.user_id is None and form.anonymous_id is None and NAMES[form.name] is EventName.REFUND


def _objects(form: EventForm) -> bool:
    return form.consent is not None and form.consent.personalisation is False


class _NamedPeople(NamedTuple):
    """Keys of customers by the shop's id, and what becomes of ids that were erased and have none."""

    keys: dict[str, int]
    erased: dict[str, Comeback]

    def key(self, name: str | None) -> int | None:
        return None if name is None else self.keys.get(name)

    def blocks(self, name: str | None) -> bool:
        return bool(self.erased) and name in self.erased and self.erased[name].blocked

    def erased_after(self, name: str | None, moment: datetime) -> bool:
        return bool(self.erased) and name in self.erased and moment < self.erased[name].at


def _named_people(
    events: Sequence[Taken], newcomers: Newcomers
) -> tuple[_NamedPeople, _NamedPeople, Mapping[int, datetime | None]]:
    """Customers, visitors, and from when on acts of those who object are taken.

    An objection is about who has the id now, also where this process has not heard yet that somebody was erased.
    """
    customers, visitors = _keys_of(events, newcomers)
    forms = [event.form for event in events if _objects(event.form)]
    if not forms:
        return customers, visitors, {}
    signed_in = {form.user_id for form in forms if form.user_id}
    anonymous = {form.anonymous_id for form in forms if form.anonymous_id}
    keys = _keys_among(customers, signed_in) | _keys_among(visitors, anonymous)
    since = taken_since(keys)
    if keys - since.keys():
        forget_people(signed_in, CustomerKind.SIGNED_IN)
        forget_people(anonymous, CustomerKind.ANONYMOUS)
        customers, visitors = _keys_of(events, newcomers)
        since = taken_since(_keys_among(customers, signed_in) | _keys_among(visitors, anonymous))
    return customers, visitors, since


def _keys_among(people: _NamedPeople, names: Set[str]) -> set[int]:
    return {people.keys[name] for name in names if name in people.keys}


def _keys_of(events: Sequence[Taken], newcomers: Newcomers) -> tuple[_NamedPeople, _NamedPeople]:
    """Keys of customers and of visitors; new visitors of whom only a page tells may be missing."""
    proven = partial(newcomers, proven=True)
    signed_in = {event.form.user_id for event in events if event.form.user_id}
    named = [(event.form.anonymous_id, event.allowed.trust) for event in events if event.form.anonymous_id]
    sure = {name for name, trust in named if trust > Trust.PAGE}
    gone, away = dict[str, Comeback](), dict[str, Comeback]()

    def visited(name: str) -> datetime:
        return max(event.form.timestamp for event in events if event.form.anonymous_id == name)

    def acted(name: str) -> datetime:
        return max(event.form.timestamp for event in events if event.form.user_id == name)

    visitors = person_keys(sure, CustomerKind.ANONYMOUS, admit=proven, erased=away, acted=visited)
    if others := {name for name, _trust in named} - sure:
        unproven = partial(newcomers, proven=False)
        visitors |= person_keys(others, CustomerKind.ANONYMOUS, admit=unproven, erased=away, acted=visited)
    customers = person_keys(signed_in, CustomerKind.SIGNED_IN, admit=proven, erased=gone, acted=acted)
    return _NamedPeople(customers, gone), _NamedPeople(visitors, away)
