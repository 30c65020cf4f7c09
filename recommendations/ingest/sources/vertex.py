"""Vertex AI Search for commerce (Retail API), UserEvent: cloud.google.com/retail/docs/user-events.

Single events, ``userEvents`` and the inline source of ``userEvents:import``.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from recommendations.ingest.sources.adapter import (
    Call,
    Options,
    Table,
    at,
    gathered,
    hidden,
    item_ids,
    lacks,
    lines,
    made_key,
    rows_of,
)  # fmt: skip

FIELDS: Table = {
    "event_id": ("eventId",),
    "timestamp": ("eventTime",),
    "user_id": ("userInfo.userId",),
    "anonymous_id": ("visitorId",),
    "session_id": ("sessionId",),
    "transaction_id": ("purchaseTransaction.id",),
    "value": ("purchaseTransaction.revenue",),
    "currency": ("purchaseTransaction.currencyCode",),
    "search_term": ("searchQuery",),
    "recommendation_id": ("attributionToken",),
}
ITEM: Table = {
    "item_id": ("product.id", "product.name"),
    "quantity": ("quantity",),
    "price": ("product.priceInfo.price",),
}
DETAILS = "/productDetails"
MARKS = ("eventType",)
LISTS = ("inputConfig.userEventInlineSource.userEvents", "userEventInlineSource.userEvents", "userEvents")
"""Paths of lists that a body may have its calls in."""


def calls_in(body: Any, now: datetime, options: Options) -> Iterable[Call]:
    for pointer, row in rows_of(body, *LISTS):
        if not isinstance(row, Mapping) or lacks(row, MARKS):
            yield Call(pointer, row, is_strange=lacks(row, MARKS))
            continue
        fields, places = gathered(row, FIELDS)
        event = {"timestamp": now.isoformat(), **fields, "name": row.get("eventType")}
        undated = "timestamp" not in fields and "transaction_id" not in fields
        event.setdefault("event_id", made_key("vertex", row, now=now if undated else None))
        table = item_ids(ITEM, options.item_id)
        if event["name"] == "purchase-complete":
            who = fields.get("user_id") or fields.get("anonymous_id")
            event.setdefault("transaction_id", f"vertex-{hidden(who, event['timestamp'])}")
        event["items"], stood = _items(at(row, "productDetails"), table)
        if event["name"] == "search" and "search_term" not in event:
            event["name"] = "view_item_list"  # somebody browsed a category
        elif event["name"] == "search":
            event["items"] = []  # they are what was listed, and ours is what was clicked
        yield Call(pointer, event, places | stood | {"/name": "/eventType"})


def _items(details: Any, table: Table) -> tuple[Any, dict[str, str]]:
    """The items of ``productDetails``, and where their fields stood; one alone may stand without a list."""
    items, stood = lines([details] if isinstance(details, Mapping) else details, table, pointer=DETAILS)
    if isinstance(details, Mapping):
        stood = {ours: f"{DETAILS}{theirs.removeprefix(f'{DETAILS}/0')}" for ours, theirs in stood.items()}
        stood["/items"] = DETAILS
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict) and isinstance(item.get("item_id"), str):
            item["item_id"] = item["item_id"].rpartition("/products/")[2]  # of a resource's name its last part
    return items, stood
