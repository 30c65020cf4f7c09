"""A page of customers; events are counted for the customers of the page only."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, Max, Window

from analytics.queries.customer.filters import Filters, Known, State, browsable, chosen, state_of
from analytics.queries.customer.order import ordered
from analytics.queries.layout import Frame
from recommendations.models import Category, Customer, CustomerAlias, Event, Segment

PER_PAGE = 50
MOST_IN_A_FILE = 10_000


@dataclass(frozen=True, kw_only=True)
class CustomerRow:
    customer: Customer
    state: State
    activity: float
    segment: Segment | None
    shift: float  # share that the leading category of the last 7 days gained
    leading: str  # name of that category; empty where nothing shifted
    events: int
    last_event: datetime | None


@dataclass(frozen=True, kw_only=True)
class Customers:
    page: Page[Customer]
    lines: Sequence[CustomerRow]
    segments: Sequence[Segment]


def customers(filters: Filters, *, frame: Frame) -> Customers:
    matches = _listed(filters, frame).annotate(total=Window(Count("pk")))
    first = (filters.page - 1) * PER_PAGE
    rows = list(matches[first : first + PER_PAGE])
    if not rows and filters.page > 1:  # beyond the end
        return customers(filters.replaced(page=-(-matches.count() // PER_PAGE) or 1), frame=frame)
    paginator: Paginator[Customer] = Paginator(rows, PER_PAGE)
    paginator.count = rows[0].total if rows else 0  # of all; the query that read the page counted them, too
    segments = list(Segment.objects.filter(version=frame.model)) if frame.model else []
    return Customers(page=Page(rows, filters.page, paginator), lines=_lines(rows, segments), segments=segments)


def lines(filters: Filters, *, frame: Frame) -> list[CustomerRow]:
    """Rows of all customers that the filters leave, for a file; the first 10,000 of them."""
    segments = list(Segment.objects.filter(version=frame.model)) if frame.model else []
    return _lines(list(_listed(filters, frame)[:MOST_IN_A_FILE]), segments)


def somebody(filters: Filters, *, frame: Frame) -> int | None:
    """The key of a customer taken at random from those that the filters leave."""
    keys = _chosen(filters, frame).order_by("pk").values_list("pk", flat=True)
    total = keys.count()
    return keys[secrets.randbelow(total)] if total else None


def first(filters: Filters, *, frame: Frame) -> int | None:
    """The key of the customer that stands first in the order of the filters."""
    return _listed(filters, frame).values_list("pk", flat=True).first()


def _chosen(filters: Filters, frame: Frame) -> Known:
    return chosen(browsable(), filters, known_until=frame.known_until)


def _listed(filters: Filters, frame: Frame) -> Known:
    return ordered(_chosen(filters, frame), filters.sort)


def _lines(rows: Sequence[Any], segments: Sequence[Segment]) -> list[CustomerRow]:
    by_key = {segment.pk: segment for segment in segments}
    acts = _acts([row.pk for row in rows])
    leading = Category.objects.in_bulk({row.leading for row in rows if row.shift > 0})
    return [
        CustomerRow(
            customer=row,
            state=state_of(row),
            activity=row.weight,
            segment=by_key.get(row.segment_now),
            shift=row.shift,
            leading=leading[row.leading].name if row.leading in leading else "",
            events=acts.get(row.pk, (0, None))[0],
            last_event=acts.get(row.pk, (0, None))[1],
        )
        for row in rows
    ]


def _acts(keys: Sequence[int]) -> dict[int, tuple[int, datetime | None]]:
    """Number of events and time of the last per customer, those of merged anonymous keys included."""
    aliases = CustomerAlias.objects.filter(customer__in=keys, undone_at=None).values_list("anonymous", "customer")
    owner = {key: key for key in keys} | dict(aliases)
    counts = (
        Event.objects.filter(customer__in=list(owner))
        .values("customer")
        .annotate(events=Count("*"), last=Max("occurred_at"))
        .order_by()
    )
    acts: dict[int, tuple[int, datetime | None]] = {}
    for row in counts:
        key = owner[row["customer"]]
        events, last = acts.get(key, (0, None))
        acts[key] = (events + row["events"], max(last, row["last"]) if last else row["last"])
    return acts
