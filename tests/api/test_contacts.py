"""``/api/v1/contacts/``: how customers may be reached, and what they said yes to, with every address behind stars."""

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone

from recommendations.api.customers import contact_examples as examples
from recommendations.models import Address, AuditEntry, ConsentStatement, Contact, Customer, Permission, Suppression
from recommendations.push_terms import AddressState, Channel, SuppressionReason
from recommendations.services.access import keys
from recommendations.terms import Scope, Side
from tests.api.conftest import ApiClient, problem
from tests.api.contact_calls import ANN, BATCH, CONTACT, DAY, WITHDRAWN, YES, batch, patch, put, states

ACTIVE = {
    "channel": "email", "address": "a•••@example.com", "state": "active", "silent": False, "silent_for": None,
    "confirmation_mails": 0,
}  # fmt: skip
GIVEN = {
    "channel": "email", "purpose": "for_you", "state": "given", "since": DAY, "source": "api", "held_by": None,
}  # fmt: skip


@pytest.fixture
def server(client_with: Callable[..., ApiClient]) -> ApiClient:
    return client_with(Scope.CONTACTS_READ, Scope.CONTACTS_WRITE)


# --- why nothing goes out all the same


def held(answer: Any) -> dict[str, str | None]:
    return {each["purpose"]: each["held_by"] for each in answer["permissions"]}


def test_a_yes_says_what_keeps_mail_from_going_out(server: ApiClient) -> None:
    yes = [YES, {**YES, "purpose": "news"}]
    assert held(put(server, **ANN, consents=yes)) == {"for_you": None, "news": None}
    moved = patch(server, email="lee@example.com")
    assert states(moved) == {"for_you": "given", "news": "given"}
    assert held(moved) == dict.fromkeys(["for_you", "news"], "unconfirmed")
    assert held(patch(server, email=None)) == dict.fromkeys(["for_you", "news"], "no_address")
    patch(server, **ANN)
    Customer.objects.update(personalise=False)
    objecting = server.get(CONTACT).json()
    assert (held(objecting), objecting["personalised"]) == ({"for_you": "objection", "news": None}, False)
    Contact.objects.update(paused_until=timezone.now() + timedelta(days=1))
    assert held(server.get(CONTACT).json()) == {"for_you": "objection", "news": "paused"}
    assert held(patch(server, consents=[{**WITHDRAWN, "at": None}])) == {"for_you": None, "news": "paused"}


@pytest.mark.parametrize("reason", list(SuppressionReason))
def test_a_silent_address_says_why_and_stored_says_it_too(server: ApiClient, reason: SuppressionReason) -> None:
    put(server, **ANN, consents=[YES])
    digest = bytes(Address.objects.get().digest)
    Suppression.objects.create(channel=Channel.EMAIL, digest=digest, reason=reason, at=timezone.now())
    stored = patch(server, language="zh-hans")
    assert (stored["verdict"], held(stored)) == ("stored", {"for_you": "silent"})
    assert [(each["silent"], each["silent_for"]) for each in stored["addresses"]] == [(True, reason.value)]
    [row] = batch(server, {"user_id": "u1", "language": "en"}).json()["results"]
    assert row == {"verdict": "stored", "user_id": "u1", "silent_for": reason.value}
    Suppression.objects.update(until=timezone.now())
    [row] = batch(server, {"user_id": "u1", "language": "zh-hans"}).json()["results"]
    assert row == {"verdict": "stored", "user_id": "u1"}


# --- one contact


def test_a_contact_is_stored_and_read_with_its_address_behind_stars(server: ApiClient) -> None:
    stored = put(server, **ANN, language="zh-CN", time_zone="Asia/Shanghai", consents=[YES])
    assert stored == {
        "user_id": "u1",
        "language": "zh-hans",
        "time_zone": "Asia/Shanghai",
        "addresses": [ACTIVE],
        "permissions": [GIVEN],
        "personalised": True,
        "paused_until": None,
        "most_a_week": None,
        "quiet_from": None,
        "quiet_until": None,
        "verdict": "stored",
    }
    assert server.get(CONTACT).json() == {name: value for name, value in stored.items() if name != "verdict"}
    assert put(server, **ANN, language="zh-CN", time_zone="Asia/Shanghai", consents=[YES])["verdict"] == "unchanged"


