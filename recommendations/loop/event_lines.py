"""Events as lines of the record, the people in them as keys of ours, and a verdict for each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
from django.utils.translation import gettext as _

from recommendations.loop.event_form import EventForm, EventItemForm, Refusal
from recommendations.loop.event_rules import NAMES, refusal_of, rounded
from recommendations.store.accepted import Consent, Line, LineKey, Merger
from recommendations.store.lookups import item_keys, person_keys
from recommendations.store.pseudonyms import pseudonym
from recommendations.terms import CustomerKind

REPLAY = "replay"
NO_ITEM = EventItemForm(item_id="-")


class Verdict(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of a row. ``refused``: lines of it that were left out; pointers start at the row."""

    verdict: str  # accepted, duplicate or rejected
    event_id: UUID | None = None
    pointer: str | None = None
    reason: str | None = None
    refused: Sequence[Refusal] = ()


class Intake:
    """The rows of a request: those to be kept, and the verdict on the others."""

    def __init__(self, rows: Sequence[EventForm | Refusal], *, now: datetime) -> None:
        self._verdicts: list[Verdict | None] = [None] * len(rows)
        self._refused: dict[int, list[Refusal]] = {}
        self._forms: dict[int, EventForm] = {}
        for number, row in enumerate(rows):
            refusal = row if isinstance(row, Refusal) else refusal_of(row, now=now)
            if isinstance(row, Refusal) or refusal is not None:
                self._reject(number, row, refusal)
            else:
                self._forms[number] = row
        self.items = item_keys({item.item_id for form in self._forms.values() for item in form.items})
        for number, form in list(self._forms.items()):
            self._leave_out_unknown(number, form)

    @property
    def forms(self) -> list[EventForm]:
        return list(self._forms.values())

    def verdicts(self, new: Iterable[LineKey]) -> list[Verdict]:
        """On every row, given the lines that were new."""
        unclaimed = set(new)
        for number, form in self._forms.items():
            keys = {(form.timestamp, form.event_id, place) for place in _places(form, self.items)} & unclaimed
            unclaimed -= keys
            self._verdicts[number] = Verdict(
                "accepted" if keys else "duplicate", form.event_id, refused=self._refused.get(number, ())
            )
        return [verdict for verdict in self._verdicts if verdict is not None]

    def _reject(self, number: int, row: EventForm | Refusal, refusal: Any) -> None:
        event_id = row.event_id if isinstance(row, EventForm) else None
        self._verdicts[number] = Verdict("rejected", event_id, refusal.pointer, refusal.reason)

    def _leave_out_unknown(self, number: int, form: EventForm) -> None:
        unknown = [
            Refusal(f"/items/{place}/item_id", _("There is no item of this id; send the item first."))
            for place, item in enumerate(form.items)
            if item.item_id not in self.items
        ]
        if unknown and len(unknown) == len(form.items):
            del self._forms[number]
            self._reject(number, form, unknown[0])
        elif unknown:
            self._refused[number] = unknown


@dataclass
class People:
    """Whose the events are, what they said about personalisation, and which keys turned out to be one person's."""

    owners: list[int | None] = field(default_factory=list)  # per event; None: not to be known
    words: list[Consent] = field(default_factory=list)
    mergers: dict[tuple[int, int], datetime] = field(default_factory=dict)  # anonymous, customer → since

    @classmethod
    def of(cls, forms: Iterable[EventForm]) -> "People":
        named = [(form, _pseudonyms(form)) for form in forms]
        keys = person_keys({person for _, persons in named for person in persons})
        people = cls()
        for form, persons in named:
            people._add(form, [keys[person] for person in persons])
        return people

    def _add(self, form: EventForm, keys: list[int]) -> None:
        """``keys``: of the customer who is signed in, then of the anonymous one."""
        said = form.consent.personalisation if form.consent is not None else None
        if said is not None:
            self.words += [Consent(key, said, form.timestamp) for key in keys]
        if len(keys) == 2 and said is not False:
            pair = (keys[1], keys[0])
            self.mergers[pair] = min(form.timestamp, self.mergers.get(pair, form.timestamp))
        self.owners.append(keys[0] if keys and said is not False else None)

    def pairs(self) -> list[Merger]:
        return [Merger(anonymous, customer, since) for (anonymous, customer), since in self.mergers.items()]


def _pseudonyms(form: EventForm) -> list[tuple[bytes, CustomerKind]]:
    persons = []
    if form.user_id is not None:
        persons.append((pseudonym(form.user_id), CustomerKind.SIGNED_IN))
    if form.anonymous_id is not None:
        persons.append((pseudonym(form.anonymous_id, kind=CustomerKind.ANONYMOUS), CustomerKind.ANONYMOUS))
    return persons


def lines_of(form: EventForm, *, items: Mapping[str, int], owner: int | None, source: str) -> list[Line]:
    """A line per item that exists, numbered by its place in the event; line 0 for an event without items."""
    attributes = _attributes(form)
    alone = len(form.items) < 2
    target = form.target_id
    if form.target_type == "customer" and target is not None:
        target = pseudonym(target).hex()  # whom somebody follows is a person too
    return [
        Line(
            occurred_at=form.timestamp,
            event_id=form.event_id,
            line=place,
            name=NAMES[form.name],
            customer_id=owner,
            item_id=items.get(item.item_id),
            quantity=item.quantity,
            price=None if item.price is None else rounded(item.price),
            amount=_amount(item, form.value if alone else None),
            rating=form.rating,
            rating_scale=form.rating_scale,
            search_term=form.search_term,
            transaction_id=form.transaction_id,
            session_id=None if owner is None else form.session_id,
            recommendation_id=form.recommendation_id,
            position=item.index,
            target_type=form.target_type,
            target_id=target,
            source=REPLAY if form.context is not None and form.context.source == REPLAY else source,
            attributes=attributes,
        )
        for place in _places(form, items)
        for item in ([form.items[place]] if form.items else [NO_ITEM])
    ]


def _places(form: EventForm, items: Mapping[str, int]) -> list[int]:
    """The numbers of the lines that are kept."""
    return [place for place, item in enumerate(form.items) if item.item_id in items] if form.items else [0]


def _amount(item: EventItemForm, value: Decimal | None) -> Decimal | None:
    """What was paid for the line: price times quantity, else the value of an event that has no other line."""
    if item.price is not None:
        return rounded(item.price * (item.quantity or 1))
    return None if value is None else rounded(value)


def _attributes(form: EventForm) -> str | None:
    """Where it happened, as JSON; a page without its query, which may hold anything."""
    context = form.context
    known = {} if context is None else {"channel": context.channel, "locale": context.locale, "source": context.source}
    if context is not None and context.page is not None:
        known["page"] = context.page.partition("?")[0].partition("#")[0]
    if form.value is not None:
        known["value"] = str(rounded(form.value))
    kept = {name: value for name, value in known.items() if value is not None}
    return msgspec.json.encode(kept).decode() if kept else None
