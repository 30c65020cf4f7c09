"""Bodies as other systems send them: the public examples of their documents, shortened, with ids as they stand there.

Times are made recent where a test sends them: ``dated``.
"""

import json
from datetime import datetime, timedelta
from typing import Any

# https://segment.com/docs/connections/spec/track/ and /spec/ecommerce/v2/#order-completed
SEGMENT_ORDER: dict[str, Any] = {
    "anonymousId": "23adfd82-aa0f-45a7-a756-24f2a7a4c895",
    "context": {
        "library": {"name": "analytics.js", "version": "2.11.1"},
        "page": {"path": "/checkout/", "title": "Checkout"},
    },
    "event": "Order Completed",
    "messageId": "ajs-next-1604511212-5ee45fd2",
    "properties": {
        "checkout_id": "fksdjfsdjfisjf9sdfjsd9f",
        "order_id": "50314b8e9bcf000000000000",
        "affiliation": "Google Store",
        "total": 27.50,
        "revenue": 25.00,
        "currency": "USD",
        "products": [
            {"product_id": "507f1f77bcf86cd799439011", "sku": "45790-32", "price": 19, "quantity": 1, "position": 1},
            {"product_id": "505bd76785ebb509fc183733", "sku": "46493-32", "price": 3, "quantity": 2},
        ],
    },
    "receivedAt": "2026-11-04T17:33:32.883Z",
    "sentAt": "2026-11-04T17:33:32.883Z",
    "timestamp": "2026-11-04T17:33:32.883Z",
    "type": "track",
    "userId": "AiUGstSDIg",
    "originalTimestamp": "2026-11-04T17:33:32.883Z",
}
# https://segment.com/docs/connections/spec/ecommerce/v2/#product-viewed
SEGMENT_VIEW: dict[str, Any] = {
    "type": "track", "event": "Product Viewed", "messageId": "022bb90c-bbac-11e4-8dfc-aa07a5b093db",
    "timestamp": "2026-11-04T17:33:32.883Z", "userId": "019mr8mf4r",
    "properties": {
        "product_id": "507f1f77bcf86cd799439011", "sku": "G-32", "category": "Games", "name": "Monopoly: 3rd Edition",
        "price": 18.99, "quantity": 1, "currency": "usd", "position": 3, "value": 18.99,
    },
}  # fmt: skip
# https://segment.com/docs/connections/spec/identify/
SEGMENT_IDENTIFY: dict[str, Any] = {
    "type": "identify", "anonymousId": "507f191e810c19729de860ea", "userId": "97980cfea0067",
    "messageId": "id-1", "timestamp": "2026-11-04T17:33:32.883Z",
    "traits": {
        "name": "Peter Gibbons", "email": "peter@example.com", "plan": "premium", "logins": 5,
        "address": {"street": "6th St", "city": "San Francisco", "state": "CA", "country": "USA"},
    },
}  # fmt: skip
# https://developers.google.com/analytics/devguides/collection/protocol/ga4/reference/events#purchase
GA4_PURCHASE: dict[str, Any] = {
    "client_id": "1234567.7654321",
    "user_id": "u_4711",
    "timestamp_micros": 1_764_000_000_000_000,
    "non_personalized_ads": False,
    "events": [
        {
            "name": "purchase",
            "params": {
                "currency": "USD", "transaction_id": "T_12345", "value": 30.03, "shipping": 3.33,
                "tax": 1.11, "session_id": 1664522406, "engagement_time_msec": 100,
                "items": [
                    {
                        "item_id": "SKU_12345", "item_name": "Stan and Friends Tee", "coupon": "SUMMER_FUN",
                        "discount": 2.22, "index": 0, "item_brand": "Google", "item_variant": "green", "price": 10.01,
                        "quantity": 3,
                    }
                ],
            },
        },
        {"name": "page_view", "params": {"page_location": "https://shop.example/"}},
    ],
}  # fmt: skip
# https://cloud.google.com/retail/docs/user-events#purchase-complete and #search
VERTEX_PURCHASE: dict[str, Any] = {
    "eventType": "purchase-complete", "visitorId": "user-123-session", "eventTime": "2026-11-04T03:33:33.000001Z",
    "experimentIds": "321", "attributionToken": "ABC",
    "userInfo": {"userId": "abc", "ipAddress": "8.8.8.8", "userAgent": "Mozilla/5.0", "directUserRequest": True},
    "productDetails": [{"product": {"id": "abc"}, "quantity": 3}],
    "purchaseTransaction": {"revenue": 30.0, "currencyCode": "USD", "tax": 2.4, "cost": 12.6, "id": "tr-1"},
}  # fmt: skip
VERTEX_SEARCH: dict[str, Any] = {
    "eventType": "search", "visitorId": "user-123-session", "eventTime": "2026-11-04T03:30:33.000001Z",
    "searchQuery": "dinnerware", "productDetails": [{"product": {"id": "abc"}}, {"product": {"id": "def"}}],
}  # fmt: skip
# https://docs.recombee.com/api#add-purchase and #batch
RECOMBEE_PURCHASE: dict[str, Any] = {
    "userId": "u-1", "itemId": "i-1", "timestamp": "2026-11-13T08:12:27+00:00", "cascadeCreate": True, "amount": 2,
    "price": 12.50, "profit": 3.1, "recommId": "ce52ada4-e4d9-4885-943c-407db2dee837",
}  # fmt: skip
RECOMBEE_BATCH: dict[str, Any] = {
    "requests": [
        {
            "method": "POST", "path": "/detailviews/",
            "params": {"userId": "u-1", "itemId": "i-1", "timestamp": 1_763_021_547},
        },
        {"method": "POST", "path": "/ratings/", "params": {"userId": "u-1", "itemId": "i-1", "rating": 0.5}},
        {"method": "DELETE", "path": "/bookmarks/", "params": {"userId": "u-1", "itemId": "i-1"}},
        {"method": "PUT", "path": "/items/i-2", "params": {}},
    ],
    "distinctRecomms": True,
}  # fmt: skip
# https://www.algolia.com/doc/rest-api/insights/#method-param-events
ALGOLIA: dict[str, Any] = {
    "events": [
        {
            "eventType": "click", "eventName": "Product Clicked", "index": "products", "userToken": "anonymous-1",
            "timestamp": 1_764_000_000_000, "objectIDs": ["9780545139700"], "positions": [7],
            "queryID": "43b15df305339e827f0ac0bdc5ebcaa7",
        },
        {
            "eventType": "conversion", "eventSubtype": "purchase", "eventName": "Purchased", "index": "products",
            "userToken": "anonymous-1", "authenticatedUserToken": "user-1", "timestamp": 1_764_000_060_000,
            "objectIDs": ["9780545139700", "9780439784542"], "value": 29.97, "currency": "USD",
            "objectData": [{"price": 9.99, "quantity": 2}, {"price": "9.99", "quantity": 1}],
        },
        {"eventType": "view", "eventName": "Brand Viewed", "index": "products", "userToken": "a", "filters": ["b:a"]},
    ]
}  # fmt: skip
# https://shopify.dev/docs/api/webhooks?reference=toml (orders/create, refunds/create)
SHOPIFY_ORDER: dict[str, Any] = {
    "id": 820982911946154508, "admin_graphql_api_id": "gid://shopify/Order/820982911946154508", "currency": "USD",
    "created_at": "2026-11-21T16:05:05-05:00", "email": "jon@example.com", "test": False,
    "customer": {"id": 115310627314723954, "email": "john@example.com"},
    "note_attributes": [{"name": "recsite_anonymous_id", "value": "a-77"}],
    "line_items": [
        {
            "id": 866550311766439020, "product_id": 788032119674292922, "variant_id": None, "sku": "SKU2006-001",
            "quantity": 1, "price": "199.00", "discount_allocations": [],
        },
        {
            "id": 141249953214522974, "product_id": 632910392, "variant_id": 808950810, "sku": "IPOD2008PINK",
            "quantity": 2, "price": "199.00", "discount_allocations": [{"amount": "5.00"}],
        },
        {"id": 3, "product_id": None, "title": "Tip", "quantity": 1, "price": "2.00"},
    ],
}  # fmt: skip
SHOPIFY_REFUND: dict[str, Any] = {
    "id": 890088186047892319, "order_id": 820982911946154508, "created_at": "2026-11-22T16:05:05-05:00",
    "note": "Things were damaged",
    "refund_line_items": [
        {
            "id": 487817672276298554, "quantity": 1, "subtotal": 196.5,
            "line_item": {"id": 141249953214522974, "product_id": 632910392, "variant_id": 808950810, "quantity": 2},
        }
    ],
}  # fmt: skip
# https://woocommerce.github.io/woocommerce-rest-api-docs/#retrieve-an-order
WOO_ORDER: dict[str, Any] = {
    "id": 727, "number": "727", "order_key": "wc_order_58d2d042d1d", "status": "processing", "currency": "USD",
    "date_created": "2026-11-22T16:28:02", "date_created_gmt": "2026-11-22T19:28:02",
    "date_modified_gmt": "2026-11-23T19:28:02", "customer_id": 0, "total": "29.35",
    "billing": {"first_name": "John", "email": "john.doe@example.com"},
    "line_items": [
        {"id": 315, "product_id": 93, "variation_id": 0, "quantity": 2, "total": "6.00", "sku": "", "price": 3},
        {"id": 316, "product_id": 22, "variation_id": 23, "quantity": 1, "total": "12.00", "sku": "Bar3", "price": 12},
    ],
    "meta_data": [{"id": 13106, "key": "recsite_anonymous_id", "value": "a-78"}],
}  # fmt: skip
ITEMS = (
    "507f1f77bcf86cd799439011", "505bd76785ebb509fc183733", "45790-32", "SKU_12345", "abc", "def", "i-1",
    "9780545139700", "9780439784542", "788032119674292922", "632910392", "808950810", "93", "22",
)  # fmt: skip
"""Items that stand in the bodies."""


