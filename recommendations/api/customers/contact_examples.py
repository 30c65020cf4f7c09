"""Examples of the bodies of contacts as they go over the wire, for ``/api/docs/``."""

from recommendations.api.examples import answer, request

_YES = {
    "purpose": "for_you",
    "state": "given",
    "at": "2026-11-20T10:02:11Z",
    "proof": {"text_version": "2026-03", "language": "en", "form": "checkout", "shop_reference": "order-4711"},
}
_NO = {"purpose": "news", "state": "refused", "at": "2026-11-20T10:02:11Z"}
_WHOLE = {
    "email": "ann@shop.example.com",
    "language": "en",
    "time_zone": "Europe/Paris",
    "confirmed": True,
    "consents": [_YES, _NO],
}
_SAID_YES, _SAID_NO = (
    {
        "channel": "email",
        **{name: each[name] for name in ("purpose", "state")},
        "since": each["at"],
        "source": "api",
        "held_by": None,
    }
    for each in (_YES, _NO)
)
_ADDRESS = {
    "channel": "email",
    "address": "a•••@shop.example.com",
    "state": "active",
    "silent": False,
    "silent_for": None,
    "confirmation_mails": 0,
}
_CONTACT = {
    "user_id": "u1",
    "language": "en",
    "time_zone": "Europe/Paris",
    "addresses": [_ADDRESS],
    "permissions": [_SAID_YES, _SAID_NO],
    "personalised": True,
    "paused_until": None,
    "most_a_week": 3,
    "quiet_from": "21:00:00",
    "quiet_until": "08:00:00",
}
_WITHDRAWN = {"purpose": "for_you", "state": "withdrawn", "at": "2026-11-24T08:15:00Z"}

CONTACT = answer("A contact", _CONTACT)
WHOLE = request("Address and consents", _WHOLE)
STORED = answer("Stored", {**_CONTACT, "verdict": "stored"})
WITHDRAWAL = request("A withdrawal", {"consents": [_WITHDRAWN]})
WITHDRAWN = answer(
    "Withdrawn",
    {
        **_CONTACT,
        "permissions": [{**_SAID_YES, "state": "withdrawn", "since": _WITHDRAWN["at"]}, _SAID_NO],
        "verdict": "stored",
    },
)
RECEIPT = answer("A receipt", {"addresses": 1, "statements": 3, "at": "2026-11-24T08:20:00Z"})
CONTACTS = request(
    "Two contacts",
    {
        "contacts": [
            {"user_id": "u1", **_WHOLE},
            {"user_id": "u2", "email": "bo@shop.example.com", "consents": [{"purpose": "news", "state": "given"}]},
        ]
    },
)
VERDICTS = answer(
    "Verdicts",
    {
        "stored": 1,
        "unchanged": 0,
        "rejected": 1,
        "results": [
            {"verdict": "stored", "user_id": "u1"},
            {
                "verdict": "rejected",
                "user_id": "u2",
                "pointer": "/contacts/1/consents/0/at",
                "reason": "“given” needs the time at which the customer said yes.",
                "also": [
                    {
                        "pointer": "/contacts/1/consents/0/proof",
                        "reason": "“given” needs a proof: which text they said yes to, in which form, "
                        "under which reference.",
                    },
                ],
            },
        ],
    },
)
