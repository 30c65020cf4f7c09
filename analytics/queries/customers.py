"""Browse customers as the live model sees them.

Cold: the live model has no history of them. Heavy: the busiest tenth by weight of acts (half-life 90 days). Both come
from the interest profiles of the live version, one row a customer, so that no page ever sums the whole event table;
events are counted for the customers of the page only.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, Exists, F, FilteredRelation, Max, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from analytics.queries.percentile import Percentile
from recommendations.models import Customer, CustomerAlias, Event, InterestProfile, Segment

type Known = QuerySet[Any]
"""Customers with the annotations of ``browsable``, which the type of the model does not know."""

PER_PAGE = 50
HALF_LIFE = 90  # days
HEAVY_FROM = 0.9  # share of customers that are less busy
SORTS: Mapping[str, str] = {"number": "pk", "activity": "weight", "segment": "memberships_now__segment__number"}


class State(StrEnum):
    COLD = "cold"
    WARM = "warm"
    HEAVY = "heavy"


STATES: Mapping[State, Promise] = {State.COLD: _("Cold"), State.WARM: _("Warm"), State.HEAVY: _("Heavy")}


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What the address asks for; what it does not understand is left out."""

    state: State | None = None
    segment: int | None = None
    sort: str = "-activity"
    page: int = 1


@dataclass(frozen=True, kw_only=True)
class Line:
    customer: Customer
    state: State
    activity: float
    segment: Segment | None
    events: int
    last_event: datetime | None


@dataclass(frozen=True, kw_only=True)
class Customers:
    page: Page[Customer]
    lines: Sequence[Line]
    segments: Sequence[Segment]


def customers(filters: Filters, *, model: int | None) -> Customers:
    found = ordered(chosen(browsable(model), filters), filters.sort)
    page = Paginator(found, PER_PAGE).get_page(filters.page)
    rows = list(page)
    segments = list(Segment.objects.filter(version=model)) if model else []
    acts = _acts([row.pk for row in rows])
    by_key = {segment.pk: segment for segment in segments}
    lines = [
        Line(
            customer=row,
            state=state_of(row),
            activity=row.weight,
            segment=by_key.get(row.segment_now),
            events=acts.get(row.pk, (0, None))[0],
            last_event=acts.get(row.pk, (0, None))[1],
        )
        for row in rows
    ]
    return Customers(page=page, lines=lines, segments=segments)


def somebody(filters: Filters, *, model: int | None) -> int | None:
    """The key of a customer taken at random from those that the filters leave."""
    found = chosen(browsable(model), filters).order_by("pk").values_list("pk", flat=True)
    total = found.count()
    return found[secrets.randbelow(total)] if total else None


def browsable(model: int | None) -> Known:
    """Everybody but anonymous keys that were merged into a customer, as the version has them.

    With ``weight`` of acts, ``heavy`` (the weight from which one is among the busiest tenth) and ``segment_now``.
    """
    merged = CustomerAlias.objects.filter(anonymous=OuterRef("pk"), undone_at=None)
    profiles = InterestProfile.objects.filter(version=model or 0, half_life_days=HALF_LIFE).order_by()
    busiest = profiles.values("version").annotate(value=Percentile("weight", share=HEAVY_FROM)).values("value")
    return Customer.objects.filter(~Exists(merged)).annotate(
        profile_now=FilteredRelation(
            "profiles", condition=Q(profiles__version=model or 0, profiles__half_life_days=HALF_LIFE)
        ),
        memberships_now=FilteredRelation("memberships", condition=Q(memberships__version=model or 0)),
        weight=Coalesce(F("profile_now__weight"), Value(0.0)),
        heavy=Coalesce(Subquery(busiest), Value(0.0)),
        segment_now=F("memberships_now__segment"),
    )


def chosen(found: Known, filters: Filters) -> Known:
    if filters.segment is not None:
        found = found.filter(memberships_now__segment__number=filters.segment)
    if filters.state is State.COLD:
        return found.filter(weight__lte=0)
    if filters.state is State.HEAVY:
        return found.filter(weight__gt=0, weight__gte=F("heavy"))
    if filters.state is State.WARM:
        return found.filter(weight__gt=0, weight__lt=F("heavy"))
    return found


def ordered(found: Known, sort: str) -> Known:
    """By a column of ``SORTS``, with "-" downwards; ties by number, nothing last."""
    column = F(SORTS.get(sort.removeprefix("-"), "weight"))
    direction = column.desc(nulls_last=True) if sort.startswith("-") else column.asc(nulls_last=True)
    return found.order_by(direction, "pk")


def state_of(row: Any) -> State:
    """Of a row of ``browsable``."""
    weight, heavy = row.weight, row.heavy
    if weight <= 0:
        return State.COLD
    return State.HEAVY if weight >= heavy else State.WARM


def _acts(keys: list[int]) -> dict[int, tuple[int, datetime | None]]:
    """Events and the last of them per customer, those of merged anonymous keys included."""
    aliases = CustomerAlias.objects.filter(customer__in=keys, undone_at=None).values_list("anonymous", "customer")
    owner = {key: key for key in keys} | dict(aliases)
    counted = (
        Event.objects.filter(customer__in=list(owner))
        .values("customer")
        .annotate(events=Count("*"), last=Max("occurred_at"))
        .order_by()
    )
    acts: dict[int, tuple[int, datetime | None]] = {}
    for row in counted:
        key = owner[row["customer"]]
        events, last = acts.get(key, (0, None))
        acts[key] = (events + row["events"], max(last, row["last"]) if last else row["last"])
    return acts
