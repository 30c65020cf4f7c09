"""Shopify's order webhooks: shopify.dev/docs/api/webhooks.

Topics orders/create, orders/paid, orders/cancelled and refunds/create.

An order is one purchase whichever of its topics comes, and how often.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from recommendations.fields import LONGEST_ID
from recommendations.ingest.sources.adapter import Call, Options, Table, at, beside, first, item_ids, lacks, lines

ITEM: Table = {"item_id": ("product_id", "variant_id", "sku"), "quantity": ("quantity",), "price": ("price",)}
NOTES = {"recsite_anonymous_id": "anonymous_id", "recsite_recommendation_id": "recommendation_id"}
"""Attributes of a cart in which a theme may hand on who the visitor was, and which answer led here."""
BOUGHT = frozenset({"orders/create", "orders/paid"})
TOPICS = BOUGHT | {"orders/cancelled", "refunds/create"}
MARKS = ("id", "line_items", "refund_line_items")


def calls_in(body: Any, now: datetime, options: Options) -> Iterable[Call]:  # noqa: ARG001 - a Reader
    if not isinstance(body, Mapping):
        return [Call("", body)]
    if options.topic in TOPICS and lacks(body, MARKS):
        return [Call("", body, is_strange=True)]
    if options.topic in BOUGHT:
        return [_order(body, options, name="purchase")]
    if options.topic == "orders/cancelled":
        return [_order(body, options, name="refund")]
    if options.topic == "refunds/create":
        return [_refund(body, options)]
    return [Call("", {}, unused=options.topic or "webhook")]


def _order(order: Mapping[str, Any], options: Options, *, name: str) -> Call:
    items, places = lines(at(order, "line_items"), item_ids(ITEM, options.item_id), pointer="/line_items")
    for item, line in beside(items, at(order, "line_items")):
        _less_discounts(item, line)
    items, places = with_ids(items, places)
    at_path = "cancelled_at" if name == "refund" else "created_at"
    event = {
        "event_id": f"shopify:order:{order.get('id')}:{name}",
        "name": name,
        "timestamp": first(order, (at_path, "created_at")),
        "transaction_id": order.get("id"),
        "currency": order.get("currency"),
        "items": items,
        **_buyer(order),
    }
    places |= {"/timestamp": f"/{at_path}", "/transaction_id": "/id", "/user_id": "/customer/id"}
    places |= {"/currency": "/currency"}
    return Call("", event, places, unused="test order" if order.get("test") is True else "")


def _refund(refund: Mapping[str, Any], options: Options) -> Call:
    """What was sent back; who bought it stands with the order."""
    table = {name: tuple(f"line_item.{path}" for path in paths) for name, paths in ITEM.items()}
    wanted = f"line_item.{options.item_id}" if options.item_id else ""
    table |= {"quantity": ("quantity",)}
    items, places = lines(at(refund, "refund_line_items"), item_ids(table, wanted), pointer="/refund_line_items")
    for item, line in beside(items, at(refund, "refund_line_items")):
        _of_one(item, at(line, "subtotal"))
    items, places = with_ids(items, places)
    event = {
        "event_id": f"shopify:refund:{refund.get('id')}",
        "name": "refund",
        "timestamp": first(refund, ("processed_at", "created_at")),
        "transaction_id": refund.get("order_id"),
        "items": items,
    }
    places |= {"/timestamp": "/created_at", "/transaction_id": "/order_id"}
    return Call("", event, places, unused="" if items else "refund of no items")


def _buyer(order: Mapping[str, Any]) -> dict[str, Any]:
    """Who bought: the shop's number of the customer; of a guest the address, of which only a keyed hash is kept."""
    notes = at(order, "note_attributes")
    said = {
        NOTES[note["name"]]: note.get("value")
        for note in (notes if isinstance(notes, list) else ())
        if isinstance(note, Mapping) and note.get("name") in NOTES and note.get("value")
    }
    customer = first(order, ("customer.id",))
    if customer is not None:
        return {**said, "user_id": customer}
    return {"anonymous_id": guest(first(order, ("email", "contact_email")) or order.get("id")), **said}


def guest(known_by: object) -> str:
    """The id of somebody without an account."""
    return f"guest:{str(known_by).strip().lower()}"[:LONGEST_ID]


def with_ids(items: Any, places: dict[str, str]) -> tuple[Any, dict[str, str]]:
    """Items without those that no product stands behind, such as a tip or a fee, and where the others stood."""
    if not isinstance(items, list):
        return items, places
    numbers = [n for n, item in enumerate(items) if not isinstance(item, Mapping) or item.get("item_id") is not None]
    new = {f"/items/{number}": f"/items/{place}" for place, number in enumerate(numbers)}
    kept = {}
    for ours, theirs in places.items():
        head = "/".join(ours.split("/")[:3])
        if head in new:
            kept[f"{new[head]}{ours.removeprefix(head)}"] = theirs
        elif not ours.startswith("/items/"):
            kept[ours] = theirs
    return [items[number] for number in numbers], kept


def _less_discounts(item: Any, line: Any) -> None:
    """Take an item's share of the discounts off its price."""
    given = at(line, "discount_allocations")
    try:
        off = sum((Decimal(str(each["amount"])) for each in given or ()), Decimal(0))
        quantity, price = Decimal(str(item["quantity"])), Decimal(str(item["price"]))
        if off and quantity > 0:
            item["price"] = str(max(Decimal(0), price - off / quantity))
    except (KeyError, TypeError, InvalidOperation):
        return


def _of_one(item: Any, total: Any) -> None:
    """Take the price of one from what was given back for all."""
    try:
        quantity = Decimal(str(item["quantity"]))
        if total is not None and quantity > 0:
            item["price"] = str(Decimal(str(total)) / quantity)
    except (KeyError, TypeError, InvalidOperation):
        return
