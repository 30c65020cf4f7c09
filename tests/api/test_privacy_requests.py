"""Requests for privacy by the API: a server asks for an export or an erasure, and follows it to the end."""

import io
import json
import zipfile
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.conf import LazySettings
from django.http import HttpResponse, StreamingHttpResponse
from django.test import Client
from django.utils import timezone

from recommendations.channels import signing
from recommendations.models import ApiKey, AuditEntry, PrivacyRequest
from recommendations.services.privacy.holds import hold
from recommendations.services.privacy.sealed import PersonIds
from recommendations.services.privacy.work import do_request
from recommendations.store.holders import registry
from recommendations.terms import Scope
from tests.api.conftest import ApiClient, problem
from tests.privacy_holders import JoinHolder, TasteHolder, somebody

ERASE, EXPORT, BATCH = "/api/v1/users/erase/", "/api/v1/users/export/", "/api/v1/users/erase/batch/"


@pytest.fixture(autouse=True)
def _holders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "HOLDERS", (TasteHolder(), JoinHolder()))


@pytest.fixture
def server(db: None, client_with: Callable[..., ApiClient]) -> ApiClient:
    return client_with(Scope.PRIVACY_WRITE)


def taken(answer: HttpResponse) -> dict[str, Any]:
    assert answer.status_code == 202, answer.content
    return dict(json.loads(answer.content))


def code(answer: HttpResponse, status: int) -> str:
    return str(problem(answer, status)["code"])


def test_an_erasure_is_followed_to_its_receipts(server: ApiClient) -> None:
    somebody("customer of 1", "visitor of 1")
    asked = taken(server.post(ERASE, {"user_id": "customer of 1", "reference": "t-1"}))
    assert asked == {
        "request_id": asked["request_id"],
        "status_url": f"/api/v1/privacy/requests/{asked['request_id']}/",
        "state": "received",
    }
    assert code(server.get(asked["status_url"] + "receipt/"), 409) == "not_ready"
    assert code(server.get(asked["status_url"] + "download/"), 409) == "not_ready"
    do_request(UUID(asked["request_id"]))

    status = server.get(asked["status_url"]).json()
    assert (status["state"], status["reference"], status["mode"]) == ("done", "t-1", "forget")
    assert status["holders"]["customer"] == {
        "found": 3, "deleted": 1, "changed": 2, "kept": 1, "why": "entry_of_trail", "left": 0,
    }  # fmt: skip
    receipts = server.get(asked["status_url"] + "receipt/").json()["receipts"]
    published = Client().get("/.well-known/recsite-receipts.json")
    assert "max-age" in published["Cache-Control"]
    keys = {key["id"]: key["public"] for key in published.json()["keys"]}
    assert signing.flaws_of(receipts, keys, whole=True) == []
    assert receipts[0]["document"]["asked_by"] == {"key": ApiKey.objects.get().name}
    assert "customer of 1" not in json.dumps([receipts, status])
    assert not AuditEntry.objects.filter(label__contains="customer of 1").exists()


def test_a_known_and_an_unknown_id_are_answered_alike(server: ApiClient) -> None:
    somebody("u1")
    known, unknown = (taken(server.post(ERASE, {"user_id": name})) for name in ("u1", "nobody"))
    assert known.keys() == unknown.keys()
    assert known["state"] == unknown["state"]


def test_an_export_is_downloaded_for_a_week(server: ApiClient) -> None:
    somebody("u1")
    asked = taken(server.post(EXPORT, {"user_id": "u1", "lang": "zh-hans"}))
    do_request(UUID(asked["request_id"]))
    status = server.get(asked["status_url"]).json()
    assert (status["state"], status["mode"]) == ("done", None)
    answer: Any = server.get(asked["status_url"] + "download/")
    assert isinstance(answer, StreamingHttpResponse)
    assert answer["Content-Type"] == "application/octet-stream"
    content = io.BytesIO(b"".join(answer.streaming_content))  # type: ignore[arg-type]
    assert "interests/tastes.csv" in zipfile.ZipFile(content).namelist()
    PrivacyRequest.objects.update(file_until=timezone.now() - timedelta(seconds=1))
    assert code(server.get(asked["status_url"] + "download/"), 410) == "export_expired"


