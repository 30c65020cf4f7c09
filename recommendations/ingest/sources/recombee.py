"""Recombee: docs.recombee.com/api. Requests of a batch, and interactions at an address that ends as Recombee's does."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from recommendations.ingest.sources.adapter import Call, Options, Table, at, gathered, hidden, lacks, made_key, rows_of

ADDED = {
    "purchases": "purchase", "detailviews": "view_item", "cartadditions": "add_to_cart", "bookmarks": "add_to_wishlist",
    "ratings": "rate_item",
}  # fmt: skip
"""Our name of what is added at the end of an address."""
DELETED = {"purchases": "refund", "cartadditions": "remove_from_cart"}
NAMES: Mapping[str, Mapping[str, str]] = {"POST": ADDED, "DELETE": DELETED}
"""By method; what is asked by another one, such as whose purchases there are, is no act."""
FIELDS: Table = {
    "timestamp": ("timestamp",),
    "user_id": ("userId",),
    "recommendation_id": ("recommId",),
    "transaction_id": ("additionalData.order_id", "additionalData.transaction_id"),
    "session_id": ("sessionId",),
}
ITEM: Table = {"item_id": ("itemId",), "quantity": ("amount",), "price": ("price",)}
MARKS = ("path",)
WHO = ("userId", "itemId")
LISTS = ("requests",)
"""Paths of lists that a body may have its calls in."""


def calls_in(body: Any, now: datetime, options: Options) -> Iterable[Call]:
    for pointer, row in rows_of(body, *LISTS):
        if isinstance(row, Mapping) and "path" in row:
            kind = str(row["path"]).partition("?")[0].strip("/").partition("/")[0].lower()
            method = str(row.get("method", "POST")).upper()
            yield _call(f"{pointer}/params", at(row, "params") or {}, now, kind=kind, method=method)
        elif isinstance(row, Mapping) and (not options.kind or lacks(row, WHO)):
            yield Call(pointer, row, is_strange=True)
        else:
            yield _call(pointer, row, now, kind=options.kind.lower())


def _call(pointer: str, row: Any, now: datetime, *, kind: str, method: str = "POST") -> Call:
    if not isinstance(row, Mapping):
        return Call(pointer, row)
    fields, places = gathered(row, FIELDS)
    name, deletes = NAMES.get(method, {}).get(kind, ""), method == "DELETE"
    dated = "timestamp" in fields
    if deletes and not dated:
        name = ""  # which of them is meant, and when it was undone, is not said
    event = {"timestamp": now.isoformat(), **fields, "name": name}
    event["event_id"] = made_key("recombee", [kind, deletes, row], now=None if dated else now)
    if name in {"purchase", "refund"}:
        event.setdefault("transaction_id", f"recombee-{hidden(row.get('userId'), event['timestamp'])}")
    if name == "rate_item" and isinstance(rating := row.get("rating"), int | float):
        event |= {"rating": rating + 1, "rating_scale": 2}  # theirs goes from −1 to 1
    item, stood = gathered(row, ITEM)
    event["items"] = [_of_one(item)]
    places |= {"/items": "/itemId"} | {f"/items/0{field}": place for field, place in stood.items()}
    unused = "" if name else f"{'DELETE ' if deletes else ''}{kind or 'interaction'}"
    return Call(pointer, event, places, unused=unused)


def _of_one(item: dict[str, Any]) -> dict[str, Any]:
    """The price of one: theirs is that of the whole amount."""
    try:
        amount, price = Decimal(str(item["quantity"])), Decimal(str(item["price"]))
        return {**item, "price": str(price / amount)} if amount > 0 else item
    except (KeyError, InvalidOperation, ArithmeticError):
        return item
