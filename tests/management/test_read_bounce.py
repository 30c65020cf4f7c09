"""Mail that comes back, as mail servers write it: it acts on the address that it is about, and on no other."""

import io
from datetime import timedelta
from email.message import EmailMessage
from types import SimpleNamespace

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.utils import timezone

from recommendations.models import Address, Message, MessageEvent, Permission, Suppression
from recommendations.push_terms import AddressState, ConsentState, MessageState
from recommendations.services.mails.letters import message_id
from recommendations.services.mails.returns import ReturnedTo, id_part, return_path
from tests.push_records import campaign, contact
from tests.store.push.test_outbox import reserve

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _domain(settings: LazySettings) -> None:
    settings.PUSH_FROM, settings.BOUNCE_DOMAIN = "hello@shop.example", "bounce.shop.example"


@pytest.fixture
def sent() -> Message:
    """A message that was taken, beside one that waits for the same address."""
    ann, made = contact("ann"), campaign()
    reserve(made, ann)
    reserve(made, ann, key="2")
    first = Message.objects.order_by("pk").first()
    assert first is not None
    first.state, first.handed_at = MessageState.TAKEN, timezone.now()
    first.save()
    return first


def report(*parts: tuple[str, str], to: str = "", kind: str = "delivery-status") -> bytes:
    """A report as servers send it."""
    head = f"From: MAILER-DAEMON@mx.example\r\nTo: {to or 'hello@shop.example'}\r\nSubject: Undelivered\r\n"
    head += f'MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type={kind}; boundary="b"\r\n\r\n'
    body = "".join(f"--b\r\nContent-Type: {name}\r\n\r\n{text}\r\n" for name, text in parts)
    return f"{head}{body}--b--\r\n".encode()


def delivery(
    message: int, *, status: str = "5.1.1", action: str = "failed", diagnostic: str = "", verp: bool = True
) -> bytes:
    fields = "Reporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; ann@example.com\r\n"
    fields += f"Action: {action}\r\nStatus: {status}\r\nDiagnostic-Code: smtp; {diagnostic}\r\n"
    own = f"Message-ID: {message_id(str(message), id_part(message))}\r\nSubject: for you\r\n"
    return report(
        ("text/plain", "Sorry."), ("message/delivery-status", fields), ("text/rfc822-headers", own),
        to=return_path(ReturnedTo(True, message)) if verp else "",
    )  # fmt: skip


def complaint(message: int, *, kind: str = "abuse") -> bytes:
    path = return_path(ReturnedTo(True, message))
    fields = f"Feedback-Type: {kind}\r\nUser-Agent: Box/1\r\nVersion: 1\r\nOriginal-Mail-From: <{path}>\r\n"
    return report(
        ("text/plain", "A complaint."), ("message/feedback-report", fields), ("message/rfc822", "Subject: x\r\n\r\nhi"),
        kind="feedback-report",
    )  # fmt: skip


def read(monkeypatch: pytest.MonkeyPatch, content: bytes, *arguments: str) -> str:
    out = io.StringIO()
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(content)))
    call_command("read_bounce", *arguments, stdout=out)
    return out.getvalue().strip()


def events() -> list[str]:
    return list(MessageEvent.objects.order_by("pk").values_list("kind", flat=True))


def untouched() -> bool:
    address = Address.objects.get()
    return (
        address.state == AddressState.ACTIVE
        and not Suppression.objects.exists()
        and not events()
        and set(Permission.objects.values_list("state", flat=True)) == {ConsentState.GIVEN}
        and Message.objects.filter(state=MessageState.DUE).count() == 1
    )


@pytest.mark.parametrize("verp", [True, False])
def test_an_address_that_does_not_exist_goes_and_nothing_more_goes_there(
    monkeypatch: pytest.MonkeyPatch, sent: Message, verp: bool
) -> None:
    content = delivery(sent.pk, verp=verp)
    assert read(monkeypatch, content) == f"hard: message {sent.pk}"
    assert read(monkeypatch, content) == f"hard: message {sent.pk}, nothing to change"
    address = Address.objects.get()
    assert (address.state, bytes(address.sealed)) == (AddressState.GONE, b"")
    assert Suppression.objects.get().reason == "hard_bounce"
    assert events() == ["bounced"]
    assert list(Message.objects.order_by("pk").values_list("state", flat=True)) == ["taken", "withdrawn"]


@pytest.mark.parametrize(
    ("status", "diagnostic", "expected"),
    [
        ("5.1.10", "", "hard"), ("5.2.1", "550 disabled", "hard"), ("5.0.0", "550 5.1.1 no such user", "hard"),
        ("5.0.0", "550 unknown user", "hard"), ("5.0.0", "550 5.7.1 spam", "soft"), ("5.0.0", "552 full", "soft"),
        ("5.2.2", "552 5.2.2 full", "soft"), ("5.7.1", "", "soft"), ("4.4.7", "", "soft"), ("5.0.0", "", "soft"),
    ],
)  # fmt: skip
def test_what_is_for_good_and_what_is_not(
    monkeypatch: pytest.MonkeyPatch, sent: Message, status: str, diagnostic: str, expected: str
) -> None:
    assert read(monkeypatch, delivery(sent.pk, status=status, diagnostic=diagnostic)).startswith(f"{expected}: ")
    assert (Address.objects.get().state == AddressState.GONE) == (expected == "hard")


