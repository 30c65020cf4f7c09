"""Histories of people who object, turned into others: what must change nothing for anybody."""

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime

import numpy as np

from recommendations.models import Customer, Event
from recommendations.privacy_terms import DataPurpose, PurposeState
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.events.purpose_words import Consent, note_consent
from recommendations.store.live import writes
from recommendations.store.live.writes import told_of_words

type Turn = Callable[[int, np.random.Generator], None]


def key_of(shop_id: str) -> int:
    return Customer.objects.get(pseudonym=pseudonym(shop_id)).pk


def object_to(key: int, *purposes: DataPurpose, at: datetime) -> None:
    words = [Consent(key, PurposeState.REFUSED, at, purpose) for purpose in purposes or (DataPurpose.PERSONALISE,)]
    writes.remember(told_of_words(note_consent(words)))


def permuted(key: int, rng: np.random.Generator) -> None:
    """Every act at the moment of another one."""
    own = list(Event.objects.filter(customer=key).order_by("occurred_at", "event_id", "line"))
    moments = [event.occurred_at for event in own]
    _put(key, [_at(event, moments[place]) for event, place in zip(own, rng.permutation(len(own)), strict=True)])


def doubled(key: int, _rng: np.random.Generator) -> None:
    own = list(Event.objects.filter(customer=key))
    Event.objects.bulk_create(_at(event, event.occurred_at) for event in own)


def emptied(key: int, _rng: np.random.Generator) -> None:
    Event.objects.filter(customer=key).delete()


def exchanged(key: int, rng: np.random.Generator) -> None:
    """What somebody else did, who goes on having done it."""
    others = Customer.objects.filter(personalise=True).order_by("pk").values_list("pk", flat=True)
    other = int(rng.choice(list(others)))
    theirs = list(Event.objects.filter(customer=other))
    _put(key, [_at(event, event.occurred_at) for event in theirs])


TURNS: Sequence[Turn] = (permuted, doubled, emptied, exchanged)


def _put(key: int, events: Sequence[Event]) -> None:
    """Put these in the place of what somebody did."""
    Event.objects.filter(customer=key).delete()
    for event in events:
        event.customer_id = key
    Event.objects.bulk_create(events)


def _at(event: Event, moment: datetime) -> Event:
    """The event once more, at a moment."""
    values = {field.attname: getattr(event, field.attname) for field in Event._meta.concrete_fields}
    order = None if event.transaction_id is None else f"{event.transaction_id}-{uuid.uuid4().hex[:8]}"
    return Event(**values | {"event_id": uuid.uuid4(), "occurred_at": moment, "transaction_id": order})