def test_what_the_customer_chose_is_read(server: ApiClient) -> None:
    put(server, **ANN)
    pause = datetime(2027, 1, 2, 3, tzinfo=UTC)
    Contact.objects.update(paused_until=pause, most_a_week=2, quiet_from=time(21), quiet_until=time(7, 30))
    Suppression.objects.create(
        channel=Channel.EMAIL, digest=Address.objects.get().digest, reason=SuppressionReason.COMPLAINT
    )
    contact = server.get(CONTACT).json()
    assert contact["addresses"][0]["silent"] is True
    assert [contact[name] for name in ("paused_until", "most_a_week", "quiet_from", "quiet_until")] == [
        "2027-01-02T03:00:00Z", 2, "21:00:00", "07:30:00",
    ]  # fmt: skip


def test_put_empties_what_it_does_not_say_and_patch_leaves_it(server: ApiClient) -> None:
    put(server, **ANN, time_zone="Europe/Paris", consents=[YES])
    assert patch(server)["verdict"] == "unchanged"
    patched = patch(server, language="zh-hans")
    assert (patched["verdict"], patched["time_zone"], len(patched["addresses"])) == ("stored", "Europe/Paris", 1)
    assert patch(server, time_zone=None)["time_zone"] is None
    whole = put(server, language="en")
    assert (whole["verdict"], whole["addresses"], states(whole)) == ("stored", [], {"for_you": "given"})


def test_an_address_that_is_gone_is_not_shown(server: ApiClient) -> None:
    put(server, **ANN)
    assert [each["address"] for each in patch(server, email="lee@example.com", confirmed=True)["addresses"]] == [
        "l•••@example.com"
    ]
    assert patch(server, email=None)["addresses"] == []
    assert Address.objects.filter(state=AddressState.GONE).count() == 2


def test_an_address_nobody_vouches_for_is_only_asked(server: ApiClient) -> None:
    asked = put(server, email="ann@example.com", consents=[YES])
    assert (asked["addresses"][0]["state"], states(asked)) == ("unconfirmed", {"for_you": "asked"})
    assert patch(server, **ANN, consents=[YES])["addresses"][0]["state"] == "active"
    assert states(server.get(CONTACT).json()) == {"for_you": "given"}


def test_an_older_statement_changes_nothing(server: ApiClient) -> None:
    put(server, **ANN, consents=[WITHDRAWN])
    before = server.get(CONTACT).json()
    older = patch(server, consents=[YES | {"at": "2026-07-31T10:00:00Z"}])
    assert older == before | {"verdict": "unchanged"}
    assert ConsentStatement.objects.count() == 2  # it was said, and stands in the ledger


@pytest.mark.parametrize("first", [YES, WITHDRAWN])
def test_at_the_same_instant_a_withdrawal_wins(first: dict[str, Any], server: ApiClient) -> None:
    second = WITHDRAWN if first is YES else YES
    put(server, **ANN, consents=[first])
    assert patch(server, consents=[second])["verdict"] == ("stored" if first is YES else "unchanged")
    assert states(server.get(CONTACT).json()) == {"for_you": "withdrawn"}


def test_a_statement_without_a_time_is_of_now(server: ApiClient) -> None:
    before = timezone.now()
    [no] = put(server, consents=[{"purpose": "news", "state": "refused"}])["permissions"]
    assert before <= datetime.fromisoformat(no["since"]) <= timezone.now()


def test_any_id_is_a_contact_of_its_own(server: ApiClient) -> None:
    for path, user_id in (("/api/v1/contacts/a/b/", "a/b"), ("/api/v1/contacts/%E9%A1%BE%0A/", "顾\n")):
        assert put(server, path, language="en")["user_id"] == user_id
        assert server.get(path).json()["user_id"] == user_id
    assert Contact.objects.count() == 2
    assert put(server, language="en")["user_id"] == "u1"


def test_the_examples_are_true(server: ApiClient) -> None:
    assert server.post(BATCH, examples.CONTACTS.value).json() == examples.VERDICTS.value
    server.send("DELETE", CONTACT)
    Suppression.objects.all().delete()
    put(server)
    Contact.objects.update(most_a_week=3, quiet_from=time(21), quiet_until=time(8))
    assert put(server, **examples.WHOLE.value) == examples.STORED.value
    assert server.get(CONTACT).json() == examples.CONTACT.value
    assert patch(server, **examples.WITHDRAWAL.value) == examples.WITHDRAWN.value
    receipt = server.send("DELETE", CONTACT).json()
    assert receipt == examples.RECEIPT.value | {"at": receipt["at"]}


# --- what is refused

