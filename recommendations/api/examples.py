"""Examples of bodies as they go over the wire, for ``/api/docs/``."""

from typing import Any

from drf_spectacular.utils import OpenApiExample


def request(name: str, body: dict[str, Any]) -> OpenApiExample:
    return OpenApiExample(name, body, request_only=True)


def answer(name: str, body: dict[str, Any], *, code: int = 200) -> OpenApiExample:
    return OpenApiExample(name, body, response_only=True, status_codes=[str(code)])


_ID = "0192f0c1-2b3c-7d4e-8f90-a1b2c3d4e5f6"
_EVENT = {
    "event_id": _ID,
    "name": "add_to_cart",
    "timestamp": "2026-11-20T10:02:11Z",
    "user_id": "u1",
    "anonymous_id": "a9",
    "proof": "6925e8a3.Vb1mO0Nn1oXrC0yq8M3f3m5J0wq1m8bQf6XyqQm3T0E",
    "session_id": "s7",
    "items": [{"item_id": "SKU1", "quantity": 1, "price": "19.90", "index": 3}],
    "context": {"channel": "web", "page": "/p/1", "locale": "en-GB"},
    "consent": {"personalisation": True, "marketing": False},
}
_PURCHASE = {
    "event_id": "0192f0c2-0000-7000-8000-000000000001",
    "name": "purchase",
    "timestamp": "2026-11-20T10:05:40Z",
    "user_id": "u1",
    "transaction_id": "order-4711",
    "items": [
        {"item_id": "SKU1", "quantity": 1, "price": "19.90"},
        {"item_id": "SKU2", "quantity": 2, "price": "4.50"},
    ],
}
EVENTS = [
    request("A batch", {"events": [_EVENT, _PURCHASE]}),
    request("One event", _EVENT),
    answer(
        "Verdicts",
        {
            "accepted": 1,
            "duplicates": 0,
            "rejected": 1,
            "results": [
                {"verdict": "accepted", "event_id": _ID},
                {
                    "verdict": "rejected",
                    "event_id": _PURCHASE["event_id"],
                    "pointer": "/events/1/transaction_id",
                    "reason": "The field is missing; a basket is one transaction.",
                },
            ],
        },
        code=202,
    ),
]
IDENTITY = [
    request("Signed in", {"user_id": "u1", "anonymous_id": "a9"}),
    answer("A proof", {"proof": _EVENT["proof"], "expires": "2026-11-20T22:02:11Z"}),
]
MERGE = [
    request("A visitor signs in", {"anonymous_id": "a9", "user_id": "u1"}),
    request("And was somebody else", {"anonymous_id": "a9", "user_id": "u1", "undo": True}),
    answer("On disk", {"verdict": "accepted"}, code=202),
]
PROPERTIES = [
    request("Some properties", {"properties": {"city": "Rome", "loyalty_years": 3, "member": True, "old_level": None}}),
    answer("On disk", {"verdict": "updated"}),
]
RECOMMENDATION_REQUEST = request(
    "With context and filters",
    {
        "user_id": "u1",
        "context": {"item_ids": ["SKU1"], "basket": ["SKU2"]},
        "n": 10,
        "filter": {
            "price": {"lte": 100},
            "brand": ["Acme"],
            "in_stock": True,
            "not_tags": ["clearance"],
            "attributes": {"colour": ["red", "blue"], "size": ["M"]},
        },
        "boosts": [{"filter": {"tags": ["summer"]}, "strength": 50, "name": "Summer"}],
        "exclude_item_ids": ["SKU7"],
        "lang": "en",
        "fields": ["product", "score", "reasons", "contributions", "why"],
    },
)
_PRODUCT = {
    "title": "Trail Shoes",
    "brand": "Acme",
    "price": "89.00",
    "currency": "EUR",
    "image_url": "https://shop.example/sku9.jpg",
    "url": "https://shop.example/p/sku9",
    "parent_id": None,
}
_RECOMMENDATION = {
    "recommendation_id": "r-01JD3Z5K8W",
    "placement": "home",
    "model_version": "m12",
    "weights_version": 17,
    "rules_version": 5,
    "experiment": {"experiment_id": "e7", "variation_id": "b"},
    "experiments": [{"experiment_id": "e7", "variation_id": "b"}],
    "personalised": True,
    "source": "model",
    "fallback_reason": None,
    "results": [
        {
            "item_id": "SKU9",
            "rank": 1,
            "source": "model",
            "rules": ["Boost new arrivals"],
            "score": 0.74,
            "final": 0.79,
            "reasons": [
                {
                    "code": "bought_together",
                    "text": "Often bought with Trail Socks",
                    "evidence": {"item_id": "SKU2", "lift": 3.1},
                },
                {
                    "code": "promoted",
                    "text": "In next week's leaflet",
                    "evidence": {"weeks": 1.0, "display": 0.12, "mailer": 0.9},
                },
            ],
            "why": {
                "text": "Often bought with Trail Socks. Moved up by the shop.",
                "main_parameters_url": "https://recsite.example/how-we-recommend/?lang=en",
                "actions": [
                    {
                        "code": code,
                        "label": label,
                        "url": f"https://recsite.example/m/{kind}/Am4AAAAAAAAAAg…/?language=en",
                    }
                    for code, kind, label in (
                        ("dislike", "n", "Do not recommend it again"),
                        ("object", "o", "Stop recommendations by what I do"),
                        ("my_data", "m", "My data"),
                    )
                ],
            },
            "contributions": {"buy_again": 0.31, "item_knn": 0.08, "also_bought": 0.15, "promotion": 0.2},
            "product": _PRODUCT,
        }
    ],
    "missing_item_ids": [],
    "next_cursor": "AQECAkQC0eA",
}
RECOMMENDATION = answer("An answer", _RECOMMENDATION)
LIKENESS = answer(
    "How alike items are, with by=text",
    {
        "item_id": "SKU2",
        "by": "text",
        "model_version": "m12",
        "results": [
            {
                "item_id": "SKU9",
                "rank": 1,
                "likeness": {"text": 0.71, "picture": None, "behaviour": None},
                "product": _PRODUCT,
            }
        ],
    },
)
PAGE_REQUEST = request(
    "The home page, with a longer first list",
    {
        "user_id": "u1",
        "anonymous_id": "a9",
        "slots": [{"placement": "home", "n": 16}, {"placement": "new", "n": 0}],
        "fields": ["product", "reasons"],
    },
)
PAGE = answer(
    "Two placements",
    {
        "page": "home",
        "slots": [
            _RECOMMENDATION,
            {**_RECOMMENDATION, "recommendation_id": "r-01JD3Z5K8X", "placement": "buy_again", "results": []},
        ],
    },
)
BATCH_REQUEST = request(
    "Two customers of a mailing",
    {"placement": "email", "users": [{"user_id": "u1"}, {"anonymous_id": "a9"}], "n": 6, "fields": ["product"]},
)
BATCH_OF_RECOMMENDATIONS = answer(
    "The second customer has no name",
    {
        "placement": "email",
        "answered": 1,
        "rejected": 1,
        "results": [
            {"user_id": "u1", "anonymous_id": None, "recommendation": {**_RECOMMENDATION, "placement": "email"}},
            {
                "user_id": None,
                "anonymous_id": None,
                "errors": [{"pointer": "/users/1", "message": "Name a user_id or an anonymous_id."}],
            },
        ],
    },
)
METRICS = OpenApiExample(
    "Some of them",
    """\
# HELP recsite_events_total Rows of events that the API took in, by verdict.
# TYPE recsite_events_total counter
recsite_events_total{verdict="accepted"} 120455.0
recsite_events_total{verdict="duplicate"} 12.0
# HELP recsite_stage_age_seconds Since a stage of the loop was last finished.
# TYPE recsite_stage_age_seconds gauge
recsite_stage_age_seconds{stage="evaluate"} 5213.4
""",
    media_type="text/plain",
    response_only=True,
    status_codes=["200"],
)
_RUNNING = {
    "name": "Running",
    "path": "Shoes > Running",
    "share": 0.31,
    "lately": 0.44,
    "usual": 0.06,
    "purchases": 5,
    "other_acts": 17,
    "last_at": "2026-11-18T10:02:11Z",
}
INTERESTS = answer(
    "A profile",
    {
        "user_id": "u1",
        "known": True,
        "personalised": True,
        "fallback_reason": None,
        "model_version": "m12",
        "as_of": "2026-11-20T00:00:00Z",
        "segment": {"number": 4, "name": "Runners"},
        "categories": [_RUNNING],
        "brands": [{**_RUNNING, "name": "Acme", "path": "Acme", "share": 0.22, "lately": 0.2, "usual": 0.02}],
    },
)
