"""What columns are called elsewhere: Google's product feed, Shopify's product file, and the usual words of shops."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from recommendations.store.imports.item_rows import FORM

SALE_PRICE, SALE_DATES = "sale_price", "sale_price_effective_date"
ATTRIBUTE = "attributes."
"""Begins the name of a column that becomes one of the item's attributes."""

SYNONYMS: Mapping[str, Sequence[str]] = {
    "item_id": ["id", "product_id", "offer_id", "variant_id", "variant_sku", "sku"],
    "title": ["name", "product_name", "product_title"],
    "description": ["body_html", "body", "product_description", "summary", "content"],
    "brand": ["vendor", "manufacturer"],
    "categories": [
        "category", "product_type", "product_types", "google_product_category", "product_category",
        "google_shopping_google_product_category",
    ],
    "price": ["variant_price", "regular_price"],
    SALE_PRICE: [],
    SALE_DATES: [],
    "original_price": ["variant_compare_at_price", "compare_at_price", "list_price", "msrp"],
    "cost": ["cost_per_item", "cost_of_goods_sold"],
    "currency": ["currency_code"],
    "availability": ["stock_status"],
    "available_quantity": [
        "quantity", "inventory", "inventory_quantity", "variant_inventory_qty", "stock_quantity", "stock",
        "sell_on_google_quantity",
    ],
    "available_time": [],
    "expire_time": ["expiration_date"],
    "image_url": ["image_link", "variant_image", "variant_image_url", "image_src", "product_image_url", "image"],
    "url": ["link", "product_url", "permalink"],
    "tags": ["labels"],
    "rating_average": ["average_rating"],
    "rating_count": ["review_count", "reviews_count"],
    "parent_id": ["parent_sku"],
    "item_group_id": ["group_id"],
    f"{ATTRIBUTE}mpn": ["mpn", "google_shopping_mpn", "google_shopping_manufacturer_part_number_mpn"],
    **{f"{ATTRIBUTE}{name}": [name, f"google_shopping_{name}"] for name in (
        "color", "size", "material", "pattern", "gender", "age_group", "size_type", "size_system",
        "custom_label_0", "custom_label_1", "custom_label_2", "custom_label_3", "custom_label_4",
    )},
    # Google's date says when a pre-order or a backorder is sent, not when its sale begins: it is for sale today.
    f"{ATTRIBUTE}availability_date": ["availability_date"],
    f"{ATTRIBUTE}condition": ["condition", "google_shopping_condition"],
    f"{ATTRIBUTE}gtin": ["gtin", "ean", "upc", "isbn", "barcode", "variant_barcode"],
}  # fmt: skip
"""Our column → what it is called elsewhere, the best first; its own name goes before them all."""

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_BETWEEN = re.compile(r"[^a-z0-9]+")


class Target(NamedTuple):
    """A column of ours; where several columns of a file lead to it, that of the lowest ``rank`` with a value counts."""

    name: str
    rank: int


def plain_name(name: str) -> str:
    """Name without its prefix, case and punctuation: ``g:image_link``, ``imageLink``, ``Image Link`` are the same."""
    bare = name.removeprefix("g:")
    return _BETWEEN.sub("_", _CAMEL.sub("_", bare).lower()).strip("_")


def target_of(name: str) -> Target | None:
    """What a column of a file means; None for one that nothing is known of."""
    if name in FORM.known:
        return Target(name, 0)
    if name.startswith(ATTRIBUTE):
        return Target(name, 0)
    target = _TARGETS.get(plain_name(name))
    if target is None or name.startswith("g:"):
        return target
    return Target(target.name, target.rank + 1)  # Google's own field goes before that of RSS


_TARGETS = {
    name: Target(ours, 2 * place)
    for ours, names in SYNONYMS.items()
    for place, name in enumerate([ours, *names] if not ours.startswith(ATTRIBUTE) else names)
}
