"""Categories of which a customer disliked something, and what that does to their share of the interests."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Count, F, Max, OuterRef, Q, QuerySet
from django.db.models.functions import JSONObject

from recommendations.engine.interests.dislikes import HALVED_FOR
from recommendations.event_types import EventName
from recommendations.models import CustomerAlias, Event

PERIOD = timedelta(days=HALVED_FOR)


class DislikedCategory(NamedTuple):
    """A category with disliked items; ``halved_until`` is when its share is whole again, None: it is not halved."""

    name: str
    items: int
    halved_until: datetime | None


def dislikes_of_customer() -> QuerySet[Event, Any]:
    """Disliked items by category, as JSON, of the customer of the outer query with all keys that were merged."""
    merged = CustomerAlias.objects.filter(customer=OuterRef(OuterRef("pk")), undone_at=None).values("anonymous")
    own = Q(customer=OuterRef("pk")) | Q(customer__in=merged)
    disliked = Event.objects.filter(own, name=EventName.DISLIKE_ITEM, item__categories__isnull=False)
    counted = disliked.order_by().values(category=F("item__categories__name"))
    return counted.annotate(items=Count("item", distinct=True), last=Max("occurred_at")).values(
        told=JSONObject(name="category", items="items", last="last")
    )


def disliked_categories(told: Iterable[Mapping[str, Any]], *, now: datetime) -> list[DislikedCategory]:
    """Rows of ``dislikes_of_customer``, the latest first."""
    categories = []
    for row in sorted(told, key=lambda row: row["last"], reverse=True):
        until = datetime.fromisoformat(row["last"]) + PERIOD
        halved = row["items"] > 1 and until > now
        categories.append(DislikedCategory(row["name"], row["items"], until if halved else None))
    return categories
