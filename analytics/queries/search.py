"""What the box in the frame finds: customers by our number or the shop's id, items by title or id."""

from dataclasses import dataclass

from django.db.models import Case, IntegerField, Q, Value, When

from recommendations.models import Customer, Item
from recommendations.services.customers import find_customers

MOST_ITEMS = 30
FEW_ITEMS = 8
SHORTEST = 2


@dataclass(frozen=True, kw_only=True)
class Found:
    customers: list[Customer]
    items: list[Item]
    more_items: bool


def search(text: str) -> Found:
    items = find_items(text, most=MOST_ITEMS + 1)
    return Found(customers=find_customers(typed=text), items=items[:MOST_ITEMS], more_items=len(items) > MOST_ITEMS)


def find_items(text: str, *, most: int = FEW_ITEMS) -> list[Item]:
    """An item of that id first, then titles that begin so, then titles that contain it (by the trigram index)."""
    text = text.strip()
    if len(text) < SHORTEST:
        return []
    rank = Case(
        When(shop_id=text, then=Value(0)), When(title__istartswith=text, then=Value(1)), default=Value(2),
        output_field=IntegerField(),
    )  # fmt: skip
    found = Item.objects.filter(Q(title__icontains=text) | Q(shop_id=text), retired_at=None)
    return list(found.annotate(rank=rank).order_by("rank", "title").prefetch_related("categories")[:most])