def test_a_reference_that_is_used_again_is_the_same_request_or_a_409(server: ApiClient) -> None:
    body = {"user_id": "u1", "reference": "t-1"}
    first = taken(server.post(ERASE, body))
    assert taken(server.post(ERASE, body)) == first
    assert code(server.post(ERASE, {**body, "user_id": "u2"}), 409) == "reference_reused"
    assert code(server.post(EXPORT, body), 409) == "reference_reused"


def test_a_batch_is_taken_whole_or_not_at_all(server: ApiClient) -> None:
    answer = taken(server.post(BATCH, {"erasures": [{"user_id": "u1"}, {"anonymous_ids": ["a1"], "mode": "block"}]}))
    assert [PrivacyRequest.objects.get(pk=each["request_id"]).mode for each in answer["requests"]] == [
        "forget", "block",
    ]  # fmt: skip
    for erasures, pointer in (
        ([{"user_id": "u1"}, {}], "/erasures/1"),
        ([{"user_id": "u1"}, {"user_id": ""}], "/erasures/1/user_id"),
        ([], "/erasures"),
        ([{"user_id": "u1"}] * 1_001, "/erasures"),
    ):
        flaws = problem(server.post(BATCH, {"erasures": erasures}), 400)["errors"]
        assert [flaw["pointer"] for flaw in flaws] == [pointer]
    wrong = server.post(BATCH, {"erasures": [{"user_id": "u1"}, {"user_id": "u2", "mode": "shred"}]})
    assert problem(wrong, 422)["errors"][0]["pointer"] == "/erasures/1/mode"
    assert PrivacyRequest.objects.count() == 2


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, ""), ({"user_id": 7}, "/user_id"), ({"user_id": "x" * 129}, "/user_id"), ({"user_id": "u", "x": 1}, "/x"),
        ({"anonymous_ids": []}, ""), ({"user_id": "u", "reference": "a\x00"}, "/reference"),
        ({"user_id": "u", "lang": "fr"}, "/lang"), ({"user_id": "u", "anonymous_ids": ["a"] * 101}, "/anonymous_ids"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_a_pointer(server: ApiClient, body: dict[str, Any], pointer: str) -> None:
    for path in (ERASE, EXPORT):
        assert [flaw["pointer"] for flaw in problem(server.post(path, body), 400)["errors"]] == [pointer]


def test_an_unknown_mode_is_a_422(server: ApiClient) -> None:
    assert code(server.post(ERASE, {"user_id": "u", "mode": "shred"}), 422) == "unknown_mode"


def test_while_a_legal_hold_lasts_the_request_is_held(server: ApiClient) -> None:
    hold(PersonIds(user_id="u1"), reason="case 12", until=None, by=None, now=timezone.now())
    asked = taken(server.post(ERASE, {"user_id": "u1"}))
    do_request(UUID(asked["request_id"]))
    assert server.get(asked["status_url"]).json()["state"] == "held"
    assert code(server.get(asked["status_url"] + "receipt/"), 423) == "held"


def test_what_is_held_is_counted_and_no_more(server: ApiClient) -> None:
    somebody("u/1", "a1")
    said = {"state": None, "at": None, "source": None}
    purposes = {name: {"allowed": name != "push", **said} for name in ("personalise", "measure", "push")}
    assert server.get("/api/v1/users/u/1/privacy/").json() == {
        "user_id": "u/1", "purposes": purposes, "holders": {"interests": 2, "customer": 1},
    }  # fmt: skip
    assert server.get("/api/v1/users/nobody/privacy/").json()["holders"] == {"interests": 0, "customer": 0}


@pytest.mark.parametrize("name", ["7092ac7e-0bef-4d65-b779-3e6565af1df7", "nonsense"])
@pytest.mark.parametrize("part", ["", "download/", "receipt/"])
def test_a_request_that_is_not_there_is_a_404(server: ApiClient, name: str, part: str) -> None:
    problem(server.get(f"/api/v1/privacy/requests/{name}/{part}"), 404)


def test_without_keys_it_says_which_settings_are_missing(server: ApiClient, settings: LazySettings) -> None:
    settings.EXPORT_KEYS, settings.RECEIPT_KEYS = [], []
    for path in (ERASE, EXPORT):
        detail = problem(server.post(path, {"user_id": "u1"}), 503)["detail"]
        assert "RECEIPT_KEYS, EXPORT_KEYS" in detail
    assert Client().get("/.well-known/recsite-receipts.json").json()["keys"] == []
