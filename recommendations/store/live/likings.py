"""What customers say they like, from the record: what they stated, and what else than people they follow.

A page alone can follow in anybody's name, so an event counts only with a proof, or as the shop's own word.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import msgspec
from django.db.models import QuerySet

from recommendations.event_types import EventName
from recommendations.models import CustomerAlias, Event, StatedTaste
from recommendations.store.live.state import Liking, LikingKind
from recommendations.terms import Trust

MOST_FOLLOWED = 100
"""Brands, categories, creators and collections that count of one customer; of more the newest."""

BATCH = 1_000
_texts = msgspec.json.Decoder(tuple[Liking, ...])


def text_of(likings: Iterable[Liking]) -> str:
    """Likings as Valkey has them; "" where there are none."""
    told = tuple(likings)
    return msgspec.json.encode(told).decode() if told else ""


def likings_in(text: str) -> tuple[Liking, ...]:
    return _texts.decode(text) if text else ()


def recorded_likings(customers: Collection[int]) -> dict[int, tuple[Liking, ...]]:
    """Likings by customer, of those who have any, with those of the keys that were merged into them."""
    merged = CustomerAlias.objects.filter(customer__in=customers, undone_at=None)
    own = Event.objects.to_personalise().of_customers(customers)
    likings = _followed(own, merged=dict(merged.values_list("anonymous", "customer")))
    for taste in StatedTaste.objects.filter(customer__in=customers, customer__personalise=True):
        likings[taste.pk] = (*_stated(taste), *likings.get(taste.pk, ()))
    return likings


def everybodys_likings() -> Iterator[tuple[int, str]]:
    """Each customer who says that they like something, and the text of it."""
    merged = dict(CustomerAlias.objects.filter(undone_at=None).values_list("anonymous", "customer"))
    followed = _followed(Event.objects.to_personalise().filter(customer__isnull=False), merged=merged)
    for taste in StatedTaste.objects.filter(customer__personalise=True).order_by("pk").iterator(chunk_size=BATCH):
        yield taste.pk, text_of((*_stated(taste), *followed.pop(taste.pk, ())))
    for customer, likings in followed.items():
        if likings:
            yield customer, text_of(likings)


def _stated(taste: StatedTaste) -> Iterator[Liking]:
    for kind, names in (
        (LikingKind.CATEGORY, taste.categories), (LikingKind.ITEM, taste.item_ids), (LikingKind.TAG, taste.tags),
    ):  # fmt: skip
        yield from (Liking(kind, name, at=taste.stated_at.timestamp()) for name in names)


def _followed(events: QuerySet[Event, Any], *, merged: Mapping[int, int]) -> dict[int, tuple[Liking, ...]]:
    """What is followed now, by customer; ``merged`` says whose a merged key is."""
    said = events.filter(
        name__in=(EventName.FOLLOW, EventName.UNFOLLOW), target_type__in=list(FOLLOWED),
        trust__gte=Trust.PROVEN, target_id__isnull=False,
    ).order_by("occurred_at", "event_id")  # fmt: skip
    rows = said.values_list("customer", "name", "target_type", "target_id", "occurred_at")
    by_customer: defaultdict[int, dict[tuple[str, str], Liking]] = defaultdict(dict)
    for key, name, kind, target, at in rows.iterator(chunk_size=BATCH):
        own = by_customer[merged.get(key, key)]
        own.pop((str(kind), str(target)), None)
        if name == EventName.FOLLOW:
            liking = Liking(FOLLOWED[str(kind)], str(target), followed=True, at=at.timestamp())
            own[str(kind), str(target)] = liking
    return {key: tuple(own.values())[-MOST_FOLLOWED:] for key, own in by_customer.items()}


FOLLOWED = {
    str(kind): kind for kind in (LikingKind.CATEGORY, LikingKind.BRAND, LikingKind.CREATOR, LikingKind.COLLECTION)
}
"""Targets of follow events that say what somebody likes; customers are links between people."""
