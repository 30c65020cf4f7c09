"""``/api/v1/hooks/mail/{provider}/``: events of a mail service, proved by its secret, each done once."""

import base64
import hashlib
import hmac
from typing import Any

import pytest
from django.conf import LazySettings
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from recommendations.models import Address, Message, MessageEvent, Permission, Suppression
from recommendations.push_terms import AddressState, MessageState
from recommendations.services.mails.providers import PROVIDERS
from tests.push_records import campaign, contact
from tests.store.push.test_outbox import reserve

pytestmark = pytest.mark.django_db

SECRET = "hook:secret-word"


@pytest.fixture(autouse=True)
def _postmark(settings: LazySettings) -> None:
    settings.PUSH_MAIL_SERVER = {"provider": "postmark", "options": {"server_token": "x"}}
    settings.PUSH_HOOK_SECRET = SECRET


@pytest.fixture
def message() -> Message:
    """A message that was taken."""
    reserve(campaign(), contact("u1"))
    Message.objects.update(state=MessageState.TAKEN, handed_at=timezone.now())
    return Message.objects.get()


def call(event: object, provider: str = "postmark", *, secret: str = SECRET) -> HttpResponse:
    basic = base64.b64encode(secret.encode()).decode()
    return Client(enforce_csrf_checks=True).post(
        f"/api/v1/hooks/mail/{provider}/", event, content_type="application/json",
        headers={"Authorization": f"Basic {basic}"},
    )  # fmt: skip


def told(kind: str, note: str, **fields: Any) -> dict[str, Any]:
    return {
        "RecordType": kind, "ID": 4711, "MessageID": "id-1", "Email": "u1@example.com", "Metadata": {"recsite": note},
    } | fields  # fmt: skip


HARD = {"Type": "HardBounce", "BouncedAt": "2026-11-05T16:33:54Z"}


def events() -> list[str]:
    return list(MessageEvent.objects.order_by("pk").values_list("kind", flat=True))


def test_a_delivery_is_noted_once_and_ends_the_doubt(message: Message) -> None:
    Message.objects.update(state=MessageState.UNKNOWN)
    for _time in range(2):
        assert call(told("Delivery", f"m{message.pk}", DeliveredAt="2026-11-05T16:33:54Z")).status_code == 204
    assert events() == ["delivered"]
    assert Message.objects.get().state == MessageState.TAKEN


def test_a_hard_bounce_lets_the_address_go(message: Message) -> None:
    for _time in range(2):
        assert call(told("Bounce", f"m{message.pk}", **HARD)).status_code == 204
    assert events() == ["bounced"]
    assert Address.objects.get().state == AddressState.GONE
    assert Suppression.objects.get().reason == "hard_bounce"


def test_a_soft_bounce_is_noted_alone(message: Message) -> None:
    call(told("Bounce", f"m{message.pk}", Type="SoftBounce"))
    assert events() == ["soft_bounced"]
    assert Address.objects.get().state == AddressState.ACTIVE


def test_a_complaint_silences_and_withdraws(message: Message) -> None:
    for _time in range(2):
        call(told("SpamComplaint", f"m{message.pk}", Type="SpamComplaint"))
    assert events() == ["complained"]
    assert Suppression.objects.get().reason == "complaint"
    assert set(Permission.objects.values_list("state", flat=True)) == {"withdrawn"}


def test_the_services_own_unsubscribing_is_a_no(message: Message) -> None:
    for _time in range(2):
        call(told("SubscriptionChange", f"m{message.pk}", SuppressSending=True, SuppressionReason="ManualSuppression"))
    assert events() == ["unsubscribed"]
    assert Permission.objects.get(purpose="for_you").state == "withdrawn"
    assert Permission.objects.filter(state="given").count() == 2


def test_a_mail_about_an_address_counts_for_the_address(message: Message) -> None:
    address = Address.objects.get()
    call(told("Bounce", f"a{address.pk}", **HARD))
    assert (events(), Address.objects.get().state) == ([], AddressState.GONE)


