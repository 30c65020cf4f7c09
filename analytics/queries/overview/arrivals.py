"""The events behind a day of the Overview, and the answers behind a source: lists to read line by line."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.core.paginator import Page, Paginator
from django.db.models import Q

from analytics.queries.days import midnight
from recommendations.models import Event, Slate

PER_PAGE = 50


@dataclass(frozen=True, kw_only=True)
class EventFilters:
    """Filters of events: whole days of the shop, both ends included."""

    first: date
    last: date
    name: str = ""
    customer: int | None = None
    page: int = 1


@dataclass(frozen=True, kw_only=True)
class AnswerFilters:
    """Filters of answers: served in the last so many days."""

    days: int
    placement: str = ""
    source: str = ""
    reason: str = ""  # why it, or its end, does not come from the model
    page: int = 1


def events(filters: EventFilters) -> Page[Event]:
    rows = Event.objects.between(midnight(filters.first), midnight(filters.last + timedelta(days=1)))
    if filters.name:
        rows = rows.filter(name=filters.name)
    if filters.customer is not None:
        rows = rows.filter(customer=filters.customer)
    ordered = rows.select_related("item").order_by("-occurred_at", "event_id", "line")
    return Paginator(ordered, PER_PAGE).get_page(filters.page)


def answers(filters: AnswerFilters, *, now: datetime) -> Page[Slate]:
    slates = Slate.objects.filter(served_at__gte=now - timedelta(days=filters.days))
    exact = {"placement": filters.placement, "source": filters.source, "fallback_reason": filters.reason}
    slates = slates.filter(Q(**{name: value for name, value in exact.items() if value}))
    return Paginator(slates.order_by("-served_at", "recommendation_id"), PER_PAGE).get_page(filters.page)
