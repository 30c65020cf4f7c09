"""Examples of the catalogue's bodies as they go over the wire, for ``/api/docs/``."""

from drf_spectacular.utils import OpenApiExample

_SHOE = {
    "title": "Trail Shoes",
    "brand": "Acme",
    "categories": ["Shoes > Running"],
    "price": "89.00",
    "original_price": "99.00",
    "currency": "USD",
    "availability": "in_stock",
    "available_quantity": 12,
    "image_url": "https://shop.example/sku9.jpg",
    "url": "https://shop.example/p/sku9",
    "tags": ["new"],
    "attributes": {"colour": "red", "sizes": [41, 42]},
    "rating": {"average": 4.6, "count": 31},
}
_NOT_NEGATIVE = "The amount is negative; an amount of the catalogue is 0 or more."
_UNKNOWN = "There is no item of this id; send the item first."

ITEM = OpenApiExample("An item", _SHOE, request_only=True)
CREATED = OpenApiExample("Made", {"verdict": "created", "item_id": "SKU9"}, response_only=True, status_codes=["201"])
UPDATED = OpenApiExample(
    "It was there", {"verdict": "updated", "item_id": "SKU9"}, response_only=True, status_codes=["200"]
)
CHANGES = OpenApiExample("Sold out", {"available_quantity": 0}, request_only=True)
CHANGED = OpenApiExample("Changed", {"verdict": "updated", "item_id": "SKU9"}, response_only=True, status_codes=["200"])
ITEMS = OpenApiExample(
    "Items", {"items": [{"item_id": "SKU9", **_SHOE}, {"item_id": "SKU2", "title": "Socks", "price": -1}]},
    request_only=True,
)  # fmt: skip
VERDICTS = OpenApiExample(
    "Verdicts",
    {
        "created": 1,
        "updated": 0,
        "unchanged": 0,
        "rejected": 1,
        "results": [
            {"verdict": "created", "item_id": "SKU9"},
            {"verdict": "rejected", "item_id": "SKU2", "pointer": "/items/1/price", "reason": _NOT_NEGATIVE},
        ],
    },
    response_only=True,
    status_codes=["200"],
)
CHANGES_BATCH = OpenApiExample(
    "Prices and stock",
    {
        "items": [
            {"item_id": "SKU9", "price": "79.00", "available_quantity": 3},
            {"item_id": "SKU404", "price": "5.00"},
        ]
    },
    request_only=True,
)
CHANGES_VERDICTS = OpenApiExample(
    "Verdicts",
    {
        "created": 0,
        "updated": 1,
        "unchanged": 0,
        "rejected": 1,
        "results": [
            {"verdict": "updated", "item_id": "SKU9"},
            {"verdict": "rejected", "item_id": "SKU404", "pointer": "/items/1/item_id", "reason": _UNKNOWN},
        ],
    },
    response_only=True,
    status_codes=["200"],
)
