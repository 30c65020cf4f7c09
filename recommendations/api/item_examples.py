"""Examples of the catalogue's bodies as they go over the wire, for ``/api/docs/``."""

from recommendations.api.examples import answer, request

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

ITEM = request("An item", _SHOE)
CREATED = answer("Made", {"verdict": "created", "item_id": "SKU9"}, code=201)
UPDATED = answer("It was there", {"verdict": "updated", "item_id": "SKU9"})
CHANGES = request("Sold out", {"available_quantity": 0})
CHANGED = answer("Changed", {"verdict": "updated", "item_id": "SKU9"})
ITEMS = request("Items", {"items": [{"item_id": "SKU9", **_SHOE}, {"item_id": "SKU2", "title": "Socks", "price": -1}]})
VERDICTS = answer(
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
)
CHANGES_BATCH = request(
    "Prices and stock",
    {
        "items": [
            {"item_id": "SKU9", "price": "79.00", "available_quantity": 3},
            {"item_id": "SKU404", "price": "5.00"},
        ]
    },
)
CHANGES_VERDICTS = answer(
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
)
