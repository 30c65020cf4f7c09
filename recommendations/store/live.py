"""What happened since the live model was made, per customer, in Valkey; and the marks that make processes look again.

``live_writes`` keeps it there. What Valkey has lost or cannot tell comes from the record.
"""

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import batched, chain, islice
from typing import Any, NamedTuple

from django.db import DatabaseError
from django.db.models import Q, QuerySet
from django.utils import timezone
from redis.client import Pipeline

from recommendations.models import Customer, CustomerAlias, Event, ModelVersion
from recommendations.store.valkey import Breaker, Command, valkey
from recommendations.terms import Cut, EventName

RECENT_ACTS = 50
RECENT = timedelta(days=30)
KEPT = timedelta(days=730)  # as long as the API accepts an event
BATCH = 2_000
ASKED_AT_ONCE = 200  # customers in a round trip

CHANGED, BUILT, OBJECTED = "live:changed", "live:built", "live:objected"


class Acts(StrEnum):
    """The sorted sets of one customer: members are items (and the act's name where it is ``RECENT``), scores times."""

    BOUGHT = "live:bought"
    REFUNDED = "live:refunded"
    DISLIKED = "live:disliked"
    RECENT = "live:recent"


TRADE = (EventName.PURCHASE, EventName.REFUND, EventName.DISLIKE_ITEM)
INTEREST = (EventName.VIEW_ITEM, EventName.SELECT_ITEM, EventName.ADD_TO_WISHLIST, EventName.ADD_TO_CART)
type Fields = dict[Any, Any]  # as redis-py types them, dict is invariant
KEPT_IN: Mapping[str, Acts] = {
    EventName.PURCHASE: Acts.BOUGHT,
    EventName.REFUND: Acts.REFUNDED,
    EventName.DISLIKE_ITEM: Acts.DISLIKED,
    **dict.fromkeys(INTEREST, Acts.RECENT),
}


class Changed(StrEnum):
    """What a process holds in memory and reads again when somebody changed it."""

    CATALOGUE = "catalogue"
    WEIGHTS = "weights"
    RULES = "rules"
    MODEL = "model"
    KEYS = "keys"
    CUSTOMERS = "customers"  # merged, or parted again
    PLACEMENTS = "placements"


class LiveEvent(NamedTuple):
    """An accepted line of an event; ``at`` is when it happened, not when it came."""

    customer: int
    name: str  # of an EventName
    item: int | None
    at: datetime


class Act(NamedTuple):
    item: int
    name: EventName
    at: float


@dataclass(frozen=True, kw_only=True)
class LiveState:
    """One customer since the live model was made; times are seconds since 1970-01-01 UTC."""

    bought: Mapping[int, float] = field(default_factory=dict)  # item → last purchase
    refunded: Mapping[int, float] = field(default_factory=dict)  # item → last refund
    disliked: frozenset[int] = frozenset()
    recent: tuple[Act, ...] = ()  # newest first, at most 50
    objected: bool | None = None  # to personalisation; None = nothing is known here
    known: bool = True  # False where neither Valkey nor PostgreSQL could be asked


NOTHING = LiveState()
UNKNOWN = LiveState(known=False)


class Reading(NamedTuple):
    """``changed`` are the marks of change; None where Valkey did not answer."""

    state: LiveState
    changed: Mapping[str, str] | None


class Told(NamedTuple):
    """What Valkey says, not yet understood: equal replies are the same state."""

    changed: Mapping[bytes, bytes] | None = None  # None where Valkey did not answer
    replies: Sequence[Any] = ()  # about the customer; none where nobody is asked for

    @property
    def whole(self) -> bool:
        """Valkey knows everything; nothing has to be asked of PostgreSQL."""
        return self.changed is not None and (not self.replies or bool(self.replies[0]))


_record = Breaker("postgresql", pause=5.0)


def announce(*kinds: str) -> None:
    """Every process looks at these again before its next answer. Call it after the commit."""
    valkey().run(lambda pipeline: mark(pipeline, *kinds))


def mark(pipeline: Pipeline, *kinds: str) -> None:
    marks: Fields = {Changed(kind): secrets.token_hex(8) for kind in kinds}
    pipeline.hset(CHANGED, mapping=marks)