FUTURE = str(timezone.now() + timedelta(hours=1))
BROKEN: list[tuple[dict[str, Any], str]] = [
    ({"email": "ann"}, "/email"), ({"email": "ann@example.com\r\nBcc: all@example.com"}, "/email"),
    ({"email": "a\x00@example.com"}, "/email"), ({"email": "a" * 321}, "/email"),
    ({"email": ["a@example.com"]}, "/email"),
    ({"language": "tlh"}, "/language"), ({"language": "x" * 36}, "/language"), ({"language": 7}, "/language"),
    ({"time_zone": "Mars/Olympus"}, "/time_zone"), ({"time_zone": "../../etc/passwd"}, "/time_zone"),
    ({"confirmed": "yes"}, "/confirmed"), ({"confirmed": None}, "/confirmed"), ({"phone": "1"}, "/phone"),
    ({"consents": None}, "/consents"), ({"consents": [YES] * 21}, "/consents"), ({"consents": [{}]}, "/consents/0"),
    ({"consents": [YES | {"purpose": "spam"}]}, "/consents/0/purpose"),
    ({"consents": [YES | {"channel": "pigeon"}]}, "/consents/0/channel"),
    ({"consents": [YES | {"state": "asked"}]}, "/consents/0/state"),
    ({"consents": [YES | {"state": "maybe"}]}, "/consents/0/state"),
    ({"consents": [YES, YES | {"at": None}]}, "/consents/1/at"),
    ({"consents": [YES | {"at": FUTURE}]}, "/consents/0/at"),
    ({"consents": [YES | {"at": "2026-08-01T10:00:00"}]}, "/consents/0/at"),
    ({"consents": [YES | {"at": "0001-01-01T00:00:00+14:00"}]}, "/consents/0/at"),
    ({"consents": [YES | {"proof": {}}]}, "/consents/0/proof"),
    ({"consents": [YES | {"proof": {"form": " "}}]}, "/consents/0/proof"),
    ({"consents": [YES | {"proof": {"form": "x" * 2_000}}]}, "/consents/0/proof"),
    ({"consents": [YES | {"proof": {"form": "\x00"}}]}, "/consents/0/proof"),
    ({"consents": [YES | {"proof": {"form": 1}}]}, "/consents/0/proof"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "pointer"), BROKEN)
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_bad_body_names_the_place_and_stores_nothing(
    method: str, body: dict[str, Any], pointer: str, server: ApiClient
) -> None:
    [flaw] = problem(server.send(method, CONTACT, body), 400)["errors"]
    assert flaw["pointer"].startswith(pointer)
    assert flaw["message"]
    assert not Customer.objects.exists()
    assert not ConsentStatement.objects.exists()


def test_anothers_address_needs_your_word(server: ApiClient) -> None:
    put(server, **ANN)
    other = "/api/v1/contacts/u2/"
    [flaw] = problem(server.send("PUT", other, {"email": "ANN@example.com"}), 400)["errors"]
    assert flaw["pointer"] == "/email"
    assert put(server, other, **ANN)["addresses"][0]["state"] == "active"
    assert server.get(CONTACT).json()["addresses"] == []


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_an_id_that_is_too_long(method: str, server: ApiClient) -> None:
    [flaw] = problem(server.send(method, f"/api/v1/contacts/{'u' * 129}/", {}), 400)["errors"]
    assert flaw["pointer"] == "user_id"


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b"null", b'{"email": "\xff"}', b'{"email": "\\ud800"}', b"[" * 100_000]
)
def test_a_body_that_is_no_contact(body: bytes, server: ApiClient) -> None:
    assert problem(server.send("PUT", CONTACT, body), 400)["errors"]


# --- reading and erasing


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_customer_without_a_contact_is_a_404(method: str, server: ApiClient) -> None:
    problem(server.send(method, CONTACT), 404)
    assert not Customer.objects.exists()


def test_an_erasure_leaves_a_receipt_and_silence(server: ApiClient) -> None:
    put(server, **ANN, consents=[YES, {"purpose": "news", "state": "refused"}])
    receipt = server.send("DELETE", CONTACT).json()
    at = datetime.fromisoformat(receipt.pop("at"))
    assert receipt == {"addresses": 1, "statements": 2}
    assert timezone.now() - timedelta(minutes=1) < at <= timezone.now()
    assert not any(model.objects.exists() for model in (Contact, Address, ConsentStatement, Permission))
    problem(server.get(CONTACT), 404)
    problem(server.send("DELETE", CONTACT), 404)
    [entry] = AuditEntry.objects.filter(object_type="contact")
    assert (entry.verb, entry.object_type, entry.after) == ("erase", "contact", {"addresses": 1, "statements": 2})
    assert entry.api_key is not None
    assert put(server, **ANN)["addresses"][0]["silent"] is True  # a later import writes to nobody


