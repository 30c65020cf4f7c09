"""Examples of requests for privacy as they go over the wire, for ``/api/docs/``."""

from drf_spectacular.utils import OpenApiExample

from recommendations.api.examples import answer, request

_ID = "7b0c3f0e-2f6c-4c8e-9f65-0d9a6c1d2e3f"
_TAKEN = {"request_id": _ID, "status_url": f"/api/v1/privacy/requests/{_ID}/", "state": "received"}
_STATUS = {
    "request_id": _ID,
    "kind": "erase",
    "state": "waiting_for_run",
    "reference": "ticket-4711",
    "mode": "forget",
    "received_at": "2026-11-20T10:02:11Z",
    "due_at": "2026-12-20T10:02:11Z",
    "unknown_at": "2026-11-20T10:02:12Z",
    "erased_at": "2026-11-20T10:02:14Z",
    "closed_at": None,
    "holders": {
        "events": {"found": 214, "deleted": 214, "changed": 0, "kept": 0, "why": None, "left": 0},
        "learned": {"found": 12, "deleted": 12, "changed": 0, "kept": 6, "why": "sums_until_next_run", "left": 0},
    },
    "problem": None,
    "download_until": None,
    "live_log": None,
    "same_as": None,
}
_DOCUMENT = {
    "format": "recsite-receipt/1",
    "number": 12,
    "previous": "0a4be1a3a4d6a46a5c07d2dcf1a0f0f5c54bb2a1b4b4e3c7a8a5f5f0d3d1b2c4",
    "part": "erased",
    "signed": "2026-11-20T10:02:14+00:00",
    "request": _ID,
    "reference": "ticket-4711",
    "asked_by": {"key": "CRM"},
    "subject": "5f1d7a84db00d2fce00b31a7fc73224f5f1d7a84db00d2fce00b31a7fc73224f",
    "holders": {"events": {"found": 214, "deleted": 214, "changed": 0, "kept": 0, "why": ""}},
    "first_scan": {"at": "2026-11-20T10:02:14+00:00", "found": 0},
    "backups_until": "2026-12-25",
}
_SIGNATURE = "5VZDAMNgrHKQhuLMgG6CioSHfx645dl02HPgZSJJAVVfuIIVkKM7rMYeOXAc-bRr0lv18FlbviRlUUFDjnoQCw"

EXPORT = [
    request("A customer", {"user_id": "u1", "lang": "en", "reference": "ticket-4710"}),
    answer("Taken", _TAKEN, code=202),
]
ERASE = [
    request("A customer", {"user_id": "u1-erased", "anonymous_ids": ["a9"], "reference": "ticket-4711"}),
    answer("Taken", _TAKEN, code=202),
]
ERASE_MANY = [
    request("Two customers", {"erasures": [{"user_id": "u1-erased"}, {"anonymous_ids": ["a9"], "mode": "block"}]}),
    answer("Taken", {"requests": [_TAKEN]}, code=202),
]
FILE = [
    OpenApiExample("A zip", "PK…", response_only=True, status_codes=["200"], media_type="application/octet-stream"),
]
STATUS = [answer("Erased, and waits for the next run", _STATUS)]
RECEIPTS = [
    answer(
        "The first part",
        {
            "receipts": [
                {
                    "document": _DOCUMENT,
                    "key": "9c5bd1be9be2cc50",
                    "signature": _SIGNATURE,
                }
            ]
        },
    )
]
PRIVACY_LINK = [
    request("For a redirect", {"user_id": "u1", "minutes": 15, "lang": "en"}),
    answer(
        "The link",
        {
            "url": "https://recsite.example.com/m/m/Am0AAAAAAAAAAQAAAAAAAAAAD3sBAg.5VZDAMNgrHKQhuLMgG6CiQ/?language=en",
            "valid_until": "2026-11-20T10:17:00Z",
        },
    ),
]
_PURPOSES = {
    "personalise": {"allowed": False, "state": "refused", "at": "2026-11-20T10:02:11Z", "source": "server"},
    "measure": {"allowed": True, "state": None, "at": None, "source": None},
    "push": {"allowed": True, "state": "given", "at": "2026-10-02T08:00:00Z", "source": None},
}
PURPOSE = [
    request(
        "No profile, please",
        {
            "user_id": "u1",
            "purpose": "personalise",
            "state": "refused",
            "at": "2026-11-20T10:02:11Z",
            "proof": {"form": "account/privacy", "text_version": "7"},
        },
    ),
    answer("What holds now", {"user_id": "u1", "purposes": _PURPOSES}),
]
HELD = [
    answer(
        "Counts",
        {"user_id": "u1", "purposes": _PURPOSES, "holders": {"events": 214, "slates": 96, "customer": 2}},
    )
]