def state_of(customer: int | None, *, since: datetime | None) -> Reading:
    """The customer's state and the marks of change, in one round trip.

    Where Valkey is away, or has lost what it knew, the state comes from the events ``since`` (the end of the live
    model's history) if PostgreSQL answers; without both it is not known.
    """
    return understood(told_of(customer), customer, since=since)


def told_of(customer: int | None) -> Told:
    answers = valkey().ask(_questions(customer))
    return Told() if answers is None else Told(answers[0], answers[1:])


def told_of_all(customers: Sequence[int | None]) -> list[Told]:
    """As ``told_of`` of each, under the marks of the first, in a round trip for every few hundred."""
    told: list[Told] = []
    for part in batched(customers, ASKED_AT_ONCE):
        asked = [_questions(customer)[1:] for customer in part]
        answers = valkey().ask([*_questions(None), *chain.from_iterable(asked)])
        if answers is None:
            told += [Told()] * len(part)
            continue
        changed = told[0].changed if told else answers[0]
        replies = iter(answers[1:])
        told += [Told(changed, list(islice(replies, len(questions)))) for questions in asked]
    return told


def understood(told: Told, customer: int | None, *, since: datetime | None) -> Reading:
    """As ``state_of``, of what was told about the customer."""
    if told.changed is None:
        return Reading(NOTHING if customer is None else _recorded_state(customer, since), None)
    changed = marks_of(told)
    if customer is None:
        return Reading(NOTHING, changed)
    built, *replies = told.replies
    state = _state(replies)
    return Reading(state if built else _merged(state, _recorded_state(customer, since)), changed)


def marks_of(told: Told) -> Mapping[str, str] | None:
    """The marks of change."""
    if told.changed is None:
        return None
    return {kind.decode(): mark.decode() for kind, mark in told.changed.items()}


def forget() -> None:
    """Hold nothing, as a new process does."""
    _record.close()
    valkey().breaker.close()


def times_of(events: Iterable[LiveEvent]) -> dict[str, dict[str, float]]:
    """The last time of each member, per key of a sorted set."""
    times: dict[str, dict[str, float]] = {}
    for event in events:
        kept_in = KEPT_IN.get(event.name)
        if kept_in is None or event.item is None:
            continue
        member = f"{event.item}:{event.name}" if kept_in is Acts.RECENT else str(event.item)
        known = times.setdefault(f"{kept_in}:{event.customer}", {})
        known[member] = max(known.get(member, 0.0), event.at.timestamp())
    return times


def _questions(customer: int | None) -> list[Command]:
    questions: list[Command] = [("HGETALL", CHANGED)]
    if customer is not None:
        name = str(customer)
        questions.append(("EXISTS", BUILT))
        questions += [("ZREVRANGE", f"{acts}:{name}", "0", "-1", "WITHSCORES") for acts in Acts]
        questions.append(("HGET", OBJECTED, name))
    return questions


def _state(answers: Sequence[Any]) -> LiveState:
    bought, refunded, disliked, recent, objected = answers
    return LiveState(
        bought={int(item): at for item, at in bought},
        refunded={int(item): at for item, at in refunded},
        disliked=frozenset(int(item) for item, _ in disliked),
        recent=tuple(_act(member.decode(), at) for member, at in recent),
        objected=None if objected is None else objected == b"1",
    )


def _act(member: str, at: float) -> Act:
    item, _, name = member.partition(":")
    return Act(int(item), EventName(name), at)


def _merged(one: LiveState, other: LiveState) -> LiveState:
    """What both know together; ``one`` is the newer word on an objection."""
    acts: dict[tuple[int, EventName], float] = {}
    for item, name, at in (*one.recent, *other.recent):
        acts[item, name] = max(at, acts.get((item, name), at))
    recent = sorted((Act(item, name, at) for (item, name), at in acts.items()), key=lambda act: -act.at)
    return LiveState(
        bought=_latest(one.bought, other.bought),
        refunded=_latest(one.refunded, other.refunded),
        disliked=one.disliked | other.disliked,
        recent=tuple(recent[:RECENT_ACTS]),
        objected=other.objected if one.objected is None else one.objected,
        known=one.known and other.known,
    )


