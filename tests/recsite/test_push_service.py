"""The demo's push service and receiver of webhooks, spoken to by our own channels: who is refused, and what is kept."""

import base64
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from standardwebhooks import Webhook

from recommendations.channels.protocol import Gone, Outcome, Parcel, Refused, Taken
from recommendations.channels.sealing import application_server_key, authorization, vapid_key
from recommendations.channels.web_push import PushSender, WebPush
from recsite.post.web import PostServer
from tests.push_browsers import VAPID_KEY, TestBrowser

KEY, OTHER = vapid_key(VAPID_KEY), vapid_key(base64.urlsafe_b64encode(bytes(31) + b"\x08").decode().rstrip("="))
SECRET = "whsec_" + base64.b64encode(b"a secret that two of us know: ok").decode()
BODY = b'{"type":"recommendations.push","data":{"user_id":"u1"}}'


@pytest.fixture
def office(tmp_path: Path) -> Iterator[PostServer]:
    server = PostServer(tmp_path, port=0)
    server.begin()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def line(office: PostServer) -> Iterator[WebPush]:
    own = WebPush(PushSender(key=KEY, subject="mailto:a@shop.example", services=[office.pushes.origin]))
    yield own
    own.close()


def registered(office: PostServer, key: str = application_server_key(KEY)) -> str:
    endpoint = json.loads(said(f"{office.pushes.origin}/subscriptions", data=key.encode())[1])["endpoint"]
    assert endpoint.startswith(f"{office.pushes.origin}/push/")
    return str(endpoint)


def said(url: str, *, method: str | None = None, data: bytes | None = None, **headers: str) -> tuple[int, bytes]:
    request = Request(url, data=data, method=method, headers={k.replace("_", "-"): v for k, v in headers.items()})
    try:
        with urlopen(request, timeout=5) as answer:
            return answer.status, answer.read()
    except HTTPError as error:
        with error:
            return error.code, error.read()


def post(office: PostServer, endpoint: str, body: bytes = b"x", **headers: str) -> int:
    signed = authorization(KEY, origin=office.pushes.origin, subject="mailto:a@shop.example", now=time.time())
    usual = {"Authorization": signed, "TTL": "60", "Content_Encoding": "aes128gcm"}
    return said(endpoint, data=body, **usual | headers)[0]


def hand_over(line: WebPush, endpoint: str, browser: TestBrowser, content: bytes, **fields: str) -> Outcome:
    parcel = Parcel(
        message=1, idempotency_key="k", address={"endpoint": endpoint, **browser.keys}, content=content,
        expires_at=datetime.now(UTC) + timedelta(hours=1), **fields,
    )  # fmt: skip
    return line.hand_over(parcel)


def waiting(endpoint: str, after: str = "") -> list[dict[str, str]]:
    status, body = said(f"{endpoint}/waiting?after={after}")
    assert status == 200
    return list(json.loads(body))


def test_what_is_sealed_for_a_browser_waits_for_it_and_for_nobody_else(office: PostServer, line: WebPush) -> None:
    browser, other = TestBrowser("one"), registered(office)
    endpoint = registered(office)
    for number in range(3):
        assert hand_over(line, endpoint, browser, f"message {number}".encode()) == Taken()
    notes = waiting(endpoint)
    assert [browser.opened(base64.b64decode(each["body"])) for each in notes] == [
        b"message 0", b"message 1", b"message 2",
    ]  # fmt: skip
    assert waiting(endpoint, after=notes[1]["key"]) == notes[2:]
    assert waiting(other) == []


def test_of_a_topic_the_last_waits(office: PostServer, line: WebPush) -> None:
    browser, endpoint = TestBrowser("one"), registered(office)
    for text, topic in ((b"old", "t1"), (b"other", "t2"), (b"new", "t1")):
        hand_over(line, endpoint, browser, text, topic=topic)
    assert [browser.opened(base64.b64decode(each["body"])) for each in waiting(endpoint)] == [b"other", b"new"]


def test_it_knows_after_a_restart_what_waits(office: PostServer, line: WebPush, tmp_path: Path) -> None:
    endpoint = registered(office)
    hand_over(line, endpoint, TestBrowser("one"), b"hello")
    name = endpoint.rpartition("/")[2]
    later = PostServer(tmp_path, port=0)
    now = datetime.now(UTC)
    assert later.pushes.waiting(name, after="", now=now) == office.pushes.waiting(name, after="", now=now) != []
    assert later.pushes.waiting(name, after="", now=now + timedelta(hours=2)) == []
    later.server_close()


