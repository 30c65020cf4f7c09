"""E-mail by a mail service before a server that speaks as one: taken, later, refused, and honest about the rest."""

import json
from collections.abc import Iterator

import pytest
from django.core.exceptions import ImproperlyConfigured

from recommendations.channels.esp import Esp
from recommendations.channels.protocol import Later, Outcome, Parcel, Refused, Taken, Unknown
from recommendations.services.mails.providers import PROVIDERS, backend_of
from tests.channels.esp_server import MailService, mail_service
from tests.post_office import free_port

MAIL = (
    b"Subject: =?utf-8?q?Caf=C3=A9?=\r\nFrom: Corner Shop <hello@shop.example>\r\nTo: ann@example.com\r\n"
    b"Message-ID: <1.abc@shop.example>\r\nDate: Tue, 01 Sep 2026 12:00:00 +0000\r\n"
    b"List-Unsubscribe: <https://shop.example/m/u/x/>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    b'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="b"\r\n\r\n'
    b"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nFor you\r\n"
    b"--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>For you</p>\r\n--b--\r\n"
)
PARCEL = Parcel(message=7, idempotency_key="message-7", address={"email": "ann@example.com"}, content=MAIL)


@pytest.fixture
def service() -> Iterator[MailService]:
    with mail_service() as own:
        yield own


def line_to(port: int) -> Esp:
    backend = backend_of("postmark", {"server_token": "secret", "api_url": f"http://127.0.0.1:{port}/"})
    backend.timeout = 1
    return Esp(backend, note=lambda parcel: {"recsite": f"m{parcel.message}"})


@pytest.fixture
def line(service: MailService) -> Iterator[Esp]:
    own = line_to(service.port)
    yield own
    own.close()


def test_what_is_taken_says_what_the_mail_said_and_is_not_followed(service: MailService, line: Esp) -> None:
    assert line.hand_over(PARCEL) == Taken("id-1")
    assert line.hand_over(PARCEL) == Taken("id-1")  # by the same line
    mail = service.got[0]
    assert (mail["Subject"], mail["From"], mail["To"], mail["key"]) == (
        "Café", "Corner Shop <hello@shop.example>", "ann@example.com", "secret",
    )  # fmt: skip
    assert (mail["TextBody"].strip(), mail["HtmlBody"].strip()) == ("For you", "<p>For you</p>")
    assert {each["Name"]: each["Value"] for each in mail["Headers"]} == {
        "List-Unsubscribe": "<https://shop.example/m/u/x/>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    assert (mail["Metadata"], mail["TrackOpens"], mail["TrackLinks"]) == ({"recsite": "m7"}, False, "None")


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, Refused("HTTP 400")),
        (413, Refused("HTTP 413")),
        (401, Later("HTTP 401", of_line=True)),
        (403, Later("HTTP 403", of_line=True)),
        (429, Later("HTTP 429", after=17, of_line=True, too_fast=True)),
        (503, Later("HTTP 503", after=17, of_line=True)),
        (500, Unknown("HTTP 500")),
        (502, Unknown("HTTP 502")),
        (504, Unknown("HTTP 504")),
    ],
)
def test_an_answer_is_understood(service: MailService, line: Esp, status: int, expected: Outcome) -> None:
    service.status, service.answer, service.retry_after = status, '{"Message": "ann@example.com is no good"}', "17"
    assert line.hand_over(PARCEL) == expected
    service.status, service.answer, service.retry_after = 200, MailService().answer, ""
    assert line.hand_over(PARCEL) == Taken("id-1")  # the line goes on


@pytest.mark.parametrize("code", [300, 406])
def test_an_address_that_the_service_will_not_have_is_refused_and_not_repeated(
    service: MailService, line: Esp, code: int
) -> None:
    text = "Error parsing 'To': Illegal email address 'ann@example.com'" if code == 300 else (
        "You tried to send to recipients that have been marked as inactive. Found inactive addresses: ann@example.com."
    )  # fmt: skip
    service.status, service.answer = 422, json.dumps({"ErrorCode": code, "Message": text})
    outcome = line.hand_over(PARCEL)
    assert isinstance(outcome, Refused)
    assert "@" not in outcome.reason


@pytest.mark.parametrize("answer", ["", "<html>", "[]", '{"MessageID": 1}'])
def test_a_yes_that_nobody_understands_is_unknown(service: MailService, line: Esp, answer: str) -> None:
    service.answer = answer
    assert isinstance(line.hand_over(PARCEL), Unknown)


@pytest.mark.parametrize("hangs_up", ["after", "never"])
def test_a_line_that_breaks_after_the_mail_leaves_it_unknown(service: MailService, line: Esp, hangs_up: str) -> None:
    service.hangs_up = hangs_up
    assert isinstance(line.hand_over(PARCEL), Unknown)
    service.hangs_up = ""
    assert line.hand_over(PARCEL) == Taken("id-1")


def test_a_service_that_is_away_got_nothing() -> None:
    outcome = line_to(free_port()).hand_over(PARCEL)
    assert isinstance(outcome, Later)
    assert outcome.of_line


def test_an_unknown_service_and_unknown_options_are_refused() -> None:
    for provider, options in (("pigeon", {}), ("postmark", {}), ("postmark", {"server_token": "x", "oops": "1"})):
        with pytest.raises(ImproperlyConfigured, match="PUSH_EMAIL_URL"):
            backend_of(provider, options)


@pytest.mark.parametrize("provider", sorted(PROVIDERS))
def test_every_service_takes_the_same_line(provider: str) -> None:
    keys = {"mailjet": ["api_key", "secret_key"], "mailtrap": ["api_token"], "postmark": ["server_token"]}
    options = dict.fromkeys(keys.get(provider, ["api_key"]), "k") | {"api_url": f"http://127.0.0.1:{free_port()}/"}
    if provider == "mailgun":
        options["sender_domain"] = "shop.example"
    assert isinstance(
        Esp(backend_of(provider, options), note=lambda _parcel: {"recsite": "m7"}).hand_over(PARCEL), Later
    )