@pytest.mark.parametrize("note", ["", "m0", "a0", "m99999999", "x1", "m1;drop", "m" + "9" * 30, None, ["m1"]])
def test_mail_of_others_is_none_of_our_business(message: Message, note: Any) -> None:
    for kind in ("Bounce", "SpamComplaint", "Delivery", "Open"):
        assert call(told(kind, "", **HARD, Metadata={"recsite": note})).status_code == 204
    assert call(told("Bounce", "", **HARD, Metadata={})).status_code == 204
    assert (events(), Address.objects.get().state, Suppression.objects.count()) == ([], AddressState.ACTIVE, 0)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff", b"1"])
def test_what_is_no_event_is_refused(message: Message, body: bytes) -> None:
    assert call(body).status_code == 400


def test_a_body_that_is_too_large_is_not_read(message: Message, settings: LazySettings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 500
    assert call(told("Bounce", f"m{message.pk}", **HARD, Details="x" * 1_000)).status_code == 413


def test_without_the_secret_nothing_is_taken(message: Message) -> None:
    event = told("Bounce", f"m{message.pk}", **HARD)
    for secret in ("", "hook", "hook:wrong", "wrong:secret-word"):
        assert call(event, secret=secret).status_code == 403
    assert Client().post("/api/v1/hooks/mail/postmark/", event, content_type="application/json").status_code == 403
    assert Client().get("/api/v1/hooks/mail/postmark/").status_code == 405
    assert Client().head("/api/v1/hooks/mail/postmark/").status_code == 200
    assert not events()


def test_without_a_secret_or_a_service_the_address_is_not_there(message: Message, settings: LazySettings) -> None:
    event = told("Bounce", f"m{message.pk}", **HARD)
    assert call(event, "mailgun").status_code == 404
    assert call(event, "pigeon").status_code == 404
    settings.PUSH_HOOK_SECRET = ""
    assert call(event).status_code == 404
    settings.PUSH_HOOK_SECRET, settings.PUSH_MAIL_SERVER = SECRET, {"host": "localhost"}
    assert call(event).status_code == 404
    assert not events()


@pytest.mark.parametrize("provider", sorted(PROVIDERS))
def test_every_service_is_asked_for_its_proof(provider: str, settings: LazySettings) -> None:
    settings.PUSH_MAIL_SERVER = {"provider": provider, "options": {}}
    for body in (b"{}", b"[]", b"", b"signature=x&timestamp=1&token=2", b'{"signature": {}}', b"\xff\x00"):
        assert call(body, provider, secret="hook:wrong").status_code == 403
        form = Client().post(f"/api/v1/hooks/mail/{provider}/", {"signature": "x", "mandrill_events": "[]"})
        assert form.status_code == 403


def test_mailgun_signs(message: Message, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PUSH_MAIL_SERVER, settings.PUSH_HOOK_SECRET = {"provider": "mailgun", "options": {}}, "signing-key"
    signed = hmac.new(b"signing-key", b"1600000000token", hashlib.sha256).hexdigest()
    event = {
        "signature": {"timestamp": "1600000000", "token": "token", "signature": signed},
        "event-data": {
            "id": "e1", "event": "failed", "severity": "permanent", "reason": "bounce", "timestamp": 1600000000.1,
            "recipient": "u1@example.com", "message": {"headers": {"message-id": "id-1"}},
            "delivery-status": {"code": 550, "description": "no such mailbox"},
            "user-variables": {"recsite": f"m{message.pk}"},
        },
    }  # fmt: skip
    assert call(event, "mailgun").status_code == 204
    assert (events(), Address.objects.get().state) == (["bounced"], AddressState.GONE)
    event["signature"]["signature"] = signed[::-1]
    assert call(event, "mailgun").status_code == 403
