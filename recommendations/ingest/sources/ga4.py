"""Google Analytics 4, Measurement Protocol: developers.google.com/analytics/devguides/collection/protocol/ga4."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from recommendations.ingest.sources.adapter import (
    Call,
    Options,
    Table,
    at,
    first,
    gathered,
    item_ids,
    lacks,
    lines,
    made_key,
    rows_of,
)  # fmt: skip

AROUND: Table = {
    "user_id": ("user_id",),
    "anonymous_id": ("client_id", "app_instance_id"),
    "timestamp": ("timestamp_micros",),
}
"""Fields of the body, which hold for all its events."""
FIELDS: Table = {
    "event_id": ("params.event_id",),
    "timestamp": ("timestamp_micros",),
    "session_id": ("params.session_id", "params.ga_session_id"),
    "transaction_id": ("params.transaction_id",),
    "value": ("params.value",),
    "currency": ("params.currency",),
    "search_term": ("params.search_term",),
    "recommendation_id": ("params.recommendation_id",),
}
ITEM: Table = {"item_id": ("item_id",), "quantity": ("quantity",), "price": ("price",), "index": ("index",)}
MARKS = ("name", "params")
LISTS = ("events",)
"""Paths of lists that a body may have its calls in."""


def calls_in(body: Any, now: datetime, options: Options) -> Iterable[Call]:
    around, _places = gathered(body, AROUND)
    denied = at(body, "consent.ad_personalization") == "DENIED" or at(body, "non_personalized_ads") is True
    for pointer, row in rows_of(body, *LISTS):
        if not isinstance(row, Mapping) or lacks(row, MARKS):
            yield Call(pointer, row, is_strange=lacks(row, MARKS))
            continue
        fields, places = gathered(row, FIELDS)
        event = {**around, **fields, "name": row.get("name")}
        dated = first(event, ("timestamp",))
        event.setdefault("timestamp", now.isoformat())
        ordered = "transaction_id" in event
        who = [around.get("user_id"), around.get("anonymous_id")]
        event.setdefault("event_id", made_key("ga4", [who, dated, row], now=None if dated or ordered else now))
        if denied:
            event["consent"] = {"personalisation": False}
        table = item_ids(ITEM, options.item_id)
        event["items"], stood = lines(at(row, "params.items"), table, pointer="/params/items")
        _count_from_one(event["items"])
        yield Call(pointer, event, places | stood | {"/name": "/name"})


def _count_from_one(items: Any) -> None:
    """GA4 counts places from 0."""
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict) and isinstance(item.get("index"), int):
            item["index"] += 1