def _latest(one: Mapping[int, float], other: Mapping[int, float]) -> dict[int, float]:
    return {item: max(one.get(item, 0.0), other.get(item, 0.0)) for item in {*one, *other}}


def state_at(customer: int, *, since: datetime | None, at: datetime) -> LiveState:
    """As it was at a moment of the past, from the record: what came later does not count.

    Trade counts ``since`` the end of a model's history, interest of the 30 days before, and every dislike.
    """
    counted = (
        Q(name=EventName.DISLIKE_ITEM)
        | Q(name__in=INTEREST, occurred_at__gte=at - RECENT)
        | Q(name__in=(EventName.PURCHASE, EventName.REFUND), occurred_at__gte=since or at - RECENT)
    )
    acts = Event.objects.of_customer(Customer(pk=customer)).filter(counted, occurred_at__lt=at, item__isnull=False)
    rows = acts.values_list("name", "item", "occurred_at")
    events = (LiveEvent(customer=customer, name=EventName(name), item=item, at=when) for name, item, when in rows)
    return _from_times(customer, times_of(events), objected=False)


def _recorded_state(customer: int, since: datetime | None) -> LiveState:
    if not _record:
        return UNKNOWN
    try:
        times = times_of(recorded(since=since, customer=customer))
        objected = Customer.objects.filter(pk=customer, personalise=False).exists()
    except DatabaseError as error:
        _record.trip(error)
        return UNKNOWN
    return _from_times(customer, times, objected=objected)


def _from_times(customer: int, times: Mapping[str, Mapping[str, float]], *, objected: bool) -> LiveState:
    newest = [sorted(times.get(f"{acts}:{customer}", {}).items(), key=lambda act: -act[1]) for acts in Acts]
    encoded = [[(member.encode(), at) for member, at in acts] for acts in newest]
    encoded[-1] = encoded[-1][:RECENT_ACTS]
    return _state([*encoded, b"1" if objected else None])


def recorded(*, since: datetime | None, customer: int | None = None) -> Iterator[LiveEvent]:
    """Purchases, refunds and dislikes since the end of the model's history, and the interest of the last 30 days.

    Merged keys count as the customer. The model knows what keys that were merged since did before, but not whose it
    was, so that is among it. Without a model nobody asks what was bought, and the first one will know it.
    """
    merged, parts = _recorded_parts(since=since, customer=customer)
    for part in parts:
        rows = part.values_list("customer", "name", "item", "occurred_at")
        for key, name, item, at in rows.iterator(chunk_size=BATCH):
            yield LiveEvent(merged.get(key, key), name, item, at)


def count_recorded(*, since: datetime | None) -> int:
    return sum(part.count() for part in _recorded_parts(since=since, customer=None)[1])


def _recorded_parts(
    *, since: datetime | None, customer: int | None
) -> tuple[Mapping[int, int], Sequence[QuerySet[Event]]]:
    """Whose each merged key is, and the queries for the events."""
    recently = timezone.now() - RECENT
    since = since or recently
    aliases, events = CustomerAlias.objects.filter(undone_at=None), Event.objects.filter(item__isnull=False)
    own = events.filter(customer__isnull=False)
    if customer is not None:
        aliases, own = aliases.filter(customer=customer), events.of_customer(Customer(pk=customer))
    known = list(aliases.values_list("anonymous", "customer", "changed_at"))
    counted = Q(name__in=TRADE, occurred_at__gte=since) | Q(name__in=INTEREST, occurred_at__gte=recently)
    later = (key for key, _, changed_at in known if changed_at >= since)
    return {key: whose for key, whose, _ in known}, [
        own.filter(counted, occurred_at__gte=min(since, recently)),
        *(events.filter(name__in=TRADE, customer__in=keys, occurred_at__lt=since) for keys in batched(later, BATCH)),
    ]


def end_of_history() -> datetime | None:
    """Of the live model."""
    cuts = ModelVersion.objects.live().values_list("windows__cuts", flat=True).first()
    return datetime.fromisoformat(cuts[Cut.LIVE]) if cuts else None
