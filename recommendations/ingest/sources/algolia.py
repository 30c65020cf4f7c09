"""Algolia Insights: algolia.com/doc/rest-api/insights, ``events`` of views, clicks and conversions."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from recommendations.ingest.sources.adapter import Call, Options, Table, at, gathered, hidden, made_key, rows_of

FIELDS: Table = {
    "timestamp": ("timestamp",),
    "user_id": ("authenticatedUserToken",),
    "anonymous_id": ("userToken",),
    "value": ("value",),
    "currency": ("currency",),
    "recommendation_id": ("queryID",),
    "transaction_id": ("transactionID",),
}
CONVERSIONS = {"addToCart": "add_to_cart", "purchase": "purchase"}
MARKS = ("eventType",)
LISTS = ("events",)
"""Paths of lists that a body may have its calls in."""


def calls_in(body: Any, now: datetime, options: Options) -> Iterable[Call]:  # noqa: ARG001 - a Reader
    for pointer, row in rows_of(body, *LISTS):
        if not isinstance(row, Mapping) or at(row, *MARKS) is None:
            yield Call(pointer, row, is_strange=isinstance(row, Mapping))
            continue
        fields, places = gathered(row, FIELDS)
        name = _name(row)
        event = {"timestamp": now.isoformat(), **fields, "name": name}
        event["event_id"] = made_key("algolia", row, now=None if "timestamp" in fields else now)
        if name == "purchase":
            who = fields.get("user_id") or fields.get("anonymous_id")
            event.setdefault("transaction_id", f"algolia-{hidden(who, event['timestamp'])}")
        if (query := _query_of_all(row)) is not None:
            event.setdefault("recommendation_id", query)
        event["items"] = _items(row)
        places |= {"/items": "/objectIDs"}
        for number, _item in enumerate(event["items"] if isinstance(event["items"], list) else ()):
            places |= {f"/items/{number}": f"/objectData/{number}", f"/items/{number}/item_id": f"/objectIDs/{number}"}
        unused = "" if name else " ".join(str(row.get(each)) for each in ("eventType", "eventSubtype") if row.get(each))
        yield Call(pointer, event, places, unused=unused or ("" if name else "event"))


def _name(row: Mapping[str, Any]) -> str:
    """Our name of an event; a view of one object is a look at it; what names no object tells of none."""
    objects = at(row, "objectIDs")
    if not isinstance(objects, list):
        return ""
    match at(row, "eventType"):
        case "view":
            return "view_item" if len(objects) == 1 else "view_item_list"
        case "click":
            return "select_item"
        case "conversion":
            return CONVERSIONS.get(str(at(row, "eventSubtype")), "")
    return ""


def _query_of_all(row: Mapping[str, Any]) -> Any:
    """The ``queryID`` that stands beside each of the objects, where it is the same one; purchases have theirs there."""
    data = at(row, "objectData")
    queries = [at(each, "queryID") for each in data] if isinstance(data, list) else []
    return queries[0] if queries and all(query == queries[0] for query in queries) else None


def _items(row: Mapping[str, Any]) -> Any:
    objects, data, positions = at(row, "objectIDs"), at(row, "objectData"), at(row, "positions")
    if not isinstance(objects, list):
        return []
    items = []
    for number, key in enumerate(objects):
        item = {"item_id": key}
        if isinstance(data, list) and number < len(data) and isinstance(data[number], Mapping):
            item |= {name: data[number][name] for name in ("price", "quantity") if data[number].get(name) is not None}
        if isinstance(positions, list) and number < len(positions):
            item["index"] = positions[number]
        items.append(item)
    return items
