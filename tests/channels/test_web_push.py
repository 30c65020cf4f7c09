"""What a push service gets, and what its answers mean: sealed, signed, no longer than it is wanted, to known hosts."""

import os
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02

from recommendations.channels.outbound import ForbiddenAddressError
from recommendations.channels.protocol import Gone, Later, Outcome, Parcel, Refused, Taken
from recommendations.channels.sealing import LONGEST, base64url, vapid_key
from recommendations.channels.web_push import PushSender, WebPush, push_service_of
from tests.channels.web_server import WebServer, web_server

KEY = vapid_key("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")
BROWSER, AUTH = ec.generate_private_key(ec.SECP256R1()), os.urandom(16)
POINT = BROWSER.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
PARCEL = Parcel(
    message=1, idempotency_key="message-1", content=b'{"title":"hello"}', topic="t" * 32,
    address={"endpoint": "https://push.example/ann", "p256dh": base64url(POINT), "auth": base64url(AUTH)},
)  # fmt: skip


@pytest.fixture
def service() -> Iterator[WebServer]:
    with web_server(status=201) as own:
        yield own


def handed_over(service: WebServer, parcel: Parcel = PARCEL, **changed: str) -> Outcome:
    address = {**parcel.address, "endpoint": f"{service.origin}/ann", **changed}
    sender = PushSender(key=KEY, subject="mailto:shop@example.com", services=[service.origin])
    with closing(WebPush(sender)) as line:
        return line.hand_over(replace(parcel, address=address))


def test_the_browser_opens_what_the_service_cannot_read(service: WebServer) -> None:
    assert handed_over(service) == Taken()
    [post] = service.posts
    assert http_ece.decrypt(post.body, private_key=BROWSER, auth_secret=AUTH, version="aes128gcm") == PARCEL.content
    assert post.headers["content-encoding"] == "aes128gcm"
    assert (post.headers["urgency"], post.headers["topic"]) == ("low", "t" * 32)
    assert Vapid02.verify(post.headers["authorization"])
    assert post.path == "/ann"


@pytest.mark.parametrize(("left", "low", "high"), [(7200, 7195, 7200), (-5, 0, 0), (10**8, 2_419_200, 2_419_200)])
def test_the_service_keeps_it_no_longer_than_it_is_wanted(service: WebServer, left: int, low: int, high: int) -> None:
    wanted = datetime.now(UTC) + timedelta(seconds=left)
    assert handed_over(service, replace(PARCEL, expires_at=wanted)) == Taken()
    assert low <= int(service.posts[0].headers["ttl"]) <= high


@pytest.mark.parametrize(("status", "headers", "expected"), [
    (201, {}, Taken()),
    (202, {}, Taken()),
    (404, {}, Gone("HTTP 404")),
    (410, {}, Gone("HTTP 410")),
    (400, {}, Refused("HTTP 400")),
    (403, {}, Refused("HTTP 403")),  # our key is none that it subscribed under; it may be there for all that
    (413, {}, Refused("HTTP 413")),
    (307, {"Location": "http://169.254.169.254/"}, Refused("HTTP 307")),
    (429, {"Retry-After": "120"}, Later("HTTP 429", after=120.0, too_fast=True)),
    (429, {"Retry-After": "Sun, 29 Nov 2026 00:00:00 GMT"}, Later("HTTP 429", too_fast=True)),
    (429, {"Retry-After": "9999999"}, Later("HTTP 429", after=86_400.0, too_fast=True)),
    (500, {}, Later("HTTP 500", of_line=True)),
    (503, {"Retry-After": "5"}, Later("HTTP 503", after=5.0, of_line=True)),
])  # fmt: skip
def test_each_answer_has_its_meaning(
    service: WebServer, status: int, headers: dict[str, str], expected: Outcome
) -> None:
    service.status, service.headers = status, headers
    assert handed_over(service) == expected


@pytest.mark.parametrize("changed", [
    {"p256dh": "x"}, {"p256dh": base64url(b"\x04" + b"x" * 64)}, {"auth": base64url(b"short")}, {"auth": "ä"},
    {"endpoint": "https://push.example/ann"}, {"endpoint": "http://127.0.0.1:1/ann"}, {"endpoint": ""},
])  # fmt: skip
def test_a_subscription_that_is_none_is_refused_before_anything_is_said(
    service: WebServer, changed: dict[str, str]
) -> None:
    assert isinstance(handed_over(service, **changed), Refused)
    assert service.connections == 0


def test_a_payload_that_no_service_takes_is_refused(service: WebServer) -> None:
    assert isinstance(handed_over(service, replace(PARCEL, content=b"x" * (LONGEST + 1))), Refused)
    assert handed_over(service, replace(PARCEL, content=b"x" * LONGEST)) == Taken()


@pytest.mark.parametrize(("endpoint", "more", "known"), [
    ("https://fcm.googleapis.com/fcm/send/x", [], True),
    ("https://updates.push.services.mozilla.com/wpush/v2/x", [], True),
    ("https://wns2-am3p.notify.windows.com/w/?token=x", [], True),
    ("https://web.push.apple.com/x", [], True),
    ("https://notify.windows.com/x", [], False),
    ("https://fcm.googleapis.com.evil.example/x", [], False),
    ("https://evilfcm.googleapis.com/x", [], False),
    ("https://evil.example/.notify.windows.com", [], False),
    ("https://fcm.googleapis.com@evil.example/x", [], False),
    ("http://fcm.googleapis.com/x", [], False),
    ("https://fcm.googleapis.com:22/x", [], False),
    ("https://push.example/x", ["push.example"], True),
    ("http://push.example/x", ["push.example"], False),
    ("http://127.0.0.1:8025/x", ["http://127.0.0.1:8025"], True),
    ("http://127.0.0.1:8026/x", ["http://127.0.0.1:8025"], False),
    ("https://127.0.0.1/x", [], False),
])  # fmt: skip
def test_only_known_push_services_are_spoken_to(endpoint: str, more: list[str], known: bool) -> None:
    if known:
        assert endpoint.startswith(push_service_of(endpoint, more=more).origin)
    else:
        with pytest.raises(ForbiddenAddressError):
            push_service_of(endpoint, more=more)


def test_no_key_and_no_subscription_is_in_a_log() -> None:
    assert "example" not in repr(PARCEL)
    assert "private" not in repr(PushSender(key=KEY, subject="mailto:x@y.example")).lower()


def test_many_notifications_take_one_connection(service: WebServer) -> None:
    sender = PushSender(key=KEY, subject="mailto:shop@example.com", services=[service.origin])
    address = {**PARCEL.address, "endpoint": f"{service.origin}/ann"}
    began = time.process_time()
    with closing(WebPush(sender)) as line:
        assert all(line.hand_over(replace(PARCEL, address=address)) == Taken() for _ in range(50))
    assert (service.connections, len(service.posts)) == (1, 50)
    assert time.process_time() - began < 5
