"""Calls of ``/api/v1/contacts/`` as tests make them."""

from typing import Any

from django.http import HttpResponse

from tests.api.conftest import ApiClient

CONTACT, BATCH = "/api/v1/contacts/u1/", "/api/v1/contacts/batch/"
DAY = "2026-08-01T10:00:00Z"
PROOF = {"form": "checkout", "text_version": "3"}
YES = {"purpose": "for_you", "state": "given", "at": DAY, "proof": PROOF}
WITHDRAWN = {"purpose": "for_you", "state": "withdrawn", "at": DAY}
ANN = {"email": "ann@example.com", "confirmed": True}


def put(server: ApiClient, path: str = CONTACT, **body: Any) -> Any:
    answer = server.send("PUT", path, body)
    assert answer.status_code == 200, answer.content
    return answer.json()


def patch(server: ApiClient, **body: Any) -> Any:
    answer = server.send("PATCH", CONTACT, body)
    assert answer.status_code == 200, answer.content
    return answer.json()


def states(answer: Any) -> dict[str, str]:
    return {each["purpose"]: each["state"] for each in answer["permissions"]}


def batch(server: ApiClient, *rows: Any) -> HttpResponse:
    return server.post(BATCH, {"contacts": list(rows)})
