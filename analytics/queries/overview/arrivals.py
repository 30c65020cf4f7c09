"""The events behind a day of the Overview, and the answers behind a source: lists to read line by line."""

from datetime import date, datetime, timedelta
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Exists, OuterRef, Q

from analytics import filters as fields
from analytics.queries.days import midnight
from analytics.queries.overview.summary import PERIODS
from recommendations.models import ApiKey, Arm, Customer, Event, Slate
from recommendations.wording import labels
from recommendations.wording.labels import PLACEMENTS

PER_PAGE = 50


class EventFilters(fields.ListFilters):
    """Filters of events: whole days of the shop, both ends included."""

    first: date = fields.day("from")
    last: date = fields.day("until")
    name: str = fields.choice(dict(labels.EVENT_NAMES), usual="")
    customer: int | None = fields.customer()
    key: int | None = fields.number(words=str)
    page: int = fields.page()


class AnswerFilters(fields.ListFilters):
    """Filters of answers: served in the last so many days; ``reason``: why it, or its end, is not the model's."""

    days: int = fields.choice(PERIODS, usual=28)
    placement: str = fields.choice(PLACEMENTS, usual="")
    source: str = fields.choice(dict(labels.SOURCES), usual="")
    reason: str = fields.choice(dict(labels.FALLBACKS), usual="")
    customer: int | None = fields.customer()
    arm: int | None = fields.number(words=str)
    page: int = fields.page()


OBJECTS = Exists(Customer.objects.filter(pk=OuterRef("customer"), personalise=False))
"""Whether a row is of who does not want to be known: their acts are listed, whose they are is not."""


def events(filters: EventFilters) -> Page[Event]:
    """Events of some days; ``of_unknown`` are of who does not want to be known."""
    rows = Event.objects.between(midnight(filters.first), midnight(filters.last + timedelta(days=1)))
    if filters.name:
        rows = rows.filter(name=filters.name)
    if filters.customer is not None:
        rows = rows.filter(~OBJECTS, customer=filters.customer)
    if filters.key is not None:
        rows = rows.filter(key_id=filters.key)
    ordered = rows.with_confirmation().select_related("item").order_by("-occurred_at", "event_id", "line")
    return Paginator(ordered.annotate(of_unknown=OBJECTS), PER_PAGE).get_page(filters.page)


def key_names() -> dict[int, str]:
    """Names of the API keys."""
    return dict(ApiKey.objects.order_by("name").values_list("pk", "name"))


def arm_words(key: int) -> str:
    """What an arm is called where its experiment is not in sight."""
    arm = Arm.objects.filter(pk=key).select_related("experiment").first()
    return f"{arm.experiment} · {arm.letter}" if arm else str(key)


def answers(filters: AnswerFilters, *, now: datetime) -> Page[Any]:
    """Answers of the last days; ``of_unknown`` are of who does not want to be known by now."""
    slates = Slate.objects.filter(served_at__gte=now - timedelta(days=filters.days))
    exact = {"placement": filters.placement, "source": filters.source, "fallback_reason": filters.reason}
    slates = slates.filter(Q(**{name: value for name, value in exact.items() if value}))
    if filters.customer is not None:
        slates = slates.filter(~OBJECTS, customer=filters.customer)
    if filters.arm is not None:
        slates = slates.filter(arms__contains=[filters.arm])
    ordered = slates.annotate(of_unknown=OBJECTS).order_by("-served_at", "recommendation_id")
    return Paginator(ordered, PER_PAGE).get_page(filters.page)