def dated(body: dict[str, Any], now: datetime) -> dict[str, Any]:
    """A body whose times are moved to two hours ago, as far apart as a test does not look at."""
    then = now - timedelta(hours=2)
    text = json.dumps(body)
    for day in ("2026-11-04T17:33:32.883Z", "2026-11-04T03:33:33.000001Z"):
        text = text.replace(day, then.isoformat())
    text = text.replace("2026-11-04T03:30:33.000001Z", (then - timedelta(minutes=3)).isoformat())
    epochs = (("1764000000000000", 1e6, 0), ("1764000000000", 1e3, 0), ("1764000060000", 1e3, 60), ("1763021547", 1, 0))
    for stamp, size, later in epochs:
        moved = str(int((then.timestamp() + later) * size))
        text = text.replace(f": {stamp},", f": {moved},").replace(f": {stamp}}}", f": {moved}}}")
    for day in ("2026-11-13T08:12:27+00:00", "2026-11-21T16:05:05-05:00"):
        text = text.replace(day, then.isoformat())
    text = text.replace("2026-11-22T16:05:05-05:00", (then + timedelta(hours=1)).isoformat())
    text = text.replace("2026-11-22T19:28:02", f"{then:%Y-%m-%dT%H:%M:%S}")
    text = text.replace("2026-11-23T19:28:02", f"{then + timedelta(hours=1):%Y-%m-%dT%H:%M:%S}")
    result: dict[str, Any] = json.loads(text)
    return result
