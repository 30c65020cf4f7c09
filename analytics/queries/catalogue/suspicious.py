"""What is set aside: how much in all, the list of quarantines, and what a key sent."""

from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple

from django.core.cache import cache
from django.core.paginator import Page, Paginator
from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet

from analytics import filters as fields
from recommendations.models import ApiKey, Aside, Event, Quarantine
from recommendations.services.operations.quarantine import count_covered
from recommendations.terms import QuarantineState
from recommendations.wording import labels

PER_PAGE = 50
REMEMBERED = 60  # seconds; the count reads the events


class Filters(fields.ListFilters):
    state: str = fields.choice(dict(labels.QUARANTINE_STATES), usual="")
    page: int = fields.page()


class Extent(NamedTuple):
    """How many events something takes in, each counted once, and of how many customers."""

    events: int = 0
    people: int = 0
    quarantines: int = 0  # that are in force


class SentByKey(NamedTuple):
    """What came with a key in a time, and how much of it is set aside already, with the key."""

    events: int
    people: int
    aside: int


def quarantines(filters: Filters) -> Page[Quarantine]:
    """Quarantines, the newest first, each with what its sentence needs."""
    rows = described(Quarantine.objects.all())
    if filters.state:
        rows = rows.filter(state=filters.state)
    return Paginator(rows.order_by("-pk"), PER_PAGE).get_page(filters.page)


def described(rows: QuerySet[Quarantine]) -> QuerySet[Quarantine, Any]:
    """Quarantines with the customer or the name of the key that staff set aside, and the time of receipt."""
    fields_of_asides = {
        "customer": "customer", "key": "key__name", "key_id": "key", "since": "since", "until": "until",
    }  # fmt: skip
    told = {name: Min(f"asides__{field}") for name, field in fields_of_asides.items()}
    return rows.select_related("run", "set_aside_by", "decided_by").annotate(**told)


def extent() -> Extent:
    """What is set aside at present; the events are counted again a minute later, or when something was decided."""
    aside = Quarantine.objects.filter(state=QuarantineState.ASIDE)
    keys = list(aside.order_by("pk").values_list("pk", flat=True))
    if not keys:
        return Extent()
    name = f"suspicious/{sha256(repr(keys).encode()).hexdigest()}"
    counted = cache.get_or_set(name, lambda: tuple(count_covered(*keys)), REMEMBERED)
    events, people = counted or (0, 0)
    return Extent(events=events, people=people, quarantines=len(keys))


def received(key: int, *, since: datetime, until: datetime | None) -> QuerySet[Event]:
    """Events that came with a key in a time."""
    events = Event.objects.filter(key_id=key, received_at__gte=since)
    return events.filter(received_at__lt=until) if until else events


def sent_with(key: ApiKey, *, since: datetime, until: datetime | None) -> SentByKey:
    """What came with a key in a time."""
    held = Aside.objects.filter(
        Q(until=None) | Q(until__gt=OuterRef("received_at")), quarantine__in=Quarantine.objects.in_force(), key=key,
        since__lte=OuterRef("received_at"),
    )  # fmt: skip
    row = received(key.pk, since=since, until=until).aggregate(
        events=Count("*"), people=Count("customer", distinct=True), aside=Count("event_id", filter=Exists(held))
    )
    return SentByKey(**row)
