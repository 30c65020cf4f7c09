"""What is said of the intake of other systems in ``/api/docs/``, with a short example of each."""

from recommendations.api.examples import answer, request
from recommendations.ingest.event_schema import MOST_ROWS

_SHARED = """\
The body is taken as it is sent there. Each event gets a verdict as by `POST /api/v1/events/`; pointers are those of the
body that you sent. What nothing is learned from is `ignored`. An event without a time happens as it arrives, and one
without an id is known by what it says. `docs/events.md` has the tables.
"""
DESCRIPTIONS = {
    "segment": f"""\
Segment's `track`, `identify` and `page`, one or a `batch`, also from a webhook destination. The key is the user name of
HTTP Basic, or in our header. `identify` with both ids makes them one person; its traits become customer properties
where the key has `customers:write`, but for those by which somebody could be named. `?item_id=sku` where the catalogue
has SKUs.

{_SHARED}""",
    "ga4": f"""\
The Measurement Protocol of GA4. The key may be `api_secret` in the query if it can do nothing but send events.
`ad_personalization: DENIED` is taken as an objection to personalisation.

{_SHARED}""",
    "vertex": f"""\
UserEvents of Vertex AI Search for commerce, one, `userEvents`, or the inline source of an import.

{_SHARED}""",
    "recombee": f"""\
Recombee's batch of requests; single interactions go to `recombee/purchases/`, `recombee/detailviews/` and so on.
`amount` is a quantity, and `price` what was paid for all of it.

{_SHARED}""",
    "algolia": f"""\
Algolia Insights: views, clicks, and conversions with `eventSubtype`. The key may be `X-Algolia-API-Key`, as a header
or, if it can do nothing but send events, in the query.

{_SHARED}""",
}
_TEXT, _OBJECT = {"type": "string"}, {"type": "object"}


def _row(*, needed: str, **properties: object) -> dict[str, object]:
    return {"type": "object", "required": needed.split(), "properties": properties, "additionalProperties": True}


def _rows(name: str, row: dict[str, object]) -> dict[str, object]:
    rows = {"type": "array", "items": row, "minItems": 1, "maxItems": MOST_ROWS}
    return _row(needed=name, **{name: rows})


_SEGMENT = _row(
    needed="type", type={"enum": ["track", "identify", "page", "group", "screen", "alias"]}, event=_TEXT,
    messageId=_TEXT, userId=_TEXT, anonymousId=_TEXT, timestamp=_TEXT, properties=_OBJECT, traits=_OBJECT,
    context=_OBJECT,
)  # fmt: skip
_VERTEX = _row(needed="eventType visitorId", eventType=_TEXT, visitorId=_TEXT, eventTime=_TEXT, attributionToken=_TEXT)
SCHEMAS = {
    "segment": {"anyOf": [_SEGMENT, _rows("batch", _SEGMENT)]},
    "ga4": _rows("events", _row(needed="name", name=_TEXT, params=_OBJECT)),
    "vertex": {"anyOf": [_VERTEX, _rows("userEvents", _VERTEX)]},
    "recombee": _rows("requests", _row(needed="method path", method=_TEXT, path=_TEXT, params=_OBJECT)),
    "algolia": _rows("events", _row(needed="eventType eventName index", eventType=_TEXT, eventName=_TEXT, index=_TEXT)),
}
"""The least that a body of theirs has; the rest is in their own documents."""
_AT = "2026-11-20T10:02:11Z"
EXAMPLES = {
    "segment": [
        request(
            "An order",
            {
                "type": "track",
                "event": "Order Completed",
                "messageId": "ajs-next-1732096931-4f2c",
                "timestamp": _AT,
                "userId": "u1",
                "properties": {
                    "order_id": "order-4711",
                    "products": [{"product_id": "SKU1", "price": 19.9, "quantity": 1}],
                },
            },
        )
    ],
    "ga4": [
        request(
            "A look at an item",
            {
                "client_id": "1234567.7654321",
                "events": [{"name": "view_item", "params": {"items": [{"item_id": "SKU1", "price": 19.9}]}}],
            },
        )
    ],
    "vertex": [
        request(
            "A look at an item",
            {
                "eventType": "detail-page-view",
                "visitorId": "visitor-1",
                "eventTime": _AT,
                "productDetails": [{"product": {"id": "SKU1"}}],
            },
        )
    ],
    "recombee": [
        request(
            "A batch",
            {
                "requests": [
                    {
                        "method": "POST",
                        "path": "/purchases/",
                        "params": {"userId": "u1", "itemId": "SKU1", "timestamp": _AT, "amount": 1, "price": 19.9},
                    }
                ]
            },
        )
    ],
    "algolia": [
        request(
            "A click",
            {
                "events": [
                    {
                        "eventType": "click",
                        "eventName": "Products Clicked",
                        "index": "products",
                        "userToken": "visitor-1",
                        "timestamp": 1763632931000,
                        "objectIDs": ["SKU1"],
                        "positions": [3],
                    }
                ]
            },
        )
    ],
}
VERDICTS = answer(
    "A verdict",
    {
        "accepted": 1,
        "duplicates": 0,
        "rejected": 0,
        "results": [{"verdict": "accepted", "event_id": "ajs-next-1732096931-4f2c"}],
    },
    code=202,
)
