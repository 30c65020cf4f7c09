"""One quarantine: its people with their levels, its items, and the days on which these were asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import BigIntegerField, Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, TruncDate
from django.utils import timezone

from analytics.charts.quarantine import DayDemand
from analytics.queries.catalogue.suspicious import described, received
from analytics.queries.customer.level import Standing, standings
from recommendations.event_types import EventName
from recommendations.models import Customer, CustomerAlias, Event, Item, ModelVersion, Quarantine
from recommendations.terms import Trust

PER_PAGE = 20
MOST_ITEMS = 12
BUYERS_OF = timedelta(days=28)
BEFORE, AFTER = timedelta(days=28), timedelta(days=7)  # of the moment that it was found
LONG_AGO = timedelta(days=28)  # an established customer bought before
DEMAND = [name for name in EventName if name.facts.points > 0]


@dataclass(frozen=True, kw_only=True)
class AsideItem:
    """An item that a quarantine is about. Places are those in Trending; None where the live model's run names none."""

    item: Item
    buyers: int  # of the last four weeks
    place_before: int | None
    place_now: int | None


def find_quarantine(pk: int) -> Quarantine | None:
    return described(Quarantine.objects.filter(pk=pk)).first()


def people(quarantine: Quarantine, *, page: int) -> tuple[Page[Any], list[tuple[Customer, Standing]]]:
    """Customers who are set aside, of a key those who sent the most with it first, and what is known of them."""
    sent = _sent(quarantine)
    if sent is None:
        aside = Customer.objects.filter(asides__quarantine=quarantine).order_by("pk")
        shown: Page[Any] = Paginator(aside, PER_PAGE).get_page(page)
        customers = list(shown)
    else:
        shown = Paginator(_most(sent, "customer"), PER_PAGE).get_page(page)
        there = Customer.objects.in_bulk(list(shown))
        customers = [there[key] for key in shown if key in there]
    known = standings([customer.pk for customer in customers], items=quarantine.items)
    return shown, [(customer, known[customer.pk]) for customer in customers]


def items(quarantine: Quarantine, *, now: datetime) -> list[AsideItem]:
    """The first items that it is about, those with the most buyers first."""
    sent = _sent(quarantine)
    there = Item.objects.in_bulk(quarantine.items[:MOST_ITEMS] if sent is None else _most(sent, "item")[:MOST_ITEMS])
    if not there:
        return []
    bought = Event.objects.purchases().between(now - BUYERS_OF, now).filter(item__in=there)
    buyers = dict(bought.values_list("item").annotate(Count("customer", distinct=True)).order_by())
    risers = ModelVersion.objects.live().values_list("risers", flat=True).first() or []
    places = {riser["item"]: (riser["before"], riser["now"]) for riser in risers}
    rows = [
        AsideItem(
            item=item, buyers=buyers.get(key, 0), place_before=places.get(key, (None, None))[0],
            place_now=places.get(key, (None, None))[1],
        )
        for key, item in there.items()
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (-row.buyers, row.item.title))


def goes_on(quarantine: Quarantine) -> bool:
    """Whether what a key still sends is set aside."""
    row = vars(quarantine)
    return bool(row["key_id"]) and row["until"] is None


def _sent(quarantine: Quarantine) -> QuerySet[Event] | None:
    """Events that came with the key that is set aside; None where it is no key."""
    row = vars(quarantine)  # as ``described`` annotates it
    return received(row["key_id"], since=row["since"], until=row["until"]) if row["key_id"] else None


def _most(events: QuerySet[Event], field: str) -> QuerySet[Event, int]:
    """Keys of the customers or items of most of the events."""
    named = events.exclude(**{field: None}).values_list(field, flat=True)
    return named.annotate(lines=Count("*")).order_by("-lines", field)


def days(quarantine: Quarantine, *, now: datetime) -> list[DayDemand]:
    """Acts on its items by day, from four weeks before it was found to a week after; empty where there were none."""
    at = quarantine.run.now if quarantine.run else quarantine.created_at
    start, end = at - BEFORE, min(at + AFTER, max(now, at))
    counts = _acts_by_day(quarantine.items, start, end, known_before=at - LONG_AGO)
    if not counts:
        return []
    first, last = timezone.localdate(start), timezone.localdate(end)
    every = [first + timedelta(days=later) for later in range((last - first).days + 1)]
    acts = [(day, *counts.get(day, (0, 0))) for day in every]
    return [DayDemand(day=day, established=established, others=others) for day, established, others in acts]


def _acts_by_day(
    items: Sequence[int], start: datetime, end: datetime, *, known_before: datetime
) -> dict[date, tuple[int, int]]:
    """Acts of who had bought before by the word of the shop, and of all others, by day of the shop."""
    alias = CustomerAlias.objects.filter(anonymous=OuterRef("customer"), undone_at=None).values("customer")
    bought = Event.objects.filter(
        customer=OuterRef("who"), name=EventName.PURCHASE, trust__gte=Trust.SERVER, occurred_at__lt=known_before
    )
    rows = (
        Event.objects.between(start, end)
        .filter(item__in=items, name__in=DEMAND)
        .annotate(day=TruncDate("occurred_at"))
        .annotate(who=Coalesce(Subquery(alias[:1]), "customer", output_field=BigIntegerField()))
        .annotate(known=Exists(bought))
        .values("day")
        .annotate(acts=Count("*"), of_known=Count("name", filter=Q(known=True)))
        .order_by()
    )
    return {row["day"]: (row["of_known"], row["acts"] - row["of_known"]) for row in rows}
