"""Customers as the live model sees them, and what a list of them is filtered by.

Cold: the live model has no history of them. Heavy: the busiest tenth by weight of acts (half-life 90 days). Changed:
what leads their last 7 days had a clearly smaller share of their last 90. All three come from the profiles of the live
version, a row a customer, so that no page ever sums the whole event table. Home lists of two versions are
not compared: the record holds no list, and scoring everybody twice is nothing for a page.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from analytics import filters as fields
from analytics import parameters
from analytics.queries.percentile import Percentile
from recommendations.models import Customer, CustomerAlias, Event, Item, LiveProfile

type Known = QuerySet[Any]
"""Customers with the annotations of ``browsable``, which the type of the model does not know."""

HEAVY_FROM = 0.9  # share of customers that are less busy
CHANGED_FROM = 0.05  # of share that what leads the last 7 days has gained
BOUGHT_WITHIN = timedelta(days=90)
LONGEST_TEXT = 100
COLUMNS = ("number", "activity", "change", "events", "last", "segment")  # by which the list can be sorted


class State(StrEnum):
    COLD = "cold"
    WARM = "warm"
    HEAVY = "heavy"


class Changed(StrEnum):
    TASTE = "taste"  # what they like shifted within the last week
    SINCE = "since"  # they did something that the live model does not know


STATES: Mapping[State, Promise] = {State.COLD: _("Cold"), State.WARM: _("Warm"), State.HEAVY: _("Heavy")}
CHANGES: Mapping[Changed, Promise] = {
    Changed.TASTE: _("New interests this week"),
    Changed.SINCE: _("Active since the live model"),
}


class Filters(fields.ListFilters):
    """Filters and order of a list of customers."""

    state: State | None = fields.choice(STATES)
    segment: str = fields.text(longest=20, words=str)
    changed: Changed | None = fields.choice(CHANGES)
    text: str = fields.text(longest=LONGEST_TEXT)
    sort: str = fields.order(COLUMNS, usual="-activity")
    page: int = fields.page()


def browsable() -> Known:
    """Everybody but anonymous keys that were merged into a customer, who was erased, and who does not want to be known.

    They are as the live version has them, with ``weight`` of acts, ``heavy`` (the weight from which one is among the
    busiest tenth), ``segment_now``, ``shift`` (``taste_shift``) and ``leading`` (key of the category that leads their
    last 7 days).
    """
    merged = CustomerAlias.objects.filter(anonymous=OuterRef("pk"), undone_at=None)
    everybody = LiveProfile.objects.order_by().values(_all=Value(1))
    busiest = everybody.annotate(value=Percentile("weight", share=HEAVY_FROM)).values("value")
    return Customer.objects.filter(~Exists(merged), erased_at=None, personalise=True).annotate(
        weight=Coalesce(F("live_profile__weight"), Value(0.0)),
        heavy=Coalesce(Subquery(busiest), Value(0.0)),
        segment_now=F("live_profile__segment"),
        shift=Coalesce(F("live_profile__shift"), Value(0.0)),
        leading=F("live_profile__leads"),
    )


def chosen(customers: Known, filters: Filters, *, known_until: datetime | None) -> Known:
    """Customers of ``browsable`` that the filters leave."""
    if filters.segment:
        number = parameters.number(filters.segment)
        customers = customers.none() if number is None else customers.filter(live_profile__segment__number=number)
    if filters.changed is Changed.TASTE:
        customers = customers.filter(shift__gte=CHANGED_FROM)
    if filters.changed is Changed.SINCE:
        customers = customers.filter(Exists(_acts_of_each(since=known_until)))
    if filters.text:
        customers = customers.filter(_about(filters.text, until=known_until or timezone.now()))
    return _in_state(customers, filters.state)


def state_of(row: Any) -> State:
    """State of a row of ``browsable``."""
    weight, heavy = row.weight, row.heavy
    if weight <= 0:
        return State.COLD
    return State.HEAVY if weight >= heavy else State.WARM


def _in_state(found: Known, state: State | None) -> Known:
    match state:
        case State.COLD:
            return found.filter(weight__lte=0)
        case State.HEAVY:
            return found.filter(weight__gt=0, weight__gte=F("heavy"))
        case State.WARM:
            return found.filter(weight__gt=0, weight__lt=F("heavy"))
    return found


def _acts_of_each(*, since: datetime | None) -> QuerySet[Event]:
    """Events of each customer since a moment; all of them before the first run."""
    acts = Event.objects.filter(customer=OuterRef("pk"))
    return acts.filter(occurred_at__gte=since) if since else acts


def _about(text: str, *, until: datetime) -> Q:
    """Customers who bought of late an item with these words in its title or category.

    The buyers are read here, once, as a page asks several times who they are.
    """
    words = text.split()
    titled = Q(pk__in=Item.objects.filter(*(Q(title__icontains=word) for word in words)).values("pk"))
    sorted_so = Q(pk__in=Item.objects.filter(*(Q(categories__path__icontains=word) for word in words)).values("pk"))
    items = Item.objects.filter(titled | sorted_so | Q(shop_id=text))
    bought = Event.objects.purchases().filter(occurred_at__gte=until - BOUGHT_WITHIN, item__in=items.values("pk"))
    buyers = set(bought.order_by().values_list("customer", flat=True).distinct())
    aliases = CustomerAlias.objects.filter(anonymous__in=buyers, undone_at=None).values("customer")
    return Q(pk__in=buyers) | Q(pk__in=aliases)