def test_without_a_signature_nothing_is_taken(office: PostServer) -> None:
    endpoint, origin = registered(office), office.pushes.origin
    subject = "mailto:a@shop.example"
    old = authorization(KEY, origin=origin, subject=subject, now=time.time() - 13 * 3600)
    elsewhere = authorization(KEY, origin="https://updates.push.services.mozilla.com", subject=subject, now=time.time())
    good = authorization(KEY, origin=origin, subject=subject, now=time.time())
    turned = good.replace(application_server_key(KEY), application_server_key(OTHER))
    assert turned != good
    for bad in ("", "vapid", "vapid t=a.b.c, k=d", "Bearer x", old, elsewhere, turned, good[:-1]):
        assert post(office, endpoint, Authorization=bad) == 401, bad
    assert post(office, endpoint) == 201


def test_a_browser_gets_nothing_under_another_key(office: PostServer) -> None:
    assert post(office, registered(office, application_server_key(OTHER))) == 403


def test_an_unknown_subscription_is_404_and_one_that_ended_410(office: PostServer, line: WebPush) -> None:
    endpoint, browser = registered(office), TestBrowser("one")
    for unknown in (f"{endpoint}x", f"{office.pushes.origin}/push/..%2f..%2fetc", f"{office.pushes.origin}/push/a/b"):
        assert post(office, unknown) == 404
        assert said(f"{unknown}/waiting")[0] == 404
    assert isinstance(hand_over(line, f"{endpoint}x", browser, b"x"), Gone)
    assert said(endpoint, method="DELETE")[0] == 204
    assert post(office, endpoint) == 410
    assert isinstance(hand_over(line, endpoint, browser, b"x"), Gone)
    assert said(f"{endpoint}/waiting")[0] == 404


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"TTL": ""}, 400), ({"TTL": "-1"}, 400), ({"Content_Encoding": "aesgcm"}, 400), ({"Topic": "a b"}, 400),
        ({"Topic": "x" * 33}, 400), ({"body": b"x" * 4097}, 413), ({"body": b"x" * 4096}, 201),
    ],
)  # fmt: skip
def test_what_no_push_service_takes(office: PostServer, change: dict[str, str], status: int) -> None:
    assert post(office, registered(office), **change) == status


def test_too_long_a_notification_is_refused_before_it_leaves(office: PostServer, line: WebPush) -> None:
    assert isinstance(hand_over(line, registered(office), TestBrowser("one"), b"x" * 3994), Refused)


def test_what_is_kept_does_not_hold_the_signature(office: PostServer, line: WebPush, tmp_path: Path) -> None:
    hand_over(line, registered(office), TestBrowser("one"), b"hello")
    [file] = (tmp_path / "pushes").iterdir()
    fields = json.loads(file.read_text())
    assert fields["headers"]["authorization"].startswith("vapid t=")
    assert len(fields["headers"]["authorization"]) < 60
    assert fields["ttl"] in range(3500, 3601)


def hook(office: PostServer, body: bytes = BODY, *, name: str = "m1", at: datetime, **headers: str) -> int:
    signature = Webhook(SECRET).sign(name, at, body.decode())
    usual = {"webhook_id": name, "webhook_timestamp": str(int(at.timestamp())), "webhook_signature": signature}
    return said(f"{office.pushes.origin}/hooks/shop", data=body, **usual | headers)[0]


def test_a_webhook_is_believed_by_its_signature_and_kept_once(office: PostServer, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    assert hook(office, at=now) == 404  # nobody waits for any
    (tmp_path / "webhook-secret").write_text(f"{SECRET}\n")
    assert hook(office, at=now) == 204
    assert hook(office, at=now) == 204  # sent again
    old = base64.b64encode(b"y" * 32).decode()
    both = f"v1,{old} {Webhook(SECRET).sign('m2', now, BODY.decode())}"
    assert hook(office, name="m2", at=now, webhook_signature=both) == 204  # while the secret is changed
    for change in (
        {"webhook_signature": f"v1,{old}"}, {"webhook_signature": ""}, {"webhook_id": "m3"}, {"webhook_timestamp": "1"},
    ):  # fmt: skip
        assert hook(office, at=now, **change) == 401, change
    assert hook(office, name="m4", at=now - timedelta(minutes=6)) == 401
    kept = [json.loads(file.read_text()) for file in sorted((tmp_path / "hooks").iterdir())]
    assert [(each["id"], each["body"]) for each in kept] == [("m1", BODY.decode()), ("m2", BODY.decode())]
