"""Items that are new to a placement: those that may get a promise, and why others may not yet."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Case, CharField, Count, F, Q, QuerySet, Value, When

from recommendations.models import Item, NewItem, NewItemPromise
from recommendations.promise_terms import Lacking, NewItemState
from recommendations.terms import Availability

SOLD_OUT = Q(availability=Availability.OUT_OF_STOCK) | Q(availability=Availability.IN_STOCK, available_quantity=0)


def ready(promise: NewItemPromise, *, now: datetime) -> QuerySet[Item]:
    """Items that were listed lately, that the placement has not noted yet and that can be shown, the oldest first."""
    return _judged(_unnoted(promise, now=now), promise, now=now).filter(lacks=None).order_by("listed_at", "pk")


def lacking(promise: NewItemPromise, *, now: datetime) -> Mapping[Lacking, int]:
    """How many items are new, were not noted yet and cannot be shown, by what they lack."""
    judged = _judged(_unnoted(promise, now=now), promise, now=now).exclude(lacks=None)
    counts = dict(judged.order_by().values_list("lacks").annotate(n=Count("pk")))
    return {reason: counts[reason] for reason in Lacking if reason in counts}


def waiting(promise: NewItemPromise, *, now: datetime) -> QuerySet[NewItem]:
    """Items that wait for a promise and can be shown: those that staff put first, then those that fit best."""
    own = NewItem.objects.filter(placement=promise.placement_id, state=NewItemState.WAITING)
    showable = _judged(Item.objects.filter(new_at__in=own), promise, now=now).filter(lacks=None)
    order = ("-first", F("fit").desc(nulls_last=True), "item__listed_at", "item_id")
    return own.filter(item__in=showable.values("pk")).order_by(*order)


def over(promise: NewItemPromise, *, now: datetime) -> QuerySet[NewItem]:
    """Items that wait and are new no longer, or are gone."""
    since = now - timedelta(days=promise.new_days)
    gone = Q(item__listed_at__lte=since) | Q(item__retired_at__isnull=False) | Q(item__expires_at__lte=now)
    return NewItem.objects.filter(gone, placement=promise.placement_id, state=NewItemState.WAITING)


def _unnoted(promise: NewItemPromise, *, now: datetime) -> QuerySet[Item]:
    noted = NewItem.objects.filter(placement=promise.placement_id).values("item")
    since = now - timedelta(days=promise.new_days)
    sold = Item.objects.filter(Q(expires_at=None) | Q(expires_at__gt=now), listed_at__gt=since, listed_at__lte=now)
    return sold.filter(retired_at=None).exclude(pk__in=noted)


def _judged(items: QuerySet[Item], promise: NewItemPromise, *, now: datetime) -> QuerySet[Any]:
    """Items with what they lack, ``lacks``; None where they can be shown."""
    reasons = [When(SOLD_OUT, then=Value(Lacking.SOLD_OUT)), When(available_at__gt=now, then=Value(Lacking.LATER))]
    if promise.needs_price:
        reasons.append(When(price=None, then=Value(Lacking.PRICE)))
    if promise.needs_picture:
        reasons.append(When(image_url="", then=Value(Lacking.PICTURE)))
    return items.annotate(lacks=Case(*reasons, default=None, output_field=CharField(null=True)))
