"""Live state from the record: it stands in for Valkey, and Valkey's is made again from it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import batched

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Q, QuerySet
from django.utils import timezone

from recommendations.event_types import TRADES, EventName
from recommendations.models import Customer, CustomerAlias, Event, ModelVersion
from recommendations.store.live.likings import recorded_likings
from recommendations.store.live.showings import recorded_showings
from recommendations.store.live.state import (
    INTEREST,
    LASTING,
    RECENT,
    UNKNOWN,
    Liking,
    LiveEvent,
    LiveState,
    live_event,
    state_from,
    times_of,
)
from recommendations.store.live.valkey import Breaker
from recommendations.store.process_held import at_drop
from recommendations.terms import Cut

BATCH = 2_000

_record = Breaker("postgresql", pause=5.0)
at_drop(_record.close)


def state_at(
    customer: int, *, since: datetime | None, at: datetime, showings: bool, liked: Sequence[Liking] = ()
) -> LiveState:
    """Live state at a moment of the past, from the record, with what was shown where asked: what came later does not
    count, of what the customer says they like (``liked`` is that of now) neither.

    Trade counts ``since`` the end of a model's history, interest of the 30 days before, and every dislike.
    """
    wanted = (
        Q(name=EventName.DISLIKE_ITEM)
        | Q(name__in=INTEREST, occurred_at__gte=at - RECENT)
        | Q(name__in=TRADES, occurred_at__gte=since or at - RECENT)
    )
    own = Event.objects.to_personalise().of_customer(Customer(pk=customer))
    acts = own.filter(wanted, occurred_at__lt=at, item__isnull=False)
    rows = acts.values_list("name", "item", "occurred_at", "progress")
    events = [live_event(customer, name, item, when, progress) for name, item, when, progress in rows]
    if showings:
        events += recorded_showings(_keys_of([customer]), at=at)
    then = tuple(liking for liking in liked if liking.at < at.timestamp())
    return state_from(customer, times_of(events), objected=False, liked=then)


def recorded_states(
    customers: Collection[int], since: datetime | None, *, showings: bool = False
) -> dict[int, LiveState]:
    """Live state of each customer as Valkey has it, with what was shown where asked.

    It takes as many queries for all of them as for one. Not known where PostgreSQL is away.
    """
    if not customers:
        return {}
    if not _record:
        return dict.fromkeys(customers, UNKNOWN)
    try:
        events = list(recorded(since=since, customers=customers))
        if showings:
            events += recorded_showings(_keys_of(customers))
        times, liked = times_of(events), recorded_likings(customers)
        refusing = Customer.objects.filter(Q(personalise=False) | Q(measure=False), pk__in=customers)
        words = {
            key: (not may, not measure) for key, may, measure in refusing.values_list("pk", "personalise", "measure")
        }
    except DatabaseError as error:
        _record.trip(error)
        return dict.fromkeys(customers, UNKNOWN)
    states = {}
    for customer in customers:
        objected, unmeasured = words.get(customer, (False, False))
        states[customer] = state_from(
            customer, times, objected=objected, unmeasured=unmeasured, liked=liked.get(customer, ())
        )
    return states


def recorded(*, since: datetime | None, customers: Collection[int] | None = None) -> Iterator[LiveEvent]:
    """Purchases, refunds and dislikes since the end of the model's history, and the interest of the last 30 days.

    A purchase that counts for nothing yet counts for the customer's own answers as long as interest does.

    Merged keys count as the customer. The model knows what keys that were merged since did before, but not whose it
    was, so that is among it. Without a model nobody asks what was bought, and the first one will know it.
    """
    merged, parts = _recorded_parts(since=since, customers=customers)
    for part in parts:
        rows = part.values_list("customer", "name", "item", "occurred_at", "progress")
        for key, name, item, at, progress in rows.iterator(chunk_size=BATCH):
            yield live_event(merged.get(key, key), name, item, at, progress)


def _keys_of(customers: Collection[int]) -> list[int]:
    """The customers' keys, and those that were merged into them."""
    aliases = CustomerAlias.objects.filter(customer__in=customers, undone_at=None)
    return [*customers, *aliases.values_list("anonymous", flat=True)]


def count_recorded(*, since: datetime | None) -> int:
    return sum(part.count() for part in _recorded_parts(since=since, customers=None)[1])


def _recorded_parts(
    *, since: datetime | None, customers: Collection[int] | None
) -> tuple[Mapping[int, int], Sequence[QuerySet[Event]]]:
    """The customer of each merged key, and the queries for the events."""
    recently = timezone.now() - RECENT
    since = since or recently
    aliases = CustomerAlias.objects.filter(undone_at=None)
    events = Event.objects.to_personalise().filter(item__isnull=False)
    own = events.filter(customer__isnull=False)
    if customers is not None:
        aliases, own = aliases.filter(customer__in=customers), events.of_customers(customers)
    pairs = list(aliases.values_list("anonymous", "customer", "changed_at"))
    unconfirmed = Q(name=EventName.PURCHASE, trust__lt=settings.PURCHASES_FROM)  # no model knows of it
    wanted = Q(name__in=LASTING, occurred_at__gte=since) | Q(
        unconfirmed | Q(name__in=INTEREST), occurred_at__gte=recently
    )
    later = (key for key, _, changed_at in pairs if changed_at >= since)
    return {key: whose for key, whose, _ in pairs}, [
        own.filter(wanted, occurred_at__gte=min(since, recently)),
        *(events.filter(name__in=LASTING, customer__in=keys, occurred_at__lt=since) for keys in batched(later, BATCH)),
    ]


def end_of_history() -> datetime | None:
    """End of the live model's history; None where there is none."""
    cuts = ModelVersion.objects.live().values_list("windows__cuts", flat=True).first()
    return datetime.fromisoformat(cuts[Cut.LIVE]) if cuts else None
