"""Examples of the catalogue's bodies as they go over the wire, for ``/api/docs/``."""

from drf_spectacular.utils import OpenApiExample

from recommendations.api.examples import answer, request

_SHOE = {
    "title": "Example shoes",
    "brand": "Acme",
    "categories": ["Shoes > Running"],
    "price": "89.00",
    "original_price": "99.00",
    "currency": "USD",
    "availability": "in_stock",
    "available_quantity": 12,
    "image_url": "https://shop.example/example-1.jpg",
    "url": "https://shop.example/p/example-1",
    "tags": ["new"],
    "attributes": {"colour": "red", "sizes": [41, 42]},
    "rating": {"average": 4.6, "count": 31},
}
_NOT_NEGATIVE = "The amount is negative; an amount of the catalogue is 0 or more."
_UNKNOWN = "There is no item of this id; send the item first."

ITEM = request("An item", _SHOE)
CREATED = answer("Made", {"verdict": "created", "item_id": "EXAMPLE-1"}, code=201)
UPDATED = answer("It was there", {"verdict": "updated", "item_id": "EXAMPLE-1"})
CHANGES = request("Sold out", {"available_quantity": 0})
CHANGED = answer("Changed", {"verdict": "updated", "item_id": "EXAMPLE-1"})
ITEMS = request(
    "Items",
    {"items": [{"item_id": "EXAMPLE-1", **_SHOE}, {"item_id": "EXAMPLE-2", "title": "Example socks", "price": -1}]},
)
CHANGES_BATCH = request(
    "Prices and stock",
    {
        "items": [
            {"item_id": "EXAMPLE-1", "price": "79.00", "available_quantity": 3},
            {"item_id": "EXAMPLE-404", "price": "5.00"},
        ]
    },
)


def _verdicts(verdict: str, refused: str, place: str, reason: str) -> OpenApiExample:
    """The verdict on the first row of a batch, and the refusal of the second."""
    second = {"verdict": "rejected", "item_id": refused, "pointer": f"/items/1/{place}", "reason": reason}
    counts = {each: int(each in {verdict, "rejected"}) for each in ("created", "updated", "unchanged", "rejected")}
    return answer("Verdicts", {**counts, "results": [{"verdict": verdict, "item_id": "EXAMPLE-1"}, second]})


VERDICTS = _verdicts("created", "EXAMPLE-2", "price", _NOT_NEGATIVE)
CHANGES_VERDICTS = _verdicts("updated", "EXAMPLE-404", "item_id", _UNKNOWN)
