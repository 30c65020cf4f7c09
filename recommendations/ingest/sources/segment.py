"""Segment: https://segment.com/docs/connections/spec/ and its ecommerce spec, v2 and v1. Single calls and ``batch``."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from recommendations.fields import LONGEST_PROPERTY, LONGEST_PROPERTY_TEXT, MOST_PROPERTIES
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

FIELDS: Table = {
    "event_id": ("messageId",),
    "timestamp": ("timestamp", "originalTimestamp", "sentAt", "receivedAt"),
    "user_id": ("userId",),
    "anonymous_id": ("anonymousId",),
    "session_id": ("properties.session_id", "context.sessionId"),
    "transaction_id": ("properties.order_id", "properties.orderId"),
    "value": ("properties.revenue", "properties.total", "properties.value"),
    "currency": ("properties.currency",),
    "search_term": ("properties.query",),
    "rating": ("properties.rating",),
    "rating_scale": ("properties.rating_scale",),
    "recommendation_id": ("properties.recommendation_id",),
}
ITEM: Table = {
    "item_id": ("product_id", "sku"),
    "quantity": ("quantity",),
    "price": ("price",),
    "index": ("position",),
}
FORMER_ITEM: Table = {**ITEM, "item_id": ("product_id", "id", "sku")}
"""With the id that the ecommerce spec's first version has."""
FORMER = {
    "Viewed Product Category": "Product List Viewed", "Clicked Product": "Product Clicked",
    "Viewed Product": "Product Viewed", "Added Product": "Product Added", "Removed Product": "Product Removed",
    "Started Order": "Checkout Started", "Completed Order": "Order Completed", "Updated Order": "Order Updated",
    "Viewed Promotion": "Promotion Viewed", "Clicked Promotion": "Promotion Clicked",
    "Viewed Checkout Step": "Checkout Step Viewed", "Completed Checkout Step": "Checkout Step Completed",
}  # fmt: skip
"""Names of that version → today's, for which Segment takes them too."""
SCALE = 5  # of a review that does not say it
HOME = frozenset({"/", "home", "homepage", "home page"})
NAMING = frozenset(
    [
        "address",
        "avatar",
        "birthday",
        "company",
        "description",
        "email",
        "firstName",
        "first_name",
        "id",
        "lastName",
        "last_name",
        "name",
        "phone",
        "title",
        "username",
        "website",
    ]
)
"""Traits by which somebody could be named; they are not kept."""
PLACES_OF_LIFE = ("city", "country", "state")  # of an address
MARKS = ("type", "event")
KINDS = frozenset({"track", "identify", "page", "screen", "group", "alias"})
"""Ends of addresses that say what their calls lack."""
WHO = ("userId", "anonymousId")
LISTS = ("batch",)
"""Paths of lists that a body may have its calls in."""


def calls_in(body: Any, now: datetime, options: Options) -> Iterable[Call]:
    around = at(body, "context") if at(body, "batch") is not None else None
    for pointer, row in rows_of(body, *LISTS):
        yield _call(pointer, row, now, options, sent_at=at(body, "sentAt"), around=around)


def _call(pointer: str, row: Any, now: datetime, options: Options, *, sent_at: Any, around: Any) -> Call:
    """A call; ``around`` is the context of the batch that it stands in."""
    if not isinstance(row, Mapping):
        return Call(pointer, row)
    named = options.kind if options.kind in KINDS and not lacks(row, WHO) else ""
    kind = at(row, "type") or ("track" if "event" in row else named)
    if not kind:
        return Call(pointer, row, is_strange=True)
    fields, places = gathered(row, FIELDS)
    event = {"timestamp": sent_at or now.isoformat(), "name": "view_homepage", **fields}
    event |= _consent(row) or _consent({"context": around})
    known = sent_at or "timestamp" in fields or "transaction_id" in fields
    event.setdefault("event_id", made_key("segment", [kind, row], now=None if known else now))
    call = Call(pointer, event, {**places, "/name": "/event", "/traits": "/traits"})
    if kind == "identify":
        call.is_person, call.properties = True, traits(at(row, "traits"))
        for name in FIELDS.keys() - {"event_id", "timestamp", "user_id", "anonymous_id"}:
            event.pop(name, None)
    elif kind == "page":
        shown = {str(at(row, "name")).lower(), str(_path(row)).lower()}
        call.unused = "" if shown & HOME else "page"
    elif kind == "track":
        event["name"] = FORMER.get(str(row.get("event")), row.get("event"))
        _add_items(call, row, options)
        if "rating" in event:
            event.setdefault("rating_scale", SCALE)
    else:
        call.unused = str(kind)
    if page := _path(row):
        event["context"] = {"page": page}
    return call


def _path(row: Mapping[str, Any]) -> Any:
    """The path of the page; of one that only says its address that of the address."""
    if path := first(row, ("context.page.path", "properties.path")):
        return path
    address = first(row, ("context.page.url", "properties.url")) if at(row, "type") == "page" else None
    try:
        return urlsplit(address).path or "/" if isinstance(address, str) else None
    except ValueError:
        return None


def _add_items(call: Call, row: Mapping[str, Any], options: Options) -> None:
    """Take the products of a call; one that is about a single product has its fields in the properties."""
    products = at(row, "properties.products")
    if products is not None:
        table = item_ids(FORMER_ITEM, options.item_id)
        call.event["items"], places = lines(products, table, pointer="/properties/products")
    else:
        fields = item_ids(FORMER_ITEM if str(row.get("event")) in FORMER else ITEM, options.item_id)
        table = {name: tuple(f"properties.{path}" for path in paths) for name, paths in fields.items()}
        item, stood = gathered(row, table)
        call.event["items"] = [item] if "item_id" in item else []
        places = {f"/items/0{name}": place for name, place in stood.items()} | {"/items": stood["/item_id"]}
    call.places |= places


def traits(given: Any) -> dict[str, Any]:
    """Traits that may be kept of a customer: values, and none by which somebody could be named."""
    if not isinstance(given, Mapping):
        return {}
    home = given.get("address")
    places = {name: home[name] for name in PLACES_OF_LIFE if name in home} if isinstance(home, Mapping) else {}
    kept = {name: value for name, value in {**places, **given}.items() if name not in NAMING and _is_value(value)}
    short = {name: value for name, value in kept.items() if 1 <= len(name) <= LONGEST_PROPERTY and "\x00" not in name}
    return dict(list(short.items())[:MOST_PROPERTIES])


def _is_value(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= LONGEST_PROPERTY_TEXT and "\x00" not in value
    return value is None or isinstance(value, bool) or (isinstance(value, int | float) and abs(value) <= 1e15)


def _consent(row: Mapping[str, Any]) -> dict[str, Any]:
    """A "no" to personalisation in Segment's consent object; its "yes" may be about something else."""
    chosen = at(row, "context.consent.categoryPreferences")
    said = {str(name).lower(): value for name, value in chosen.items()} if isinstance(chosen, Mapping) else {}
    no = said.get("personalization") is False or said.get("personalisation") is False
    return {"consent": {"personalisation": False}} if no else {}
