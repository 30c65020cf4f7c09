"""What every channel keeps, whatever its provider does: an honest outcome, in time, in little memory, and no name."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from recommendations.channels.outbound import HttpClient
from recommendations.channels.protocol import Gone, Later, Line, Outcome, Parcel, Refused, Taken, Unknown
from recommendations.channels.sealing import base64url
from recommendations.channels.smtp import Smtp, SmtpServer
from recommendations.channels.web_push import PushSender, WebPush
from recommendations.channels.webhook import Webhook
from tests.channels.test_endless_answers import flat
from tests.channels.web_server import web_server
from tests.post_office import Office, post_office

CHANNELS = ["email", "web_push", "webhook"]
TIMEOUT = 1.0  # seconds
MAIL = b"Subject: for you\r\nMessage-ID: <m1@shop.example>\r\n\r\nhello\r\n"
ANSWERS: dict[str, dict[str, Any]] = {
    "email": {"taken": "250 OK", "later": "451 4.3.0 later", "refused": "554 5.7.1 spam", "gone": "550 5.1.1 nobody"},
    "web_push": {"taken": 201, "later": 503, "refused": 413, "gone": 410},
    "webhook": {"taken": 204, "later": 503, "refused": 422, "gone": 410},
}
BROWSER, AUTH = ec.generate_private_key(ec.SECP256R1()), os.urandom(16)
POINT = BROWSER.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


@dataclass(kw_only=True)
class Provider:
    """A channel's line, a parcel for it, and the server behind."""

    channel: str
    server: Any
    line: Line
    parcel: Parcel

    def answer(self, what: str) -> None:
        own = ANSWERS[self.channel][what]
        if isinstance(self.server, Office):
            self.server.at_rcpt, self.server.at_data = (own, "250 OK") if what == "gone" else ("", own)
        else:
            self.server.status = own

    def conduct(self, what: str) -> None:
        if isinstance(self.server, Office):
            self.server.hangs_up = {"cut_before": "before", "cut_after": "after", "silent": "never"}.get(what, "")
        else:
            self.server.conduct = what

    @property
    def after_the_body(self) -> type[Outcome]:
        return Later if self.line.repeats_safely else Unknown


@contextmanager
def mail_provider() -> Iterator[Provider]:
    with post_office() as office:
        line = Smtp(
            SmtpServer(host="127.0.0.1", port=office.port, timeout=TIMEOUT), sender=lambda _parcel: "b@x.example"
        )
        parcel = Parcel(message=1, idempotency_key="message-1", address={"email": "ann@example.com"}, content=MAIL)
        yield Provider(channel="email", server=office, line=line, parcel=parcel)
        line.close()


@contextmanager
def push_provider() -> Iterator[Provider]:
    with web_server(status=201) as server:
        sender = PushSender(
            key=ec.generate_private_key(ec.SECP256R1()), subject="mailto:s@x.example", services=[server.origin]
        )
        line = WebPush(sender, client=HttpClient(trusted=[server.origin], timeout=TIMEOUT))
        address = {"endpoint": f"{server.origin}/ann", "p256dh": base64url(POINT), "auth": base64url(AUTH)}
        parcel = Parcel(message=1, idempotency_key="message-1", address=address, content=b'{"title":"hello"}')
        yield Provider(channel="web_push", server=server, line=line, parcel=parcel)
        line.close()


@contextmanager
def hook_provider() -> Iterator[Provider]:
    with web_server(status=204, body=b"") as server:
        line = Webhook(client=HttpClient(trusted=[server.origin], timeout=TIMEOUT))
        address = {"url": f"{server.origin}/ann", "secrets": "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
        parcel = Parcel(message=1, idempotency_key="message-1", address=address, content=b'{"hello":1}')
        yield Provider(channel="webhook", server=server, line=line, parcel=parcel)
        line.close()


@pytest.fixture(params=CHANNELS)
def provider(request: pytest.FixtureRequest) -> Iterator[Provider]:
    with {"email": mail_provider, "web_push": push_provider, "webhook": hook_provider}[request.param]() as own:
        yield own


@pytest.mark.parametrize(("what", "kind"), [("taken", Taken), ("later", Later), ("refused", Refused), ("gone", Gone)])
def test_what_a_provider_says_is_understood_and_the_line_goes_on(
    provider: Provider, what: str, kind: type[Outcome]
) -> None:
    provider.answer(what)
    outcome = provider.line.hand_over(provider.parcel)
    assert isinstance(outcome, kind)
    assert "ann" not in f"{outcome}{provider.parcel}"
    provider.answer("taken")
    assert isinstance(provider.line.hand_over(provider.parcel), Taken)


@pytest.mark.parametrize("conduct", ["cut_before", "cut_after", "silent"])
def test_a_line_that_breaks_is_later_where_nothing_arrived_or_a_repetition_harms_nobody(
    provider: Provider, conduct: str
) -> None:
    provider.conduct(conduct)
    began = time.monotonic()
    outcome = provider.line.hand_over(provider.parcel)
    assert isinstance(outcome, Later if conduct == "cut_before" else provider.after_the_body)
    assert time.monotonic() - began < 4 * TIMEOUT
    assert "ann" not in str(outcome)
    provider.conduct("")
    assert isinstance(provider.line.hand_over(provider.parcel), Taken)


def test_a_provider_that_is_not_there_is_later(provider: Provider) -> None:
    port = provider.server.port
    provider.line.close()
    gone = {"email": mail_provider, "web_push": push_provider, "webhook": hook_provider}[provider.channel]
    with gone() as other:
        pass
    assert port != other.server.port
    assert isinstance(other.line.hand_over(other.parcel), Later)


@pytest.mark.parametrize("conduct", ["drips", "large"])
@pytest.mark.parametrize("channel", ["web_push", "webhook"])
def test_an_answer_without_an_end_is_left_and_its_status_counts(channel: str, conduct: str) -> None:
    """The mail server's are in ``tests/channels/test_endless_answers.py``."""
    with {"web_push": push_provider, "webhook": hook_provider}[channel]() as own:
        own.server.status = 200
        own.conduct(conduct)
        began = time.monotonic()
        with flat():
            outcome = own.line.hand_over(own.parcel)
        assert outcome == Taken()
        assert time.monotonic() - began < 3 * TIMEOUT
        own.server.status = 503
        assert isinstance(own.line.hand_over(own.parcel), Later)