def test_the_third_that_comes_back_within_a_month_is_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    ann, made = contact("ann"), campaign()
    for number in range(5):
        reserve(made, ann, key=str(number))
    keys = list(Message.objects.order_by("pk").values_list("pk", flat=True))
    now = timezone.now()
    for key, days in zip(keys, (31, 9, 6, 3, 1), strict=True):
        Message.objects.filter(pk=key).update(state=MessageState.TAKEN, handed_at=now - timedelta(days=days))
    soft = [delivery(key, status="5.2.2") for key in keys]
    for place in (0, 1, 3, 4):  # the one of six days ago arrived, and the first is too old
        read(monkeypatch, soft[place])
        read(monkeypatch, soft[place])
        assert Address.objects.get().state == AddressState.ACTIVE
    assert events() == ["soft_bounced"] * 4
    read(monkeypatch, soft[2])
    assert Address.objects.get().state == AddressState.GONE
    assert Suppression.objects.get().reason == "hard_bounce"


def test_a_complaint_ends_it_all(monkeypatch: pytest.MonkeyPatch, sent: Message) -> None:
    assert read(monkeypatch, complaint(sent.pk)) == f"complaint: message {sent.pk}"
    assert Suppression.objects.get().reason == "complaint"
    assert set(Permission.objects.values_list("state", "source")) == {(ConsentState.WITHDRAWN, "complaint")}
    assert events() == ["complained"]
    assert list(Message.objects.order_by("pk").values_list("state", flat=True)) == ["taken", "withdrawn"]


@pytest.mark.parametrize("kind", ["hard", "complaint"])
def test_a_mail_about_the_address_itself_may_come_back(
    monkeypatch: pytest.MonkeyPatch, sent: Message, kind: str
) -> None:
    content = delivery(sent.pk, verp=False).replace(id_part(sent.pk).encode(), b"") if kind == "hard" else complaint(9)
    path = return_path(ReturnedTo(False, Address.objects.get().pk))
    assert read(monkeypatch, content, "--to", path) == f"{kind}: address {Address.objects.get().pk}"
    assert Suppression.objects.get().reason == ("hard_bounce" if kind == "hard" else "complaint")


def test_what_says_nothing_changes_nothing(monkeypatch: pytest.MonkeyPatch, sent: Message) -> None:
    for content in (
        delivery(sent.pk, action="delayed", status="4.4.1"), delivery(sent.pk, action="delivered", status="2.0.0"),
        complaint(sent.pk, kind="not-spam"),
    ):  # fmt: skip
        assert read(monkeypatch, content).startswith("nothing: ")
        assert untouched()


def nested(depth: int) -> bytes:
    head = "Content-Type: multipart/report; boundary="
    inner = "".join(f'{head}"b{number}"\r\n\r\n--b{number}\r\n' for number in range(depth))
    return inner.encode()


def test_what_is_malformed_forged_or_too_large_is_refused_and_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, sent: Message, settings: LazySettings
) -> None:
    good = delivery(sent.pk)
    forged = return_path(ReturnedTo(True, sent.pk + 1)).replace(f"m{sent.pk + 1}", f"m{sent.pk}")
    plain = EmailMessage()
    plain["To"] = return_path(ReturnedTo(True, sent.pk))
    plain.set_content("I am on holiday.")
    unsigned = delivery(sent.pk, verp=False).replace(id_part(sent.pk).encode(), b"0" * 16)
    refused = {
        b"": "no report",
        plain.as_bytes(): "no report",
        b"\xff\x00" * 500: "no report",
        nested(5_000): "no report|taken apart|neither",
        good[: good.index(b"Action")]: "no Action",
        good.replace(b"Action: failed\r\n", b""): "no Action",
        complaint(sent.pk).replace(b"Feedback-Type: abuse\r\n", b""): "Feedback-Type is missing",
        report(("text/plain", "x"), to=return_path(ReturnedTo(True, sent.pk))): "neither",
        unsigned: "not by a signature",
        unsigned.replace(b"hello@shop.example", forged.encode()): "not by a signature",
        delivery(sent.pk, verp=False).replace(b"Message-ID", b"X-ID"): "names no mail",
        delivery(sent.pk + 1_000): "not known any more",
        good + b" " * 1_000_000: "larger than 1,000,000 bytes",
    }
    for content, why in refused.items():
        with pytest.raises(CommandError, match=why) as caught:
            read(monkeypatch, content)
        assert caught.value.returncode == 65
        assert "@" not in str(caught.value)
        assert "Nothing was changed." in str(caught.value)
        assert untouched()


def test_mail_servers_try_again_while_the_database_is_away(monkeypatch: pytest.MonkeyPatch, sent: Message) -> None:
    def away(*_arguments: object, **_options: object) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr("recommendations.management.commands.read_bounce.take_report", away)
    with pytest.raises(CommandError) as caught:
        read(monkeypatch, delivery(sent.pk))
    assert caught.value.returncode == 75
