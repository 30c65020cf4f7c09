"""WooCommerce's order webhooks: woocommerce.github.io/woocommerce-rest-api-docs.

Topics order.created and order.updated. An order is a purchase as soon as it is paid for or on hold, and a refund once
it is cancelled or refunded.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from recommendations.ingest.sources.adapter import Call, Options, Table, at, beside, first, item_ids, lacks, lines
from recommendations.ingest.sources.shopify import NOTES, guest, with_ids

VARIATION = "variation_id"
ITEM: Table = {"item_id": ("product_id", VARIATION, "sku"), "quantity": ("quantity",), "price": ("price",)}
BOUGHT = frozenset({"processing", "completed", "on-hold"})
TOPICS = frozenset({"order.created", "order.updated"})
MARKS = ("id", "line_items")
TAKEN_BACK = frozenset({"cancelled", "refunded"})


def calls_in(body: Any, now: datetime, options: Options) -> Iterable[Call]:  # noqa: ARG001 - a Reader
    if not isinstance(body, Mapping):
        return [Call("", body)]
    if options.topic in TOPICS and lacks(body, MARKS):
        return [Call("", body, is_strange=True)]
    status = str(at(body, "status"))
    name = "purchase" if status in BOUGHT else "refund" if status in TAKEN_BACK else ""
    if not name or options.topic not in TOPICS:
        return [
            Call("", {}, unused=f"{options.topic or 'webhook'} ({status})" if body.get("status") else options.topic)
        ]
    sold = _without_zeros(at(body, "line_items"))
    items, places = lines(sold, _table(options), pointer="/line_items")
    for item, line in beside(items, sold):
        _paid(item, line)
    items, places = with_ids(items, places)
    moments = ("date_created_gmt", "date_created") if name == "purchase" else ("date_modified_gmt", "date_modified")
    moment = first(body, moments)
    if isinstance(moment, str) and moment[-1:].isdigit() and "+" not in moment:
        moment = f"{moment}Z"
    event = {
        "event_id": f"woocommerce:order:{body.get('id')}:{name}",
        "name": name,
        "timestamp": moment,
        "transaction_id": body.get("id"),
        "currency": body.get("currency"),
        "items": items,
        **_buyer(body),
    }
    places |= {"/timestamp": f"/{moments[0]}", "/transaction_id": "/id", "/user_id": "/customer_id"}
    places |= {"/currency": "/currency"}
    return [Call("", event, places)]


def _table(options: Options) -> Table:
    """Where the id of a line's item stands: a catalogue of variations has products that have none, too."""
    if options.item_id == VARIATION:
        return {**ITEM, "item_id": (VARIATION, "product_id")}
    return item_ids(ITEM, options.item_id)


def _without_zeros(sold: Any) -> Any:
    """Lines without the zeros by which WooCommerce says that there is no variation, or no product any more."""
    if not isinstance(sold, list):
        return sold
    return [
        {name: value for name, value in line.items() if value != 0 or name not in ("product_id", VARIATION)}
        if isinstance(line, Mapping)
        else line
        for line in sold
    ]


def _buyer(order: Mapping[str, Any]) -> dict[str, Any]:
    notes = at(order, "meta_data")
    said = {
        NOTES[note["key"]]: note.get("value")
        for note in (notes if isinstance(notes, list) else ())
        if isinstance(note, Mapping) and note.get("key") in NOTES and note.get("value")
    }
    if order.get("customer_id"):
        return {**said, "user_id": order["customer_id"]}
    return {"anonymous_id": guest(at(order, "billing.email") or order.get("id")), **said}


def _paid(item: Any, line: Any) -> None:
    """Take the price of one from what was paid for the line, after discounts."""
    try:
        quantity, total = Decimal(str(item["quantity"])), Decimal(str(at(line, "total")))
        if quantity > 0:
            item["price"] = str(total / quantity)
    except (KeyError, TypeError, InvalidOperation):
        return