# --- who may, and what nobody is told


@pytest.mark.parametrize("scope", list(Scope))
@pytest.mark.parametrize(
    ("method", "path", "needed"),
    [
        ("GET", CONTACT, Scope.CONTACTS_READ),
        ("PUT", CONTACT, Scope.CONTACTS_WRITE), ("PATCH", CONTACT, Scope.CONTACTS_WRITE),
        ("DELETE", CONTACT, Scope.CONTACTS_WRITE), ("POST", BATCH, Scope.CONTACTS_WRITE),
    ],
)  # fmt: skip
def test_scopes_and_routes(
    method: str, path: str, needed: Scope, scope: Scope, client_with: Callable[..., ApiClient]
) -> None:
    put(client_with(Scope.CONTACTS_WRITE), **ANN)
    body = {"contacts": [{"user_id": "u2", "language": "en"}]} if path == BATCH else {}
    answer = client_with(scope).send(method, path, body)
    assert answer.status_code == (200 if scope is needed else 403)
    if scope is not needed:
        assert needed in problem(answer, 403)["detail"]
        assert Contact.objects.get().addresses.get().state == AddressState.ACTIVE


@pytest.mark.parametrize("scope", [Scope.CONTACTS_READ, Scope.CONTACTS_WRITE])
@pytest.mark.parametrize("options", [{"side": Side.PAGE}, {"origins": ["https://shop.example"]}])
def test_no_key_in_a_page_has_the_scopes(scope: Scope, options: dict[str, Any], db: None) -> None:
    with pytest.raises(keys.ReadablePageKeyError):
        keys.create_key(name="Page", scopes=[Scope.EVENTS_WRITE, scope], by=None, **options)


def test_no_answer_error_or_log_has_an_address(server: ApiClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    own, others = {"email": "ann.private@example.com", "confirmed": True}, {"email": "ann.private@example.com"}
    bad = [
        own | {"time_zone": "Mars"}, own | {"consents": [YES | {"proof": {}}]}, own | {"confirmed": 1},
        {"email": "ann.private@example.com\nann.private"}, {"email": "ann.private@@example.com"},
        {"email": "Ann <ann.private@example.com>"}, {"email": ["ann.private@example.com"]},
        {"email": "ann.private" * 40},
    ]  # fmt: skip
    answers = [
        server.send("PUT", CONTACT, own), server.get(CONTACT), server.send("PUT", "/api/v1/contacts/u2/", others),
        *(server.send(method, CONTACT, body) for body in bad for method in ("PUT", "PATCH")),
        batch(server, *({"user_id": f"b{number}", **body} for number, body in enumerate([own, others, *bad]))),
        batch(server, *({"user_id": f"b{number}", **body} for number, body in enumerate(bad))),
        server.send("DELETE", "/api/v1/contacts/b0/"),
    ]  # fmt: skip
    assert {answer.status_code for answer in answers} == {200, 400}
    assert not [answer.content for answer in answers if b"ann.private" in answer.content]
    assert caplog.records
    assert not [record for record in caplog.records if "ann.private" in json.dumps(vars(record), default=str)]


# --- without keys


@pytest.mark.parametrize("missing", ["CONTACT_KEYS", "CONTACT_HASH_KEY"])
def test_without_keys_a_503_names_the_settings_and_the_command(
    missing: str, server: ApiClient, settings: LazySettings
) -> None:
    value = getattr(settings, missing)
    setattr(settings, missing, type(value)())
    for answer in (server.send("PUT", CONTACT, ANN), batch(server, {"user_id": "u1", **ANN})):
        detail = problem(answer, 503)["detail"]
        assert all(name in detail for name in ("manage.py push_keys", "CONTACT_KEYS", "CONTACT_HASH_KEY", "LINK_KEYS"))
        assert int(answer["Retry-After"]) > 1
    assert not Contact.objects.exists()
    setattr(settings, missing, value)
    assert put(server, **ANN)["verdict"] == "stored"  # the customer was not half there
    setattr(settings, missing, type(value)())
    if missing == "CONTACT_KEYS":
        problem(server.get(CONTACT), 503)
    assert server.send("DELETE", CONTACT).json()["addresses"] == 1  # an erasure needs no key


def test_an_address_that_another_key_sealed_is_a_503(server: ApiClient, settings: LazySettings) -> None:
    put(server, **ANN)
    settings.CONTACT_KEYS = ["another-key-of-at-least-32-characters"]
    assert "CONTACT_KEYS" in problem(server.get(CONTACT), 503)["detail"]
