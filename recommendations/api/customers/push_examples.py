"""Examples of triggers and of a customer's messages as they go over the wire, for ``/api/docs/``."""

from recommendations.api.examples import answer, request

TRIGGER = request("An appointment comes up", {"user_id": "u1", "key": "appointment-4711", "item_ids": ["SKU1"]})
TRIGGERED = answer(
    "It will be sent in the morning",
    {
        "campaign": "when-the-shop-says-so",
        "user_id": "u1",
        "key": "appointment-4711",
        "item_id": "SKU1",
        "verdict": "later",
        "due_at": "2026-11-21T07:00:00Z",
        "decided": None,
    },
    code=202,
)
_TAKEN = {
    "message_id": "4712",
    "campaign": "running-low",
    "purpose": "reminders",
    "channel": "email",
    "key": "812:2026-11-08",
    "state": "taken",
    "reason": None,
    "created_at": "2026-11-20T10:02:11Z",
    "due_at": "2026-11-20T10:02:11Z",
    "expires_at": "2026-11-23T10:02:11Z",
    "handed_at": "2026-11-20T10:02:14Z",
    "settled_at": "2026-11-20T10:02:14Z",
    "recommendation_id": "r-019a2b3c4d5e6f708192a3b4c5d6e7f8",
}
_WITHDRAWN = _TAKEN | {
    "message_id": "4698",
    "key": "97:2026-11-02",
    "state": "withdrawn",
    "reason": "done_already",
    "created_at": "2026-11-14T19:30:02Z",
    "due_at": "2026-11-15T07:00:00Z",
    "expires_at": "2026-11-18T07:00:00Z",
    "handed_at": None,
    "settled_at": "2026-11-15T07:00:03Z",
    "recommendation_id": None,
}
MESSAGES = answer("Two messages", {"user_id": "u1", "messages": [_TAKEN, _WITHDRAWN], "next": None})
