"""The schema with examples out of the shop's own catalogue, so that each of them can be sent as it stands.

Everybody may read them, so they are of items that the storefront shows to everybody, too: for sale, and at this time.
What changes the catalogue is shown with an item that is nobody's (``EXAMPLE-1``): trying it out spoils no product.
"""

from collections.abc import Mapping
from functools import lru_cache
from itertools import cycle
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Q
from django.utils import timezone

from recommendations.api.schema import document
from recommendations.models import Category, Item
from recommendations.terms import Availability

ITEMS = ("SKU9", "SKU2", "SKU1", "SKU7", "SKU4")
"""Items of the examples as they are written."""
TITLES = ("Trail Shoes", "Trail Socks")  # of the first two
BRAND, CATEGORY = "Acme", "Shoes > Running"
CATALOGUES = 4  # for which schemas are remembered

type Words = tuple[tuple[str, str], ...]


def words() -> Words:
    """What stands in this shop for each word of the examples; nothing while its database is away."""
    now = timezone.now()
    begun, goes_on = Q(available_at=None) | Q(available_at__lte=now), Q(expires_at=None) | Q(expires_at__gt=now)
    try:
        offered = Item.objects.filter(begun, goes_on, retired_at=None, availability=Availability.IN_STOCK)
        for_sale = offered.exclude(available_quantity=0).order_by("pk")
        items = list(for_sale.exclude(brand="")[: len(ITEMS)]) or list(for_sale[: len(ITEMS)])
        category = Category.objects.filter(items__in=items).order_by("path").values_list("path", flat=True).first()
    except DatabaseError:
        return ()
    pairs = dict(zip(ITEMS, (item.shop_id for item in cycle(items)), strict=False))
    pairs |= zip(TITLES, (item.title for item in cycle(items)), strict=False)
    if items and items[0].brand:
        pairs[BRAND] = items[0].brand
    if category:
        pairs[CATEGORY] = category
    return tuple(pairs.items())


@lru_cache(CATALOGUES)
def filled(given: Words) -> dict[str, Any]:
    """The whole schema, its examples in these words."""
    whole: dict[str, Any] = _walked(document(), dict(given))
    return whole


def _walked(part: Any, pairs: Mapping[str, str]) -> Any:
    """Copy of a part of the schema; examples lie in ``examples`` of bodies and ``example`` of parameters."""
    if isinstance(part, list):
        return [_walked(inner, pairs) for inner in part]
    if not isinstance(part, dict):
        return part
    copy = {name: _walked(inner, pairs) for name, inner in part.items()}
    if "example" in part:
        copy["example"] = _said(part["example"], pairs)
    if "examples" in part:
        copy["examples"] = {
            name: {**example, "value": _said(example["value"], pairs)} for name, example in part["examples"].items()
        }
    return copy


def _said(value: Any, pairs: Mapping[str, str]) -> Any:
    """Copy of an example in the words of the shop."""
    if isinstance(value, list):
        return [_said(inner, pairs) for inner in value]
    if isinstance(value, dict):
        return {
            name: settings.SHOP_CURRENCY if name == "currency" else _said(inner, pairs) for name, inner in value.items()
        }
    if not isinstance(value, str):
        return value
    for title in TITLES:
        value = value.replace(title, pairs.get(title, title))
    return pairs.get(value, value)
